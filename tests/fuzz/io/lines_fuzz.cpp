// Any bytes as text, plain or packed: the lines are those of the whole, whatever the limit cuts, or both are an Error.
#include <cstdlib>
#include <string>

#include "lib/io/source.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nd;
  const fuzz::MemoryFile memory(data, size);
  constexpr uint64_t kLimit = 8 << 20;
  std::string whole, joined;
  bool readable = true;
  try {
    whole = read_all(memory.path(), kLimit).text();
  } catch (const Error&) {
    readable = false;
  }
  try {
    LineReader lines(memory.path(), 1 << 20);
    std::string_view line;
    int64_t rows = 0;
    while (joined.size() <= kLimit && lines.next(line)) {
      if (lines.row() != ++rows || line.find('\n') != std::string_view::npos) std::abort();
      joined.append(line) += '\n';
    }
  } catch (const Error&) {
    // Readable as a whole but not by lines: only a line that is too long.
    if (readable && whole.size() <= 1 << 20) std::abort();
    return 0;
  }
  if (!readable) return 0;
  std::string expected;
  if (whole.starts_with("\xef\xbb\xbf")) whole.erase(0, 3);
  for (size_t at = 0; at < whole.size();) {
    size_t end = whole.find('\n', at);
    const bool closed = end != std::string::npos;
    if (!closed) end = whole.size();
    const bool carriage = closed && end > at && whole[end - 1] == '\r';
    expected.append(whole, at, end - at - carriage) += '\n';
    at = end + 1;
  }
  if (joined != expected) std::abort();
  return 0;
}
