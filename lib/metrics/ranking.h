// Where the clicks of one impression stand once its candidates are ranked by score: all that the measures need to know.
//
// Ties: systems often give several candidates the same score, and then a rank is a matter of convention.
//   last      of equal candidates the later one stands higher (MIND's script reverses an ascending sort);
//   first     the earlier one stands higher;
//   expected  every order is equally likely, and measures give their exact expectation over the orders;
//   against   what was not clicked stands higher: no system gains by scoring everything alike.
// AUC counts a tied pair as one half under every rule.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace nd::metrics {

enum class Ties : uint8_t { last, first, expected, against };

// The rule of a name above. Error when there is none.
Ties ties_named(std::string_view name);

// Neighbouring places that hold equal scores, some of them clicked; which ones is unknown when clicks < places.
struct Group {
  int64_t first;   // rank of the best of them, from 1
  int64_t places;  // at least 1
  int64_t clicks;  // 1 to places
};

struct Ranking {
  int64_t candidates = 0;
  int64_t clicks = 0;
  double pairs_won = 0;           // (clicked, not clicked) pairs in the right order; ties count one half
  bool constant = false;          // all candidates have the same score
  bool tied = false;              // a clicked candidate has the score of one that was not clicked
  std::span<const Group> groups;  // every group that holds a click, best first
};

class Ranker {
 public:
  explicit Ranker(Ties ties) : ties_(ties) {}
  // Labels are 0 or 1, at least one of them 1; no score is NaN. Valid until the next call.
  Ranking rank(std::span<const float> scores, std::span<const uint8_t> labels);

 private:
  void by_counting(std::span<const float> scores, Ranking& ranking);
  void by_sorting(std::span<const float> scores, std::span<const uint8_t> labels, Ranking& ranking);

  Ties ties_;
  std::vector<int64_t> clicked_;  // positions of the clicks
  std::vector<int64_t> order_;
  std::vector<Group> groups_;
};

}  // namespace nd::metrics
