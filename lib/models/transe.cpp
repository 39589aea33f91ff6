#include "lib/models/transe.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <vector>

#include "lib/tensor/arena.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

// Also written this often without being asked, so that a killed machine costs little.
constexpr double kCheckpointSeconds = 30;
constexpr int64_t kMostTries = 100;  // for a replacement that is no triple: a relation may hold for nearly all

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Vectors of entities or of relations. Rows are padded with zeros to whole vectors of sixteen, which stay zeros.
struct Rows {
  int64_t dim = 0;
  Mat value, m, v;

  Rows(Arena& arena, int64_t rows, int64_t dim, bool moments, double start, uint64_t seed, std::string_view name)
      : dim(dim) {
    const int64_t width = (dim + 15) / 16 * 16;
    const Random random(seed, name);
    std::vector<float> values(static_cast<size_t>(rows * width), 0.0f);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t k = 0; k < dim; ++k)
        values[static_cast<size_t>(i * width + k)] = static_cast<float>((2 * random.uniform(k, i) - 1) * start);
    value = arena.mat(rows, width);
    copy_in(values.data(), value);
    if (!moments) return;
    for (Mat* moment : {&m, &v}) {
      *moment = arena.mat(rows, width);
      fill(*moment, 0.0f);
    }
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
    if (m.empty()) return;
    visit("m." + name, m);
    visit("v." + name, v);
  }
};

// Which rows of a table a batch uses, each with its uses as a run in rising order. Costs as much as there are uses,
// however large the table.
class Runs {
 public:
  explicit Runs(int64_t rows) : count_(static_cast<size_t>(rows), 0) {}

  void clear() {
    row_.clear();
    item_row_.clear();
  }
  // The next item uses this row; -1 for an item that is of no use.
  void add(int32_t row) {
    item_row_.push_back(row);
    if (row >= 0 && count_[row]++ == 0) row_.push_back(row);
  }
  void close() {
    offsets_.assign(1, 0);
    longest_ = 0;
    for (const int32_t row : row_) {
      longest_ = std::max<int64_t>(longest_, count_[row]);
      offsets_.push_back(offsets_.back() + count_[row]);
      count_[row] = static_cast<int32_t>(offsets_.size()) - 2;  // from here on: the number of the row's run
    }
    item_.resize(static_cast<size_t>(offsets_.back()));
    next_.assign(offsets_.begin(), offsets_.end() - 1);
    for (size_t i = 0; i < item_row_.size(); ++i)
      if (item_row_[i] >= 0) item_[next_[count_[item_row_[i]]]++] = static_cast<int32_t>(i);
    for (const int32_t row : row_) count_[row] = 0;
  }

  const std::vector<int32_t>& row() const { return row_; }
  Index index() const {
    const auto rows = static_cast<int64_t>(row_.size());
    return {static_cast<int64_t>(item_.size()), rows, nullptr, offsets_.data(), item_.data(), longest_};
  }

 private:
  std::vector<int32_t> count_;  // by row, zeros between batches
  std::vector<int32_t> row_, item_row_, item_;
  std::vector<int64_t> offsets_, next_;
  int64_t longest_ = 0;
};

// Whether a triple is among the training triples: a set of 64-bit hashes, so that one false yes in about 10^13
// questions costs a redrawn replacement and nothing else.
class TripleSet {
 public:
  void build(const Kg& kg, int64_t triples) {
    size_t size = 64;
    while (size < 2 * static_cast<size_t>(triples)) size *= 2;
    slots_.assign(size, 0);
    for (int64_t i = 0; i < triples; ++i) {
      uint64_t* slot = find(kg.head[i], kg.relation[i], kg.tail[i]);
      if (*slot == 0) *slot = key(kg.head[i], kg.relation[i], kg.tail[i]);
    }
  }
  bool has(int32_t head, int32_t relation, int32_t tail) { return *find(head, relation, tail) != 0; }

 private:
  static uint64_t key(int32_t head, int32_t relation, int32_t tail) {
    const uint64_t ends = static_cast<uint64_t>(static_cast<uint32_t>(head)) << 32 | static_cast<uint32_t>(tail);
    return Random::mix(ends ^ Random::mix(static_cast<uint32_t>(relation))) | 1;
  }
  uint64_t* find(int32_t head, int32_t relation, int32_t tail) {
    const uint64_t wanted = key(head, relation, tail);
    size_t at = wanted >> 20;
    for (;; ++at) {
      uint64_t& slot = slots_[at & (slots_.size() - 1)];
      if (slot == 0 || slot == wanted) return &slot;
    }
  }
  std::vector<uint64_t> slots_;
};

class Training {
 public:
  Training(const Kg& kg, int64_t triples, const TranseOptions& o, const TranseHooks& hooks, const CheckpointFile& file)
      : kg_(kg),
        triples_(triples),
        o_(o),
        hooks_(hooks),
        file_(file),
        entity_(arena_, kg.entity_id.size(), o.dim, o.optimiser == "adam", o.start, o.seed, "start/entity"),
        relation_(arena_, kg.relation_id.size(), o.dim, o.optimiser == "adam", o.start, o.seed, "start/relation"),
        entity_runs_(kg.entity_id.size()),
        relation_runs_(kg.relation_id.size()),
        sides_(o.seed, "side"),
        negatives_(o.seed, "negatives") {
    form_.l1 = o.norm == "l1";
    form_.self_adversarial = o.loss == "self-adversarial";
    form_.margin = static_cast<float>(o.margin);
    form_.temperature = static_cast<float>(o.temperature);
    if (o.filter) known_.build(kg, triples);
    find_seen();
    tail_share_ = tail_shares(kg, triples, o.corrupt);
    const int64_t batch = std::min(o.batch, triples), chunks = batch / o.chunk + 2, width = entity_.value.cols;
    // One matrix, so that one item number names a row of any of the three.
    gradients_ = arena_.mat(2 * batch + chunks * o.negatives, width);
    loss_ = arena_.mat(1, 1);
    used_.resize(static_cast<size_t>(chunks));
    steps_per_epoch_ = (triples + batch - 1) / batch;
  }

  Vectors run() {
    resume();
    last_saved_ = now();
    for (; epoch_ < o_.epochs; ++epoch_) one_epoch();
    return {kg_.entity_id, entity_.unpadded(), kg_.relation_id, relation_.unpadded()};
  }

 private:
  // Entities of the training triples: what replacements are drawn from.
  void find_seen() {
    std::vector<bool> seen(static_cast<size_t>(kg_.entity_id.size()), false);
    for (int64_t i = 0; i < triples_; ++i) seen[kg_.head[i]] = seen[kg_.tail[i]] = true;
    for (size_t e = 0; e < seen.size(); ++e)
      if (seen[e]) seen_.push_back(static_cast<int32_t>(e));
  }

  void one_epoch() {
    const double began = now();
    order_.resize(static_cast<size_t>(triples_));
    std::iota(order_.begin(), order_.end(), 0);
    RandomSequence random(o_.seed, "shuffle", static_cast<uint64_t>(epoch_ + 1));
    shuffle(order_, random);
    if (o_.bound == "sphere" && step_ == 0) to_sphere();
    TranseReport report;
    while (step_ < steps_per_epoch_) {
      const int64_t begin = step_ * o_.batch, end = std::min(begin + o_.batch, triples_);
      prepare(begin, end);
      report.lr = lr();
      one_step(report.lr);
      ++step_;
      report.triples += end - begin;
      if (hooks_.step) hooks_.step(epoch_ * triples_ + end, o_.epochs * triples_);
      const int signal = hooks_.stop ? hooks_.stop() : 0;
      if (signal || now() - last_saved_ > kCheckpointSeconds) save_checkpoint();
      if (signal) throw Interrupted(signal);
    }
    report.epoch = epoch_ + 1;
    report.loss = loss_sum_ / static_cast<double>(triples_);
    report.seconds = now() - began;
    if (hooks_.epoch) hooks_.epoch(report);
    step_ = 0;
    loss_sum_ = 0;
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

  // Sets the batch: which side of each triple is replaced (those whose tail is come first), the chunks, the
  // replacements.
  void prepare(int64_t begin, int64_t end) {
    anchor_.clear();
    relation_of_.clear();
    sign_.clear();
    answer_.clear();
    chunk_.assign(1, 0);
    tails_.clear();
    heads_.clear();
    for (int64_t i = begin; i < end; ++i) {
      const int64_t triple = order_[i];
      const bool tail = sides_.uniform(triple, epoch_) < tail_share_[kg_.relation[triple]];
      (tail ? tails_ : heads_).push_back(triple);
    }
    add_side(tails_, kg_.head, kg_.tail, 1.0f);
    add_side(heads_, kg_.tail, kg_.head, -1.0f);
    draw_replacements(begin);
  }

  void add_side(const std::vector<int64_t>& triples, const Array<int32_t>& anchor, const Array<int32_t>& answer,
                float sign) {
    int64_t in_chunk = 0;
    for (const int64_t i : triples) {
      anchor_.push_back(anchor[i]);
      relation_of_.push_back(kg_.relation[i]);
      sign_.push_back(sign);
      answer_.push_back(answer[i]);
      if (++in_chunk % o_.chunk == 0) chunk_.push_back(static_cast<int64_t>(anchor_.size()));
    }
    if (in_chunk % o_.chunk != 0) chunk_.push_back(static_cast<int64_t>(anchor_.size()));
  }

  // Replacement j of the batch is a pure function of (seed, epoch, the batch's first position, j).
  void draw_replacements(int64_t begin) {
    constexpr int64_t kGrain = 256;
    const auto count = (static_cast<int64_t>(chunk_.size()) - 1) * o_.negatives;
    replacement_.resize(static_cast<size_t>(count));
    parallel_ranges(count, kGrain, [&](int64_t first, int64_t last) {
      for (int64_t j = first; j < last; ++j)
        for (int64_t attempt = 0; attempt < kMostTries; ++attempt) {
          const uint64_t which = static_cast<uint64_t>(attempt) << 32 | static_cast<uint64_t>(j);
          const uint64_t when = static_cast<uint64_t>(epoch_) << 40 | static_cast<uint64_t>(begin);
          replacement_[j] = seen_[negatives_.below(seen_.size(), which, when)];
          if (!o_.filter || !is_triple(j / o_.negatives, replacement_[j])) break;
        }
    });
  }
  bool is_triple(int64_t i, int32_t replacement) {
    return sign_[i] > 0 ? known_.has(anchor_[i], relation_of_[i], replacement)
                        : known_.has(replacement, relation_of_[i], anchor_[i]);
  }

  void one_step(double lr) {
    const TranseBatch batch{anchor_, relation_of_, sign_, answer_, chunk_, replacement_, o_.negatives};
    const int64_t n = batch.triples();
    ops::transe_loss(form_, entity_.value, relation_.value, batch, part(0, n), part(n, n),
                     part(2 * n, batch.chunks() * o_.negatives), used_.data(), loss_);
    const float loss = value_of(loss_);
    if (!std::isfinite(loss))
      throw Error("the loss is not finite in epoch " + std::to_string(epoch_ + 1) + " after " +
                  std::to_string(steps_done()) + " steps; try a smaller --lr");
    loss_sum_ += loss;
    find_runs(batch);
    const Mat all = part(0, 2 * n + batch.chunks() * o_.negatives);
    update(entity_, all, nullptr, entity_runs_, lr);
    update(relation_, all, sign_.data(), relation_runs_, lr);
  }
  Mat part(int64_t first, int64_t rows) const {
    return {gradients_.row(first), rows, gradients_.cols, gradients_.device};
  }

  void find_runs(const TranseBatch& batch) {
    entity_runs_.clear();
    relation_runs_.clear();
    const auto each_triple = [&](auto&& add) {
      for (int64_t c = 0; c < batch.chunks(); ++c)
        for (int64_t i = batch.chunk[c]; i < batch.chunk[c + 1]; ++i) add(i, used_[c] != 0);
    };
    each_triple([&](int64_t i, bool used) {
      entity_runs_.add(used ? anchor_[i] : -1);
      relation_runs_.add(used ? relation_of_[i] : -1);
    });
    each_triple([&](int64_t i, bool used) { entity_runs_.add(used ? answer_[i] : -1); });
    for (size_t j = 0; j < replacement_.size(); ++j) entity_runs_.add(used_[j / o_.negatives] ? replacement_[j] : -1);
    entity_runs_.close();
    relation_runs_.close();
  }

  void update(Rows& table, const Mat& gradients, const float* sign, const Runs& runs, double lr) {
    if (o_.optimiser == "adam") {
      AdamStep step;
      step.lr = static_cast<float>(lr);
      const auto t = static_cast<double>(steps_done() + 1);
      step.c1 = static_cast<float>(1 - std::pow(0.9, t));
      step.c2 = static_cast<float>(1 - std::pow(0.999, t));
      ops::adam_rows(step, gradients, sign, runs.index(), runs.row().data(), table.m, table.v, table.value);
    } else {
      ops::sgd_rows(static_cast<float>(lr), gradients, sign, runs.index(), runs.row().data(), table.value);
    }
    if (o_.bound == "ball") ops::cap_rows(runs.row().data(), static_cast<int64_t>(runs.row().size()), table.value);
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
  Runs entity_runs_, relation_runs_;
  Random sides_, negatives_;
  TranseLoss form_;
  TripleSet known_;
  std::vector<int32_t> seen_;
  std::vector<double> tail_share_;  // by relation

  // The batch.
  std::vector<int64_t> order_, tails_, heads_, chunk_;
  std::vector<int32_t> anchor_, relation_of_, answer_, replacement_;
  std::vector<float> sign_;
  std::vector<uint8_t> used_;
  Mat gradients_, loss_;

  // Where the run stands.
  int64_t epoch_ = 0;  // epochs finished
  int64_t step_ = 0;   // steps of the running epoch that are done
  int64_t steps_per_epoch_ = 0;
  double loss_sum_ = 0;
  double last_saved_ = 0;
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
