// EXPECT_ND_ERROR(statement, "part of the line"): the statement throws nd::Error, and its one line says that.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "lib/io/error.h"

namespace nd {

inline testing::AssertionResult throws_error(const std::function<void()>& statement, const std::string& part) {
  try {
    statement();
  } catch (const Error& e) {
    const std::string line = e.what();
    if (line.find(part) == std::string::npos)
      return testing::AssertionFailure() << "the line was: " << line << "\nexpected in it: " << part;
    if (line.find('\n') != std::string::npos) return testing::AssertionFailure() << "more than one line: " << line;
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "nothing was thrown, expected: " << part;
}

}  // namespace nd

#define EXPECT_ND_ERROR(statement, part) EXPECT_TRUE(::nd::throws_error([&] { statement; }, part))
