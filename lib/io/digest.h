// XXH64: finds accidents, not forgery. Written as 16 lower-case hex digits everywhere.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace nd {

class Digest {
 public:
  Digest();
  ~Digest();
  void update(std::span<const std::byte> bytes);
  uint64_t value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string hex(uint64_t digest);

}  // namespace nd
