#include "lib/models/transe.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include "lib/models/transe_batch.h"
#include "lib/nn/steps_ahead.h"
#include "lib/tensor/arena.h"
#include "lib/tensor/device.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

// Also written this often without being asked, so that a killed machine costs little.
constexpr double kCheckpointSeconds = 30;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Vectors of entities or of relations. Rows are padded with zeros to whole vectors of sixteen, which stay zeros.
struct Rows {
  int64_t dim = 0;
  Mat value;
  Mat m, v;     // of Adam
  Mat squares;  // of Adagrad

  Rows(Arena& arena, int64_t rows, const TranseOptions& o, std::string_view name) : dim(o.dim) {
    const int64_t width = (dim + 15) / 16 * 16;
    const Random random(o.seed, name);
    std::vector<float> values(static_cast<size_t>(rows * width), 0.0f);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t k = 0; k < dim; ++k)
        values[static_cast<size_t>(i * width + k)] = static_cast<float>((2 * random.uniform(k, i) - 1) * o.start);
    value = arena.mat(rows, width);
    copy_in(values.data(), value);
    const auto zeros = [&](Mat& kept, int64_t cols) {
      kept = arena.mat(rows, cols);
      fill(kept, 0.0f);
    };
    if (o.optimiser == "adam") {
      zeros(m, width);
      zeros(v, width);
    }
    if (o.optimiser == "adagrad") zeros(squares, 1);
  }

  Matrix unpadded() const {
    const std::vector<float> values = values_of(value);
    std::vector<float> out(static_cast<size_t>(value.rows * dim));
    for (int64_t i = 0; i < value.rows; ++i) std::copy_n(values.data() + i * value.cols, dim, out.data() + i * dim);
    return {std::move(out), value.rows, dim};
  }

  template <class Visit>
  void tensors(const std::string& name, Visit&& visit) {
    visit("now." + name, value);
    if (!m.empty()) visit("m." + name, m);
    if (!v.empty()) visit("v." + name, v);
    if (!squares.empty()) visit("squares." + name, squares);
  }
};

class Training {
 public:
  Training(const Kg& kg, int64_t triples, const TranseOptions& o, const TranseHooks& hooks, const CheckpointFile& file)
      : kg_(kg),
        triples_(triples),
        o_(o),
        hooks_(hooks),
        file_(file),
        entity_(arena_, kg.entity_id.size(), o, "start/entity"),
        relation_(arena_, kg.relation_id.size(), o, "start/relation"),
        draws_(kg, triples, o),
        steps_([&] { return std::make_unique<TransePlace>(draws_); }) {
    form_.l1 = o.norm == "l1";
    form_.self_adversarial = o.loss == "self-adversarial";
    form_.margin = static_cast<float>(o.margin);
    form_.temperature = static_cast<float>(o.temperature);
    const int64_t batch = std::min(o.batch, triples), chunks = batch / o.chunk + 2, width = entity_.value.cols;
    // One matrix, so that one item number names a row of any of the three.
    gradients_ = arena_.mat(2 * batch + chunks * o.negatives, width);
    used_ = arena_.array<uint8_t>(gradients_.rows);
    loss_ = arena_.mat(1, 1);
    steps_per_epoch_ = (triples + batch - 1) / batch;
  }

  Vectors run() {
    resume();
    last_saved_ = now();
    make_order(epoch_);
    for (; epoch_ < o_.epochs; ++epoch_) one_epoch();
    return {kg_.entity_id, entity_.unpadded(), kg_.relation_id, relation_.unpadded()};
  }

 private:
  void one_epoch() {
    const double began = now();
    order_made_.finish();
    order_.swap(next_order_);
    if (epoch_ + 1 < o_.epochs) make_order(epoch_ + 1);
    if (o_.bound == "sphere" && step_ == 0) to_sphere();
    TranseReport report;
    steps_.begin(step_, steps_per_epoch_, [this, epoch = epoch_](TransePlace& place, int64_t step) {
      const int64_t begin = step * o_.batch, end = std::min(begin + o_.batch, triples_);
      place.prepare(std::span(order_).subspan(begin, end - begin), epoch, begin);
    });
    while (step_ < steps_per_epoch_) {
      TransePlace& place = steps_.next();
      report.lr = lr();
      const Started next = start(place, report.lr);
      // While a GPU computes this step, the host sees what came of the one before and prepares the one after.
      finish();
      started_ = next;
      report.triples += place.batch().triples();
      if (device() == Device::cpu || step_ == steps_per_epoch_) finish();
      const int signal = hooks_.stop ? hooks_.stop() : 0;
      if (signal || now() - last_saved_ > kCheckpointSeconds) {
        finish();
        save_checkpoint();
      }
      if (signal) throw Interrupted(signal);
    }
    report.epoch = epoch_ + 1;
    report.loss = loss_sum_ / static_cast<double>(triples_);
    report.seconds = now() - began;
    if (hooks_.epoch) hooks_.epoch(report);
    step_ = 0;
    loss_sum_ = 0;
  }

  // Of the epoch's triples; made aside, while the epoch before is learnt.
  void make_order(int64_t epoch) {
    order_made_.start([this, epoch] {
      next_order_.resize(static_cast<size_t>(triples_));
      std::iota(next_order_.begin(), next_order_.end(), 0);
      RandomSequence random(o_.seed, "shuffle", static_cast<uint64_t>(epoch + 1));
      shuffle(next_order_, random);
    });
  }

  void to_sphere() {
    std::vector<float> values = values_of(entity_.value);
    for (int64_t i = 0; i < entity_.value.rows; ++i) {
      float* x = values.data() + i * entity_.value.cols;
      double square = 0;
      for (int64_t k = 0; k < o_.dim; ++k) square += static_cast<double>(x[k]) * x[k];
      if (square > 0)
        for (int64_t k = 0; k < o_.dim; ++k) x[k] = static_cast<float>(x[k] / std::sqrt(square));
    }
    copy_in(values.data(), entity_.value);
  }

  double lr() const {
    const int64_t last = o_.epochs * steps_per_epoch_ - 1;
    if (last == 0) return o_.lr;
    return o_.lr + (o_.final_lr - o_.lr) * static_cast<double>(steps_done()) / static_cast<double>(last);
  }
  int64_t steps_done() const { return epoch_ * steps_per_epoch_ + step_; }

  // A step that was asked for.
  struct Started {
    LateValue loss;
    int64_t done = 0, steps_before = 0;  // triples of the epoch with it, steps of the training without it
  };
  Started start(TransePlace& place, double lr) {
    const TranseBatch& batch = place.batch();
    const int64_t n = batch.triples(), drawn = batch.chunks() * batch.drawn, before = steps_done();
    // The next step must not write where this one may still be read.
    Arena& kept = losses_[step_ % 2];
    kept.reset();
    // The first two are not recorded: memory finds its size, kernels are loaded.
    Recording recording(o_.cuda_graphs && ++steps_here_ > 2);
    place.send();
    ops::transe_loss(form_, entity_.value, relation_.value, batch, part(0, n), part(n, n), part(2 * n, drawn),
                     used_.data(), loss_);
    const LateValue loss = value_later(kept, loss_);
    const Mat all = part(0, 2 * n + drawn);
    update(entity_, place.of_entities(), all, lr);
    update(relation_, place.of_relations(), all, lr);
    recording.start();
    ++step_;
    return {loss, std::min(step_ * o_.batch, triples_), before};
  }
  // Waits for the step that is under way, if one is.
  void finish() {
    if (!started_) return;
    const auto [late, done, steps_before] = *started_;
    started_.reset();
    const float loss = value_of(late);
    if (!std::isfinite(loss))
      throw Error("the loss is not finite in epoch " + std::to_string(epoch_ + 1) + " after " +
                  std::to_string(steps_before) + " steps; try a smaller --lr");
    loss_sum_ += loss;
    if (hooks_.step) hooks_.step(epoch_ * triples_ + done, o_.epochs * triples_);
  }
  Mat part(int64_t first, int64_t rows) const {
    return {gradients_.row(first), rows, gradients_.cols, gradients_.device};
  }

  void update(Rows& table, RowGradients gradients, const Mat& g, double lr) {
    gradients.g = g;
    gradients.used = used_.data();
    if (o_.optimiser == "adam") {
      AdamStep step;
      step.lr = static_cast<float>(lr);
      const auto t = static_cast<double>(steps_done() + 1);
      step.c1 = static_cast<float>(1 - std::pow(0.9, t));
      step.c2 = static_cast<float>(1 - std::pow(0.999, t));
      ops::adam_rows(step, gradients, table.m, table.v, table.value);
    } else if (o_.optimiser == "adagrad") {
      ops::adagrad_rows(static_cast<float>(lr), o_.dim, gradients, table.squares, table.value);
    } else {
      ops::sgd_rows(static_cast<float>(lr), gradients, table.value);
    }
    if (o_.bound == "ball") ops::cap_rows(gradients, table.value);
  }

  template <class Visit>
  void tensors(Visit&& visit) {
    entity_.tensors("entity", visit);
    relation_.tensors("relation", visit);
  }

  void save_checkpoint() {
    last_saved_ = now();
    if (file_.path.empty()) return;
    Checkpoint c;
    tensors([&](const std::string& name, const Mat& x) { c.tensor[name] = Matrix{values_of(x), x.rows, x.cols}; });
    c.counter["progress"] = std::vector<int64_t>{epoch_, step_};
    c.number["loss"] = std::vector<double>{loss_sum_};
    save(file_.path, c, file_.meta);
  }

  void resume() {
    const auto saved = open_checkpoint(file_);
    if (!saved) return;
    const Checkpoint& c = saved->data;
    const auto damaged = [&](const std::string& what) -> Error {
      return Error(file_.path, what + "; give --restart to start anew");
    };
    tensors([&](const std::string& name, Mat& x) {
      const auto found = c.tensor.find(name);
      if (found == c.tensor.end() || found->second.rows != x.rows || found->second.cols != x.cols)
        throw damaged("tensor " + name + " is missing or of another shape");
      copy_in(found->second.values.data(), x);
    });
    const auto counts = c.counter.find("progress");
    const auto numbers = c.number.find("loss");
    if (counts == c.counter.end() || counts->second.size() != 2 || numbers == c.number.end() ||
        numbers->second.size() != 1)
      throw damaged("progress is missing");
    epoch_ = counts->second[0];
    step_ = counts->second[1];
    loss_sum_ = numbers->second[0];
    if (epoch_ < 0 || step_ < 0 || step_ > steps_per_epoch_) throw damaged("progress makes no sense");
    if (hooks_.resumed) hooks_.resumed(file_.path, epoch_, step_);
  }

  const Kg& kg_;
  const int64_t triples_;
  const TranseOptions& o_;
  const TranseHooks& hooks_;
  const CheckpointFile& file_;

  Arena arena_;
  Rows entity_, relation_;
  TranseDraws draws_;
  TranseLoss form_;
  Mat gradients_, loss_;
  std::span<uint8_t> used_;  // rows of the gradients
  Arena losses_[2];          // on their way
  std::optional<Started> started_;

  // Where the run stands.
  int64_t epoch_ = 0;  // epochs finished
  int64_t step_ = 0;   // steps of the running epoch that are done
  int64_t steps_per_epoch_ = 0;
  double loss_sum_ = 0;
  double last_saved_ = 0;
  int64_t steps_here_ = 0;  // of this run; counted where they are recorded

  // What is made aside, and what that reads.
  std::vector<int64_t> order_, next_order_;
  StepsAhead<TransePlace> steps_;
  Aside order_made_;
};

}  // namespace

TranseOptions transe_preset(std::string_view name) {
  TranseOptions o;
  if (name == "best") return o;
  if (name != "paper") throw UsageError("--preset: expected best|paper, found '" + std::string(name) + "'");
  o.norm = "l1";
  o.loss = "margin";
  o.margin = 1;
  o.negatives = 1;
  o.chunk = 1;
  o.filter = true;
  o.optimiser = "sgd";
  o.lr = o.final_lr = 0.001;
  o.start = 0.02;
  o.bound = "ball";
  o.epochs = 1000;
  return o;
}

void check(const TranseOptions& o) {
  if (o.filter && o.chunk != 1)
    throw UsageError(
        "--filter needs --chunk 1: a replacement that several triples share cannot be drawn again for one");
}

std::vector<double> tail_shares(const Kg& kg, int64_t triples, std::string_view corrupt) {
  std::vector<double> share(static_cast<size_t>(kg.relation_id.size()), 0.5);
  if (corrupt != "bernoulli") return share;
  const auto distinct_pairs = [&](const Array<int32_t>& end) {
    std::vector<uint64_t> pairs(static_cast<size_t>(triples));
    for (int64_t i = 0; i < triples; ++i)
      pairs[i] = static_cast<uint64_t>(kg.relation[i]) << 32 | static_cast<uint32_t>(end[i]);
    std::ranges::sort(pairs);
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    std::vector<double> count(share.size(), 0);
    for (const uint64_t pair : pairs) ++count[pair >> 32];
    return count;
  };
  // tph = triples / heads and hpt = triples / tails, so hpt / (tph + hpt) = heads / (heads + tails).
  const auto heads = distinct_pairs(kg.head), tails = distinct_pairs(kg.tail);
  for (size_t r = 0; r < share.size(); ++r)
    if (heads[r] > 0) share[r] = heads[r] / (heads[r] + tails[r]);
  return share;
}

Vectors train_transe(const Kg& kg, int64_t triples, const TranseOptions& options, const TranseHooks& hooks,
                     const CheckpointFile& checkpoint) {
  check(options);
  if (triples == 0) throw Error("there is nothing to train on: no triple in the training split");
  return Training(kg, triples, options, hooks, checkpoint).run();
}

}  // namespace nd
