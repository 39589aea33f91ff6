// JSON in two shapes: a small value tree for headers, options and metrics, with one canonical text per content; and a
// fast reader for the millions of small documents inside raw data files.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/io/error.h"

namespace nd::json {

class Value;
using Array = std::vector<Value>;
using Object = std::map<std::string, Value, std::less<>>;  // keys sorted bytewise

class Value {
 public:
  Value() : v_(nullptr) {}
  Value(std::nullptr_t) : v_(nullptr) {}
  Value(bool b) : v_(b) {}
  Value(int64_t i) : v_(i) {}
  Value(int i) : v_(int64_t{i}) {}
  Value(double d) : v_(d) {}
  Value(std::string s) : v_(std::move(s)) {}
  Value(std::string_view s) : v_(std::string(s)) {}
  Value(const char* s) : v_(std::string(s)) {}
  Value(Array a) : v_(std::move(a)) {}
  Value(Object o) : v_(std::move(o)) {}
  // Written in json.cpp: inlined, they make GCC 12 warn about uninitialised members of the variant (a false alarm).
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(v_); }
  // nullptr when the value is of another type.
  const bool* boolean() const { return std::get_if<bool>(&v_); }
  const int64_t* integer() const { return std::get_if<int64_t>(&v_); }
  const std::string* string() const { return std::get_if<std::string>(&v_); }
  const Array* array() const { return std::get_if<Array>(&v_); }
  const Object* object() const { return std::get_if<Object>(&v_); }
  // Any number as a double; NaN when the value is not one.
  double number() const;
  // Member of an object, nullptr when absent or when this is no object.
  const Value* find(std::string_view key) const;
  // Object member access for building: turns null into an object.
  Value& operator[](std::string_view key);

  // Canonical text: keys sorted bytewise, no spaces, non-ASCII as UTF-8, floats by shortest round trip (NaN and
  // infinities become null).
  std::string dump() const;
  // The same, indented by two spaces, for people.
  std::string pretty() const;

 private:
  std::variant<std::nullptr_t, bool, int64_t, double, std::string, Array, Object> v_;
};

// Appends the canonical text of one value, for writers of very many. A float by its shortest form as a float.
void append(std::string& out, std::string_view text);
void append(std::string& out, double number);
void append(std::string& out, float number);

// Whether these bytes are UTF-8 throughout.
bool is_utf8(std::string_view text);

// Reads one document; Error (without a path) says what is wrong. Depth at most 16, duplicate keys refused.
Value parse(std::string_view text);

// The fast reader: one parser reused for many documents, values looked at in place.
class Node;
class Parser {
 public:
  Parser();
  ~Parser();
  // Parses `text` (copied once into a padded buffer). The root is valid until the next call. Error when malformed.
  Node parse(std::string_view text);

 private:
  friend Value parse(std::string_view text);
  struct State;
  std::unique_ptr<State> state_;
};

class Node {
 public:
  enum class Type { null, boolean, integer, number, string, array, object };
  Type type() const;
  // Each returns false when the node is of another type.
  bool get(std::string_view& s) const;
  bool get(int64_t& i) const;
  bool get(double& d) const;  // integers too
  bool get(bool& b) const;
  Value value() const;  // a copy as a tree; Error when a key comes twice in an object
  // Member of an object; false when absent or no object.
  bool find(std::string_view key, Node& out) const;
  // Calls f(Node) for each element of an array; false when this is no array.
  template <class F>
  bool each(F&& f) const {
    Cursor at;
    Node element;
    if (!begin_array(at)) return false;
    while (next(at, element)) f(element);
    return true;
  }
  // Calls f(std::string_view key, Node) for each member of an object, in the order of the text; false when this is no
  // object.
  template <class F>
  bool members(F&& f) const {
    Cursor at;
    std::string_view key;
    Node value;
    if (!begin_object(at)) return false;
    while (next(at, key, value)) f(key, value);
    return true;
  }

 private:
  friend class Parser;
  struct Access;
  using Word2 = std::array<uint64_t, 2>;  // where something is, in the parser's own terms
  struct Cursor {
    Word2 from{}, to{};
  };
  bool begin_array(Cursor& at) const;
  bool begin_object(Cursor& at) const;
  static bool next(Cursor& at, Node& value);
  static bool next(Cursor& at, std::string_view& key, Node& value);
  Word2 at_{};
};

// The quickest reader: a few members out of each of very many objects. What is not asked for is passed over without
// looking at more of it than brackets, quotes and UTF-8.
struct Member {
  Node::Type type = Node::Type::null;  // null when absent too
  std::string_view text;               // a string without its escapes; a list or an object as it is written
  int64_t integer = 0;
  double number = 0;  // of an integer too
  bool truth = false;
};

class Picker {
 public:
  // At most 64 names of 1 to 63 bytes; they are compared with the text as it is written, escapes and all.
  explicit Picker(std::vector<std::string> names);
  ~Picker();
  // Reads one object (copied once into a padded buffer). Error when it is malformed as far as was looked at. Of a name
  // that comes twice the last one stands.
  void pick(std::string_view object);
  // Member by its place among the names; valid until the next pick().
  const Member& operator[](size_t name) const { return members_[name]; }

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::vector<std::string> names_;
  std::vector<Member> members_;
};

}  // namespace nd::json
