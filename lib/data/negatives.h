// Articles a user did not click, drawn to train or to test against the ones they did.
//
// What is drawn for a positive is a pure function of (seed, epoch, row, positive): it depends neither on threads nor on
// what else was drawn.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "formats/behavior.h"
#include "formats/candidates.h"
#include "lib/data/distinct_draw.h"
#include "lib/tensor/random.h"

namespace nd {

enum class NegativeSource : uint8_t {
  impression,  // shown in the same impression and not clicked, each as likely as the others
  corpus,      // every article of the corpus, each as likely as the others
  popularity,  // in proportion to the clicks in the counted file
  recent,      // shown in the counted file within the window before the impression, each as likely as the others
};

struct NegativeOptions {
  NegativeSource source = NegativeSource::impression;
  int64_t window_hours = 48;  // for recent
};

// Source by its name above. UsageError when there is no such source.
NegativeSource negative_source(std::string_view name);

class NegativeSampler {
 public:
  // `rows` is the file whose impressions are drawn for. Never drawn: an article the impression's user clicked in `rows`
  // or in one of `exclude` (histories count, users are matched by id). `counted` is where popularity and recent look,
  // `rows` when null. All of them must be made from one corpus (the caller has compared the digests).
  NegativeSampler(const Behavior& rows, const NegativeOptions& options, uint64_t seed,
                  std::span<const Behavior* const> exclude = {}, const Behavior* counted = nullptr);

  // Writes out.size() distinct negatives for candidate number `positive` of impression `row`, and returns how many
  // there are: fewer only when the whole corpus cannot give more. What the source cannot give comes from the corpus.
  // row < 2^40, epoch < 2^24, positive and out.size() < 2^32. Safe to call from many threads.
  int draw(int64_t row, int64_t positive, int64_t epoch, std::span<int32_t> out) const;

 private:
  bool clicked(int32_t user, int32_t article) const;
  template <class Draw>
  void from_impression(int64_t row, Draw& draw) const;
  template <class Draw>
  void from_corpus(Draw& draw) const;
  template <class Draw>
  void from_recent(int64_t now, Draw& draw) const;

  Behavior rows_;
  NegativeOptions options_;
  Random random_;
  int64_t corpus_size_;
  Ragged<int32_t> clicks_;  // [users] sorted, distinct
  Popularity popularity_;

  // recent: for every hour the articles shown in it, ordered by hour and article.
  struct Showing {
    int64_t hour = 0, first = 0;  // first: the earliest time in this hour
    int32_t article = 0;
    int64_t previous = -1;  // hour of this article's showing before, -1 when there is none
  };
  std::vector<Showing> shown_;
};

// Appends a positive among its negatives, at a place drawn for (a, b), so that no rule about ties can profit from where
// it stands.
void append_among(int32_t positive, std::span<const int32_t> negatives, const Random& order, uint64_t a, uint64_t b,
                  RaggedBuilder<int32_t>& candidate, std::vector<uint8_t>& label);

// One row per click of `rows`, in file order: the clicked article among `negatives` drawn ones. `short_rows` counts
// rows that got fewer negatives.
Candidates sample_candidates(const Behavior& rows, const NegativeSampler& sampler, int64_t negatives, uint64_t seed,
                             int64_t& short_rows);

}  // namespace nd
