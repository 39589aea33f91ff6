// The language of an artificial newsroom: made-up words, names, and texts that name entities at known places.
//
// Topics have words of their own, so text tells the topic. Names are made of two parts that many entities share, so
// words tell nothing about one entity. Some names are not ASCII, one part lies outside Unicode's basic plane.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lib/data/newsroom.h"

namespace nd::newsroom {

// Where a text names an entity: code points from the start of the text, and the very words.
struct Occurrence {
  size_t mention;  // index of the article's mention
  int64_t offset;
  std::string surface;
};

struct Text {
  std::string text;                     // UTF-8
  std::vector<Occurrence> occurrences;  // from left to right
};

// Word n of an endless list of different words of a to z, the shorter ones first. Titles, abstracts and names have none
// from words_of_others on.
std::string made_up_word(int64_t n);
inline constexpr int64_t words_of_others = int64_t{1} << 23;

class Language {
 public:
  explicit Language(const Newsroom& newsroom);

  // An entity's full name.
  std::string name(int64_t entity) const;
  std::string category(int topic) const;
  std::string subcategory(int topic, int subtopic) const;
  Text title(int64_t number, const Article& article) const;
  Text abstract(int64_t number, const Article& article) const;  // empty when the article has none
  std::string topic_word(int topic, int subtopic, RandomSequence& draw) const;
  // All words of titles and abstracts but names, in lower case, each with its topic, -1 for those of any.
  std::vector<std::pair<std::string, int>> words() const;

 private:
  std::string name_part(int64_t entity, int part) const;
  Text write(const Article& article, bool title, int64_t words, RandomSequence& draw) const;

  const Newsroom& newsroom_;
  int64_t parts_;  // different first (and last) parts of names
};

}  // namespace nd::newsroom
