// EXPECT_ND_ERROR(statement, "part of the line"): the statement throws nd::Error and its line says that.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "lib/io/error.h"

#define EXPECT_ND_ERROR(statement, part)                                                             \
  do {                                                                                               \
    std::string line_ = "(nothing was thrown)";                                                      \
    try {                                                                                            \
      statement;                                                                                     \
    } catch (const ::nd::Error& e) {                                                                 \
      line_ = e.what();                                                                              \
    }                                                                                                \
    EXPECT_NE(line_.find(part), std::string::npos) << "the line was: " << line_ << "\nexpected: " << part; \
    EXPECT_EQ(line_.find('\n'), std::string::npos) << "an error is one line: " << line_;             \
  } while (false)
