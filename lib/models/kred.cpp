#include "lib/models/kred.h"

#include <algorithm>

#include "lib/io/error.h"
#include "lib/models/settings.h"

namespace nd {
namespace {

constexpr auto kNone = Activation::none;

// A bias or vector of equal weights for the items of each segment: 1 / n for a mean, 1 for a sum.
Var plain_weights(Tape& tape, const Index& segments, bool mean) {
  const std::span<float> w = tape.arena().array<float>(segments.items);
  for (int64_t r = 0; r < segments.rows; ++r) {
    const auto n = static_cast<float>(segments.end(r) - segments.begin(r));
    std::fill(w.begin() + segments.begin(r), w.begin() + segments.end(r), mean ? 1.0f / n : 1.0f);
  }
  return tape.constant({w.data(), segments.items, 1});
}

// The tails' vectors side by side: they lie anywhere in a table larger than the caches, and are read several times.
Var tail_vectors(Tape& tape, const KredFrozen& frozen, const EntityBatch& batch) {
  const Index rows{batch.tail.rows, frozen.entity_x.rows, batch.tails};
  return grad::gather_sum(tape, {{tape.constant(frozen.entity_x), rows}});
}

}  // namespace

json::Value KredOptions::to_json() const {
  return json::Object{
      {"model", model},         {"kgat", kgat},           {"context", context},         {"distill", distill},
      {"no_entity", no_entity}, {"user_attn", user_attn}, {"predictor", predictor},     {"bound", bound},
      {"hidden", hidden},       {"width", width},         {"frequencies", frequencies}, {"gamma", gamma}};
}

KredOptions KredOptions::from_json(const json::Value& value) {
  KredOptions o;
  o.model = word_setting(value, "model", "KRED", {"kred", "dv-entity", "dv"});
  o.kgat = word_setting(value, "kgat", "KRED", {"softmax", "mean", "sum", "off"});
  o.distill = word_setting(value, "distill", "KRED", {"attention", "mean", "sum", "max"});
  o.no_entity = word_setting(value, "no_entity", "KRED", {"zero", "learned"});
  o.user_attn = word_setting(value, "user_attn", "KRED", {"mlp", "linear"});
  o.predictor = word_setting(value, "predictor", "KRED", {"mlp", "dot", "cos", "linear"});
  o.bound = word_setting(value, "bound", "KRED", {"sigmoid", "none"});
  o.hidden = count_setting(value, "hidden", 1, 1 << 20);
  o.width = count_setting(value, "width", 1, 1 << 20);
  o.frequencies = count_setting(value, "frequencies", 1, 1 << 20);
  const json::Value* context = value.find("context");
  if (!context || !context->boolean()) throw Error("option context is missing");
  o.context = *context->boolean();
  const json::Value* gamma = value.find("gamma");
  if (!gamma || !(gamma->number() > 0)) throw Error("option gamma is missing");
  o.gamma = gamma->number();
  return o;
}

Kred::Kred(const KredOptions& options, const KredShape& shape, uint64_t seed,
           const std::map<std::string, Matrix>* trained)
    : options_(options), shape_(shape), parameters_(trained) {
  const int64_t d = shape.entity_dim, D = shape.document_dim, H = options.hidden, K = options.width;
  const auto layer = [&](const std::string& name, int64_t rows, int64_t cols) {
    parameters_.add(name, rows, cols, Init::glorot_uniform, seed);
  };
  const auto bias = [&](const std::string& name, int64_t cols) { parameters_.add(name, 1, cols, Init::zeros, seed); };
  // The second layer of an attention. Its bias is left out where a softmax cancels it.
  const auto two_layers = [&](const std::string& block) {
    bias(block + ".b1", H);
    layer(block + ".w2", H, 1);
  };

  if (uses_neighbours()) {
    if (options.kgat == "softmax") {
      layer("kgat.w1_head", d, H);
      layer("kgat.w1_relation", d, H);
      layer("kgat.w1_tail", d, H);
      two_layers("kgat");
    }
    layer("kgat.w0_self", d, d);
    layer("kgat.w0_neighbours", d, d);
  }
  if (options.model == "kred" && options.context) {
    parameters_.add("context.position", 2, d, Init::small_normal, seed, true);
    parameters_.add("context.frequency", options.frequencies, d, Init::small_normal, seed, true);
    parameters_.add("context.type", shape.types + 1, d, Init::small_normal, seed, true);
  }
  if (uses_entities() && (options.distill == "attention" || options.model == "dv-entity")) {
    layer("distill.w1_entity", d, H);
    if (options.model == "kred") layer("distill.w1_document", D, H);
    two_layers("distill");
  }
  if (uses_entities() && options.no_entity == "learned")
    parameters_.add("distill.empty", 1, d, Init::small_normal, seed);
  if (options.model == "kred") {
    layer("out.w3_entity", d, K);
    layer("out.w3_document", D, K);
    bias("out.b3", K);
  }

  const int64_t A = article_dim();
  if (options.user_attn == "mlp") {
    layer("user.w1", A, H);
    two_layers("user");
  } else {
    layer("user.w", A, 1);
  }
  if (options.predictor == "mlp") {
    layer("predictor.w1_user", A, H);
    layer("predictor.w1_document", A, H);
    two_layers("predictor");
    bias("predictor.b2", 1);
  } else if (options.predictor == "linear") {
    layer("predictor.w_user", A, 1);
    layer("predictor.w_document", A, 1);
    bias("predictor.b", 1);
  }
  if (shape.categories > 0) {
    layer("category.w1", A, H);
    bias("category.b1", H);
    layer("category.w2", H, shape.categories);
    bias("category.b2", shape.categories);
  }
}

int64_t Kred::article_dim() const {
  if (options_.model == "kred") return options_.width;
  return options_.model == "dv" ? shape_.document_dim : shape_.entity_dim + shape_.document_dim;
}

Var Kred::entities(Tape& tape, const KredFrozen& frozen, const EntityBatch& batch, Var* weights) {
  const Var x = tape.constant(frozen.entity_x);
  Var neighbours, pi;
  if (options_.kgat == "softmax") {
    // Eq. (2): W1 (e_h ⊕ e_r ⊕ e_t) is a sum of three products, each over distinct rows.
    const Var relations = tape.constant(frozen.relation_x), w1_tail = p(tape, "kgat.w1_tail"), w2 = p(tape, "kgat.w2");
    Var head = grad::linear(tape, {{x, p(tape, "kgat.w1_head"), batch.entity}}, p(tape, "kgat.b1"), kNone, batch.count);
    Var relation = grad::linear(tape, {{relations, p(tape, "kgat.w1_relation"), batch.relations}}, nullptr, kNone,
                                batch.relation.rows);
    if (!batch.tails_repeat) {
      neighbours = grad::neighbour_attention(tape, batch.neighbours, head, {relation, batch.relation},
                                             {frozen.entity_x, batch.tails}, w1_tail, w2, &pi);
    } else {
      Var tails = tail_vectors(tape, frozen, batch);
      Var tail = grad::linear(tape, {{tails, w1_tail}}, nullptr, kNone, batch.tail.rows);
      neighbours = grad::set_attention(tape, batch.neighbours,
                                       {{head, batch.neighbours}, {relation, batch.relation}, {tail, batch.tail}}, w2,
                                       {{tails, batch.tail}}, &pi);
    }
  } else {
    pi = plain_weights(tape, batch.neighbours, options_.kgat == "mean");
    neighbours = grad::segment_sum(tape, batch.neighbours, pi, {tail_vectors(tape, frozen, batch), batch.tail});
  }
  if (weights) *weights = pi;
  // Eq. (1), with W0 cut the same way.
  return grad::linear(tape, {{x, p(tape, "kgat.w0_self"), batch.entity}, {neighbours, p(tape, "kgat.w0_neighbours")}},
                      nullptr, Activation::relu, batch.count);
}

Var Kred::entity_keys(Tape& tape, Var entity_vectors) {
  return grad::linear(tape, {{entity_vectors, p(tape, "distill.w1_entity")}}, p(tape, "distill.b1"), kNone,
                      entity_vectors->value.rows);
}

// Eq. (5). Its first layer is a sum of products again, each made once for each entity, context and article.
size_t Kred::keys(Tape& tape, const KredFrozen& frozen, const ArticleBatch& batch, Var entity_vectors, Var entity_keys,
                  grad::Rows (&tables)[5]) {
  const Var w1 = p(tape, "distill.w1_entity");
  size_t count = 0;
  if (uses_neighbours()) {
    tables[count++] = {entity_keys ? entity_keys : this->entity_keys(tape, entity_vectors), batch.entity};
  } else {  // the rows of all raw vectors are many more than the links
    const int64_t n = batch.links.items;
    tables[count++] = {grad::linear(tape, {{entity_vectors, w1, batch.entity.row}}, p(tape, "distill.b1"), kNone, n),
                       identity(n)};
  }
  if (uses_context())
    for (const auto& [name, index] : {std::pair{"context.position", &batch.position},
                                      {"context.frequency", &batch.frequency},
                                      {"context.type", &batch.type}}) {
      const Var x = p(tape, name);
      tables[count++] = {grad::linear(tape, {{x, w1}}, nullptr, kNone, x->value.rows), *index};
    }
  if (options_.model == "kred") {
    const Var v = tape.constant(frozen.document_x);
    Var query = grad::linear(tape, {{v, p(tape, "distill.w1_document"), batch.article}}, nullptr, kNone, batch.count);
    tables[count++] = {query, batch.links};
  }
  return count;
}

Var Kred::pooled(Tape& tape, const KredFrozen& frozen, const ArticleBatch& batch, Var entity_vectors, Var entity_keys,
                 KredAttention* attention) {
  // Eq. (4): a link is the sum of these rows.
  grad::Rows tables[4] = {{entity_vectors, batch.entity}};
  size_t count = 1;
  if (uses_context()) {
    tables[count++] = {p(tape, "context.position"), batch.position};
    tables[count++] = {p(tape, "context.frequency"), batch.frequency};
    tables[count++] = {p(tape, "context.type"), batch.type};
  }
  const std::span<const grad::Rows> links(tables, count);
  Var pool;
  if (options_.model == "kred" && options_.distill == "max") {
    pool = grad::segment_max(tape, batch.links, grad::gather_sum(tape, links));
  } else {
    Var weights;
    if (options_.model == "dv-entity" || options_.distill == "attention") {  // eqs. (6) and (7)
      grad::Rows keys[5];
      const size_t keys_count = this->keys(tape, frozen, batch, entity_vectors, entity_keys, keys);
      pool = grad::set_attention(tape, batch.links, std::span<const grad::Rows>(keys, keys_count),
                                 p(tape, "distill.w2"), links, &weights);
    } else {
      weights = plain_weights(tape, batch.links, options_.distill == "mean");
      pool = grad::segment_sum(tape, batch.links, weights, links);
    }
    if (attention) attention->entity = weights;
  }
  if (options_.no_entity != "learned") return pool;
  Var empty = tape.constant({const_cast<float*>(batch.empty), batch.count, 1});
  Var learned = grad::linear(tape, {{empty, p(tape, "distill.empty")}}, nullptr, kNone, batch.count);
  return grad::gather_sum(tape, {{pool, identity(batch.count)}, {learned, identity(batch.count)}});
}

Var Kred::articles(Tape& tape, const KredFrozen& frozen, const ArticleBatch& batch, Var entity_vectors, Var entity_keys,
                   KredAttention* attention) {
  const Var v = tape.constant(frozen.document_x);
  if (options_.model == "kred") {
    Var pool = pooled(tape, frozen, batch, entity_vectors, entity_keys, attention);
    return grad::linear(tape, {{pool, p(tape, "out.w3_entity")}, {v, p(tape, "out.w3_document"), batch.article}},
                        p(tape, "out.b3"), Activation::tanh, batch.count);  // eq. (8)
  }
  const Index rows{batch.count, frozen.document_x.rows, batch.article};
  Var documents = grad::gather_sum(tape, {{v, rows}});
  if (options_.model == "dv") return documents;
  return grad::concat(tape, pooled(tape, frozen, batch, entity_vectors, entity_keys, attention), documents);
}

Var Kred::history_logits(Tape& tape, Var articles) {
  const int64_t n = articles->value.rows;
  if (options_.user_attn == "linear") return grad::linear(tape, {{articles, p(tape, "user.w")}}, nullptr, kNone, n);
  Var hidden = grad::linear(tape, {{articles, p(tape, "user.w1")}}, p(tape, "user.b1"), kNone, n);
  return grad::relu_dot(tape, {{hidden, identity(n)}}, p(tape, "user.w2"), nullptr);
}

Var Kred::users(Tape& tape, Var articles, Var logits, const Index& histories, const Index& clicked) {
  Var alpha = grad::segment_softmax(tape, histories, grad::gather_sum(tape, {{logits, clicked}}));
  return grad::segment_sum(tape, histories, alpha, {articles, clicked});
}

Var Kred::scores(Tape& tape, Var users, const Index& user, Var articles, const Index& article) {
  Var s;
  const int64_t n = users->value.rows, m = articles->value.rows;
  if (options_.predictor == "mlp") {
    Var left = grad::linear(tape, {{users, p(tape, "predictor.w1_user")}}, p(tape, "predictor.b1"), kNone, n);
    Var right = grad::linear(tape, {{articles, p(tape, "predictor.w1_document")}}, nullptr, kNone, m);
    s = grad::relu_dot(tape, {{left, user}, {right, article}}, p(tape, "predictor.w2"), p(tape, "predictor.b2"));
  } else if (options_.predictor == "linear") {
    Var left = grad::linear(tape, {{users, p(tape, "predictor.w_user")}}, p(tape, "predictor.b"), kNone, n);
    Var right = grad::linear(tape, {{articles, p(tape, "predictor.w_document")}}, nullptr, kNone, m);
    s = grad::gather_sum(tape, {{left, user}, {right, article}});
  } else {
    s = grad::row_dots(tape, {users, user}, {articles, article}, options_.predictor == "cos");
  }
  return options_.bound == "sigmoid" ? grad::activate(tape, Activation::sigmoid, s) : s;
}

Var Kred::category(Tape& tape, Var articles) {
  const int64_t n = articles->value.rows;
  Var hidden = grad::linear(tape, {{articles, p(tape, "category.w1")}}, p(tape, "category.b1"), Activation::relu, n);
  return grad::linear(tape, {{hidden, p(tape, "category.w2")}}, p(tape, "category.b2"), kNone, n);
}

}  // namespace nd
