// D-HAN (Zhao, Chen, Zhang and Li, arXiv 2112.10085): sentences and elements of the articles a user read, each looked
// at in the light of the candidate, then the sequence of those articles with its times. Equation numbers are the
// paper's; where it is silent the authors' code decides (dhan.md part 1).
//
// Everything but the last layers would have to be computed for every pair of a read article and a candidate. What
// depends on one of them alone is made once for each distinct one: tokens and their projections, parts of concatenated
// inputs (a weight is kept as one matrix per input), tables of times multiplied by their weights. Tokens of an article
// are never copied for a pair.
//
// Weights are stored (inputs, outputs), so y = x W + b.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "lib/io/json.h"
#include "lib/models/dhan_time.h"
#include "lib/nn/parameters.h"
#include "lib/tensor/grad.h"

namespace nd {

struct DhanOptions {
  // Levels of attention: "none", or any of S (sentences, eqs. (1)-(2)), E (elements, eqs. (3)-(5)), N (sequence, eq.
  // (7)). Without S an article's text is the mean of its sentences, without E it has no elements, without N the layer
  // of eq. (7) is left out.
  std::string levels = "SEN";
  // What eq. (6) knows of time: "none", the time since ("rel"), the moment ("abs"), "both", or none but "decay": what
  // comes out of eq. (7) for an article read h hours before is multiplied by exp(-0.01 h).
  std::string time = "both";
  DhanTimeOptions times;
  std::string rel_anchor =
      "target";  // time since, seen from the moment of the candidate, or of the "last" read article
  // Summary of the history: "none", "cnn", "lstm", "bilstm", or two more layers as eq. (7) with one ("sh") or more
  // heads.
  std::string summary = "sh";
  // How a block's tokens become one vector: "positional" learns a weight a position, "mean" of all tokens, "own": the
  // mean of the sentences without candidate and user.
  std::string pool = "positional";
  std::string head = "two-hidden";  // layers before the score: "two-hidden" or "one-hidden"
  // "official": the four things the authors' code does unlike the paper (dhan.md 1.6 a to d): no user in eq. (6); with
  // time abs the candidate is one more token, and a layer over tokens takes their number back to L; scores are divided
  // by sqrt(hidden / 4) whatever the heads; both norms of a layer are one.
  std::string compat = "none";
  int64_t length = 10;       // L, articles of a history
  int64_t width = 64;        // d, numbers of a user's and of an article's identity
  int64_t hidden = 64;       // h, inside all attention blocks, and of either time vector; a multiple of 16
  int64_t inner = 256;       // d_ff, hidden units between attention layers
  int64_t head_width = 320;  // units of the first layer before the score; a second has half as many
  double dropout = 0.2;

  bool has(char level) const { return levels.find(level) != std::string::npos; }
  bool official() const { return compat == "official"; }
  bool absolute() const { return time == "abs" || time == "both"; }
  bool relative() const { return time == "rel" || time == "both"; }
  // The candidate is a token of the sequence, see compat.
  bool extra_token() const { return official() && time == "abs"; }
  // Heads of the summary's attention; 0 where it has none.
  int64_t heads() const;

  json::Value to_json() const;
  // Error (without a path) when a member is missing, of another type or out of range.
  static DhanOptions from_json(const json::Value& value);
};

// Sizes that come from the data.
struct DhanShape {
  int64_t users = 0, articles = 0;          // known ones; one more row, of zeros, stands for all others
  int64_t sentences = 0, sentence_dim = 0;  // M, of a stack; 0 for no text
  int64_t elements = 0, element_dim = 0;    // E; 0 for no elements
};

// The frozen matrices every step reads rows of: stacks, and the mean of each stack.
struct DhanFrozen {
  Mat sentence_x;     // [stacks * M, sentence_dim]
  Mat sentence_mean;  // [stacks, sentence_dim]
  Mat element_x;      // [stacks * E, element_dim]
  Mat element_mean;   // [stacks, element_dim]
};

// Distinct articles of a step, as rows of the above and of the identities.
struct DhanArticles {
  int64_t count = 0;
  const int32_t* sentence_mean = nullptr;  // [count]
  const int32_t* sentence = nullptr;       // [count * M]
  const int32_t* element_mean = nullptr;   // [count]
  const int32_t* element = nullptr;        // [count * E]
  Index id;                                // [count] -> identities
};

// What depends on an article that was read, on a candidate, on a user, or on the parameters alone. Each is made once
// for each distinct one; the rest of the model only adds such rows up, but for attention and what comes after it.
// Tokens carry their projections; `sequence` and `head` are their shares of eq. (6) and of the first layer of eq. (8).
// Null where a model has no such part.
struct DhanReadParts {
  grad::TokenVars sentence, element;  // [count * M, h], [count * E, h]
  Var sequence = nullptr;             // [count, h]
};
struct DhanCandidateParts {
  grad::TokenVars sentence, element;  // [count, h], [count * E, h]
  Var sequence = nullptr, head = nullptr;
};
struct DhanUserParts {
  grad::TokenVars sentence;  // [count, h]
  Var sequence = nullptr, head = nullptr;
};
struct DhanSharedParts {
  Var sentence = nullptr, element = nullptr;  // [h, h] from a pooled block to its share of eq. (6)
  Var bias = nullptr;                         // [1, h] of eq. (6), with that of both
  std::vector<Var> absolute, relative, now;   // [rows, h] shares of eq. (6) by row of a field's table
};
struct DhanParts {
  DhanSharedParts shared;
  DhanReadParts read;
  DhanCandidateParts candidates;
  DhanUserParts users;
};

// Instances and their candidates: pairs, in order of instances. A block is a pair and one article of its history; block
// (pair * L + l) has article l. Rows are those of the parts.
struct DhanBatch {
  int64_t instances = 0, pairs = 0;
  std::span<const int64_t> first_pair;  // [instances + 1] pairs of instance i are first_pair[i] .. first_pair[i + 1)
  Index history;                        // item = instance * L + l -> read articles
  Index instance_user;                  // instance -> users
  Index pair_instance, pair_candidate, pair_user;
  Index block_read, block_candidate, block_user, block_item, block_pair;
  std::vector<Index> absolute, relative;  // item -> row of each field's table
  std::vector<Index> now;                 // instance -> the same, of the candidate's moment
  Mat decay;                              // [items, 1] exp(-0.01 hours), with time decay; on the host
};

// What logits() can tell about its attention, row by row of softmax weights.
struct DhanAttention {
  Mat sentence;  // [blocks * (M + 2), M + 2]: sentences, candidate, user
  Mat element;   // [blocks * E, E]
  Mat sequence;  // [pairs * L, L], with one more token where the candidate is one
};

class Dhan {
 public:
  // `trained`: the tensors of a trained model, for use without gradients; see Parameters. Throws Error (without a path)
  // where sizes do not fit: with S, a sentence's vector and a user's are tokens of one block and must be of one width.
  Dhan(const DhanOptions& options, const DhanShape& shape, uint64_t seed,
       const std::map<std::string, Matrix>* trained = nullptr);

  const DhanOptions& options() const { return options_; }
  const DhanShape& shape() const { return shape_; }
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  bool uses_text() const { return shape_.sentences > 0; }
  bool uses_elements() const { return shape_.elements > 0 && options_.has('E'); }
  // Whether a batch that is only to be scored needs no indices by row.
  bool scores_item_by_item() const;
  bool attends_sentences() const { return uses_text() && options_.has('S'); }

  DhanSharedParts shared(Tape& tape);
  DhanReadParts read(Tape& tape, const DhanFrozen& frozen, const DhanArticles& articles, const DhanSharedParts& shared);
  DhanCandidateParts candidates(Tape& tape, const DhanFrozen& frozen, const DhanArticles& articles,
                                const DhanSharedParts& shared);
  // `user`: distinct users -> rows of identities.
  DhanUserParts users(Tape& tape, const Index& user);
  // Eqs. (1)-(8): the score of each pair before the sigmoid [pairs, 1]. `draw`, when given, says that this is training,
  // and which numbers the dropouts leave out.
  Var logits(Tape& tape, const DhanParts& parts, const DhanBatch& batch, const uint64_t* draw = nullptr,
             DhanAttention* attention = nullptr);

 private:
  Var p(Tape& tape, const std::string& name) { return parameters_.on(tape, name); }
  Dropout drop(const std::string& site, const uint64_t* draw) const;
  bool only_scores(const Tape& tape, const uint64_t* draw) const;
  Var linear(Tape& tape, const std::string& name, Var x, Activation act = Activation::none);
  grad::TokenVars project(Tape& tape, const std::string& block, Var x, bool biased);
  void pool(Tape& tape, const std::string& block, int64_t stack, int64_t all, grad::StackVars& vars);
  Var pooled(Tape& tape, const std::string& block, grad::StackVars vars, const uint64_t* draw, Mat* weights);
  Var crossed(Tape& tape, const std::string& block, grad::StackVars vars, const DhanBatch& batch);
  Var tokens(Tape& tape, const DhanParts& parts, const DhanBatch& batch, const uint64_t* draw,
             DhanAttention* attention);
  Var layer(Tape& tape, const std::string& name, Var x, int64_t tokens, int64_t heads, const uint64_t* draw,
            Mat* weights);
  Var scored_layer(Tape& tape, const std::string& name, Var x, int64_t tokens, float scale);
  Var sequence_layer(Tape& tape, Var x, const DhanBatch& batch, const uint64_t* draw, DhanAttention* attention);
  Var summary(Tape& tape, Var x, const uint64_t* draw);

  void add(const std::string& name, int64_t rows, int64_t cols, int64_t inputs);
  void add_bias(const std::string& name, int64_t cols, int64_t inputs);
  void add_linear(const std::string& name, int64_t rows, int64_t cols);
  void add_norm(const std::string& name);
  void add_block(const std::string& name, int64_t tokens);
  void add_layer(const std::string& name);
  int64_t sequence_inputs() const;

  DhanOptions options_;
  DhanShape shape_;
  uint64_t seed_;
  std::vector<DhanTimeField> absolute_, relative_;  // the tables this model has
  Parameters parameters_;
};

}  // namespace nd
