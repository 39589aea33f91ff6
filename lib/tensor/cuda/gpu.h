// Is there a GPU? For code that does not see CUDA's own headers.
#pragma once

#include <string>

namespace nd::cuda {

// Either a GPU's name or, in half a sentence, why none can be used.
struct Gpu {
  std::string name, trouble;
};
Gpu find_gpu();

}  // namespace nd::cuda
