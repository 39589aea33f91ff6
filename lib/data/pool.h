// Whom to list articles for, and which articles to list.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/behavior.h"
#include "formats/corpus.h"
#include "lib/io/kind_file.h"

namespace nd {

// Every article of the corpus, in its order.
std::vector<int32_t> whole_pool(const Corpus& corpus);
// Rows of the article ids in a text file, one a line, empty lines ignored. Error with file and row for an id the corpus
// does not hold or that comes twice, and for a file without any.
std::vector<int32_t> read_pool(const std::string& path, const Corpus& corpus);

// Users and the history of the latest impression of each; of equal or unknown times the last in file order.
struct UserHistories {
  Strings id;
  Ragged<int32_t> history;
};
// Of these users in this order, or of all in order of first appearance when none are named. Error naming the file for
// an unknown one.
UserHistories latest_histories(const File<Behavior>& file, const std::vector<std::string>& users);

}  // namespace nd
