// The stand-in for a GPU, see driver.cpp.
#pragma once

namespace nd::cuda {

// From here on kernels are watched; what_is_missing() starts it too.
void start_emulation();

}  // namespace nd::cuda
