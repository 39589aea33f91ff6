// Knowledge graphs out of the files people keep them in: triples as TSV, OpenKE's id files, N-Triples.
//
// The three splits are read one after the other into one numbering. What a row says twice is stored once; literals
// (names, dates, numbers) are no entities and are left out; both are counted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/corpus.h"
#include "formats/kg.h"
#include "lib/data/interner.h"

namespace nd {

struct TripleOptions {
  // tsv: three tab-separated names. openke: three numbers separated by blanks or tabs, below an optional line with
  // their count; `entities` and `relations` say what the numbers mean. ntriples: <subject> <predicate> <object> .
  std::string format = "tsv";
  std::string order = "auto";       // of the columns: hrt, htr; auto is hrt for tsv and htr for openke, as these are
  std::string iri = "full";         // ntriples: ids are whole IRIs, or their local part, behind the last / or #
  std::string entities, relations;  // OpenKE's entity2id.txt and relation2id.txt: a count, then name and number a line
};

struct TripleCounts {
  int64_t triples = 0;     // stored
  int64_t duplicates = 0;  // said before in the same split
  int64_t repeated = 0;    // stored, and in an earlier split too: a test triple that is a training triple
  int64_t literals = 0;
};

class KgReader {
 public:
  // Reads the two id files where the format has them. Throws UsageError when format and options do not fit together.
  explicit KgReader(const TripleOptions& options);

  // Reads one split, which comes after those read before it. Error "path:row: ..." for a row that is no triple.
  TripleCounts read(const std::string& path);
  // Leaves the next split empty.
  void skip() { split_.push_back(static_cast<int64_t>(triples_.size())); }
  // The graph; splits that did not come are empty.
  Kg take();

 private:
  TripleOptions options_;
  Vocabulary entities_, relations_;
  Interner<int32_t> distinct_;    // rows head, relation, tail
  std::vector<int32_t> seen_in_;  // by those: the last split it came in
  std::vector<int32_t> triples_;  // rows of distinct_
  std::vector<int64_t> split_;
};

struct SubgraphCounts {
  int64_t linked = 0;   // entities linked in the corpus
  int64_t known = 0;    // those that the graph knows
  int64_t reached = 0;  // entities within the hops
};

// The triples between entities at most `hops` steps (in either direction, over any relation) from one that is linked in
// the corpus, in their order and splits. Entities and relations of no such triple are left out. Error when the graph
// knows no linked entity, or when no triple is left.
Kg subgraph(const Kg& kg, const Corpus& corpus, int64_t hops, SubgraphCounts& counts);

// The names of an OpenKE map file (entity2id.txt): a count, then a line with name and number for each of 0 ... count −
// 1, in any order. Error "path:row: ..." when a number is missing, out of range or given twice, or a name comes twice.
Strings read_id_map(const std::string& path);

}  // namespace nd
