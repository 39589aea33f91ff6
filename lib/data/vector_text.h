// Vectors out of the files people keep them in: MIND's .vec, word2vec and GloVe text, numpy's .npy, and rows without
// ids beside a list of ids.
#pragma once

#include <string>

#include "formats/array.h"

namespace nd {

struct VectorFile {
  // vec: id and numbers, tab-separated (a tab may follow the last). word2vec: a line "count width", then id and numbers
  // between blanks. glove: the same without that line. rows: numbers between tabs or blanks, without ids. npy: a numpy
  // array (version 1 to 3, float32 or float64, C order, two axes).
  // auto: npy where the name ends so; rows where `ids` or `map` is given; else by the first line: vec where it has a
  // tab, word2vec where it is two whole numbers, glove otherwise.
  std::string path, format = "auto";
  // For rows and npy, one of these: a list of ids, one a line, or OpenKE's map (lib/data/triples.h: read_id_map).
  std::string ids, map;
};

struct IdsAndRows {
  Strings id;
  Matrix x;
};

// Reads all rows. Error "path:row: ..." for a row of another width than the first, a number that is not finite or none,
// an id that came before, a list of ids of another length than the rows, an empty file, and a .npy of another kind.
// UsageError when ids and map do not fit the format.
IdsAndRows read_vectors(const VectorFile& file);

}  // namespace nd
