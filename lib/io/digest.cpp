#include "lib/io/digest.h"

#define XXH_STATIC_LINKING_ONLY  // the state by value
#include <xxhash.h>

namespace nd {

struct Digest::State {
  XXH64_state_t xxh;
};

Digest::Digest() : state_(std::make_unique<State>()) { XXH64_reset(&state_->xxh, 0); }
Digest::~Digest() = default;

void Digest::update(std::span<const std::byte> bytes) {
  if (!bytes.empty()) XXH64_update(&state_->xxh, bytes.data(), bytes.size());
}

uint64_t Digest::value() const { return XXH64_digest(&state_->xxh); }

std::string hex(uint64_t digest) {
  std::string out(16, '0');
  for (int i = 15; i >= 0; --i, digest >>= 4) out[i] = "0123456789abcdef"[digest & 15];
  return out;
}

}  // namespace nd
