// Any text as JSON: both readers agree on what is JSON, and the canonical text of a value is its own canonical text.
#include <cstdlib>
#include <string>

#include "lib/io/json.h"

namespace {

using nd::json::Node;

// Walks a document by every accessor there is; returns how many values it holds.
int64_t walk(const Node& node) {
  int64_t values = 1, integer;
  double number;
  bool boolean;
  std::string_view text;
  const int types = node.get(integer) + node.get(text) + node.get(boolean);
  if (types > 1 || (node.get(integer) && !node.get(number))) std::abort();
  node.each([&](const Node& element) { values += walk(element); });
  node.members([&](std::string_view key, const Node& value) {
    Node found;
    if (!node.find(key, found)) std::abort();
    values += walk(value);
  });
  return values;
}

int64_t count(const nd::json::Value& value) {
  int64_t values = 1;
  if (value.array())
    for (const auto& element : *value.array()) values += count(element);
  if (value.object())
    for (const auto& member : *value.object()) values += count(member.second);
  return values;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static nd::json::Parser parser;
  int64_t seen = -1;
  try {
    seen = walk(parser.parse(text));
  } catch (const nd::Error&) {}
  try {
    const nd::json::Value value = nd::json::parse(text);
    if (count(value) != seen) std::abort();
    const std::string canonical = value.dump();
    if (nd::json::parse(canonical).dump() != canonical) std::abort();
    if (nd::json::parse(value.pretty()).dump() != canonical) std::abort();
  } catch (const nd::Error& e) {
    // The tree also refuses keys that come twice, which the fast reader lets pass.
    if (seen >= 0 && std::string(e.what()).find("comes twice") == std::string::npos) std::abort();
  }
  return 0;
}
