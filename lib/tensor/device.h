// Where to compute: the one place that knows which backends this build has, and what --device asks for.
#pragma once

#include <string>

#include "lib/tensor/mat.h"

namespace nd {

#ifdef ND_CUDA
constexpr bool kHasCuda = true;
#else
constexpr bool kHasCuda = false;
#endif

// The device that `wish`, one of auto, cpu and cuda, stands for. Error, with what is missing, when cuda cannot be had;
// auto never fails.
Device pick_device(const std::string& wish);

}  // namespace nd
