// A trained KRED as a file, and everything that has to be opened beside it to use it.
#pragma once

#include <memory>
#include <optional>
#include <string>

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

// The files a KRED is used with. Empty paths: entities and kg where the model takes none.
struct KredPaths {
  std::string params, corpus, documents, entities, kg;
};

// A model ready for use. Members refer to each other: neither copied nor moved.
class OpenKred {
 public:
  // Throws Error when a file is missing that the model needs, when the entity vectors or the graph are not those it was
  // trained with, or when sizes differ.
  explicit OpenKred(const KredPaths& paths);
  OpenKred(const OpenKred&) = delete;

  KredRanker ranker() { return {*model, *data, settings.max_history}; }
  // All opened files as inputs of what is made from them.
  std::vector<Input> inputs() const;

  File<Params> params;
  KredSettings settings;
  File<Corpus> corpus;
  File<Vectors> documents;
  std::optional<File<Vectors>> entities;
  std::optional<File<Kg>> kg;
  std::unique_ptr<KredData> data;
  std::unique_ptr<Kred> model;
};

}  // namespace nd
