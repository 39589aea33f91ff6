// KRED's cost at the setting of the paper's Table 4: one epoch over generated documents with a category head, 64 a
// step, Adam included; then vectors for all of them. Prints one JSON line; bench/kred.sh puts PyTorch beside it.
// The clock of the training starts at its third step, when libraries are loaded and memory has found its size.
//
// Documents have 24 distinct entities drawn Zipf(1) from 60,000; an entity has 20 neighbours drawn uniformly from
// 200,000 and 1,000 relations; d = 90, hidden 128, 768-wide base vectors (performance.md 8 uses the same).
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "formats/kinds.h"
#include "lib/io/error.h"
#include "lib/models/kred_rank.h"
#include "lib/nn/train.h"
#include "lib/tensor/device.h"
#include "lib/tensor/parallel.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

constexpr int64_t kLinked = 60000, kEntities = 200000, kRelations = 1000, kNeighbours = 20, kLinks = 24;
constexpr int64_t kEntityDim = 90, kDocumentDim = 768, kClasses = 15;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Strings numbered(const char* letter, int64_t n) {
  StringsBuilder ids;
  for (int64_t i = 0; i < n; ++i) ids.push(letter + std::to_string(i));
  return ids.take();
}

Matrix noise(int64_t rows, int64_t cols, const char* stream) {
  const Random random(1, stream);
  std::vector<float> x(static_cast<size_t>(rows * cols));
  for (size_t i = 0; i < x.size(); i += 2) {
    const auto w = random.words(i);
    x[i] = static_cast<float>(w[0]) * 0x1p-32f - 0.5f;
    if (i + 1 < x.size()) x[i + 1] = static_cast<float>(w[1]) * 0x1p-32f - 0.5f;
  }
  return {std::move(x), rows, cols};
}

Corpus documents(int64_t n) {
  std::vector<double> upto(kLinked);
  double total = 0;
  for (int64_t e = 0; e < kLinked; ++e) upto[e] = total += 1.0 / static_cast<double>(e + 1);
  const Random random(1, "documents");
  RaggedBuilder<int32_t> links;
  std::vector<int32_t> type, frequency, category;
  std::vector<uint8_t> position;
  std::vector<int64_t> last(kLinked, -1);
  for (int64_t a = 0; a < n; ++a) {
    uint64_t draw = 0;
    for (int64_t l = 0; l < kLinks;) {
      const double u = random.uniform(a, draw++) * total;
      const auto e = std::lower_bound(upto.begin(), upto.end(), u) - upto.begin();
      if (std::exchange(last[e], a) == a) continue;
      links.push(static_cast<int32_t>(e));
      type.push_back(static_cast<int32_t>(e % 20));
      frequency.push_back(1 + static_cast<int32_t>(random.below(20, a, 1000 + l)));
      position.push_back(static_cast<uint8_t>(l % 2));
      ++l;
    }
    links.end_row();
    category.push_back(static_cast<int32_t>(random.below(kClasses, a, 5000)));
  }
  const size_t m = type.size();
  Corpus c;
  c.id = numbered("N", n);
  c.category = std::move(category);
  c.entity_id = numbered("Q", kLinked);
  c.type_name = numbered("T", 20);
  c.link_entity = links.take();
  c.link_type = std::move(type);
  c.link_position = std::move(position);
  c.link_frequency = std::move(frequency);
  c.link_first = std::vector<int32_t>(m, 0);
  c.link_confidence = std::vector<float>(m, 1.0f);
  return c;
}

Kg graph() {
  const Random random(1, "graph");
  std::vector<int32_t> head, relation, tail;
  for (int64_t h = 0; h < kLinked; ++h)
    for (int64_t j = 0; j < kNeighbours; ++j) {
      head.push_back(static_cast<int32_t>(h));
      relation.push_back(static_cast<int32_t>(random.below(kRelations, h, 2 * j)));
      tail.push_back(static_cast<int32_t>(random.below(kEntities, h, 2 * j + 1)));
    }
  const auto n = static_cast<int64_t>(head.size());
  return {numbered("Q", kEntities), numbered("P", kRelations), std::move(head),
          std::move(relation),      std::move(tail),           std::vector<int64_t>{n, n, n}};
}

// The category task, and counts of how much a step's rows repeat.
class CategoryTask : public Trainee {
 public:
  static constexpr int64_t kUntimed = 2;  // steps

  // Of the first `documents`; `start` is called when the clock is to start.
  CategoryTask(Kred& model, const KredData& data, const Corpus& corpus, int64_t documents, std::function<void()> start)
      : model_(model), data_(data), corpus_(corpus), documents_(documents), start_(std::move(start)) {}
  Parameters& parameters() override { return model_.parameters(); }
  int64_t examples() const override { return documents_; }
  double validate() override { return NAN; }
  std::unique_ptr<Step> step() override { return std::make_unique<Documents>(*this); }
  int64_t steps = 0, timed = 0;  // `timed` in documents
  int64_t heads = 0, unique_heads = 0, neighbours = 0, unique_neighbours = 0;

 private:
  class Documents : public Step {
   public:
    explicit Documents(CategoryTask& task) : task_(task), batcher_(task.model_, task.data_) {}
    void prepare(std::span<const int64_t> rows, int64_t) override {
      arena_.reset();
      articles_.assign(rows.begin(), rows.end());
      label_ = arena_.array<int32_t>(static_cast<int64_t>(rows.size()));
      for (size_t i = 0; i < rows.size(); ++i) label_[i] = task_.corpus_.category[rows[i]];
      batch_ = batcher_.articles(arena_, articles_, &heads_);
      entities_ = batcher_.entities(arena_, heads_);
    }
    void begin() override {
      if (task_.steps++ == kUntimed) task_.start_();
    }
    Var loss(Tape& tape) override {
      if (task_.steps > kUntimed) task_.timed += static_cast<int64_t>(label_.size());
      task_.heads += batch_.links.items;
      task_.unique_heads += entities_.count;
      task_.neighbours += entities_.neighbours.items;
      task_.unique_neighbours += entities_.tail.rows;
      Var e = task_.model_.entities(tape, task_.data_.frozen(), entities_);
      Var v = task_.model_.articles(tape, task_.data_.frozen(), batch_, e);
      return grad::cross_entropy(tape, task_.model_.category(tape, v), label_.data());
    }

   private:
    CategoryTask& task_;
    KredBatcher batcher_;
    Arena arena_;
    ArticleBatch batch_;
    EntityBatch entities_;
    std::vector<int32_t> articles_, heads_;
    std::span<int32_t> label_;
  };

  Kred& model_;
  const KredData& data_;
  const Corpus& corpus_;
  const int64_t documents_;
  const std::function<void()> start_;
};

// What is left of the wall's seconds when the GPU's are taken away, as JSON.
std::string idle(double busy, double wall) { return std::isnan(busy) ? "null" : std::to_string(1 - busy / wall); }

int run(int64_t n, int threads, const std::string& device) {
  if (n <= CategoryTask::kUntimed * TrainOptions{}.batch)
    throw Error("expected more than 128 documents, as the first steps do not count, found " + std::to_string(n));
  set_threads(threads);
  use_device(pick_device(device));
  const Corpus corpus = documents(n);
  const Vectors base{corpus.id, noise(n, kDocumentDim, "base"), {}, {}};
  const Vectors entities{numbered("Q", kEntities), noise(kEntities, kEntityDim, "entities"), numbered("P", kRelations),
                         noise(kRelations, kEntityDim, "relations")};
  const Kg kg = graph();
  KredOptions options;
  KredData data(corpus, base, &entities, &kg, corpus.type_name, options.frequencies, {}, 1);
  Kred model(options, {kDocumentDim, kEntityDim, corpus.type_name.size(), kClasses}, 1);
  double began = now();
  CategoryTask task(model, data, corpus, n, [&] { began = now(); });
  TrainOptions training;
  training.epochs = 1;
  const TrainResult result = train(task, training, {}, {});
  const double train_seconds = (now() - began) * static_cast<double>(n) / static_cast<double>(task.timed);

  KredRanker ranker(model, data, 50);
  std::vector<int32_t> all(static_cast<size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  // The best of three: new memory costs what the host of a virtual machine makes it cost, used memory does not.
  double table_seconds = 0, infer_seconds = INFINITY;
  std::vector<float> vectors;
  for (int i = 0; i < 3; ++i) {
    double table = 0;
    began = now();
    vectors = ranker.encode(all, &table);
    const double seconds = now() - began;
    if (seconds < infer_seconds) infer_seconds = seconds, table_seconds = table;
  }

  double train_busy = NAN, infer_busy = NAN, graph_seconds = 0;
  RecordedCounts graphs;
  if (nd::device() == Device::cuda) {
    // Some of it once more, for how long of that time the GPU was at work.
    CategoryTask again(model, data, corpus, std::min<int64_t>(n, 6400), start_busy_clock);
    train(again, training, {}, {});
    train_busy = stop_busy_clock() * static_cast<double>(n) / static_cast<double>(again.timed);
    // The same work with steps as graphs.
    CategoryTask recorded(model, data, corpus, n, [&] { began = now(); });
    training.cuda_graphs = true;
    train(recorded, training, {}, {});
    graph_seconds = (now() - began) * static_cast<double>(n) / static_cast<double>(recorded.timed);
    graphs = recorded_counts();
    start_busy_clock();
    ranker.encode(all);
    infer_busy = stop_busy_clock();
  }

  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "{\"documents\":%ld,\"threads\":%d,\"device\":\"%s\",\"train_seconds\":%.3f,\"infer_seconds\":%.3f,\"table_"
      "seconds\":%.3f,"
      "\"train_idle\":%s,\"infer_idle\":%s,\"graph_train_seconds\":%.3f,\"graph_steps\":%lu,\"graphs_built\":%lu,"
      "\"unique_heads\":%.3f,\"unique_neighbours\":%.3f,\"loss\":%.6f,\"peak_mib\":"
      "%.0f,\"checksum\":%.6f}\n",
      n, nd::threads(), device.c_str(), train_seconds, infer_seconds, table_seconds,
      idle(train_busy, train_seconds).c_str(), idle(infer_busy, infer_seconds).c_str(), graph_seconds, graphs.started,
      graphs.built, static_cast<double>(task.unique_heads) / static_cast<double>(task.heads),
      static_cast<double>(task.unique_neighbours) / static_cast<double>(task.neighbours), result.last.loss,
      static_cast<double>(usage.ru_maxrss) / 1024,
      std::accumulate(vectors.begin(), vectors.end(), 0.0) / static_cast<double>(vectors.size()));
  return 0;
}

}  // namespace
}  // namespace nd

// kred_bench [DOCUMENTS [THREADS [DEVICE]]]
int main(int argc, char** argv) try {
  return nd::run(argc > 1 ? std::atoll(argv[1]) : 100000, argc > 2 ? std::atoi(argv[2]) : 0,
                 argc > 3 ? argv[3] : "cpu");
} catch (const std::exception& e) {
  std::fprintf(stderr, "kred_bench: %s\n", e.what());
  return 1;
}
