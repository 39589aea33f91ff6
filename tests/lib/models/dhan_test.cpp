// D-HAN against its float64 reference in every setting, and the properties its users count on.
#include "lib/models/dhan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "lib/data/windows.h"
#include "lib/io/error.h"
#include "lib/models/dhan_score.h"
#include "lib/tensor/parallel.h"
#include "tests/lib/models/dhan_reference.h"

namespace nd {
namespace {

using dhan_reference::Reference;
using dhan_reference::Training;
using vec::Tensors;
using vec::Vec;
using namespace dhan_world;

struct Setting {
  std::string name;
  std::function<void(DhanOptions&, DhanShape&)> change;
};
std::ostream& operator<<(std::ostream& out, const Setting& s) { return out << s.name; }

const World& world() {
  static const World w;
  return w;
}

class Model {
 public:
  explicit Model(const DhanOptions& o = small(), const DhanShape& s = dhan_world::shape())
      : options(o),
        shape(s),
        data(world().corpus, s.sentences ? &world().sentences : nullptr, s.elements ? &world().elements : nullptr,
             world().known),
        dhan(o, s, 5) {
    // Where parameters start alike or near zero, mistakes in them would hide.
    RandomSequence random(11, "parameters");
    for (Parameter& p : dhan.parameters().all())
      if (p.name.find("norm") != std::string::npos || p.name.starts_with("id") || p.value.rows == 1)
        for (int64_t i = 0; i < p.value.size() - (p.name.starts_with("id") ? p.value.cols : 0); ++i)
          p.value.data[i] += static_cast<float>(0.5 * random.normal());
  }
  Tensors tensors() {
    Tensors t;
    for (Parameter& p : dhan.parameters().all())
      t[p.name] = {p.value.rows, p.value.cols, Vec(p.value.data, p.value.data + p.value.size())};
    return t;
  }

  DhanOptions options;
  DhanShape shape;
  DhanData data;
  Dhan dhan;
};

// Collected in `step`; which of the pairs are positive.
std::vector<uint8_t> collect(DhanStep& step, const std::vector<Instance>& all) {
  std::vector<uint8_t> positive;
  step.clear();
  for (const Instance& in : all) step.instance({in.user, in.article, in.time, in.now});
  step.prepare_instances();
  for (size_t i = 0; i < all.size(); ++i) {
    for (const int32_t c : all[i].candidate) step.candidate(static_cast<int64_t>(i), c);
    positive.insert(positive.end(), all[i].positive.begin(), all[i].positive.end());
  }
  step.prepare_candidates();
  return positive;
}

class DhanAgainstFloat64 : public testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    DhanOptions o = small();
    DhanShape s = dhan_world::shape();
    GetParam().change(o, s);
    model = std::make_unique<Model>(o, s);
  }
  const uint64_t* draw() const { return model->options.dropout > 0 ? &training.draw : nullptr; }
  const Training* dropped() const { return model->options.dropout > 0 ? &training : nullptr; }

  std::unique_ptr<Model> model;
  Training training{5, 1234567};
};

TEST_P(DhanAgainstFloat64, ScoresAgreeWithinOneInAHundredThousand) {
  const Tensors tensors = model->tensors();
  Reference reference(model->options, model->shape, model->data, tensors, dropped());
  reference.keep_weights = true;
  DhanStep step(model->dhan, model->data);
  const auto all = instances();
  collect(step, all);
  Arena arena;
  Tape tape(arena, false);
  DhanAttention attention;
  const Var logits = step.logits(tape, draw(), &attention);
  const Var scored = step.logits(tape, draw());  // without weights to show, another way
  int64_t pair = 0;
  for (const Instance& in : all)
    for (int32_t c : in.candidate) {
      const double expected = reference.logit(in, c, pair);
      EXPECT_NEAR(logits->value.data[pair], expected, 1e-5 * std::max(1.0, std::abs(expected))) << "pair " << pair;
      EXPECT_NEAR(scored->value.data[pair], expected, 1e-5 * std::max(1.0, std::abs(expected))) << "pair " << pair;
      ++pair;
    }
  const auto compare = [&](const char* level, const Mat& got) {
    const auto found = reference.weights.find(level);
    ASSERT_EQ(got.rows, found == reference.weights.end() ? 0 : static_cast<int64_t>(found->second.size())) << level;
    for (int64_t r = 0; r < got.rows; ++r)
      for (int64_t j = 0; j < got.cols; ++j)
        ASSERT_NEAR(got.row(r)[j], found->second[static_cast<size_t>(r)][static_cast<size_t>(j)], 1e-5) << level;
  };
  compare("sentence", attention.sentence);
  compare("element", attention.element);
  compare("sequence.layer", attention.sequence);
}

TEST_P(DhanAgainstFloat64, GradientsAgreeWithCentralDifferences) {
  auto all = instances();
  all.resize(2);
  DhanStep step(model->dhan, model->data);
  const auto positive = collect(step, all);
  Arena arena;
  Tape tape(arena);
  model->dhan.parameters().clear_gradients();
  tape.backward(grad::two_means_loss(tape, step.logits(tape, draw()), positive.data()));

  Tensors tensors = model->tensors();
  const Reference reference(model->options, model->shape, model->data, tensors, dropped());
  // All numbers of a parameter together, along one direction of plus and minus ones.
  const Random signs(1, "signs");
  const auto sign = [&](size_t i) { return signs.bits(i) & 1 ? 1.0 : -1.0; };
  for (Parameter& p : model->dhan.parameters().all()) {
    ASSERT_TRUE(p.started) << p.name << " gets no gradient";
    Vec& x = tensors[p.name].x;
    const Vec kept = x;
    const double h = 1e-6;
    double got = 0, size = 0, loss[2];
    for (int side = 0; side < 2; ++side) {
      for (size_t i = 0; i < x.size(); ++i) x[i] = kept[i] + (side ? h : -h) * sign(i);
      loss[side] = reference.loss(all);
    }
    x = kept;
    for (size_t i = 0; i < x.size(); ++i) {
      const double g = p.grad.data[i];
      got += sign(i) * g;
      size += g * g;
    }
    EXPECT_NEAR(got, (loss[1] - loss[0]) / (2 * h), 2e-5 * std::max(0.1, std::sqrt(size))) << p.name;
  }
}

Setting with(const char* name, std::string DhanOptions::*member, const char* value) {
  return {name, [=](DhanOptions& o, DhanShape&) { o.*member = value; }};
}
INSTANTIATE_TEST_SUITE_P(
    Settings, DhanAgainstFloat64,
    testing::Values(
        Setting{"default", [](DhanOptions&, DhanShape&) {}},
        Setting{"dropout", [](DhanOptions& o, DhanShape&) { o.dropout = 0.3; }},
        with("time_none", &DhanOptions::time, "none"), with("time_rel", &DhanOptions::time, "rel"),
        with("time_abs", &DhanOptions::time, "abs"), with("time_decay", &DhanOptions::time, "decay"),
        with("anchor_last", &DhanOptions::rel_anchor, "last"),
        Setting{"concat6", [](DhanOptions& o, DhanShape&) { o.times.absolute = "concat6"; }},
        Setting{"mean5", [](DhanOptions& o, DhanShape&) { o.times.absolute = "mean5"; }},
        Setting{"log", [](DhanOptions& o, DhanShape&) { o.times.relative = "log"; }},
        Setting{"oslo", [](DhanOptions& o, DhanShape&) { o.times.utc_offset = 3600; }},
        with("summary_none", &DhanOptions::summary, "none"), with("lstm", &DhanOptions::summary, "lstm"),
        with("bilstm", &DhanOptions::summary, "bilstm"), with("mh2", &DhanOptions::summary, "mh2"),
        with("mh4", &DhanOptions::summary, "mh4"), with("mh8", &DhanOptions::summary, "mh8"),
        Setting{"cnn", [](DhanOptions& o, DhanShape&) { o.summary = "cnn", o.dropout = 0.2; }},
        with("pool_mean", &DhanOptions::pool, "mean"), with("pool_own", &DhanOptions::pool, "own"),
        with("one_hidden", &DhanOptions::head, "one-hidden"), with("levels_none", &DhanOptions::levels, "none"),
        with("levels_S", &DhanOptions::levels, "S"), with("levels_E", &DhanOptions::levels, "E"),
        with("levels_N", &DhanOptions::levels, "N"), with("levels_SE", &DhanOptions::levels, "SE"),
        with("levels_SN", &DhanOptions::levels, "SN"), with("levels_EN", &DhanOptions::levels, "EN"),
        Setting{"no_text", [](DhanOptions&, DhanShape& s) { s.sentences = s.sentence_dim = 0; }},
        Setting{"no_elements", [](DhanOptions&, DhanShape& s) { s.elements = s.element_dim = 0; }},
        Setting{"ids_only",
                [](DhanOptions&, DhanShape& s) { s.sentences = s.sentence_dim = s.elements = s.element_dim = 0; }},
        Setting{"decay_without_sequence", [](DhanOptions& o, DhanShape&) { o.levels = "SE", o.time = "decay"; }},
        Setting{"official", [](DhanOptions& o, DhanShape&) { o.compat = "official", o.dropout = 0.2; }},
        Setting{"official_none", [](DhanOptions& o, DhanShape&) { o.compat = "official", o.time = "none"; }},
        Setting{"official_abs",
                [](DhanOptions& o, DhanShape&) { o.compat = "official", o.time = "abs", o.dropout = 0.2; }},
        Setting{"official_abs_mh2",
                [](DhanOptions& o, DhanShape&) { o.compat = "official", o.time = "abs", o.summary = "mh2"; }},
        Setting{"official_abs_ids_only",
                [](DhanOptions& o, DhanShape& s) {
                  o.compat = "official", o.time = "abs", o.levels = "none";
                  s.sentences = s.sentence_dim = s.elements = s.element_dim = 0;
                }}),
    [](const auto& info) { return info.param.name; });

std::vector<float> scores(Model& m, const std::vector<Instance>& all) {
  DhanStep step(m.dhan, m.data);
  collect(step, all);
  Arena arena;
  Tape tape(arena, false);
  const Mat z = step.logits(tape)->value;
  return {z.data, z.data + z.size()};
}

TEST(Dhan, ScoreOfAPairDoesNotDependOnTheOthersInTheBatch) {
  Model m;
  const auto all = instances(), one_by_one = [&] {
    std::vector<Instance> list;
    for (const Instance& in : instances())
      for (size_t c = 0; c < in.candidate.size(); ++c) {
        list.push_back(in);
        list.back().candidate = {in.candidate[c]};
        list.back().positive = {in.positive[c]};
      }
    return list;
  }();
  const auto together = scores(m, all);
  for (size_t i = 0; i < one_by_one.size(); ++i) EXPECT_EQ(scores(m, {one_by_one[i]})[0], together[i]);
}

// Candidates of many instances at once, in another order, on other threads, and in layers too wide for the operations
// that only score: the same bits as those of one pair by itself.
TEST(DhanScorer, GivesEveryPairTheScoreItHasByItself) {
  for (const int64_t hidden : {16, 64, 144}) {
    DhanOptions o = small();
    o.hidden = hidden;
    Model m(o);
    std::vector<Instance> all;
    for (uint64_t seed = 1; seed <= 30; ++seed)
      for (Instance& in : instances(seed)) {
        if (seed % 5 == 0) in.candidate.clear();
        for (int32_t c = 0; seed % 7 == 0 && c < 150; ++c) in.candidate.push_back((c * 5) % kArticles);
        all.push_back(in);
      }
    const auto scored = [&](int threads) {
      std::vector<DhanInstance> list;
      std::vector<int64_t> offsets{0};
      std::vector<int32_t> candidate;
      for (const Instance& in : all) {
        list.push_back({in.user, in.article, in.time, in.now});
        candidate.insert(candidate.end(), in.candidate.begin(), in.candidate.end());
        offsets.push_back(static_cast<int64_t>(candidate.size()));
      }
      set_threads(threads);
      return DhanScorer(m.dhan, m.data).score(list, offsets, candidate);
    };
    const auto got = scored(3);
    EXPECT_EQ(scored(1), got);
    size_t at = 0;
    for (const Instance& in : all)
      for (size_t c = 0; c < in.candidate.size(); ++c, ++at)
        if (at % 67 == 0) {
          Instance alone = in;
          alone.candidate = {in.candidate[c]};
          alone.positive = {0};
          ASSERT_EQ(scores(m, {alone})[0], got[at]) << "pair " << at << ", hidden " << hidden;
        }
    ASSERT_EQ(at, got.size());
    for (Instance& in : all) std::reverse(in.candidate.begin(), in.candidate.end());
    const auto reversed = scored(0);
    for (size_t i = 0, first = 0; i < all.size(); first += all[i++].candidate.size())
      for (size_t c = 0, n = all[i].candidate.size(); c < n; ++c)
        ASSERT_EQ(reversed[first + c], got[first + n - 1 - c]) << "instance " << i;
  }
  set_threads(0);
}

// The operations that only score have an algebra of their own; softmaxes that are all but certain must not part them
// from the plain ones.
TEST(DhanScorer, EqualsThePlainModelWithExtremeLogits) {
  for (const float times : {8.0f, 30.0f}) {
    Model m;
    for (Parameter& p : m.dhan.parameters().all())
      if (p.name.find(".query.") != std::string::npos || p.name.find(".key.") != std::string::npos)
        for (int64_t i = 0; i < p.value.size(); ++i) p.value.data[i] *= times;
    std::vector<Instance> all;
    for (uint64_t seed = 1; seed <= 20; ++seed)
      for (const Instance& in : instances(seed)) all.push_back(in);
    DhanStep step(m.dhan, m.data);
    collect(step, all);
    Arena arena;
    Tape tape(arena, false);
    DhanAttention attention;
    const Mat plain = step.logits(tape, nullptr, &attention)->value, scored = step.logits(tape)->value;
    for (int64_t i = 0; i < plain.size(); ++i)
      EXPECT_NEAR(scored.data[i], plain.data[i], 1e-5 * std::max(1.0f, std::abs(plain.data[i]))) << "pair " << i;
    for (const Mat& weights : {attention.sentence, attention.element, attention.sequence}) {
      int64_t certain = 0;
      for (int64_t i = 0; i < weights.size(); ++i) certain += weights.data[i] > 0.999f ? 1 : 0;
      EXPECT_GT(certain, weights.rows / 10);
    }
  }
}

// As on a GPU, where the host does not know the candidates.
TEST(Dhan, PairsWhoseCandidatesComeLateAreScoredAndLearntTheSame) {
  for (const bool by_row : {true, false}) {
    Model m;
    auto all = instances();
    all[1].candidate.assign(3, all[0].candidate[0]);  // the same one again and again
    all[2].candidate.clear();
    for (Instance& in : all) in.positive.assign(in.candidate.size(), 0);
    const auto run = [&](bool late) {
      DhanStep step(m.dhan, m.data);
      std::vector<uint8_t> positive(collect(step, all).size());
      positive[0] = 1;
      if (late) {
        std::vector<int32_t> candidates;
        std::vector<int64_t> offsets{0};
        for (const Instance& in : all) {
          candidates.insert(candidates.end(), in.candidate.begin(), in.candidate.end());
          offsets.push_back(static_cast<int64_t>(candidates.size()));
        }
        step.clear();
        for (const Instance& in : all) step.instance({in.user, in.article, in.time, in.now});
        step.prepare_instances();
        step.prepare_pairs(offsets, by_row);
        step.candidates(candidates);
      }
      Arena arena;
      Tape tape(arena, by_row);
      m.dhan.parameters().clear_gradients();
      const Var z = step.logits(tape);
      std::vector<float> out = values_of(z->value);
      if (!by_row) return out;
      tape.backward(grad::two_means_loss(tape, z, positive.data()));
      for (Parameter& p : m.dhan.parameters().all())
        for (int64_t i = 0; p.started && i < p.grad.size(); ++i) out.push_back(p.grad.data[i]);
      return out;
    };
    const auto expected = run(false), got = run(true);
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], by_row ? 1e-6 : 0) << i;
  }
}

TEST(Dhan, OrderOfTheHistoryMatters) {
  Model m;
  std::vector<Instance> in{instances()[1]};
  const auto before = scores(m, in);
  std::swap(in[0].article[0], in[0].article[3]);
  EXPECT_NE(before, scores(m, in));
}

TEST(Dhan, BitsDoNotDependOnThreads) {
  const auto trained = [](int count) {
    set_threads(count);
    DhanOptions o = small();
    o.dropout = 0.2;
    Model m(o);
    DhanStep step(m.dhan, m.data);
    const auto all = instances();
    Arena arena;
    Tape tape(arena);
    OptimiserOptions optimiser;
    optimiser.clip = 1;
    for (uint64_t s = 1; s <= 4; ++s) {
      tape.reset();
      m.dhan.parameters().clear_gradients();
      const auto positive = collect(step, all);
      tape.backward(grad::two_means_loss(tape, step.logits(tape, &s), positive.data()));
      m.dhan.parameters().step(optimiser, static_cast<int64_t>(s));
    }
    std::vector<float> values;
    for (Parameter& p : m.dhan.parameters().all())
      values.insert(values.end(), p.value.data, p.value.data + p.value.size());
    return values;
  };
  const auto one = trained(1);
  EXPECT_EQ(one, trained(2));
  EXPECT_EQ(one, trained(7));
  set_threads(0);
}

TEST(Dhan, TheUnknownHaveAnIdentityOfZerosThatStays) {
  Model m;
  for (const char* name : {"id.user", "id.article"}) {
    const Mat table = m.dhan.parameters().find(name)->value;
    for (int64_t j = 0; j < table.cols; ++j) EXPECT_EQ(table.row(table.rows - 1)[j], 0) << name;
  }
}

TEST(Dhan, RefusesSentencesThatAreNoTokensBesideUsers) {
  DhanShape s = dhan_world::shape();
  s.sentence_dim = kWidth + 1;
  EXPECT_THROW(Dhan(small(), s, 1), Error);
  DhanOptions o = small();
  o.levels = "EN";
  EXPECT_NO_THROW(Dhan(o, s, 1));
}

TEST(DhanOptions, SurviveTheirJson) {
  DhanOptions o = small();
  o.levels = "SN";
  o.time = "rel";
  o.times.relative = "log";
  o.times.utc_offset = -3600;
  o.summary = "mh4";
  o.compat = "official";
  o.dropout = 0.25;
  EXPECT_EQ(DhanOptions::from_json(o.to_json()).to_json().dump(), o.to_json().dump());
  EXPECT_THROW(DhanOptions::from_json(json::Object{}), Error);
  o.length = WindowOptions::longest;  // what a trainer takes
  EXPECT_EQ(DhanOptions::from_json(o.to_json()).length, o.length);
  for (const auto& [key, value] :
       {std::pair<const char*, json::Value>{"hidden", 24}, {"time", "always"}, {"dropout", 1.0}, {"length", 0}}) {
    json::Value other = o.to_json();
    other[key] = value;
    EXPECT_THROW(DhanOptions::from_json(other), Error) << key;
  }
}

TEST(DhanTime, TakesFieldsOfTheCalendarInTheZoneAskedFor) {
  DhanTimeOptions o;
  int32_t r[6];
  const auto absolute = [&](int64_t t, size_t n) {
    absolute_rows(o, t, r);
    return std::vector<int32_t>(r, r + n);
  };
  // 1970-01-01 was a Thursday.
  EXPECT_EQ(absolute(0, 5), (std::vector<int32_t>{0, 0, 3, 0, 0}));
  EXPECT_EQ(absolute(951868799, 5), (std::vector<int32_t>{1, 28, 1, 23, 59}));  // 2000-02-29 23:59:59, a Tuesday
  o.utc_offset = 3600;
  EXPECT_EQ(absolute(951868799, 5), (std::vector<int32_t>{2, 0, 2, 0, 59}));
  o.utc_offset = -3600;
  EXPECT_EQ(absolute(0, 5), (std::vector<int32_t>{11, 30, 2, 23, 0}));
  o.absolute = "concat6";
  o.first_year = 1970;
  o.years = 30;
  EXPECT_EQ(absolute(0, 1)[0], 30);  // 1969 in that zone: not one of those known
  EXPECT_EQ(absolute(86400, 1)[0], 0);
  EXPECT_EQ(absolute(951868799, 1)[0], 30);
  EXPECT_EQ(absolute(946000000, 1)[0], 29);
}

TEST(DhanTime, TakesDifferencesFieldByFieldOrByLogarithm) {
  DhanTimeOptions o;
  int32_t r[5];
  // From 31 January 23:59 to 1 February 00:00, as dhan.md 1.5 works it out: +1 -30 +1 -23 -59.
  relative_rows(o, 1485907140, 1485907200, r);
  EXPECT_EQ(std::vector<int32_t>(r, r + 5), (std::vector<int32_t>{13, 1, 8, 1, 1}));
  o.relative = "log";
  const auto bucket = [&](int64_t seconds) {
    relative_rows(o, 1000, 1000 + seconds, r);
    return r[0];
  };
  EXPECT_EQ(bucket(0), 0);
  EXPECT_EQ(bucket(-100), 0);
  EXPECT_EQ(bucket(59), 1);  // 2 log2(1.98)
  EXPECT_EQ(bucket(60), 2);
  EXPECT_EQ(bucket(180), 4);
  EXPECT_EQ(bucket(int64_t{1} << 40), 47);
}

TEST(DhanData, StandsInForWhatIsMissingAndSaysHowMuch) {
  Model m;
  EXPECT_EQ(m.data.coverage().articles, kArticles);
  EXPECT_EQ(m.data.coverage().without_text, 2);
  EXPECT_EQ(m.data.coverage().without_elements, 3);
  EXPECT_EQ(m.data.coverage().unknown, kArticles - kKnown);
  const DhanFrozen& f = m.data.frozen();
  for (int64_t j = 0; j < kWidth; ++j) EXPECT_EQ(f.sentence_mean.row(m.data.article_sentence[0])[j], 0);
  for (int64_t j = 0; j < kElementDim; ++j) EXPECT_EQ(f.element_mean.row(m.data.article_element[kArticles - 1])[j], 1);
  Stacks strange = world().sentences;
  StringsBuilder ids;
  for (int64_t i = 0; i < strange.size(); ++i) ids.push("X" + std::to_string(i));
  strange.id = ids.take();
  EXPECT_THROW(DhanData(world().corpus, &strange, nullptr, world().known), Error);
}

}  // namespace
}  // namespace nd
