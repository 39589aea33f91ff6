// checkpoint/1: a training that was stopped, with all it needs to go on as if it never had been.
//
// Lives beside the output as `<output>.ckpt` until training ends. nd.options are the trainer's and nd.inputs all of its
// inputs: a resumed run refuses to go on under others.
#pragma once

#include <map>
#include <string>

#include "formats/array.h"

namespace nd {

struct Checkpoint {
  static constexpr const char* kind = "checkpoint/1";

  std::map<std::string, Matrix> tensor;           // "now.<p>", "best.<p>", "m.<p>", "v.<p>" for each parameter p
  std::map<std::string, Array<int64_t>> counter;  // epoch, step and such
  std::map<std::string, Array<double>> number;    // losses and validation results so far

  template <class Self, class Visit>
  static void columns(Self& c, Visit&& visit) {
    visit("", c.tensor);
    visit("", c.counter);
    visit("", c.number);
  }

  std::string problem() const { return ""; }
};

}  // namespace nd
