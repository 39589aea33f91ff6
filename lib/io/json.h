// JSON in two shapes: a small value tree for headers, options and metrics, with one canonical text per content; and a
// fast reader for the millions of small documents inside raw data files.
#pragma once

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
  friend class Node;
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
  bool get(double& d) const;   // integers too
  bool get(bool& b) const;
  // Member of an object; false when absent or no object.
  bool find(std::string_view key, Node& out) const;
  // Calls f(Node) for each element of an array; false when this is no array.
  template <class F>
  bool each(F&& f) const {
    Node element;
    Cursor at;
    if (!begin(at)) return false;
    while (next(at, element)) f(element);
    return true;
  }

 private:
  friend class Parser;
  struct Cursor {
    uint64_t a = 0, b = 0, c = 0, d = 0;
  };
  bool begin(Cursor& at) const;
  static bool next(Cursor& at, Node& out);
  uint64_t a_ = 0, b_ = 0;  // where the value is, in the parser's own terms
};

}  // namespace nd::json
