// params/1: a trained model. Its tensors differ from model to model, so this kind is a map instead of fixed columns;
// nd.options names the model ("model") and every setting that shapes it.
//
// Carries the digests of what the rows of its tables mean: the entity vectors (input "vectors") and so on.
#pragma once

#include <map>
#include <string>

#include "formats/array.h"

namespace nd {

struct Params {
  static constexpr const char* kind = "params/1";

  std::map<std::string, Matrix> tensor;    // a bias is a matrix of one row
  std::map<std::string, Strings> strings;  // vocabularies of embedding tables, such as type_name

  template <class Self, class Visit>
  static void columns(Self& p, Visit&& visit) {
    visit("", p.tensor);
    visit("", p.strings);
  }

  std::string problem() const { return ""; }
};

}  // namespace nd
