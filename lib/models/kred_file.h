// A trained KRED as a file, and everything that has to be opened beside it to train or use it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/kinds.h"
#include "lib/io/kind_file.h"
#include "lib/models/kred.h"
#include "lib/models/kred_data.h"
#include "lib/models/kred_rank.h"

namespace nd {

// What a params file of KRED says beside its tensors.
struct KredSettings {
  KredOptions model;
  KredShape shape;
  NeighbourOptions neighbours;
  int64_t max_history = 50;
  uint64_t seed = 1;  // the neighbourhoods were drawn with it

  // Members of nd.options, beside the trainer's own.
  void to_json(json::Value& options) const;
  // Throws Error (without a path) when these are not KRED's options.
  static KredSettings from_json(const json::Value& options);
};

// The tensors of a trained model; `types` is the vocabulary of its type table.
Params kred_params(const Kred& model, const Strings& types);

// What a KRED reads articles from. entities and kg are not opened where the model takes none, and may be empty then.
struct KredPaths {
  std::string corpus, documents, entities, kg;
};

struct KredFiles {
  // UsageError when the model reads a file whose path is empty.
  KredFiles(const KredPaths& paths, const KredOptions& model);

  // Error naming the corpus when nothing joins, see KredData. The files must outlive the result.
  std::unique_ptr<KredData> join(const Strings& types, const KredSettings& settings) const;
  std::vector<Input> inputs() const;

  File<Corpus> corpus;
  File<Vectors> documents;
  std::optional<File<Vectors>> entities;
  std::optional<File<Kg>> kg;
};

// A model ready for use. Members refer to each other: neither copied nor moved.
class OpenKred {
 public:
  // Throws Error when the entity vectors or the graph are not those the model was trained with, or when sizes differ.
  OpenKred(const std::string& params_path, const KredPaths& paths);
  OpenKred(const OpenKred&) = delete;

  KredRanker ranker() { return {*model, *data, settings.max_history}; }
  // All opened files as inputs of what is made from them.
  std::vector<Input> inputs() const;

  File<Params> params;
  KredSettings settings;
  KredFiles files;
  std::unique_ptr<KredData> data;
  std::unique_ptr<Kred> model;
};

}  // namespace nd
