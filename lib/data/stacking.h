// Vectors of an article's sentences or elements made into a stack, as D-HAN's preparation of data does (dhan.md 1.1).
#pragma once

#include <span>

#include "formats/stacks.h"

namespace nd {

// Shifts and scales a row to mean 0 and standard deviation 1 over its numbers (population form). The deviation counts
// as 1e-8 at least, so that a constant row becomes zeros and not NaN.
void normalise(std::span<float> row);

// Stacks of `height` rows out of rows that lie one article after the other: those of article i are
// [begin[i], begin[i + 1]), at most `height`. Missing rows are the mean of those there are; then all are normalised. An
// article without rows gets zeros. Labels are the numbers from 1.
Stacks padded_stacks(const Strings& id, std::span<const int64_t> begin, const Matrix& rows, int64_t height);

}  // namespace nd
