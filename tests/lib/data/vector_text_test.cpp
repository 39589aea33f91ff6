// Vectors out of text and .npy files.
#include "lib/data/vector_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "lib/io/error.h"
#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

using Texts = std::vector<std::string>;
using Floats = std::vector<float>;

Texts texts(const Strings& s) {
  Texts out;
  for (int64_t i = 0; i < s.size(); ++i) out.emplace_back(s[i]);
  return out;
}
Floats floats(const Matrix& x) { return {x.values.begin(), x.values.end()}; }

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// A .npy file as numpy writes it; the header's length is a u16 in version 1 and a u32 from version 2 on.
std::string npy(const std::string& dict, const std::string& data, char version = 1) {
  const size_t length_bytes = version == 1 ? 2 : 4;
  std::string header = dict;
  while ((8 + length_bytes + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string out = std::string("\x93NUMPY") + version + '\0';
  for (size_t i = 0; i < length_bytes; ++i) out += static_cast<char>(header.size() >> 8 * i & 0xff);
  return out + header + data;
}
std::string dict(const std::string& descr, const std::string& shape, const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

class VectorFiles : public testing::Test {
 protected:
  IdsAndRows read(const std::string& text, const std::string& format = "auto", const std::string& name = "v") {
    put(folder_ / name, text);
    return read_vectors({folder_ / name, format, "", ""});
  }
  IdsAndRows with_ids(const std::string& text, const std::string& ids, const std::string& name = "v") {
    put(folder_ / name, text);
    put(folder_ / "ids", ids);
    return read_vectors({folder_ / name, "auto", folder_ / "ids", ""});
  }
  IdsAndRows with_map(const std::string& text, const std::string& map) {
    put(folder_ / "v", text);
    put(folder_ / "map", map);
    return read_vectors({folder_ / "v", "auto", "", folder_ / "map"});
  }

  TemporaryFolder folder_;
};

TEST_F(VectorFiles, OfMindAreTabSeparatedAndMayEndInATab) {
  const auto v = read("Q1\t0.5\t-1e-3\t2\t\nQ2\t1\t2\t3\n");
  EXPECT_EQ(texts(v.id), (Texts{"Q1", "Q2"}));
  EXPECT_EQ(floats(v.x), (Floats{0.5f, -1e-3f, 2, 1, 2, 3}));
  EXPECT_EQ(v.x.rows, 2);
  EXPECT_EQ(v.x.cols, 3);
  EXPECT_EQ(texts(read("New York\t1\r\nOslo\t2\r\n").id), (Texts{"New York", "Oslo"}));
}

TEST_F(VectorFiles, OfWord2vecSayHowMuchTheyHold) {
  const auto v = read("2 3\nthe 1 2 3 \n. 4 5 6\n");
  EXPECT_EQ(texts(v.id), (Texts{"the", "."}));
  EXPECT_EQ(floats(v.x), (Floats{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(texts(read("2 2\n2 3 4\nNew York 5 6\n").id), (Texts{"2", "New York"})) << "an id may have blanks";
  EXPECT_ND_ERROR(read("3 2\na 1 2\nb 3 4\n"), "v:1: says 3 rows, found 2");
  EXPECT_ND_ERROR(read("2 3\na 1 2\nb 3 4\n"), "v:2: expected an id and 3 numbers, found 3 fields");
  EXPECT_ND_ERROR(read("2 0\na\nb\n"), "v:2: expected an id and 1 numbers");
  EXPECT_ND_ERROR(read("a 1 2\n", "word2vec"), "v:1: expected the number of rows and their width");
  EXPECT_ND_ERROR(read("9999999999999 9999999999999\na 1\n"), "v:2: expected an id and 9999999999999 numbers");
}

TEST_F(VectorFiles, OfGloveHaveNoHeader) {
  const auto v = read("the 1 2\n. . . 3 4\n+ 5 6\n");
  EXPECT_EQ(texts(v.id), (Texts{"the", ". . .", "+"}));
  EXPECT_EQ(floats(v.x), (Floats{1, 2, 3, 4, 5, 6}));
  EXPECT_ND_ERROR(read("the 1 2\na 1 2 3\n"), "v:2: expected an id and 2 numbers, found 4 fields");
  // A first row of two whole numbers looks like word2vec's, unless told otherwise.
  EXPECT_EQ(texts(read("2019 7\n2020 8\n", "glove").id), (Texts{"2019", "2020"}));
}

TEST_F(VectorFiles, WithoutIdsTakeThemFromAList) {
  const auto v = with_ids("1 2\n3\t4\n", "a\nb c\n");
  EXPECT_EQ(texts(v.id), (Texts{"a", "b c"}));
  EXPECT_EQ(floats(v.x), (Floats{1, 2, 3, 4}));
  EXPECT_ND_ERROR(with_ids("1 2\n3 4\n", "a\n"), "ids: holds 1 ids, but");
  EXPECT_ND_ERROR(with_ids("1 2\n", "a\nb\n"), "has 1 vectors");
  EXPECT_ND_ERROR(with_ids("1 2\n3 4\n", "a\na\n"), "ids:2: the id 'a' comes twice, first in row 1");
  EXPECT_ND_ERROR(with_ids("1 2\n3 4\n", "a\n\n"), "ids:2: the id is empty");
  EXPECT_ND_ERROR(with_ids("1 2\n3 4\n", "a\n\xff\n"), "ids:2: the id is not UTF-8");
  EXPECT_ND_ERROR(with_ids("1 2\n3 4 5\n", "a\nb\n"), "v:2: expected 2 numbers, found 3 fields");
}

TEST_F(VectorFiles, WithoutIdsTakeThemFromOpenKesMap) {
  const auto v = with_map("1\t2\t\n3\t4\t\n", "2\nb\t1\na\t0\n");
  EXPECT_EQ(texts(v.id), (Texts{"a", "b"}));
  EXPECT_ND_ERROR(with_map("1 2\n", "2\na\t0\nb\t1\n"), "map: holds 2 ids, but");
  EXPECT_ND_ERROR(with_map("1 2\n", "x\n"), "map:1: expected the number of ids");
}

TEST_F(VectorFiles, WithRowsThatAreWrongAreErrorsWithTheirRow) {
  EXPECT_ND_ERROR(read("Q1\t1\t2\nQ2\t1\n"), "v:2: expected an id and 2 numbers, found 2 fields");
  EXPECT_ND_ERROR(read("Q1\t1\t2\nQ2\t1\t2\t3\n"), "v:2: expected an id and 2 numbers, found 4 fields");
  EXPECT_ND_ERROR(read("Q1\t1\t2\nQ2\t1\tx\n"), "v:2: expected a number, found 'x'");
  EXPECT_ND_ERROR(read("Q1\t1\t2\nQ2\t\t2\n"), "v:2: expected a number, found ''");
  EXPECT_ND_ERROR(read("Q1\t1\t2\nQ2\t1\t2x\n"), "v:2: expected a number, found '2x'");
  EXPECT_ND_ERROR(read("Q1\t1\t2\nQ1\t3\t4\n"), "v:2: the id 'Q1' comes twice, first as vector 1");
  EXPECT_ND_ERROR(read("Q1\t1\tnan\n"), "v:1: expected finite numbers, found 'nan'");
  EXPECT_ND_ERROR(read("Q1\t1\t-inf\n"), "v:1: expected finite numbers, found '-inf'");
  EXPECT_ND_ERROR(read("Q1\t1\t1e39\n"), "v:1: expected finite numbers, found '1e39'");
  EXPECT_ND_ERROR(read("Q1\t1\t1e999\n"), "v:1: expected finite numbers, found '1e999'");
  EXPECT_ND_ERROR(read("\t1\t2\n"), "v:1: the id is empty");
  EXPECT_ND_ERROR(read("\xff\t1\t2\n"), "v:1: the id is not UTF-8");
  EXPECT_ND_ERROR(read("Q1\n"), "v:1: expected an id and 1 numbers, found 1 fields");
  EXPECT_ND_ERROR(read("Q1\t1\n\nQ2\t2\n"), "v:2: expected an id and 1 numbers");
  EXPECT_ND_ERROR(read(""), "is empty, expected vectors");
}

TEST_F(VectorFiles, ReadNumbersAsPeopleWriteThem) {
  EXPECT_EQ(floats(read("a\t+1.5\t1E2\t-0\t1e-60\t1e-999\t.5\t1.\t1e-40\n").x),
            (Floats{1.5f, 100, 0, 0, 0, 0.5f, 1, 1e-40f}));
  EXPECT_ND_ERROR(read("a\t+-1\n"), "expected a number, found '+-1'");
  EXPECT_ND_ERROR(read("a\t0x1p3\n"), "expected a number");
}

TEST_F(VectorFiles, OfNumpyAreReadInBothWidthsAndAllVersions) {
  const std::string f4 = bytes_of(Floats{1, 2, 3, 4, 5, 6}), f8 = bytes_of(std::vector<double>{1, 2, 3, 4, 5, 6});
  for (const char version : {1, 2, 3}) {
    for (const bool wide : {false, true}) {
      const auto v = with_ids(npy(dict(wide ? "<f8" : "<f4", "(2, 3)"), wide ? f8 : f4, version), "a\nb\n", "v.npy");
      EXPECT_EQ(texts(v.id), (Texts{"a", "b"}));
      EXPECT_EQ(floats(v.x), (Floats{1, 2, 3, 4, 5, 6}));
      EXPECT_EQ(v.x.cols, 3);
    }
  }
}

TEST_F(VectorFiles, OfNumpyThatAreDamagedAreErrors) {
  const std::string f4 = bytes_of(Floats{1, 2, 3, 4, 5, 6});
  const auto error = [&](const std::string& file, const std::string& part) {
    EXPECT_ND_ERROR(with_ids(file, "a\nb\n", "v.npy"), part);
  };
  error(npy(dict("<f2", "(2, 3)"), f4), "expected little-endian float32 or float64 ('<f4' or '<f8'), found '<f2'");
  error(npy(dict(">f4", "(2, 3)"), f4), "found '>f4'");
  error(npy(dict("<f4", "(2, 3)", "True"), f4), "expected C order");
  for (const char* shape : {"(6,)", "()", "(1, 2, 3)", "(0, 3)", "(-2, 3)", "(a, 3)", "2, 3"})
    error(npy(dict("<f4", shape), f4), "expected a shape of two axes (rows, width)");
  error(npy(dict("<f4", "(2, 4)"), f4), "expected 2 x 4 numbers of 4 bytes, found 24 bytes");
  error(npy(dict("<f4", "(2, 2)"), f4), "expected 2 x 2 numbers");
  error(npy(dict("<f4", "(4611686018427387904, 4)"), f4), "expected 4611686018427387904 x 4 numbers");
  error(npy("{'descr': '<f4', 'shape': (2, 3)}", f4), "the header has no fortran_order");
  error(npy(dict("<f4", "(2, 3)"), f4, 9), "expected version 1 to 3, found 9");
  error(npy(dict("<f4", "(2, 3)"), bytes_of(Floats{1, 2, 3, 4, NAN, 6})), "v.npy:2: expected numbers that are finite");
  error(npy(dict("<f8", "(1, 1)"), bytes_of(std::vector<double>{1e300})), "v.npy:1: expected numbers that are finite");
  error("hello", "is no .npy file");
  // Every prefix of a sound file is refused.
  const std::string sound = npy(dict("<f4", "(2, 3)"), f4);
  for (size_t n = 0; n < sound.size(); ++n) EXPECT_ND_ERROR(with_ids(sound.substr(0, n), "a\nb\n", "v.npy"), "v.npy: ");
}

TEST_F(VectorFiles, TakeIdsThatFitTheFormat) {
  put(folder_ / "v", "a\t1\n");
  put(folder_ / "v.npy", npy(dict("<f4", "(1, 1)"), bytes_of(Floats{1})));
  EXPECT_THROW(read_vectors({folder_ / "v", "vec", folder_ / "v", ""}), UsageError);
  EXPECT_THROW(read_vectors({folder_ / "v", "auto", folder_ / "v", folder_ / "v"}), UsageError);
  EXPECT_THROW(read_vectors({folder_ / "v", "rows", "", ""}), UsageError);
  EXPECT_THROW(read_vectors({folder_ / "v.npy", "auto", "", ""}), UsageError);
  EXPECT_ND_ERROR(read(get(folder_ / "v.npy"), "auto", "unnamed"), "unnamed:1: is a .npy file, expected text");
}

}  // namespace
}  // namespace nd
