// The profile, as a writer meets it: order, alignment, names, limits; and the header looked at alone.
#include "lib/io/container.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "lib/io/digest.h"
#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

class ContainerTest : public testing::Test {
 protected:
  // A tensor of zeros.
  TensorView zeros(const std::string& name, DType dtype, std::vector<int64_t> shape) {
    TensorView t{name, dtype, std::move(shape), {}};
    t.bytes = std::span(zeros_).first(static_cast<size_t>(t.count()) * size_of(dtype));
    return t;
  }
  std::vector<std::byte> zeros_ = std::vector<std::byte>(4096);
  TemporaryFolder folder;
  const std::string path = folder / "file";
};

TEST_F(ContainerTest, IsLaidOutByteForByteAsSpecified) {
  const float x[] = {1, 2};
  const uint8_t u[] = {7};
  const uint64_t digest = write_container(
      path, {.kind = "k/1", .tool = "t", .options = json::Object{{"b", 1}, {"a", "é"}}, .inputs = {{"r", "i/1", 1}}},
      {{"u", DType::U8, {1}, std::as_bytes(std::span(u))}, {"x", DType::F32, {1, 2}, std::as_bytes(std::span(x))}});
  const auto text = [](const std::string& digits) {
    return R"({"__metadata__":{"nd.digest":")" + digits +
           R"(","nd.inputs":"[{\"digest\":\"0000000000000001\",\"kind\":\"i/1\",\"role\":\"r\"}]","nd.kind":"k/1",)"
           R"("nd.options":"{\"a\":\"é\",\"b\":1}","nd.tool":"t"},)"
           R"("u":{"data_offsets":[8,9],"dtype":"U8","shape":[1]},)"
           R"("x":{"data_offsets":[0,8],"dtype":"F32","shape":[1,2]}})";
  };
  const auto file = [&](const std::string& digits) {
    std::string header = text(digits);
    while ((8 + header.size()) % 64 != 0) header += ' ';
    const uint64_t n = header.size();
    return std::string(reinterpret_cast<const char*>(&n), 8) + header + std::string("\0\0\x80\x3f\0\0\0\x40\7", 9);
  };
  const std::string zeroed = file("0000000000000000");
  Digest expected;
  expected.update(std::as_bytes(std::span(zeroed)));
  EXPECT_EQ(hex(digest), hex(expected.value()));
  EXPECT_EQ(get(path), file(hex(expected.value())));
}

TEST_F(ContainerTest, TensorsLieByElementSizeThenNameWhateverTheirOrder) {
  std::vector<TensorView> tensors{zeros("b", DType::U8, {3}), zeros("a", DType::U8, {1}), zeros("z", DType::I64, {2}),
                                  zeros("h", DType::F16, {1, 3}), zeros("c", DType::F32, {1})};
  const uint64_t digest = write_container(path, {}, tensors);
  std::reverse(tensors.begin(), tensors.end());
  EXPECT_EQ(write_container(folder / "again", {}, tensors), digest);
  std::string order;
  const Container file = Container::open(path);
  for (const TensorView& t : file.tensors()) {
    order += t.name;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(t.bytes.data()) % size_of(t.dtype), 0u) << t.name;
  }
  EXPECT_EQ(order, "zchab");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.tensors()[0].bytes.data()) % 64, 0u);
  EXPECT_EQ(file.find("h")->shape, (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(file.find("hh"), nullptr);
}

TEST_F(ContainerTest, PackingDoesNotChangeTheDigest) {
  const std::vector<TensorView> tensors{zeros("z", DType::I64, {512})};
  EXPECT_EQ(write_container(path, {}, tensors, 3), write_container(folder / "plain", {}, tensors));
  EXPECT_LT(std::filesystem::file_size(path), 1000u);
  EXPECT_EQ(Container::open(path).find("z")->count(), 512);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(Container::open(path).find("z")->bytes.data()) % 64, 0u);
}

TEST_F(ContainerTest, InputsAreSortedByRoleAndKeepTheirOrderWithin) {
  write_container(path, {.inputs = {{"b", "", 1}, {"a", "", 9}, {"a", "", 2}}}, {});
  std::string order;
  const Container file = Container::open(path);
  for (const Input& i : file.meta().inputs) order += i.role + std::to_string(i.digest) + " ";
  EXPECT_EQ(order, "a9 a2 b1 ");
}

TEST_F(ContainerTest, WhatTheProfileForbidsIsNotWritten) {
  for (const std::string& name : {std::string(), std::string("a b"), std::string("é"), std::string("__metadata__"),
                                  std::string(257, 'a'), std::string("a\0", 2)})
    EXPECT_ND_ERROR(write_container(path, {}, {zeros(name, DType::U8, {1})}), "cannot be called");
  EXPECT_NO_THROW(write_container("/dev/null", {}, {zeros(std::string(256, 'a'), DType::U8, {1})}));
  EXPECT_ND_ERROR(write_container(path, {}, {zeros("a", DType::U8, {1}), zeros("a", DType::I32, {1})}), "two tensors");
  EXPECT_ND_ERROR(write_container(path, {}, {zeros("a", DType::U8, std::vector<int64_t>(9, 1))}), "9 dimensions");
  TensorView wrong = zeros("a", DType::I32, {2});
  wrong.shape = {3};
  EXPECT_ND_ERROR(write_container(path, {}, {wrong}), "has not the size of its shape");
  wrong.shape = {-1};
  EXPECT_ND_ERROR(write_container(path, {}, {wrong}), "impossible shape");
  EXPECT_ND_ERROR(write_container(path, {.options = 1}, {}), "nd.options is not a JSON object");
  EXPECT_ND_ERROR(write_container(path, {.tool = "\xff"}, {}), "not UTF-8");
  EXPECT_ND_ERROR(write_container(path, {.options = json::Object{{"x", std::string(17 << 20, 'x')}}}, {}),
                  "longer than 16 MiB");
  EXPECT_EQ(folder.files(), 0u);
}

TEST_F(ContainerTest, TensorsAreFewEnough) {
  std::vector<TensorView> tensors;
  for (int i = 0; i < 65'536; ++i) tensors.push_back(zeros("t" + std::to_string(i), DType::U8, {1}));
  write_container(path, {}, tensors);
  EXPECT_EQ(Container::open(path).tensors().size(), 65'536u);
  tensors.push_back(zeros("one-more", DType::U8, {1}));
  EXPECT_ND_ERROR(write_container(path, {}, tensors), "more than 65536 tensors");
}

TEST_F(ContainerTest, TensorsWithoutDimensionsOrRowsAreTensors) {
  write_container(path, {}, {zeros("scalar", DType::F64, {}), zeros("none", DType::F64, {0, 7})});
  const Container file = Container::open(path);
  EXPECT_EQ(file.find("scalar")->count(), 1);
  EXPECT_EQ(file.find("none")->count(), 0);
}

TEST_F(ContainerTest, PeekSeesTheHeaderAndTheLengthButNotTheData) {
  for (int level : {0, 3}) {
    const uint64_t digest = write_container(path, {.kind = "k/1"}, {zeros("z", DType::I64, {300})}, level);
    EXPECT_EQ(Container::peek(path).kind, "k/1");
    EXPECT_EQ(Container::peek(path).digest, digest);
    std::string bytes = get(path);
    bytes.back() ^= 1;  // of a plain file the last byte of data, of a packed one its checksum
    put(path, bytes);
    EXPECT_ND_ERROR(Container::open(path), path);
    EXPECT_NO_THROW(Container::peek(path));
    bytes.pop_back();
    put(path, bytes);
    if (level == 0) {
      EXPECT_ND_ERROR(Container::peek(path), "ends after");
    }
    bytes[20] ^= 1;
    put(path, bytes);
    EXPECT_ND_ERROR(Container::peek(path), path);
  }
  put(path, "");
  EXPECT_ND_ERROR(Container::peek(path), "is empty");
}

TEST_F(ContainerTest, BytesInMemoryNeedNoAlignment) {
  write_container(path, {}, {zeros("z", DType::I64, {3})});
  const std::string bytes = "x" + get(path);
  const Container file = Container::parse(nullptr, std::as_bytes(std::span(bytes)).subspan(1), "memory");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.find("z")->bytes.data()) % 8, 0u);
}

}  // namespace
}  // namespace nd
