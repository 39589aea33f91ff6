#include "tests/lib/tensor/cuda/philox.h"

#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/driver.h"
#include "lib/tensor/cuda/team.h"
#include "lib/tensor/random.h"

namespace nd::cuda {

std::vector<std::array<uint32_t, 4>> philox(const std::vector<PhiloxInput>& asked) {
  using Words = std::array<uint32_t, 4>;
  const auto count = static_cast<int64_t>(asked.size());
  std::vector<Words> words(asked.size());
  Call call;
  const PhiloxInput* const in = call.in(asked.data(), count);
  Words* const out = call.bytes_like<Words>(count);
  each(count, [=] ND_KERNEL(int64_t i) { out[i] = Random::philox(in[i].counter, in[i].k0, in[i].k1); });
  copy_to_host(words.data(), out, words.size() * sizeof(Words));
  return words;
}

}  // namespace nd::cuda
