// Scores files that stand side by side in one table: what they scored must be the same.
#pragma once

#include <algorithm>
#include <string>

#include "lib/io/digest.h"
#include "lib/io/kind_file.h"

namespace nd {

// The digests of what a file scored, which must be the same for all files of a table.
inline std::string scored(const File<Scores>& file) {
  std::string digests;
  for (const Input& input : file.meta.inputs)
    if (input.role == "behavior" || input.role == "clicks" || input.role == "candidates")
      digests += (digests.empty() ? "" : ", ") + input.role + " " + hex(input.digest);
  return digests.empty() ? "no behavior" : digests;
}

inline void require_same_rows(const File<Scores>& file, const File<Scores>& first) {
  if (scored(file) != scored(first))
    throw Error(file.path, "scores " + scored(file) + ", but " + first.path + " scores " + scored(first));
  if (!std::ranges::equal(file->score.offsets, first->score.offsets) || !std::ranges::equal(file->label, first->label))
    throw Error(file.path, "has other candidates or labels than " + first.path);
}

inline bool is_of_clicks(const File<Scores>& file) {
  return std::ranges::find(file.meta.inputs, "clicks", &Input::role) != file.meta.inputs.end();
}

}  // namespace nd
