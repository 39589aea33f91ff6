// A trained D-HAN as a file, and everything that has to be opened beside it to train or use it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/kinds.h"
#include "lib/data/windows.h"
#include "lib/io/kind_file.h"
#include "lib/models/dhan.h"
#include "lib/models/dhan_data.h"
#include "lib/models/dhan_rank.h"

namespace nd {

// What a params file of D-HAN says beside its tensors and the names of its identities.
struct DhanSettings {
  DhanOptions model;
  DhanShape shape;
  int64_t min_clicks = 15;  // of the windows it was trained on
  uint64_t seed = 1;

  WindowOptions windows() const { return {.history = model.length, .min_clicks = min_clicks}; }
  // Members of nd.options, beside the trainer's own.
  void to_json(json::Value& options) const;
  // Throws Error (without a path) when these are not D-HAN's options.
  static DhanSettings from_json(const json::Value& options);
};

// The tensors of a trained model, and whom and what it knows by name.
Params dhan_params(const Dhan& model, const Strings& users, const Strings& articles);

// Whether these options are D-HAN's.
bool is_dhan(const json::Value& options);

// What a D-HAN reads articles from. Stacks are not opened where the model takes none, and may be empty then.
struct DhanPaths {
  std::string corpus, sentences, elements;
};

struct DhanFiles {
  DhanFiles(const DhanPaths& paths, bool text, bool elements);

  const Stacks* sentence_stacks() const { return sentences ? &**sentences : nullptr; }
  const Stacks* element_stacks() const { return elements ? &**elements : nullptr; }
  // Error naming the corpus when nothing joins, see DhanData. The files must outlive the result.
  std::unique_ptr<DhanData> join(const Strings& known) const;
  std::vector<Input> inputs() const;

  File<Corpus> corpus;
  std::optional<File<Stacks>> sentences, elements;
};

// What a model that is to learn these windows can know: `options` without the levels that the files have no stacks for,
// with the years of the clicks; the sizes of everything.
DhanSettings dhan_settings(const DhanOptions& options, const WindowOptions& window, const DhanFiles& files,
                           const Clicks& clicks, const Windows& windows, const Strings& users, const Strings& articles,
                           uint64_t seed);

// A model ready for use. Members refer to each other: neither copied nor moved.
class OpenDhan {
 public:
  // UsageError when the model reads a file whose path is empty, Error when a stack is not of the size it was trained
  // on.
  OpenDhan(const std::string& params_path, const DhanPaths& paths);
  OpenDhan(const OpenDhan&) = delete;

  // For the instances of a log. Error when the log is of another corpus, or when these clicks of it were not held out
  // from the training, where it is the log of the training, or have no whole history; `candidates` is where they stand.
  DhanRanker ranker(const File<Clicks>& clicks, std::span<const int32_t> instances,
                    const std::string& candidates) const;
  // All opened files as inputs of what is made from them.
  std::vector<Input> inputs() const;

  File<Params> params;
  DhanSettings settings;
  DhanFiles files;
  std::unique_ptr<DhanData> data;
  std::unique_ptr<Dhan> model;
};

}  // namespace nd
