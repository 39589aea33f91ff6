// Files of any kind as text, for people, pipes and editors (lib/io/pack.h goes the other way).
//
// As JSON lines the first line is the header: {"columns":[{"name":…,"type":…,"shape" or "rows":…},…],"digest":…,
// "inputs":[…],"kind":…,"options":{…},"tool":…}, then one line per row of each column in turn:
// {"column":"title","row":0, "value":"Snow"}. Numbers are written so that they read back as the same bits; floats that
// are not finite as their bits ("0x7fc00000"). pack() makes the same file of it again, digest included.
#pragma once

#include <string>
#include <vector>

#include "lib/io/container.h"
#include "lib/io/sink.h"

namespace nd {

struct DumpOptions {
  bool json = false;
  bool schema = false;               // only the header
  std::vector<std::string> columns;  // only these, side by side, one line a row, without a header; empty for all
  int64_t head = -1;                 // only so many rows of each column; -1 for all
};

// Text is one line per row, "column<TAB>row<TAB>value", below a header; strings with \t, \n, \r and \\ escaped, several
// values of a row separated by blanks. Error when there is no such column, or when columns to stand side by side have
// different numbers of rows.
void dump(const Container& file, const DumpOptions& options, Sink& out);

}  // namespace nd
