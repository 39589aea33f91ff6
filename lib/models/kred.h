// KRED (Liu et al., RecSys 2020): a document vector enriched by the entities of a knowledge graph, and the user2item
// score on top of it. Equation numbers are the paper's.
//
// Weights are stored (inputs, outputs), so y = x W + b. Where the paper concatenates inputs, the weight is kept as one
// matrix per input: a product over distinct rows is then made once and added up wherever the row is used.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "lib/io/json.h"
#include "lib/nn/parameters.h"
#include "lib/tensor/grad.h"

namespace nd {

struct KredOptions {
  // What stands for an article: "kred" (eq. 8), "dv-entity" (pooled raw entity vectors ⊕ v_d), "dv" (v_d itself).
  std::string model = "kred";
  // Weights of an entity's neighbours, eqs. (2)-(3): "softmax", "mean", "sum" (the authors' code); "off" is the
  // ablation e_Nh = e_h.
  std::string kgat = "softmax";
  bool context = true;                // eq. (4); off is the ablation e_Ih = e_Nh
  std::string distill = "attention";  // eqs. (5)-(7); "mean", "sum", "max" over the entities are the ablation
  std::string no_entity = "zero";     // e_O of an article without entities: "zero" or a "learned" vector
  std::string user_attn = "mlp";      // attention over the history: "mlp" or "linear"
  std::string predictor = "mlp";      // g of eq. (9): "mlp", "dot", "cos", "linear"
  std::string bound = "sigmoid";      // of the score: "sigmoid" or "none"
  int64_t hidden = 128;               // H, hidden units of every two-layer net
  int64_t width = 128;                // K, numbers in an enriched article vector
  int64_t frequencies = 20;           // F, largest occurrence count told apart
  double gamma = 10;                  // eq. (10)

  json::Value to_json() const;
  // Error (without a path) when a member is missing, of another type or not one of the words above.
  static KredOptions from_json(const json::Value& value);
};

// Sizes that come from the data.
struct KredShape {
  int64_t document_dim = 0;  // D, numbers in a base document vector
  int64_t entity_dim = 0;    // d, numbers in an entity vector
  int64_t types = 0;         // T, known entity types; one row more stands for all others
  int64_t categories = 0;    // classes of the category head, 0 for none
};

// The frozen matrices every step reads rows of.
struct KredFrozen {
  Mat document_x;  // [articles, D]
  Mat entity_x;    // [entities, d]
  Mat relation_x;  // [relations, d]
};

// Some entities and their neighbourhoods, each distinct row once.
struct EntityBatch {
  const int32_t* entity = nullptr;  // [count] rows of entity_x
  int64_t count = 0;
  Index neighbours;                    // segments: the neighbours of each entity of the batch
  bool tails_repeat = true;            // often enough to pay for telling them apart; else each neighbour is its own
  Index tail;                          // neighbour -> distinct tails of the batch
  const int32_t* tails = nullptr;      // [distinct] rows of entity_x
  Index relation;                      // neighbour -> relations of the batch
  const int32_t* relations = nullptr;  // [relations of the batch] distinct rows of relation_x
};

// Some articles and their entity links, each distinct article once.
struct ArticleBatch {
  const int32_t* article = nullptr;  // [count] rows of document_x
  int64_t count = 0;
  Index links;                      // segments: the links of each article
  Index entity;                     // link -> rows of the entity vectors given to articles()
  Index position, frequency, type;  // link -> rows of the three context tables
  const float* empty = nullptr;     // [count] 1 for an article without links, else 0
};

// What articles() can tell about its attention.
struct KredAttention {
  Var entity = nullptr;  // [links, 1] eq. (6)
};

class Kred {
 public:
  // `trained`: the tensors of a trained model, for use without gradients; see Parameters.
  Kred(const KredOptions& options, const KredShape& shape, uint64_t seed,
       const std::map<std::string, Matrix>* trained = nullptr);

  const KredOptions& options() const { return options_; }
  const KredShape& shape() const { return shape_; }
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  // Numbers in an article's vector: K, or D, or d + D.
  int64_t article_dim() const;
  bool uses_entities() const { return options_.model != "dv"; }
  bool uses_neighbours() const { return options_.model == "kred" && options_.kgat != "off"; }

  // Eqs. (1)-(3): e_N [count, d]. `weights`, when given, gets eq. (3) [neighbours, 1].
  Var entities(Tape& tape, const KredFrozen& frozen, const EntityBatch& batch, Var* weights = nullptr);
  // Eqs. (4)-(8): article vectors [count, article_dim]; `entity_vectors` are rows of e_N (or raw vectors where the
  // model takes those), and null where it takes none. `entity_keys` are made here when not given.
  Var articles(Tape& tape, const KredFrozen& frozen, const ArticleBatch& batch, Var entity_vectors,
               Var entity_keys = nullptr, KredAttention* attention = nullptr);
  // The share of e_N's rows in the first layer of eq. (5), with its bias [rows, H].
  bool uses_entity_keys() const { return uses_neighbours() && options_.distill == "attention"; }
  Var entity_keys(Tape& tape, Var entity_vectors);
  // The history attention's logit of each article [articles, 1]; it depends on the article alone.
  Var history_logits(Tape& tape, Var articles);
  // User vectors u_i [users, article_dim]: `histories` are segments of clicks, `clicked` says which article each is.
  Var users(Tape& tape, Var articles, Var history_logits, const Index& histories, const Index& clicked);
  // Eq. (9): bounded scores [pairs, 1] of (user, article) pairs.
  Var scores(Tape& tape, Var users, const Index& user, Var articles, const Index& article);
  // Logits of the category head [articles, categories], kred.md 1.6.
  Var category(Tape& tape, Var articles);

 private:
  Var p(Tape& tape, const char* name) { return parameters_.on(tape, name); }
  bool uses_context() const { return options_.model == "kred" && options_.context; }
  // The tables whose rows add up to the hidden layer of eq. (5), and how many they are.
  size_t keys(Tape& tape, const KredFrozen& frozen, const ArticleBatch& batch, Var entity_vectors, Var entity_keys,
              grad::Rows (&tables)[5]);
  Var pooled(Tape& tape, const KredFrozen& frozen, const ArticleBatch& batch, Var entity_vectors, Var entity_keys,
             KredAttention* attention);

  KredOptions options_;
  KredShape shape_;
  Parameters parameters_;
};

}  // namespace nd
