// Any text as the header of a file whose length, padding and digest are right, so that all that is wrong is what the
// header says. A byte 0 ends the text, what follows is data.
#include <cstdlib>
#include <string>

#include "lib/io/digest.h"
#include "lib/io/kind_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nd;
  const std::string input(reinterpret_cast<const char*>(data), size);
  std::string header = input.substr(0, input.find('\0'));
  const std::string rest = header.size() < input.size() ? input.substr(header.size() + 1) : "";
  while ((8 + header.size()) % 64 != 0) header += ' ';
  const uint64_t n = header.size();
  std::string file = std::string(reinterpret_cast<const char*>(&n), 8) + header + rest;
  const std::string key = "\"nd.digest\":\"";
  if (const size_t at = file.find(key); at != std::string::npos && at + key.size() + 16 <= file.size()) {
    file.replace(at + key.size(), 16, 16, '0');
    Digest digest;
    digest.update(std::as_bytes(std::span(file)));
    file.replace(at + key.size(), 16, hex(digest.value()));
  }
  try {
    const Container c = Container::parse(nullptr, std::as_bytes(std::span(file)), "memory");
    if (Container::of("memory", c.meta(), c.tensors()).meta().digest != c.meta().digest) std::abort();
    check_kind(c);
  } catch (const Error&) {}
  return 0;
}
