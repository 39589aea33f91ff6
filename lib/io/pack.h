// The way back from dump()'s JSON lines (lib/io/dump.h) to the file: the same bytes, digest included.
#pragma once

#include <string>

#include "lib/io/container.h"
#include "lib/io/source.h"

namespace nd {

// Writes what dump() gave as JSON lines to path again; returns the digest. Error with file and row of the text when it
// is not that; Error with the path when the result breaks a rule of its kind. The digest in the text is not looked at,
// so rows may be edited.
uint64_t pack(LineReader& in, const std::string& path, int zstd_level);

}  // namespace nd
