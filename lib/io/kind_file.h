// Files of a kind: formats/*.h structs to and from containers.
//
//   auto corpus = load<Corpus>(path);              // corpus->title[3], corpus.meta.digest
//   save(path, scores, meta_of(ctx, {behavior.as("behavior")}), level);   // tools/meta.h
//   require_same(behavior, "corpus", corpus);      // behavior was made from this very corpus
//
// The struct's own list of columns drives everything. Ragged column x is the tensors x.values and x.offsets, a string
// column the same with U8 values; a Matrix is one tensor of rank 2 (F32, or F16/BF16 widened on reading).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/kinds.h"
#include "lib/io/container.h"

namespace nd {

// A struct of a kind, and where it came from.
template <class T>
struct File {
  T data;
  Meta meta;
  std::string path;

  const T* operator->() const { return &data; }
  const T& operator*() const { return data; }
  // How a file made from this one refers to it.
  Input as(const std::string& role) const { return {role, meta.kind, meta.digest}; }
};

// Instantiated for every kind of formats/kinds.h.
template <class T>
File<T> load(const std::string& path);
template <class T>
File<T> from_container(const Container& container);
template <class T>
uint64_t save(const std::string& path, const T& data, Meta meta, int zstd_level = 0);

// Opens a file that may be of several kinds; throws Error unless it is of one of these.
Container open_one_of(std::initializer_list<std::string_view> kinds, const std::string& path);

// Checks any container against its own kind's schema and rules, whatever the kind; throws Error when it breaks one or
// when the kind is unknown. What tensor-check does.
void check_kind(const Container& container);

// Throws Error unless `user` (loaded from user_path) says it was made from the file `made_from` in that role. Prints
// both digests and paths. When `user` names no such role that is an Error too. A file that was made from the wanted one
// in that very role stands for it: a corpus whose links were filtered keeps its rows.
void require_input(const Meta& user, const std::string& user_path, const std::string& role, const Meta& made_from,
                   const std::string& made_from_path);
template <class U, class M>
void require_same(const File<U>& user, const std::string& role, const File<M>& made_from) {
  require_input(user.meta, user.path, role, made_from.meta, made_from.path);
}

// The same for rows that are used without a further look: they must lie in that very file, whatever the digests say.
void require_same(const File<Behavior>& behavior, const std::string& role, const File<Corpus>& corpus);
void require_same(const File<Clicks>& clicks, const std::string& role, const File<Corpus>& corpus);
void require_same(const File<Candidates>& candidates, const std::string& role, const File<Behavior>& behavior);
void require_same(const File<Candidates>& candidates, const std::string& role, const File<Clicks>& clicks);

// Throws Error unless both say they were made from one and the same file in that role.
void require_same_origin(const Meta& a, const std::string& a_path, const Meta& b, const std::string& b_path,
                         const std::string& role);
template <class A, class B>
void require_same_input(const File<A>& a, const File<B>& b, const std::string& role) {
  require_same_origin(a.meta, a.path, b.meta, b.path, role);
}
void require_same_input(const File<Behavior>& a, const File<Behavior>& b, const std::string& role);

}  // namespace nd
