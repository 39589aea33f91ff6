// KRED against its float64 reference, and the properties its users count on.
#include "lib/models/kred.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "lib/io/error.h"
#include "lib/models/kred_train.h"
#include "lib/tensor/parallel.h"
#include "tests/lib/models/kred_reference.h"

namespace nd {
namespace {

using kred_reference::Reference;
using vec::Tensors;
using vec::Vec;
using namespace kred_world;

KredOptions small() {
  KredOptions o;
  o.hidden = kHidden;
  o.width = kWidth;
  return o;
}

struct Setting {
  std::string name;
  std::function<void(KredOptions&)> change;
};
std::ostream& operator<<(std::ostream& out, const Setting& s) { return out << s.name; }

class Model {
 public:
  explicit Model(const KredOptions& o, int64_t categories = 0)
      : options(o),
        data(world().corpus, world().documents, &world().entities, &world().kg, world().corpus.type_name, o.frequencies,
             {}, 3),
        kred(o, {kBase, kD, kTypes, categories}, 5) {
    // Biases and context start near zero, which would hide mistakes in them.
    RandomSequence random(11, "parameters");
    for (Parameter& p : kred.parameters().all())
      if (p.value.rows == 1 || p.name.starts_with("context"))
        for (int64_t i = 0; i < p.value.size(); ++i) p.value.data[i] = static_cast<float>(0.3 * random.normal());
  }
  static const World& world() {
    static const World w;
    return w;
  }
  Tensors tensors() {
    Tensors t;
    for (Parameter& p : kred.parameters().all())
      t[p.name] = {p.value.rows, p.value.cols, Vec(p.value.data, p.value.data + p.value.size())};
    return t;
  }
  std::vector<float> vectors(const std::vector<int32_t>& articles) {
    return KredRanker(kred, data, 50).encode(articles);
  }
  static std::vector<int32_t> all() {
    std::vector<int32_t> a(kArticles);
    std::iota(a.begin(), a.end(), 0);
    return a;
  }

  KredOptions options;
  KredData data;
  Kred kred;
};

void collect(KredStep& step, const Batch& batch) {
  step.clear();
  for (size_t u = 0; u < batch.history.size(); ++u) {
    step.user(batch.history[u]);
    for (int32_t a : batch.candidate[u]) step.candidate(a);
  }
  step.prepare();
}

class KredAgainstFloat64 : public testing::TestWithParam<Setting> {};

TEST_P(KredAgainstFloat64, BlocksAgreeWithinOneInAHundredThousand) {
  KredOptions o = small();
  GetParam().change(o);
  Model m(o);
  const Tensors tensors = m.tensors();
  const Reference reference(m.options, m.data, tensors);

  if (m.kred.uses_neighbours()) {
    Arena arena;
    Tape tape(arena, false);
    KredBatcher batcher(m.kred, m.data);
    std::vector<int32_t> heads(static_cast<size_t>(m.data.heads()));
    std::iota(heads.begin(), heads.end(), 0);
    Var e = m.kred.entities(tape, m.data.frozen(), batcher.entities(arena, heads));
    double scale = 0, worst = 0;
    for (size_t h = 0; h < heads.size(); ++h) {
      const Vec r = reference.entity(static_cast<int64_t>(h));
      for (int64_t j = 0; j < kD; ++j) {
        scale = std::max(scale, std::abs(r[j]));
        worst = std::max(worst, std::abs(r[j] - e->value.row(static_cast<int64_t>(h))[j]));
      }
    }
    EXPECT_LE(worst, 1e-5 * scale) << "entity vectors, eqs. (1)-(3)";
  }

  const auto vectors = m.vectors(Model::all());
  const int64_t width = m.kred.article_dim();
  double scale = 0, worst = 0;
  for (int64_t a = 0; a < kArticles; ++a) {
    const Vec r = reference.article(a);
    for (int64_t j = 0; j < width; ++j) {
      scale = std::max(scale, std::abs(r[j]));
      worst = std::max(worst, std::abs(r[j] - vectors[a * width + j]));
    }
  }
  EXPECT_LE(worst, 1e-5 * scale) << "article vectors, eqs. (4)-(8)";

  for (const Batch& batch : batches()) {
    Arena arena;
    Tape tape(arena);
    KredStep step(m.kred, m.data);
    collect(step, batch);
    Var scores = step.scores(tape);
    int64_t at = 0;
    for (size_t u = 0; u < batch.history.size(); ++u)
      for (int32_t a : batch.candidate[u]) {
        const double s = reference.score(reference.user(batch.history[u]), reference.article(a));
        EXPECT_NEAR(scores->value.data[at++], s, 1e-5 * std::max(1.0, std::abs(s))) << "eq. (9)";
      }
    const double loss = reference.loss(batch);
    EXPECT_NEAR(step.loss(tape, scores)->value.data[0], loss, 1e-5 * std::max(1.0, loss)) << "eqs. (10)-(11)";
  }
}

TEST_P(KredAgainstFloat64, GradientsAgreeWithCentralDifferences) {
  KredOptions o = small();
  GetParam().change(o);
  Model m(o);
  const Batch batch = batches()[0];
  Arena arena;
  Tape tape(arena);
  KredStep step(m.kred, m.data);
  collect(step, batch);
  m.kred.parameters().clear_gradients();
  tape.backward(step.loss(tape, step.scores(tape)));

  Tensors tensors = m.tensors();
  const Reference reference(m.options, m.data, tensors);
  double largest = 0;
  for (Parameter& p : m.kred.parameters().all())
    if (p.started)
      for (int64_t i = 0; i < p.grad.size(); ++i) largest = std::max(largest, std::abs(double{p.grad.data[i]}));
  RandomSequence random(1, "which");
  for (Parameter& p : m.kred.parameters().all()) {
    ASSERT_TRUE(p.started) << p.name << " gets no gradient";
    for (int k = 0; k < 6; ++k) {  // a few numbers of every parameter
      const auto i = static_cast<size_t>(random.below(static_cast<uint64_t>(p.value.size())));
      double& x = tensors[p.name].x[i];
      const double kept = x, h = 1e-6;
      x = kept + h;
      const double above = reference.loss(batch);
      x = kept - h;
      const double below = reference.loss(batch);
      x = kept;
      EXPECT_NEAR(p.grad.data[i], (above - below) / (2 * h), 1e-5 * largest) << p.name << "[" << i << "]";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Settings, KredAgainstFloat64,
                         testing::Values(Setting{"kred", [](KredOptions&) {}},
                                         Setting{"no_kgat", [](KredOptions& o) { o.kgat = "off"; }},
                                         Setting{"kgat_mean", [](KredOptions& o) { o.kgat = "mean"; }},
                                         Setting{"kgat_sum", [](KredOptions& o) { o.kgat = "sum"; }},
                                         Setting{"no_context", [](KredOptions& o) { o.context = false; }},
                                         Setting{"distill_mean", [](KredOptions& o) { o.distill = "mean"; }},
                                         Setting{"distill_sum", [](KredOptions& o) { o.distill = "sum"; }},
                                         Setting{"distill_max", [](KredOptions& o) { o.distill = "max"; }},
                                         Setting{"no_entity_learned", [](KredOptions& o) { o.no_entity = "learned"; }},
                                         Setting{"dv", [](KredOptions& o) { o.model = "dv"; }},
                                         Setting{"dv_entity", [](KredOptions& o) { o.model = "dv-entity"; }},
                                         Setting{"user_linear", [](KredOptions& o) { o.user_attn = "linear"; }},
                                         Setting{"dot", [](KredOptions& o) { o.predictor = "dot"; }},
                                         Setting{"cos", [](KredOptions& o) { o.predictor = "cos"; }},
                                         Setting{"linear", [](KredOptions& o) { o.predictor = "linear"; }},
                                         Setting{"unbounded", [](KredOptions& o) { o.bound = "none"; }}),
                         [](const auto& info) { return info.param.name; });

// Kred.md 1.6: no paper's equation of its own, but what eq. (12) is made of.
TEST(Kred, CategoryHeadAndItsLossAgreeWithFloat64) {
  Model m(small(), kCategories);
  const Batch batch = batches()[0];
  Arena arena;
  Tape tape(arena);
  KredBatcher batcher(m.kred, m.data);
  std::vector<int32_t> heads;
  const ArticleBatch articles = batcher.articles(arena, batch.document, &heads);
  Var entities = m.kred.entities(tape, m.data.frozen(), batcher.entities(arena, heads));
  Var logits = m.kred.category(tape, m.kred.articles(tape, m.data.frozen(), articles, entities));
  m.kred.parameters().clear_gradients();
  Var loss = grad::cross_entropy(tape, logits, batch.label.data());
  tape.backward(loss);

  Tensors tensors = m.tensors();
  const Reference reference(m.options, m.data, tensors);
  for (size_t i = 0; i < batch.document.size(); ++i) {
    const Vec r = reference.category(batch.document[i]);
    for (int64_t c = 0; c < kCategories; ++c)
      EXPECT_NEAR(logits->value.row(static_cast<int64_t>(i))[c], r[c], 1e-5 * std::max(1.0, std::abs(r[c])));
  }
  EXPECT_NEAR(loss->value.data[0], reference.category_loss(batch), 1e-5);
  for (const char* name : {"category.w1", "category.b1", "category.w2", "category.b2", "out.b3", "kgat.w2"}) {
    const Parameter* p = m.kred.parameters().find(name);
    ASSERT_TRUE(p->started) << name;
    for (int64_t i = 0; i < p->grad.size(); i += 1 + p->grad.size() / 5) {
      double& x = tensors[name].x[i];
      const double kept = x, h = 1e-6;
      x = kept + h;
      const double above = reference.category_loss(batch);
      x = kept - h;
      const double below = reference.category_loss(batch);
      x = kept;
      EXPECT_NEAR(p->grad.data[i], (above - below) / (2 * h), 1e-5) << name << "[" << i << "]";
    }
  }
}

TEST(Kred, VectorOfAnArticleDoesNotDependOnItsNeighboursInTheBatch) {
  Model m(small());
  const auto together = m.vectors(Model::all());
  for (int32_t a = 0; a < kArticles; ++a) {
    const auto alone = m.vectors({a});
    ASSERT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + a * kWidth)) << "article " << a;
  }
  auto reversed = Model::all();
  std::reverse(reversed.begin(), reversed.end());
  const auto backwards = m.vectors(reversed);
  for (int32_t a = 0; a < kArticles; ++a)
    ASSERT_TRUE(std::equal(backwards.begin() + (kArticles - 1 - a) * kWidth,
                           backwards.begin() + (kArticles - a) * kWidth, together.begin() + a * kWidth));
}

TEST(Kred, BitsDoNotDependOnThreads) {
  const auto trained = [](int count) {
    set_threads(count);
    Model m(small());
    Arena arena;
    Tape tape(arena);
    KredStep step(m.kred, m.data);
    for (int64_t s = 1; s <= 5; ++s) {
      tape.reset();
      m.kred.parameters().clear_gradients();
      collect(step, batches()[s % kBatches]);
      tape.backward(step.loss(tape, step.scores(tape)));
      m.kred.parameters().step({}, s);
    }
    std::vector<float> all;
    for (Parameter& p : m.kred.parameters().all()) all.insert(all.end(), p.value.data, p.value.data + p.value.size());
    return all;
  };
  const auto one = trained(1);
  EXPECT_EQ(one, trained(2));
  EXPECT_EQ(one, trained(7));
  set_threads(0);
}

TEST(Kred, AttentionSumsToOneAndListensToItsParameters) {
  Model m(small());
  const auto before = KredRanker(m.kred, m.data, 50).attention(Model::all());
  for (int64_t a = 0; a < kArticles; ++a) {
    double sum = 0;
    for (int64_t l = m.data.link_offsets[a]; l < m.data.link_offsets[a + 1]; ++l) sum += before.link[l];
    if (m.data.link_offsets[a] < m.data.link_offsets[a + 1]) {
      EXPECT_NEAR(sum, 1, 1e-5);
    }
  }
  for (int64_t h = 0; h < m.data.heads(); ++h) {
    double sum = 0;
    for (int64_t j = m.data.neighbour_offsets[h]; j < m.data.neighbour_offsets[h + 1]; ++j) sum += before.neighbour[j];
    if (m.data.neighbour_offsets[h] < m.data.neighbour_offsets[h + 1]) {
      EXPECT_NEAR(sum, 1, 1e-5);
    }
  }
  for (const char* name : {"kgat.w2", "distill.w2"}) {
    const Mat w = m.kred.parameters().find(name)->value;
    for (int64_t i = 0; i < w.size(); ++i) w.data[i] = -w.data[i];
  }
  const auto after = KredRanker(m.kred, m.data, 50).attention(Model::all());
  EXPECT_NE(before.link, after.link);
  EXPECT_NE(before.neighbour, after.neighbour);
}

TEST(Kred, OrderOfTheHistoryDoesNotMatterButItsEndDoesWhereItIsCut) {
  Model m(small());
  StringsBuilder user, id;
  user.push("U");
  RaggedBuilder<int32_t> histories, candidates;
  const std::vector<int32_t> one{3, 7, 7, 12, 20}, other{7, 20, 3, 12, 7}, end{12, 20};
  for (const auto& h : {one, other, end}) {
    histories.append(h);
    histories.end_row();
    id.push(std::to_string(id.size()));
    candidates.append(std::vector<int32_t>{1, 2, 3});
    candidates.end_row();
  }
  Behavior b;
  b.user_id = user.take();
  b.history = histories.take();
  b.impression_id = id.take();
  b.user = std::vector<int32_t>{0, 0, 0};
  b.time = std::vector<int64_t>{0, 0, 0};
  b.impression_history = std::vector<int32_t>{0, 1, 2};
  b.candidate = candidates.take();
  b.label = std::vector<uint8_t>(9, kUnlabelled);
  b.corpus_size = std::vector<int64_t>{kArticles};
  const auto scores = KredRanker(m.kred, m.data, 50).score(b);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(scores[i], scores[3 + i], 1e-6);
  // With histories of two, only the last two clicks count.
  const auto last = KredRanker(m.kred, m.data, 2).score(b);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(last[i], last[6 + i]);
  EXPECT_NE(last[0], last[3]);
}

TEST(Kred, ListsTheBestOfAPoolWithoutWhatWasRead) {
  Model m(small());
  RaggedBuilder<int32_t> histories;
  histories.append(std::vector<int32_t>{3, 7, 12});
  histories.end_row();
  histories.end_row();
  const auto history = histories.take();
  const auto best = KredRanker(m.kred, m.data, 50).top(history, Model::all(), 5, true);
  ASSERT_EQ(best.size(), 2u);
  EXPECT_EQ(best[0].article.size(), 5u);
  for (int32_t a : {3, 7, 12}) EXPECT_EQ(std::count(best[0].article.begin(), best[0].article.end(), a), 0);
  EXPECT_TRUE(std::is_sorted(best[0].score.rbegin(), best[0].score.rend()));
  const auto everything = KredRanker(m.kred, m.data, 50).top(history, Model::all(), 1000, false);
  EXPECT_EQ(everything[0].article.size(), static_cast<size_t>(kArticles));
}

TEST(KredOptions, SurviveTheirJson) {
  KredOptions o = small();
  o.kgat = "mean";
  o.context = false;
  o.gamma = 3.5;
  const KredOptions back = KredOptions::from_json(o.to_json());
  EXPECT_EQ(o.to_json().dump(), back.to_json().dump());
  EXPECT_THROW(KredOptions::from_json(json::Object{}), Error);
}

// Whether a step tells equal tails apart is a matter of speed alone.
TEST(Kred, GivesTheSameVectorsAndGradientsWhetherTailsAreSharedOrNot) {
  const Batch batch = batches()[0];
  std::vector<float> vectors[2];
  std::map<std::string, std::vector<float>> gradients[2];
  for (const bool shared : {false, true}) {
    Model m(small());
    m.data.tails_repeat = shared;
    vectors[shared] = m.vectors(Model::all());
    Arena arena;
    Tape tape(arena);
    KredStep step(m.kred, m.data);
    collect(step, batch);
    tape.backward(step.loss(tape, step.scores(tape)));
    for (const Parameter& p : m.kred.parameters().all())
      gradients[shared][p.name].assign(p.grad.data, p.grad.data + p.grad.size());
  }
  EXPECT_EQ(vectors[false], vectors[true]);
  for (const auto& [name, g] : gradients[true])
    for (size_t i = 0; i < g.size(); ++i)
      ASSERT_NEAR(gradients[false][name][i], g[i], 1e-5 * std::max(1.0f, std::abs(g[i]))) << name << " " << i;
}

}  // namespace
}  // namespace nd
