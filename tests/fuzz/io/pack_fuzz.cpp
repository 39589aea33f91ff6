// Any text as a dump: an Error, or a file that dumps to something that packs to the same digest.
#include <cstdlib>

#include "lib/io/dump.h"
#include "lib/io/pack.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nd;
  const fuzz::MemoryFile text(data, size), packed(data, 0), dumped(data, 0);
  try {
    LineReader lines(text.path());
    const uint64_t digest = pack(lines, packed.path(), 0);
    const Container file = Container::open(packed.path());
    if (file.meta().digest != digest) std::abort();
    Sink out(dumped.path());
    dump(file, {.json = true}, out);
    out.commit();
    LineReader again(dumped.path());
    if (pack(again, "/dev/null", 0) != digest) std::abort();
  } catch (const Error&) {}
  return 0;
}
