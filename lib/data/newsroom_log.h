// The newsroom's log of single clicks, for models that read a user's clicks in order and look at the clock (D-HAN).
//
// Articles, their topics and times of publication are those of newsroom.h; what these clicks depend on is the log's
// own. Each cause can be seen by one part of D-HAN only, so that leaving that part out must cost something:
//
//   hour     a topic is wanted by day or by night. All an ablation without the hour could go by are the clicks before
//   recency  topics of one half are wanted within three hours of the last reading, those of the other half later. What
//            was read is no secret to an ablation, how long ago is
//   element  sides of the persons and the places, which no text says: only the elements tell them
//   lead     what the article read last says in its leading sentence tells what is wanted next. Its other sentences say
//            the opposite as often, so the mean that an ablation keeps tells nothing
//
// A log is a pure function of the options and the number of a user.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lib/data/newsroom.h"

namespace nd::newsroom {

namespace log {

enum Cause { topic, hour, recency, element, lead };
inline constexpr int causes = 5;
using Terms = std::array<double, causes>;

struct Options {
  int64_t clicks = 0;      // of a user, on average; 0 for no log
  int64_t word_dim = 64;   // width of the words' vectors
  int64_t sentences = 12;  // of a body, at most, and at least a third of it
  Terms strength = {1};
};

// What the log adds to an article. Sides are -1 or +1.
struct Story {
  int topic = 0, subtopic = 0;
  int lead = 1;               // said by the leading sentence
  int wish = 1;               // said by all sentences: what `lead` of the article before makes wanted
  bool has_elements = true;   // one article in twenty has none
  int person = 1, place = 1;  // sides of its persons and places
};

struct Click {
  int32_t article = 0;
  int32_t session = 0;  // of the user, from 0
  int64_t second = 0;   // since the beginning of the first day of impressions, so may be negative
};

}  // namespace log

class Log {
 public:
  // The newsroom must outlive the log. UsageError when the options make no log.
  Log(const Newsroom& newsroom, const log::Options& options);

  const Newsroom& newsroom() const { return newsroom_; }
  const log::Options& options() const { return options_; }
  const log::Story& story(int64_t article) const { return story_[static_cast<size_t>(article)]; }

  // The user's clicks by time, no article twice. Each is drawn by the softmax of the logits of as many articles as an
  // impression has, published in the two days before.
  std::vector<log::Click> clicks(int64_t user) const;

  // Why the user would click the article at that second after these clicks: the terms of the logit.
  log::Terms terms(int64_t user, std::span<const log::Click> before, int64_t second, int64_t article) const;

 private:
  std::vector<int32_t> shown(std::span<const log::Click> before, int64_t second, RandomSequence& draw) const;

  const Newsroom& newsroom_;
  log::Options options_;
  Random taste_;
  std::vector<log::Story> story_;  // [articles]
};

}  // namespace nd::newsroom
