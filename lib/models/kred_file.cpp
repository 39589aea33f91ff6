#include "lib/models/kred_file.h"

namespace nd {
namespace {

int64_t count_of(const json::Value& value, const char* key, int64_t least) {
  const json::Value* v = value.find(key);
  if (!v || !v->integer() || *v->integer() < least)
    throw Error(std::string("option ") + key + " is missing or out of range");
  return *v->integer();
}

const json::Value& member(const json::Value& value, const char* key) {
  const json::Value* v = value.find(key);
  if (!v) throw Error(std::string("option ") + key + " is missing: these are not KRED's parameters");
  return *v;
}

// Runs f, putting the path in front of what it has to say.
template <class F>
auto told_of(const std::string& path, F&& f) {
  try {
    return f();
  } catch (const Error& e) {
    throw Error(path, e.what());
  }
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
  const std::string* architecture = member(options, "architecture").string();
  if (!architecture || *architecture != "kred") throw Error("these are not KRED's parameters");
  KredSettings s;
  s.model = KredOptions::from_json(member(options, "kred"));
  const json::Value& shape = member(options, "shape");
  s.shape = {count_of(shape, "document_dim", 1), count_of(shape, "entity_dim", 0), count_of(shape, "types", 0),
             count_of(shape, "categories", 0)};
  s.neighbours = NeighbourOptions::from_json(member(options, "neighbours"));
  s.max_history = count_of(options, "max_history", 1);
  s.seed = static_cast<uint64_t>(count_of(options, "seed", 0));
  return s;
}

Params kred_params(const Kred& model, const Strings& types) {
  Params params;
  model.parameters().write(params.tensor, "", &Parameter::value);
  params.strings["type_name"] = types;
  return params;
}

OpenKred::OpenKred(const KredPaths& paths)
    : params(load<Params>(paths.params)), corpus(load<Corpus>(paths.corpus)), documents(load<Vectors>(paths.documents)) {
  told_of(params.path, [&] { settings = KredSettings::from_json(params.meta.options); });
  if (documents->dim() != settings.shape.document_dim)
    throw Error(documents.path, "vectors of " + std::to_string(documents->dim()) + " numbers, but " + params.path +
                                    " was trained on " + std::to_string(settings.shape.document_dim));
  model = std::make_unique<Kred>(settings.model, settings.shape, settings.seed);
  told_of(params.path, [&] { model->parameters().read(params->tensor, "", &Parameter::value); });

  if (model->uses_entities()) {
    if (paths.entities.empty()) throw UsageError(params.path, "this model reads entity vectors: give --entities");
    entities = load<Vectors>(paths.entities);
    require_same(params, "entities", *entities);
  }
  if (model->uses_neighbours()) {
    if (paths.kg.empty()) throw UsageError(params.path, "this model reads the graph: give --kg");
    kg = load<Kg>(paths.kg);
    require_same(params, "kg", *kg);
  }
  const auto types = params->strings.find("type_name");
  if (types == params->strings.end() || types->second.size() != settings.shape.types)
    throw Error(params.path, "type_name does not list the types of the type table");
  told_of(corpus.path, [&] {
    data = std::make_unique<KredData>(*corpus, *documents, entities ? &**entities : nullptr, kg ? &**kg : nullptr,
                                      types->second, settings.model.frequencies, settings.neighbours, settings.seed);
  });
}

std::vector<Input> OpenKred::inputs() const {
  std::vector<Input> all{params.as("params"), corpus.as("corpus"), documents.as("documents")};
  if (entities) all.push_back(entities->as("entities"));
  if (kg) all.push_back(kg->as("kg"));
  return all;
}

}  // namespace nd
