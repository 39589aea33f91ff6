#include "lib/models/dhan.h"

#include <algorithm>
#include <cmath>

#include "lib/io/error.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

constexpr auto kNone = Activation::none;
constexpr int64_t kSummaryLayers = 2, kKernel = 3;

Var rows_of(Tape& tape, Var table, const Index& rows) { return grad::gather_sum(tape, {{table, rows}}); }

// Σ_j table_j[row_j] for any number of tables.
Var sum_of_rows(Tape& tape, const std::vector<grad::Rows>& tables) {
  Var sum = nullptr;
  for (size_t at = 0; at < tables.size();) {
    const int64_t items = tables[at].index.items;
    const auto next = [&] { return tables[at++]; };
    const grad::Rows before = sum ? grad::Rows{sum, identity(items)} : next();
    switch (std::min<size_t>(tables.size() - at, 3)) {
      case 0:
        sum = grad::gather_sum(tape, {before});
        break;
      case 1:
        sum = grad::gather_sum(tape, {before, next()});
        break;
      case 2:
        sum = grad::gather_sum(tape, {before, next(), next()});
        break;
      default:
        sum = grad::gather_sum(tape, {before, next(), next(), next()});
        break;
    }
  }
  return sum;
}

// x with row i multiplied by factor i.
Var scaled_rows(Tape& tape, Var x, const Mat& factors) {
  const Index each = identity(x->value.rows);
  return grad::segment_sum(tape, each, tape.constant(factors), {x, each});
}

// These numbers, in so many rows.
Var copied(Tape& tape, const std::vector<float>& values, int64_t rows) {
  return tape.constant({tape.arena().copy(values).data(), rows, static_cast<int64_t>(values.size()) / rows});
}

Mat filled(Tape& tape, int64_t rows, int64_t cols, float value) {
  const Mat m = tape.arena().mat(rows, cols);
  fill(m, value);
  return m;
}

}  // namespace

// --- Parameters ---

void Dhan::add(const std::string& name, int64_t rows, int64_t cols, int64_t inputs) {
  parameters_.add(name, rows, cols, Init::uniform, seed_, false, 1 / std::sqrt(static_cast<double>(inputs)));
}
void Dhan::add_bias(const std::string& name, int64_t cols, int64_t inputs) {
  add(name, 1, cols, inputs);
  parameters_.find(name)->decayed = false;
}
void Dhan::add_linear(const std::string& name, int64_t rows, int64_t cols) {
  add(name + ".w", rows, cols, rows);
  add_bias(name + ".b", cols, rows);
}
void Dhan::add_norm(const std::string& name) {
  parameters_.add(name + ".gamma", 1, options_.hidden, Init::ones, seed_).decayed = false;
  parameters_.add(name + ".beta", 1, options_.hidden, Init::zeros, seed_).decayed = false;
}

// Of a sentence or element block, but for what leads into it.
void Dhan::add_block(const std::string& name, int64_t tokens) {
  const int64_t h = options_.hidden;
  for (const char* part : {".query", ".key", ".value", ".output"}) add_linear(name + part, h, h);
  add_norm(name + ".norm");
  if (options_.pool == "positional") {
    add(name + ".pool.w", tokens, 1, tokens);
    add_bias(name + ".pool.b", 1, tokens);
  }
}

// A layer of eq. (7).
void Dhan::add_layer(const std::string& name) {
  const int64_t h = options_.hidden;
  for (const char* part : {".query", ".key", ".value", ".output"}) add_linear(name + part, h, h);
  add_norm(name + ".norm1");
  if (!options_.official()) add_norm(name + ".norm2");
  add_linear(name + ".inner", h, options_.inner);
  add_linear(name + ".outer", options_.inner, h);
}

// Numbers that eq. (6) joins.
int64_t Dhan::sequence_inputs() const {
  const int64_t article =
      options_.width + (uses_text() ? shape_.sentence_dim : 0) + (uses_elements() ? shape_.element_dim : 0);
  const int64_t h = options_.hidden, absolute = options_.absolute() ? h : 0, relative = options_.relative() ? h : 0;
  if (options_.extra_token()) return article + absolute;
  return 2 * (article + absolute) + relative + (options_.official() ? 0 : options_.width);
}

Dhan::Dhan(const DhanOptions& options, const DhanShape& shape, uint64_t seed,
           const std::map<std::string, Matrix>* trained)
    : options_(options), shape_(shape), seed_(seed), parameters_(trained) {
  const int64_t h = options.hidden, d = options.width;
  if (attends_sentences() && shape.sentence_dim != d)
    throw Error("sentence vectors have " + std::to_string(shape.sentence_dim) + " numbers and users " +
                std::to_string(d) + ": they are tokens of one block, so give --width " +
                std::to_string(shape.sentence_dim) + ", or leave S out of --levels");
  if (options.absolute()) absolute_ = absolute_fields(options.times, h);
  if (options.relative()) relative_ = relative_fields(options.times, h);

  // One more row, of zeros, stands for the unknown: without a gradient it stays that.
  for (const auto& [name, rows] : {std::pair{"id.user", shape.users}, {"id.article", shape.articles}}) {
    const Mat table = parameters_.add(name, rows + 1, d, Init::normal, seed, true, 0.02).value;
    if (!trained) fill({table.row(rows), 1, d, table.device}, 0.0f);
  }
  if (attends_sentences()) {
    add_linear("sentence.input", d, h);
    add_block("sentence", shape.sentences + 2);
    add_linear("sentence.leave", h, d);
  }
  if (uses_elements()) {
    add("element.input.w_own", shape.element_dim, h, 2 * shape.element_dim);
    add("element.input.w_candidate", shape.element_dim, h, 2 * shape.element_dim);
    add_bias("element.input.b", h, 2 * shape.element_dim);
    add_block("element", shape.elements);
    add_linear("element.leave", h, shape.element_dim);
  }

  const int64_t inputs = sequence_inputs();
  const auto article = [&](const std::string& block, int64_t outputs, int64_t all) {
    if (uses_text()) add(block + ".w_text", shape.sentence_dim, outputs, all);
    add(block + ".w_id", d, outputs, all);
    if (uses_elements()) add(block + ".w_element", shape.element_dim, outputs, all);
  };
  // Fields that are joined have rows of the weight of their own, fields whose mean is taken share all of them.
  const auto fields = [&](const std::string& block, const std::vector<DhanTimeField>& list, bool mean) {
    if (mean && !list.empty()) add(block + "all", h, h, inputs);
    for (const DhanTimeField& f : list)
      if (!mean) add(block + f.name, f.width, h, inputs);
  };
  const bool mean = options.times.absolute == "mean5";
  for (const auto& [kind, list] : {std::pair{"time.abs.", &absolute_}, {"time.rel.", &relative_}})
    for (const DhanTimeField& f : *list) parameters_.add(kind + f.name, f.rows, f.width, Init::normal, seed);
  article("sequence.read", h, inputs);
  fields("sequence.abs.", absolute_, mean);
  fields("sequence.rel.", relative_, false);
  if (!options.extra_token()) {
    article("sequence.candidate", h, inputs);
    fields("sequence.now.", absolute_, mean);
  }
  if (!options.official()) add("sequence.w_user", d, h, inputs);
  add_bias("sequence.b", h, inputs);
  if (options.has('N')) add_layer("sequence.layer");
  if (options.extra_token()) {
    add("sequence.shorten.w", options.length + 1, options.length, options.length + 1);
    add_bias("sequence.shorten.b", options.length, options.length + 1);
  }

  for (int64_t i = 0; i < kSummaryLayers; ++i) {
    const std::string name = "summary." + std::to_string(i);
    if (options.heads() > 0) add_layer(name);
    if (options.summary == "cnn") {
      for (int64_t k = 0; k < kKernel; ++k) add(name + ".w" + std::to_string(k), h, h, kKernel * h);
      add_bias(name + ".b", h, kKernel * h);
    }
  }
  const auto lstm = [&](const std::string& name, int64_t units) {
    add(name + ".w", h, 4 * units, units);
    add(name + ".u", units, 4 * units, units);
    add_bias(name + ".b", 4 * units, units);
  };
  if (options.summary == "lstm") lstm("summary.forward", h);
  if (options.summary == "bilstm") {
    lstm("summary.forward", h / 2);
    lstm("summary.backward", h / 2);
  }

  const int64_t joined =
      options.length * h + d + d + (uses_text() ? shape.sentence_dim : 0) + (uses_elements() ? shape.element_dim : 0);
  add("head.w_sequence", options.length * h, options.head_width, joined);
  article("head", options.head_width, joined);
  add("head.w_user", d, options.head_width, joined);
  add_bias("head.b", options.head_width, joined);
  if (options.head == "two-hidden") add_linear("head.second", options.head_width, options.head_width / 2);
  add_linear("head.last", options.head == "two-hidden" ? options.head_width / 2 : options.head_width, 1);
}

// --- Parts ---

Dropout Dhan::drop(const std::string& site, const uint64_t* draw) const {
  if (!draw) return {};
  return {options_.dropout, Random(seed_, "dropout/" + site).key(), *draw};
}

bool Dhan::scores_item_by_item() const {
  constexpr int64_t kWidest = 128;  // that the operations which go forwards only take
  return options_.hidden <= kWidest;
}
// Whether those will do.
bool Dhan::only_scores(const Tape& tape, const uint64_t* draw) const {
  return !tape.recording() && !draw && scores_item_by_item();
}

Var Dhan::linear(Tape& tape, const std::string& name, Var x, Activation act) {
  return grad::linear(tape, {{x, p(tape, name + ".w")}}, p(tape, name + ".b"), act, x->value.rows);
}

// A token's query, key, and value times the output projection: P (V W_o) is (P V) W_o. `biased`: where tokens are sums
// of two tables, one of them carries the biases.
grad::TokenVars Dhan::project(Tape& tape, const std::string& block, Var x, bool biased) {
  const auto weights = [&](const char* part) { return p(tape, block + part); };
  Var out = weights(".output.w"), no = nullptr;
  Var value_w = grad::linear(tape, {{weights(".value.w"), out}}, nullptr, kNone, options_.hidden);
  Var value_b = biased ? grad::linear(tape, {{weights(".value.b"), out}}, nullptr, kNone, 1) : no;
  const auto times = [&](Var w, Var b) { return grad::linear(tape, {{x, w}}, b, kNone, x->value.rows); };
  return {x, times(weights(".query.w"), biased ? weights(".query.b") : no),
          times(weights(".key.w"), biased ? weights(".key.b") : no), times(value_w, value_b)};
}

DhanSharedParts Dhan::shared(Tape& tape) {
  DhanSharedParts out;
  // A pooled block goes through two matrices and no activation into eq. (6): one matrix.
  Var bias = p(tape, "sequence.b");
  const auto fold = [&](const std::string& block, const std::string& weight) {
    Var w = p(tape, weight);
    Var b = grad::linear(tape, {{p(tape, block + ".leave.b"), w}}, nullptr, kNone, 1);
    bias = grad::gather_sum(tape, {{bias, identity(1)}, {b, identity(1)}});
    return grad::linear(tape, {{p(tape, block + ".leave.w"), w}}, nullptr, kNone, options_.hidden);
  };
  if (attends_sentences()) out.sentence = fold("sentence", "sequence.read.w_text");
  if (uses_elements()) out.element = fold("element", "sequence.read.w_element");
  out.bias = bias;

  const auto fields = [&](const char* kind, const std::string& block, const std::vector<DhanTimeField>& list,
                          bool mean) {
    std::vector<Var> tables;
    for (const DhanTimeField& f : list) {
      Var table = p(tape, kind + f.name);
      if (mean) table = scaled_rows(tape, table, filled(tape, f.rows, 1, 1 / static_cast<float>(list.size())));
      tables.push_back(grad::linear(tape, {{table, p(tape, block + (mean ? "all" : f.name))}}, nullptr, kNone, f.rows));
    }
    return tables;
  };
  const bool mean = options_.times.absolute == "mean5";
  out.absolute = fields("time.abs.", "sequence.abs.", absolute_, mean);
  out.relative = fields("time.rel.", "sequence.rel.", relative_, false);
  out.now = options_.extra_token() ? out.absolute : fields("time.abs.", "sequence.now.", absolute_, mean);
  return out;
}

DhanReadParts Dhan::read(Tape& tape, const DhanFrozen& frozen, const DhanArticles& articles,
                         const DhanSharedParts& shared) {
  DhanReadParts out;
  if (attends_sentences()) {
    const int64_t rows = articles.count * shape_.sentences;
    Var x = grad::linear(tape, {{tape.constant(frozen.sentence_x), p(tape, "sentence.input.w"), articles.sentence}},
                         p(tape, "sentence.input.b"), kNone, rows);
    out.sentence = project(tape, "sentence", x, true);
  }
  if (uses_elements()) {
    const int64_t rows = articles.count * shape_.elements;
    Var x = grad::linear(tape, {{tape.constant(frozen.element_x), p(tape, "element.input.w_own"), articles.element}},
                         nullptr, kNone, rows);
    out.element = project(tape, "element", x, false);
  }
  // The bias comes with the candidate, but where that is a token of its own.
  const Var bias = options_.extra_token() ? shared.bias : nullptr;
  const grad::Term id{rows_of(tape, p(tape, "id.article"), articles.id), p(tape, "sequence.read.w_id")};
  if (uses_text() && !attends_sentences()) {
    const grad::Term text{tape.constant(frozen.sentence_mean), p(tape, "sequence.read.w_text"), articles.sentence_mean};
    out.sequence = grad::linear(tape, {text, id}, bias, kNone, articles.count);
  } else {
    out.sequence = grad::linear(tape, {id}, bias, kNone, articles.count);
  }
  return out;
}

DhanCandidateParts Dhan::candidates(Tape& tape, const DhanFrozen& frozen, const DhanArticles& articles,
                                    const DhanSharedParts& shared) {
  DhanCandidateParts out;
  const int64_t n = articles.count;
  if (attends_sentences()) {
    Var x =
        grad::linear(tape, {{tape.constant(frozen.sentence_mean), p(tape, "sentence.input.w"), articles.sentence_mean}},
                     p(tape, "sentence.input.b"), kNone, n);
    out.sentence = project(tape, "sentence", x, true);
  }
  if (uses_elements()) {
    Var x =
        grad::linear(tape, {{tape.constant(frozen.element_x), p(tape, "element.input.w_candidate"), articles.element}},
                     p(tape, "element.input.b"), kNone, n * shape_.elements);
    out.element = project(tape, "element", x, true);
  }
  const Var ids = rows_of(tape, p(tape, "id.article"), articles.id);
  const auto share = [&](const std::string& block, Var bias) {
    const grad::Term id{ids, p(tape, block + ".w_id")};
    const auto text = [&]() -> grad::Term {
      return {tape.constant(frozen.sentence_mean), p(tape, block + ".w_text"), articles.sentence_mean};
    };
    const auto element = [&]() -> grad::Term {
      return {tape.constant(frozen.element_mean), p(tape, block + ".w_element"), articles.element_mean};
    };
    if (uses_text() && uses_elements()) return grad::linear(tape, {text(), id, element()}, bias, kNone, n);
    if (uses_text()) return grad::linear(tape, {text(), id}, bias, kNone, n);
    if (uses_elements()) return grad::linear(tape, {id, element()}, bias, kNone, n);
    return grad::linear(tape, {id}, bias, kNone, n);
  };
  // As a token of its own the candidate has the weights of the articles read, and the bias without a block's share.
  out.sequence =
      options_.extra_token() ? share("sequence.read", p(tape, "sequence.b")) : share("sequence.candidate", shared.bias);
  out.head = share("head", p(tape, "head.b"));
  return out;
}

DhanUserParts Dhan::users(Tape& tape, const Index& user) {
  DhanUserParts out;
  const Var ids = rows_of(tape, p(tape, "id.user"), user);
  if (attends_sentences()) out.sentence = project(tape, "sentence", linear(tape, "sentence.input", ids), true);
  const auto share = [&](const char* weight) {
    return grad::linear(tape, {{ids, p(tape, weight)}}, nullptr, kNone, user.items);
  };
  if (!options_.official()) out.sequence = share("sequence.w_user");
  out.head = share("head.w_user");
  return out;
}

// --- Blocks and layers ---

// What follows the attention of a block, of `all` tokens, of which `stack` are a stack's.
void Dhan::pool(Tape& tape, const std::string& block, int64_t stack, int64_t all, grad::StackVars& vars) {
  vars.bias = p(tape, block + ".output.b");
  vars.gamma = p(tape, block + ".norm.gamma");
  vars.beta = p(tape, block + ".norm.beta");
  if (options_.pool == "positional") {
    vars.pool = p(tape, block + ".pool.w");
    vars.pool_bias = p(tape, block + ".pool.b");
  } else {
    const int64_t counted = options_.pool == "own" ? stack : all;
    const Mat w = filled(tape, all, 1, 0.0f);
    fill({w.data, counted, 1, w.device}, 1 / static_cast<float>(counted));
    vars.pool = tape.constant(w);
    vars.pool_bias = tape.constant(filled(tape, 1, 1, 0.0f));
  }
}

Var Dhan::pooled(Tape& tape, const std::string& block, grad::StackVars vars, const uint64_t* draw, Mat* weights) {
  const int64_t stack = vars.stack.x->value.rows / vars.of.rows;
  pool(tape, block, stack, stack + vars.extras, vars);
  const float scale = 1 / std::sqrt(static_cast<float>(options_.hidden));
  return grad::stack_attention(tape, vars, scale, drop(block + ".weights", draw), drop(block + ".output", draw),
                               weights);
}

// The same where nothing asks for gradients or weights. Instance by instance, every article of its history meets every
// candidate: the sentence block with its three tables, or with two the element block, whose tokens are sums.
Var Dhan::crossed(Tape& tape, const std::string& block, grad::StackVars vars, const DhanBatch& batch) {
  const bool sums = vars.extras == 1;
  const int64_t L = options_.length, height = sums ? shape_.elements : shape_.sentences;
  pool(tape, block, height, height + (sums ? 0 : 2), vars);
  const auto values = [](const grad::TokenVars& t) -> Tokens {
    return {t.x->value, t.query->value, t.key->value, t.value->value};
  };
  StackAttention a;
  a.height = height;
  a.stack = values(vars.stack);
  a.extras = vars.extras;
  for (int j = 0; j < vars.extras; ++j) a.extra[j] = values(vars.extra[j]);
  a.bias = vars.bias->value;
  a.gamma = vars.gamma->value;
  a.beta = vars.beta->value;
  a.pool = vars.pool->value;
  a.pool_bias = vars.pool_bias->value;
  a.scale = 1 / std::sqrt(static_cast<float>(options_.hidden));
  const Var z = tape.result(batch.pairs * L, options_.hidden, false);
  a.of = batch.history;
  a.extra_of[0] = batch.pair_candidate;
  if (!sums) a.extra_of[1] = batch.instance_user;
  if (sums) ops::joined_attention(a, batch.first_pair, z->value);
  else ops::crossed_attention(a, batch.first_pair, z->value);
  return z;
}

// Eqs. (1)-(6): x_i of every block [blocks, h], or the tokens of eq. (7) [pairs * (L + 1), h] where the candidate is
// one.
Var Dhan::tokens(Tape& tape, const DhanParts& parts, const DhanBatch& batch, const uint64_t* draw,
                 DhanAttention* attention) {
  const int64_t blocks = batch.block_item.items, L = options_.length;
  Var of_block = nullptr, sentence = nullptr, element = nullptr;
  const bool scores = only_scores(tape, draw) && !attention;
  if (attends_sentences() && scores) {
    sentence = crossed(
        tape, "sentence",
        {.stack = parts.read.sentence, .extras = 2, .extra = {parts.candidates.sentence, parts.users.sentence}}, batch);
  } else if (attends_sentences()) {
    grad::StackVars vars{parts.read.sentence, batch.block_read, 2};
    vars.extra[0] = parts.candidates.sentence;
    vars.extra_of[0] = batch.block_candidate;
    vars.extra[1] = parts.users.sentence;
    vars.extra_of[1] = batch.block_user;
    sentence = pooled(tape, "sentence", vars, draw, attention ? &attention->sentence : nullptr);
  }
  if (uses_elements() && scores) {
    element = crossed(tape, "element", {.stack = parts.read.element, .extras = 1, .extra = {parts.candidates.element}},
                      batch);
  } else if (uses_elements()) {
    // A token joins an article's element with the candidate's of the same kind; its projections are sums of theirs.
    grad::StackVars vars{parts.read.element, batch.block_read};
    vars.joined = parts.candidates.element;
    vars.joined_of = batch.block_candidate;
    element = pooled(tape, "element", vars, draw, attention ? &attention->element : nullptr);
  }
  const grad::Term s{sentence, parts.shared.sentence}, e{element, parts.shared.element};
  if (sentence && element) of_block = grad::linear(tape, {s, e}, nullptr, kNone, blocks);
  else if (sentence) of_block = grad::linear(tape, {s}, nullptr, kNone, blocks);
  else if (element) of_block = grad::linear(tape, {e}, nullptr, kNone, blocks);

  // What depends on the instance and the article read, whatever the candidate.
  std::vector<grad::Rows> item{{parts.read.sequence, batch.history}};
  for (size_t f = 0; f < parts.shared.absolute.size(); ++f)
    item.push_back({parts.shared.absolute[f], batch.absolute[f]});
  for (size_t f = 0; f < parts.shared.relative.size(); ++f)
    item.push_back({parts.shared.relative[f], batch.relative[f]});
  std::vector<grad::Rows> pair{{parts.candidates.sequence, batch.pair_candidate}};
  std::vector<grad::Rows> instance;
  if (parts.users.sequence) instance.push_back({parts.users.sequence, batch.instance_user});
  for (size_t f = 0; f < parts.shared.now.size(); ++f) instance.push_back({parts.shared.now[f], batch.now[f]});
  if (!instance.empty()) pair.push_back({sum_of_rows(tape, instance), batch.pair_instance});

  std::vector<grad::Rows> x{{sum_of_rows(tape, item), batch.block_item}};
  if (of_block) x.push_back({of_block, identity(blocks)});
  if (!options_.extra_token()) {
    x.push_back({sum_of_rows(tape, pair), batch.block_pair});
    return sum_of_rows(tape, x);
  }
  // Blocks of L tokens and blocks of one, put one behind the other in blocks of L + 1.
  std::vector<float> first(static_cast<size_t>(L * (L + 1)), 0.0f), last(static_cast<size_t>(L + 1), 0.0f);
  for (int64_t l = 0; l < L; ++l) first[static_cast<size_t>(l * (L + 1) + l)] = 1;
  last[static_cast<size_t>(L)] = 1;
  const Var none = tape.constant(filled(tape, 1, L + 1, 0.0f));
  const Index all = identity(batch.pairs * (L + 1));
  return grad::gather_sum(tape, {{grad::mix_tokens(tape, sum_of_rows(tape, x), copied(tape, first, L), none), all},
                                 {grad::mix_tokens(tape, sum_of_rows(tape, pair), copied(tape, last, 1), none), all}});
}

// A layer where nothing asks for gradients or weights. It takes x's place, which nobody reads any more.
Var Dhan::scored_layer(Tape& tape, const std::string& name, Var x, int64_t tokens, float scale) {
  const auto value = [&](const char* part) { return p(tape, name + part)->value; };
  const auto times = [&](const Mat& a, const Mat& b, const Mat& bias) {
    const Mat c = tape.arena().mat(a.rows, b.cols);
    ops::gemm(a, nullptr, b, bias, kNone, false, c);
    return c;
  };
  const auto times_transposed = [&](const Mat& a, const Mat& b) {
    const Mat c = tape.arena().mat(a.rows, b.rows);
    ops::gemm_nt(a, b, false, c);
    return c;
  };
  EncoderLayer a;
  a.tokens = tokens;
  a.scale = scale;
  a.score_w = times_transposed(value(".query.w"), value(".key.w"));
  a.score_b = times_transposed(value(".query.b"), value(".key.w"));
  a.value_w = times(value(".value.w"), value(".output.w"), {});
  a.value_b = times(value(".value.b"), value(".output.w"), value(".output.b"));
  a.inner_w = value(".inner.w");
  a.inner_b = value(".inner.b");
  a.outer_w = value(".outer.w");
  a.outer_b = value(".outer.b");
  a.gamma1 = value(".norm1.gamma");
  a.beta1 = value(".norm1.beta");
  a.gamma2 = value(options_.official() ? ".norm1.gamma" : ".norm2.gamma");
  a.beta2 = value(options_.official() ? ".norm1.beta" : ".norm2.beta");
  ops::encoder_layer(a, x->value);
  return x;
}

// Eq. (7) and the layers of the summary.
Var Dhan::layer(Tape& tape, const std::string& name, Var x, int64_t tokens, int64_t heads, const uint64_t* draw,
                Mat* weights) {
  const bool official = options_.official() && heads == 1;
  const auto width = static_cast<float>(options_.hidden) / static_cast<float>(official ? 4 : heads);
  const float scale = 1 / std::sqrt(width);
  if (heads == 1 && !weights && only_scores(tape, draw)) return scored_layer(tape, name, x, tokens, scale);
  const std::string first = name + ".norm1", second = options_.official() ? first : name + ".norm2";
  const auto of = [&](const char* part) { return p(tape, name + part); };
  if (heads == 1) {
    // dropout(P) V W_o is dropout(P) (V W_o), and what X meets on the way is one matrix.
    const auto through = [&](const char* part, int64_t rows) {
      return grad::linear(tape, {{of(part), of(".output.w")}}, nullptr, kNone, rows);
    };
    TransformerLayer form;
    form.tokens = tokens;
    form.scale = scale;
    form.drop_weights = drop(name + ".weights", draw);
    form.drop_attention = drop(name + ".attention", draw);
    form.drop_outer = drop(name + ".outer", draw);
    Var part[TransformerLayer::kParts];
    part[TransformerLayer::query_w] = of(".query.w");
    part[TransformerLayer::query_b] = of(".query.b");
    part[TransformerLayer::key_w] = of(".key.w");
    part[TransformerLayer::key_b] = of(".key.b");
    part[TransformerLayer::value_w] = through(".value.w", options_.hidden);
    part[TransformerLayer::value_b] = through(".value.b", 1);
    part[TransformerLayer::output_b] = of(".output.b");
    part[TransformerLayer::gamma1] = p(tape, first + ".gamma");
    part[TransformerLayer::beta1] = p(tape, first + ".beta");
    part[TransformerLayer::inner_w] = of(".inner.w");
    part[TransformerLayer::inner_b] = of(".inner.b");
    part[TransformerLayer::outer_w] = of(".outer.w");
    part[TransformerLayer::outer_b] = of(".outer.b");
    part[TransformerLayer::gamma2] = p(tape, second + ".gamma");
    part[TransformerLayer::beta2] = p(tape, second + ".beta");
    return grad::transformer_layer(tape, form, part, x, weights);
  }
  const BlockAttention form{tokens, heads, scale, drop(name + ".weights", draw)};
  Var y = grad::block_attention(tape, form, linear(tape, name + ".query", x), linear(tape, name + ".key", x),
                                linear(tape, name + ".value", x), weights);
  Var seen = grad::layer_norm(tape, x, linear(tape, name + ".output", y), drop(name + ".attention", draw),
                              p(tape, first + ".gamma"), p(tape, first + ".beta"));
  Var inner = grad::gelu(tape, linear(tape, name + ".inner", seen));
  return grad::layer_norm(tape, seen, linear(tape, name + ".outer", inner), drop(name + ".outer", draw),
                          p(tape, second + ".gamma"), p(tape, second + ".beta"));
}

Var Dhan::sequence_layer(Tape& tape, Var x, const DhanBatch& batch, const uint64_t* draw, DhanAttention* attention) {
  const int64_t tokens = options_.length + (options_.extra_token() ? 1 : 0);
  if (options_.has('N'))
    x = layer(tape, "sequence.layer", x, tokens, 1, draw, attention ? &attention->sequence : nullptr);
  if (options_.extra_token())
    x = grad::mix_tokens(tape, x, p(tape, "sequence.shorten.w"), p(tape, "sequence.shorten.b"));
  if (options_.time == "decay") {
    const Index items{batch.block_item.items, batch.block_item.rows, batch.block_item.row};
    x = scaled_rows(tape, x, grad::gather_sum(tape, {{tape.constant(batch.decay), items}})->value);
  }
  return x;
}

Var Dhan::summary(Tape& tape, Var x, const uint64_t* draw) {
  const int64_t L = options_.length, rows = x->value.rows;
  if (options_.heads() > 0 || options_.summary == "cnn")
    for (int64_t i = 0; i < kSummaryLayers; ++i) {
      const std::string name = "summary." + std::to_string(i);
      if (options_.heads() > 0) {
        x = layer(tape, name, x, L, options_.heads(), draw, nullptr);
        continue;
      }
      const auto tap = [&](int64_t k) {
        return grad::Term{grad::shift_tokens(tape, L, 1 - k, x), p(tape, name + ".w" + std::to_string(k))};
      };
      const grad::Term own{x, p(tape, name + ".w1")};
      x = grad::linear(tape, {tap(0), own, tap(2)}, p(tape, name + ".b"), Activation::relu, rows);
      x = grad::dropout(tape, drop(name, draw), x);
    }
  const auto lstm = [&](const std::string& name, bool reverse) {
    return grad::lstm(tape, L, reverse, linear(tape, name, x), p(tape, name + ".u"));
  };
  if (options_.summary == "lstm") return lstm("summary.forward", false);
  if (options_.summary == "bilstm")
    return grad::concat(tape, lstm("summary.forward", false), lstm("summary.backward", true));
  return x;
}

Var Dhan::logits(Tape& tape, const DhanParts& parts, const DhanBatch& batch, const uint64_t* draw,
                 DhanAttention* attention) {
  Var x = sequence_layer(tape, tokens(tape, parts, batch, draw, attention), batch, draw, attention);
  Var q = grad::reshape(tape, summary(tape, x, draw), options_.length * options_.hidden);
  // Eq. (8), its first layer cut like eq. (6).
  Var sequence = grad::linear(tape, {{q, p(tape, "head.w_sequence")}}, nullptr, kNone, batch.pairs);
  Var f = grad::gather_sum(tape, {{sequence, identity(batch.pairs)},
                                  {parts.candidates.head, batch.pair_candidate},
                                  {parts.users.head, batch.pair_user}});
  f = grad::activate(tape, Activation::relu, f);
  if (options_.head == "two-hidden") f = linear(tape, "head.second", f, Activation::relu);
  return linear(tape, "head.last", f);
}

}  // namespace nd
