#include "lib/models/kred_file.h"

#include "lib/models/settings.h"

namespace nd {
namespace {

bool reads_entities(const KredOptions& model) { return model.model != "dv"; }
bool reads_graph(const KredOptions& model) { return model.model == "kred" && model.kgat != "off"; }

const KredPaths& complete(const KredPaths& paths, const KredOptions& model) {
  if (reads_entities(model) && paths.entities.empty())
    throw UsageError("model " + model.model + " reads entity vectors: give --entities");
  if (reads_graph(model) && paths.kg.empty())
    throw UsageError("model kred with kgat " + model.kgat + " reads the graph: give --kg");
  return paths;
}

}  // namespace

void KredSettings::to_json(json::Value& options) const {
  options["architecture"] = "kred";
  options["kred"] = model.to_json();
  options["shape"] = json::Object{{"document_dim", shape.document_dim},
                                  {"entity_dim", shape.entity_dim},
                                  {"types", shape.types},
                                  {"categories", shape.categories}};
  options["neighbours"] = neighbours.to_json();
  options["max_history"] = max_history;
  options["seed"] = static_cast<int64_t>(seed);
}

KredSettings KredSettings::from_json(const json::Value& options) {
  const std::string* architecture = setting(options, "architecture", "KRED").string();
  if (!architecture || *architecture != "kred") throw Error("these are not KRED's parameters");
  KredSettings s;
  s.model = KredOptions::from_json(setting(options, "kred", "KRED"));
  const json::Value& shape = setting(options, "shape", "KRED");
  s.shape = {count_setting(shape, "document_dim", 1), count_setting(shape, "entity_dim", 0),
             count_setting(shape, "types", 0), count_setting(shape, "categories", 0)};
  s.neighbours = NeighbourOptions::from_json(setting(options, "neighbours", "KRED"));
  s.max_history = count_setting(options, "max_history", 1);
  s.seed = static_cast<uint64_t>(count_setting(options, "seed", 0));
  return s;
}

Params kred_params(const Kred& model, const Strings& types) {
  Params params;
  model.parameters().write(params.tensor, "", &Parameter::value);
  params.strings["type_name"] = types;
  return params;
}

KredFiles::KredFiles(const KredPaths& paths, const KredOptions& model)
    : corpus(load<Corpus>(complete(paths, model).corpus)), documents(load<Vectors>(paths.documents)) {
  if (reads_entities(model)) entities = load<Vectors>(paths.entities);
  if (reads_graph(model)) kg = load<Kg>(paths.kg);
}

std::unique_ptr<KredData> KredFiles::join(const Strings& types, const KredSettings& settings) const {
  return told_of(corpus.path, [&] {
    return std::make_unique<KredData>(*corpus, *documents, entities ? &**entities : nullptr, kg ? &**kg : nullptr,
                                      types, settings.model.frequencies, settings.neighbours, settings.seed);
  });
}

std::vector<Input> KredFiles::inputs() const {
  std::vector<Input> all{corpus.as("corpus"), documents.as("documents")};
  if (entities) all.push_back(entities->as("entities"));
  if (kg) all.push_back(kg->as("kg"));
  return all;
}

OpenKred::OpenKred(const std::string& params_path, const KredPaths& paths)
    : params(load<Params>(params_path)),
      settings(told_of(params.path, [&] { return KredSettings::from_json(params.meta.options); })),
      files(paths, settings.model) {
  const auto check = [&](const File<Vectors>& vectors, int64_t dim) {
    if (vectors->dim() != dim)
      throw Error(vectors.path, "vectors of " + std::to_string(vectors->dim()) + " numbers, but " + params.path +
                                    " was trained on " + std::to_string(dim));
  };
  check(files.documents, settings.shape.document_dim);
  if (files.entities) {
    require_same(params, "entities", *files.entities);
    check(*files.entities, settings.shape.entity_dim);
  }
  if (files.kg) require_same(params, "kg", *files.kg);
  const auto types = params->strings.find("type_name");
  if (types == params->strings.end() || types->second.size() != settings.shape.types)
    throw Error(params.path, "type_name does not list the types of the type table");
  model = told_of(params.path, [&] {
    return std::make_unique<Kred>(settings.model, settings.shape, settings.seed, &params->tensor);
  });
  data = files.join(types->second, settings);
}

std::vector<Input> OpenKred::inputs() const {
  std::vector<Input> all = files.inputs();
  all.insert(all.begin(), params.as("params"));
  return all;
}

}  // namespace nd
