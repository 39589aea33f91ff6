// Writes D-HAN's cases of tests/parity/README.md: small random data, what our model makes of it, and where 20 steps of
// AdamW take it. One case per setting that changes an equation.
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "lib/models/dhan_batch.h"
#include "tests/lib/models/dhan_world.h"
#include "tests/parity/steps.h"

namespace nd {
namespace {

using namespace dhan_world;

constexpr int64_t kBatches = 4;

struct Case {
  std::string name;
  DhanOptions options = small();
  DhanShape shape = dhan_world::shape();
  OptimiserOptions optimiser{.epsilon = 1e-6, .l2 = 1e-4, .l2_mode = "decoupled", .clip = 1};
};

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](const std::string& name, const std::function<void(Case&)>& change) {
    change(all.emplace_back(Case{"dhan-" + name}));
  };
  const auto each = [&](const std::string& name, std::string DhanOptions::*option,
                        std::initializer_list<const char*> values) {
    for (const char* value : values) add(name + value, [&](Case& c) { c.options.*option = value; });
  };
  add("default", [](Case&) {});
  each("time-", &DhanOptions::time, {"none", "rel", "abs", "decay"});
  add("anchor-last", [](Case& c) { c.options.rel_anchor = "last"; });
  add("concat6", [](Case& c) { c.options.times.absolute = "concat6"; });
  add("mean5", [](Case& c) { c.options.times.absolute = "mean5"; });
  add("log", [](Case& c) { c.options.times.relative = "log"; });
  add("oslo", [](Case& c) { c.options.times.utc_offset = 3600; });
  each("", &DhanOptions::summary, {"none", "cnn", "lstm", "bilstm", "mh2", "mh4", "mh8"});
  each("pool-", &DhanOptions::pool, {"mean", "own"});
  each("", &DhanOptions::head, {"one-hidden"});
  add("levels-none", [](Case& c) { c.options.levels = ""; });
  each("levels-", &DhanOptions::levels, {"S", "E", "N", "SE", "SN", "EN"});
  const auto no_text = [](Case& c) { c.shape.sentences = c.shape.sentence_dim = 0; };
  const auto no_elements = [](Case& c) { c.shape.elements = c.shape.element_dim = 0; };
  add("no-text", no_text);
  add("no-elements", no_elements);
  add("ids-only", [&](Case& c) { no_text(c), no_elements(c); });
  const auto official = [&](const std::string& name, const std::function<void(Case&)>& change) {
    add("official-" + name, [&](Case& c) { c.options.compat = "official", change(c); });
  };
  for (const char* time : {"none", "rel", "abs", "both", "decay"})
    official(time, [&](Case& c) { c.options.time = time; });
  official("mh2", [](Case& c) { c.options.summary = "mh2"; });
  official("abs-levels-SE", [](Case& c) { c.options.time = "abs", c.options.levels = "SE"; });
  official("abs-ids-only", [&](Case& c) { c.options.time = "abs", no_text(c), no_elements(c); });
  add("clipped", [](Case& c) { c.optimiser.clip = 0.05; });
  add("decayed", [](Case& c) { c.optimiser.l2 = 1; });
  return all;
}

class Dump {
 public:
  Dump(const World& world, const Case& c)
      : case_(c),
        data_(world.corpus, text() ? &world.sentences : nullptr, elements() ? &world.elements : nullptr, world.known),
        model_(c.options, c.shape, 5),
        step_(model_, data_) {
    for (int64_t k = 0; k < kBatches; ++k) batches_.push_back(instances(static_cast<uint64_t>(100 + k)));
    // Where parameters start alike or near zero, mistakes in them would hide.
    RandomSequence random(11, "parameters");
    for (Parameter& p : model_.parameters().all())
      if (p.name.find("norm") != std::string::npos || p.name.starts_with("id") || p.value.rows == 1)
        for (int64_t i = 0; i < p.value.size(); ++i) p.value.data[i] += static_cast<float>(0.5 * random.normal());
    write_inputs(world);
  }

  void write(const std::string& folder) {
    write_steps(
        file_, model_.parameters(), case_.optimiser, kBatches,
        [this](Tape& tape, int64_t batch, Var* logits) { return loss_of(tape, batches_[batch], logits); },
        [](const Parameter&) { return true; });
    json::Value o = case_.options.to_json();
    o["system"] = "dhan";
    o["lr"] = case_.optimiser.lr;
    o["l2"] = case_.optimiser.l2;
    o["epsilon"] = case_.optimiser.epsilon;
    o["clip"] = case_.optimiser.clip;
    file_.write(folder + "/" + case_.name + ".safetensors", "dhan_dump", std::move(o));
  }

 private:
  bool text() const { return case_.shape.sentences > 0; }
  bool elements() const { return case_.shape.elements > 0; }

  Var loss_of(Tape& tape, const std::vector<Instance>& batch, Var* logits) {
    positive_.clear();
    step_.clear();
    for (size_t i = 0; i < batch.size(); ++i) {
      const Instance& in = batch[i];
      step_.instance({in.user, in.article, in.time, in.now});
      for (int32_t c : in.candidate) step_.candidate(static_cast<int64_t>(i), c);
      positive_.insert(positive_.end(), in.positive.begin(), in.positive.end());
    }
    step_.prepare_instances();
    step_.prepare_candidates();
    *logits = step_.logits(tape);
    return grad::two_means_loss(tape, *logits, positive_.data());
  }

  // Rows of `ids` by article of the corpus, -1 for none.
  static std::vector<int32_t> places(const Corpus& corpus, const Strings& ids) {
    std::vector<int32_t> place(static_cast<size_t>(corpus.size()), -1);
    for (int64_t a = 0; a < corpus.size(); ++a)
      for (int64_t i = 0; i < ids.size(); ++i)
        if (corpus.id[a] == ids[i]) place[a] = static_cast<int32_t>(i);
    return place;
  }

  void write_inputs(const World& world) {
    const auto stacks = [&](const std::string& what, const Stacks& s) {
      file_.floats(what + "_x", s.x.values.data(), {s.id.size(), s.label.size(), s.x.cols});
      file_.column("article_" + what, places(world.corpus, s.id));
    };
    if (text()) stacks("sentence", world.sentences);
    if (elements()) stacks("element", world.elements);
    file_.column("article_id", places(world.corpus, world.known));
    for (int64_t k = 0; k < kBatches; ++k) {
      const std::string name = "batch." + std::to_string(k) + ".";
      std::vector<int32_t> user, positive;
      std::vector<int64_t> now;
      std::vector<std::vector<int32_t>> candidates;
      std::vector<int32_t> article;
      std::vector<int64_t> time;
      for (const Instance& in : batches_[k]) {
        user.push_back(in.user);
        now.push_back(in.now);
        positive.push_back(0);
        candidates.push_back(in.candidate);
        article.insert(article.end(), in.article.begin(), in.article.end());
        time.insert(time.end(), in.time.begin(), in.time.end());
      }
      file_.column(name + "user", user);
      file_.column(name + "article", article, kLength);
      file_.column(name + "time", time, kLength);
      file_.column(name + "now", now);
      file_.ragged(name + "candidate", candidates);
      file_.column(name + "positive", positive);
    }
  }

  const Case& case_;
  DhanData data_;
  Dhan model_;
  DhanStep step_;
  std::vector<std::vector<Instance>> batches_;
  std::vector<uint8_t> positive_;
  CaseFile file_;
};

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: dhan_dump FOLDER\n");
    return 2;
  }
  try {
    const nd::dhan_world::World world;
    for (const nd::Case& c : nd::cases()) nd::Dump(world, c).write(argv[1]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "dhan_dump: %s\n", e.what());
    return 1;
  }
}
