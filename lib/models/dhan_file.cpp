#include "lib/models/dhan_file.h"

#include <algorithm>

#include "lib/models/settings.h"

namespace nd {
namespace {

const Strings& names(const File<Params>& params, const char* key, int64_t count) {
  const auto found = params->strings.find(key);
  if (found == params->strings.end() || found->second.size() != count)
    throw Error(params.path, std::string(key) + " does not list those of the table of identities");
  return found->second;
}

}  // namespace

bool is_dhan(const json::Value& options) {
  const json::Value* v = options.find("architecture");
  return v && v->string() && *v->string() == "dhan";
}

void DhanSettings::to_json(json::Value& options) const {
  options["architecture"] = "dhan";
  options["dhan"] = model.to_json();
  options["shape"] = json::Object{{"users", shape.users},         {"articles", shape.articles},
                                  {"sentences", shape.sentences}, {"sentence_dim", shape.sentence_dim},
                                  {"elements", shape.elements},   {"element_dim", shape.element_dim}};
  options["min_clicks"] = min_clicks;
  options["seed"] = static_cast<int64_t>(seed);
}

DhanSettings DhanSettings::from_json(const json::Value& options) {
  if (!is_dhan(options)) throw Error("these are not D-HAN's parameters");
  DhanSettings s;
  s.model = DhanOptions::from_json(setting(options, "dhan", "D-HAN"));
  const json::Value& shape = setting(options, "shape", "D-HAN");
  s.shape = {count_setting(shape, "users", 0),     count_setting(shape, "articles", 0),
             count_setting(shape, "sentences", 0), count_setting(shape, "sentence_dim", 0),
             count_setting(shape, "elements", 0),  count_setting(shape, "element_dim", 0)};
  s.min_clicks = count_setting(options, "min_clicks", 1);
  s.seed = static_cast<uint64_t>(count_setting(options, "seed", 0));
  return s;
}

Params dhan_params(const Dhan& model, const Strings& users, const Strings& articles) {
  Params params;
  model.parameters().write(params.tensor, "", &Parameter::value);
  params.strings["user_id"] = users;
  params.strings["article_id"] = articles;
  return params;
}

DhanFiles::DhanFiles(const DhanPaths& paths, bool text, bool elements) : corpus(load<Corpus>(paths.corpus)) {
  const auto open = [](const std::string& path, const char* option, std::optional<File<Stacks>>& file) {
    if (path.empty()) throw UsageError(std::string("the model reads stacks: give ") + option);
    file = load<Stacks>(path);
    if ((*file)->height() == 0 || (*file)->dim() == 0) throw Error(path, "holds stacks without numbers");
  };
  if (text) open(paths.sentences, "--sentences", sentences);
  if (elements) open(paths.elements, "--elements", this->elements);
}

std::unique_ptr<DhanData> DhanFiles::join(const Strings& known) const {
  return told_of(corpus.path,
                 [&] { return std::make_unique<DhanData>(*corpus, sentence_stacks(), element_stacks(), known); });
}

std::vector<Input> DhanFiles::inputs() const {
  std::vector<Input> all{corpus.as("corpus")};
  if (sentences) all.push_back(sentences->as("sentences"));
  if (elements) all.push_back(elements->as("elements"));
  return all;
}

DhanSettings dhan_settings(const DhanOptions& options, const WindowOptions& window, const DhanFiles& files,
                           const Clicks& clicks, const Windows& windows, const Strings& users, const Strings& articles,
                           uint64_t seed) {
  DhanSettings s{options, {users.size(), articles.size()}, window.min_clicks, seed};
  s.model.length = window.history;
  see_years(clicks, windows, s.model.times);
  const Stacks *sentences = files.sentence_stacks(), *elements = files.element_stacks();
  std::erase_if(s.model.levels, [&](char l) { return (l == 'S' && !sentences) || (l == 'E' && !elements); });
  if (s.model.levels.empty()) s.model.levels = "none";
  if (sentences) s.shape.sentences = sentences->height(), s.shape.sentence_dim = sentences->dim();
  if (elements) s.shape.elements = elements->height(), s.shape.element_dim = elements->dim();
  return s;
}

OpenDhan::OpenDhan(const std::string& params_path, const DhanPaths& paths)
    : params(load<Params>(params_path)),
      settings(told_of(params.path, [&] { return DhanSettings::from_json(params.meta.options); })),
      files(paths, settings.shape.sentences > 0, settings.shape.elements > 0) {
  const auto check = [&](const std::optional<File<Stacks>>& stacks, int64_t height, int64_t dim) {
    if (stacks && ((*stacks)->height() != height || (*stacks)->dim() != dim))
      throw Error(stacks->path, "stacks of " + std::to_string((*stacks)->height()) + " x " +
                                    std::to_string((*stacks)->dim()) + " numbers, but " + params.path +
                                    " was trained on " + std::to_string(height) + " x " + std::to_string(dim));
  };
  check(files.sentences, settings.shape.sentences, settings.shape.sentence_dim);
  check(files.elements, settings.shape.elements, settings.shape.element_dim);
  names(params, "user_id", settings.shape.users);
  model = told_of(params.path, [&] {
    return std::make_unique<Dhan>(settings.model, settings.shape, settings.seed, &params->tensor);
  });
  data = files.join(names(params, "article_id", settings.shape.articles));
}

DhanRanker OpenDhan::ranker(const File<Clicks>& clicks, std::span<const int32_t> instances,
                            const std::string& candidates) const {
  require_same(clicks, "corpus", files.corpus);
  const auto& learnt = params.meta.inputs;
  if (std::ranges::any_of(learnt, [&](const Input& i) { return i.role == "clicks" && i.digest == clicks.meta.digest; }))
    require_held_out(*clicks, windows_of(*clicks, settings.windows(), clicks.path), instances, candidates);
  DhanRanker ranker(*model, *data, *clicks, rows_in(clicks->user_id, params->strings.at("user_id")));
  ranker.require_histories(instances, candidates);
  return ranker;
}

std::vector<Input> OpenDhan::inputs() const {
  std::vector<Input> all = files.inputs();
  all.insert(all.begin(), params.as("params"));
  return all;
}

}  // namespace nd
