// The only file that includes simdjson. Its DOM is a flat tape; a Node is a position on it.
#include "lib/io/json.h"

#include <simdjson.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace nd::json {

namespace dom = simdjson::dom;

namespace {

constexpr size_t kMaxDepth = 16;

// Reading the text back must give the same text: whole numbers come back as integers and print the same, except
// minus zero and those beyond 64 bits, which therefore keep a mark of being floats.
template <class Float>
void append_float(std::string& out, Float f) {
  if (!std::isfinite(f)) {
    out += "null";
    return;
  }
  if (f == 0 && std::signbit(f)) {
    out += "-0.0";
    return;
  }
  char text[32];
  const auto end = std::fabs(f) < Float{1e15} ? std::to_chars(text, std::end(text), f)
                                              : std::to_chars(text, std::end(text), f, std::chars_format::scientific);
  out.append(text, end.ptr);
}

struct Printer {
  std::string out;
  bool indented = false;
  int level = 0;

  void line() {
    if (!indented) return;
    out += '\n';
    out.append(2 * level, ' ');
  }
  void print(const Value& v) {
    if (const bool* b = v.boolean()) {
      out += *b ? "true" : "false";
    } else if (const int64_t* i = v.integer()) {
      out += std::to_string(*i);
    } else if (const std::string* s = v.string()) {
      append(out, *s);
    } else if (const Array* a = v.array()) {
      sequence('[', ']', *a, [this](const Value& element) { print(element); });
    } else if (const Object* o = v.object()) {
      sequence('{', '}', *o, [this](const auto& member) {
        append(out, member.first);
        out += indented ? ": " : ":";
        print(member.second);
      });
    } else if (v.is_null()) {
      out += "null";
    } else {
      append(out, v.number());
    }
  }
  template <class Items, class Print>
  void sequence(char open, char close, const Items& items, Print&& print_item) {
    out += open;
    ++level;
    bool first = true;
    for (const auto& item : items) {
      if (!first) out += ',';
      first = false;
      line();
      print_item(item);
    }
    --level;
    if (!first) line();
    out += close;
  }
};

Value tree_of(const dom::element& e) {
  switch (e.type()) {
    case dom::element_type::ARRAY: {
      Array out;
      for (dom::element element : dom::array(e)) out.push_back(tree_of(element));
      return out;
    }
    case dom::element_type::OBJECT: {
      Object out;
      for (auto [key, value] : dom::object(e))
        if (!out.emplace(std::string(key), tree_of(value)).second)
          throw Error("the key \"" + std::string(key) + "\" comes twice in one object");
      return out;
    }
    case dom::element_type::INT64:
      return int64_t(e);
    case dom::element_type::UINT64:
      return double(uint64_t(e));
    case dom::element_type::DOUBLE:
      return double(e);
    case dom::element_type::STRING:
      return std::string_view(e);
    case dom::element_type::BOOL:
      return bool(e);
    case dom::element_type::NULL_VALUE:
      break;
  }
  return nullptr;
}

}  // namespace

void append(std::string& out, std::string_view s) {
  if (!is_utf8(s)) throw Error("a string is not UTF-8");
  out += '"';
  for (char c : s) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += "0123456789abcdef"[c >> 4];
          out += "0123456789abcdef"[c & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append(std::string& out, double number) { append_float(out, number); }
void append(std::string& out, float number) { append_float(out, number); }

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

double Value::number() const {
  if (const double* d = std::get_if<double>(&v_)) return *d;
  if (const int64_t* i = std::get_if<int64_t>(&v_)) return static_cast<double>(*i);
  return std::numeric_limits<double>::quiet_NaN();
}

const Value* Value::find(std::string_view key) const {
  const Object* o = object();
  if (!o) return nullptr;
  const auto at = o->find(key);
  return at == o->end() ? nullptr : &at->second;
}

Value& Value::operator[](std::string_view key) {
  if (is_null()) v_ = Object{};
  return std::get<Object>(v_)[std::string(key)];
}

std::string Value::dump() const {
  Printer p;
  p.print(*this);
  return std::move(p.out);
}

std::string Value::pretty() const {
  Printer p{.indented = true};
  p.print(*this);
  return std::move(p.out);
}

struct Parser::State {
  dom::parser parser;
  std::string text;

  dom::element parse(std::string_view from) {
    if (parser.max_depth() != kMaxDepth && parser.allocate(from.size(), kMaxDepth) != simdjson::SUCCESS)
      throw std::bad_alloc();
    if (text.size() < from.size() + simdjson::SIMDJSON_PADDING) text.resize(from.size() + simdjson::SIMDJSON_PADDING);
    if (!from.empty()) std::memcpy(text.data(), from.data(), from.size());
    dom::element root;
    const auto status = parser.parse(text.data(), from.size(), false).get(root);
    if (status == simdjson::DEPTH_ERROR) throw Error("not usable JSON: nested more than 16 levels deep");
    if (status != simdjson::SUCCESS) throw Error(std::string("not JSON: ") + simdjson::error_message(status));
    return root;
  }
};

Value parse(std::string_view text) {
  Parser::State state;
  return tree_of(state.parse(text));
}

// A Node keeps a dom::element, and a Cursor a pair of iterators, as plain words, so that nobody else needs simdjson.
static_assert(sizeof(dom::element) == 16 && std::is_trivially_copyable_v<dom::element>);
static_assert(sizeof(dom::array::iterator) == 16 && std::is_trivially_copyable_v<dom::array::iterator>);
static_assert(sizeof(dom::object::iterator) == 16 && std::is_trivially_copyable_v<dom::object::iterator>);

Parser::Parser() : state_(std::make_unique<State>()) {}
Parser::~Parser() = default;

struct Node::Access {
  static dom::element element(const Node& n) { return std::bit_cast<dom::element>(n.at_); }
  static void set(Node& n, const dom::element& e) { n.at_ = std::bit_cast<Word2>(e); }
  template <class Iterator>
  static void set(Cursor& c, const Iterator& from, const Iterator& to) {
    c.from = std::bit_cast<Word2>(from);
    c.to = std::bit_cast<Word2>(to);
  }
};

Node Parser::parse(std::string_view text) {
  Node root;
  Node::Access::set(root, state_->parse(text));
  return root;
}

Node::Type Node::type() const {
  switch (Access::element(*this).type()) {
    case dom::element_type::ARRAY:
      return Type::array;
    case dom::element_type::OBJECT:
      return Type::object;
    case dom::element_type::INT64:
      return Type::integer;
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE:
      return Type::number;
    case dom::element_type::STRING:
      return Type::string;
    case dom::element_type::BOOL:
      return Type::boolean;
    case dom::element_type::NULL_VALUE:
      break;
  }
  return Type::null;
}

bool Node::get(std::string_view& s) const { return Access::element(*this).get(s) == simdjson::SUCCESS; }
bool Node::get(int64_t& i) const { return Access::element(*this).get(i) == simdjson::SUCCESS; }
bool Node::get(double& d) const { return Access::element(*this).get(d) == simdjson::SUCCESS; }
bool Node::get(bool& b) const { return Access::element(*this).get(b) == simdjson::SUCCESS; }

Value Node::value() const { return tree_of(Access::element(*this)); }

bool Node::find(std::string_view key, Node& out) const {
  dom::object object;
  dom::element value;
  if (Access::element(*this).get(object) != simdjson::SUCCESS) return false;
  if (object.at_key(key).get(value) != simdjson::SUCCESS) return false;
  Access::set(out, value);
  return true;
}

bool Node::begin_array(Cursor& at) const {
  dom::array array;
  if (Access::element(*this).get(array) != simdjson::SUCCESS) return false;
  Access::set(at, array.begin(), array.end());
  return true;
}

bool Node::next(Cursor& at, Node& value) {
  auto from = std::bit_cast<dom::array::iterator>(at.from);
  if (!(from != std::bit_cast<dom::array::iterator>(at.to))) return false;
  Access::set(value, *from);
  at.from = std::bit_cast<Word2>(++from);
  return true;
}

bool Node::begin_object(Cursor& at) const {
  dom::object object;
  if (Access::element(*this).get(object) != simdjson::SUCCESS) return false;
  Access::set(at, object.begin(), object.end());
  return true;
}

bool Node::next(Cursor& at, std::string_view& key, Node& value) {
  auto from = std::bit_cast<dom::object::iterator>(at.from);
  if (!(from != std::bit_cast<dom::object::iterator>(at.to))) return false;
  key = from.key();
  Access::set(value, from.value());
  at.from = std::bit_cast<Word2>(++from);
  return true;
}

namespace ondemand = simdjson::ondemand;

namespace {

// simdjson reports by value; what goes wrong is told in one place.
template <class T>
T need(simdjson::simdjson_result<T>&& result) {
  T value;
  if (const auto status = std::move(result).get(value); status != simdjson::SUCCESS)
    throw Error(std::string("not JSON: ") + simdjson::error_message(status));
  return value;
}

void read_member(ondemand::value value, Member& out) {
  out = {};
  switch (need(value.type())) {
    case ondemand::json_type::string:
      out.type = Node::Type::string;
      out.text = need(value.get_string());
      break;
    case ondemand::json_type::number: {
      const ondemand::number number = need(value.get_number());
      out.type = number.is_int64() ? Node::Type::integer : Node::Type::number;
      if (number.is_int64()) out.integer = number.get_int64();
      out.number = number.as_double();
      break;
    }
    case ondemand::json_type::boolean:
      out.type = Node::Type::boolean;
      out.truth = need(value.get_bool());
      break;
    case ondemand::json_type::array:
      out.type = Node::Type::array;
      out.text = need(need(value.get_array()).raw_json());
      break;
    case ondemand::json_type::object:
      out.type = Node::Type::object;
      out.text = need(need(value.get_object()).raw_json());
      break;
    case ondemand::json_type::null:
      if (!need(value.is_null())) throw Error("not JSON: expected null");
  }
}

}  // namespace

struct Picker::State {
  ondemand::parser parser;
  std::string text;
  std::array<uint64_t, 256> wanted{};  // by a name's first byte: bit n when names_[n] begins with it
};

Picker::Picker(std::vector<std::string> names)
    : state_(std::make_unique<State>()), names_(std::move(names)), members_(names_.size()) {
  if (names_.size() > 64) throw Error("more than 64 members asked for");
  for (size_t n = 0; n < names_.size(); ++n) {
    // A key is compared in place, and the padding is all that lies behind the last one.
    if (names_[n].empty() || names_[n].size() >= simdjson::SIMDJSON_PADDING)
      throw Error("cannot ask for the member \"" + names_[n] + "\": expected a name of 1 to 63 bytes");
    state_->wanted[static_cast<unsigned char>(names_[n][0])] |= uint64_t{1} << n;
  }
}

Picker::~Picker() = default;

void Picker::pick(std::string_view object) {
  State& s = *state_;
  for (Member& m : members_) m = {};
  const size_t room = object.size() + simdjson::SIMDJSON_PADDING;
  if (s.text.size() < room) s.text.resize(room);
  if (!object.empty()) std::memcpy(s.text.data(), object.data(), object.size());
  ondemand::document document = need(s.parser.iterate(s.text.data(), object.size(), s.text.size()));
  ondemand::object members = need(document.get_object());
  for (auto each : members) {
    ondemand::field field = need(std::move(each));
    const ondemand::raw_json_string key = field.key();
    for (uint64_t left = s.wanted[static_cast<unsigned char>(*key.raw())]; left != 0; left &= left - 1) {
      const auto n = static_cast<size_t>(std::countr_zero(left));
      if (!key.unsafe_is_equal(names_[n])) continue;
      read_member(field.value(), members_[n]);
      break;
    }
  }
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) throw Error("not JSON: text follows the object");
}

}  // namespace nd::json
