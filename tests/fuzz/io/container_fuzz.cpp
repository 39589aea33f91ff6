// Any bytes as a file of ours, plain in memory and, packed or not, through the path reader: an Error or a file that is
// written again to the same bytes.
#include <cstdlib>

#include "lib/io/kind_file.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nd;
  try {
    const Container file = Container::parse(nullptr, {reinterpret_cast<const std::byte*>(data), size}, "memory");
    if (Container::of("memory", file.meta(), file.tensors()).meta().digest != file.meta().digest) std::abort();
    check_kind(file);
  } catch (const Error&) {}
  const fuzz::MemoryFile memory(data, size);
  try {
    check_kind(Container::open(memory.path()));
  } catch (const Error&) {}
  try {
    Container::peek(memory.path());
  } catch (const Error&) {}
  return 0;
}
