// Writes the cases of tests/parity/README.md: small random data, what our KRED makes of it, and where 20 steps of Adam
// take it. One case per setting that changes an equation.
#include <cstdio>
#include <string>
#include <vector>

#include "lib/models/kred_batch.h"
#include "lib/models/kred_train.h"
#include "tests/lib/models/kred_world.h"
#include "tests/parity/steps.h"

namespace nd {
namespace {

using namespace kred_world;

struct Case {
  std::string name;
  KredOptions options;
  std::string l2_mode = "coupled";
  bool category = false;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](const std::string& name, auto change) {
    Case c{name, {}};
    c.options.hidden = kHidden;
    c.options.width = kWidth;
    change(c);
    all.push_back(c);
  };
  add("kred", [](Case&) {});
  add("category", [](Case& c) { c.category = true; });
  add("no-kgat", [](Case& c) { c.options.kgat = "off"; });
  add("kgat-mean", [](Case& c) { c.options.kgat = "mean"; });
  add("kgat-sum", [](Case& c) { c.options.kgat = "sum"; });
  add("no-context", [](Case& c) { c.options.context = false; });
  add("distill-mean", [](Case& c) { c.options.distill = "mean"; });
  add("distill-sum", [](Case& c) { c.options.distill = "sum"; });
  add("distill-max", [](Case& c) { c.options.distill = "max"; });
  add("no-entity-learned", [](Case& c) { c.options.no_entity = "learned"; });
  add("dv", [](Case& c) { c.options.model = "dv"; });
  add("dv-entity", [](Case& c) { c.options.model = "dv-entity"; });
  add("dv-entity-category", [](Case& c) {
    c.options.model = "dv-entity";
    c.category = true;
  });
  add("user-linear", [](Case& c) { c.options.user_attn = "linear"; });
  add("predictor-dot", [](Case& c) { c.options.predictor = "dot"; });
  add("predictor-cos", [](Case& c) {
    c.options.predictor = "cos";
    c.options.bound = "none";
  });
  add("predictor-linear", [](Case& c) { c.options.predictor = "linear"; });
  add("unbounded", [](Case& c) {
    c.options.bound = "none";
    c.options.gamma = 1;
  });
  add("decoupled", [](Case& c) { c.l2_mode = "decoupled"; });
  return all;
}

class Dump {
 public:
  Dump(const World& world, const Case& c)
      : case_(c),
        data_(world.corpus, world.documents, &world.entities, &world.kg, world.corpus.type_name, c.options.frequencies,
              {}, 3),
        model_(c.options, {kBase, kD, kTypes, c.category ? kCategories : 0}, 5),
        batcher_(model_, data_),
        step_(model_, data_) {
    optimiser_.l2_mode = c.l2_mode;
    write_inputs(world);
  }

  void write(const std::string& folder) {
    std::vector<int32_t> all(kArticles);
    for (int32_t a = 0; a < kArticles; ++a) all[a] = a;
    const auto vectors = KredRanker(model_, data_, 50).encode(all);
    file_.floats("out.document", vectors.data(), {kArticles, model_.article_dim()});
    write_steps(
        file_, model_.parameters(), optimiser_, kBatches,
        [this](Tape& tape, int64_t batch, Var* scores) { return loss_of(tape, batches_[batch], scores); },
        [this](const Parameter& p) { return trained(p); });
    file_.write(folder + "/" + case_.name + ".safetensors", "kred_dump", settings());
  }

 private:
  // Each task trains the shared parameters and its own head's.
  bool trained(const Parameter& p) const {
    const bool ranking = p.name.starts_with("user.") || p.name.starts_with("predictor.");
    return case_.category ? !ranking : !p.name.starts_with("category.");
  }

  Var loss_of(Tape& tape, const Batch& b, Var* scores) {
    if (!case_.category) {
      step_.clear();
      for (int64_t u = 0; u < kUsers; ++u) {
        step_.user(b.history[u]);
        for (int32_t a : b.candidate[u]) step_.candidate(a);
      }
      step_.prepare();
      *scores = step_.scores(tape);
      return step_.loss(tape, *scores);
    }
    const ArticleBatch batch = batcher_.articles(tape.arena(), b.document, &heads_);
    Var e = model_.uses_neighbours() ? model_.entities(tape, data_.frozen(), batcher_.entities(tape.arena(), heads_))
                                     : tape.constant(data_.frozen().entity_x);
    *scores = model_.category(tape, model_.articles(tape, data_.frozen(), batch, e));
    return grad::cross_entropy(tape, *scores, b.label.data());
  }

  void write_inputs(const World& world) {
    const Corpus& corpus = world.corpus;
    file_.floats("entity_x", world.entities.x.values.data(), {kEntities, kD});
    file_.floats("relation_x", world.entities.relation_x.values.data(), {kRelations, kD});
    file_.floats("document_x", world.documents.x.values.data(), {kArticles, kBase});
    std::vector<std::vector<int32_t>> tails(kEntities), links(kArticles);
    std::vector<int32_t> relations;
    // Heads come in corpus order, which is the order of entity_x here; the others have no neighbours that matter.
    for (int64_t h = 0; h < data_.heads(); ++h)
      for (int64_t j = data_.neighbour_offsets[h]; j < data_.neighbour_offsets[h + 1]; ++j) {
        tails[data_.head_entity[h]].push_back(data_.neighbour_tail[j]);
        relations.push_back(data_.neighbour_relation[j]);
      }
    file_.ragged("neighbour_tail", tails);
    file_.column("neighbour_relation", relations);
    for (int64_t a = 0; a < kArticles; ++a) {
      const auto row = corpus.link_entity[a];
      links[a].assign(row.begin(), row.end());
    }
    file_.ragged("link_entity", links);
    file_.column("link_position", std::vector<uint8_t>(corpus.link_position.begin(), corpus.link_position.end()));
    file_.column("link_frequency", std::vector<int32_t>(corpus.link_frequency.begin(), corpus.link_frequency.end()));
    file_.column("link_type", std::vector<int32_t>(corpus.link_type.begin(), corpus.link_type.end()));
    for (int64_t k = 0; k < kBatches; ++k) {
      const std::string name = "batch." + std::to_string(k) + ".";
      if (case_.category) {
        file_.column(name + "document", batches_[k].document);
        file_.column(name + "label", batches_[k].label);
      } else {
        file_.ragged(name + "history", batches_[k].history);
        file_.ragged(name + "candidate", batches_[k].candidate);
        file_.column(name + "positive", std::vector<int32_t>(kUsers, 0));
      }
    }
  }

  json::Value settings() const {
    json::Value o = case_.options.to_json();
    o["system"] = "kred";
    o["task"] = case_.category ? "category" : "user2item";
    o["context"] = case_.options.context ? "on" : "off";
    o["lr"] = optimiser_.lr;
    o["l2"] = optimiser_.l2;
    o["l2_mode"] = optimiser_.l2_mode;
    return o;
  }

  const Case& case_;
  KredData data_;
  Kred model_;
  KredBatcher batcher_;
  KredStep step_;
  OptimiserOptions optimiser_;
  std::vector<Batch> batches_ = batches();
  std::vector<int32_t> heads_;
  CaseFile file_;
};

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: kred_dump FOLDER\n");
    return 2;
  }
  try {
    const nd::World world;
    for (const nd::Case& c : nd::cases()) nd::Dump(world, c).write(argv[1]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "kred_dump: %s\n", e.what());
    return 1;
  }
}
