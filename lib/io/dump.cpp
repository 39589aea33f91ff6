#include "lib/io/dump.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "lib/io/columns.h"
#include "lib/io/digest.h"
#include "lib/io/json.h"

namespace nd {
namespace {

constexpr const char* kTypeNames[] = {"array", "ragged", "strings"};

json::Value header_json(const Container& file, const std::vector<Column>& columns) {
  const Meta& meta = file.meta();
  json::Array inputs, list;
  for (const Input& i : meta.inputs)
    inputs.push_back(json::Object{{"role", i.role}, {"kind", i.kind}, {"digest", hex(i.digest)}});
  for (const Column& c : columns) {
    json::Object column{{"name", c.name}, {"type", kTypeNames[static_cast<int>(c.type)]}};
    if (c.type != Column::Type::strings) column["dtype"] = name_of(c.values->dtype);
    if (c.type == Column::Type::array) column["shape"] = json::Array(c.values->shape.begin(), c.values->shape.end());
    else column["rows"] = c.rows();
    list.push_back(std::move(column));
  }
  return json::Object{{"kind", meta.kind},       {"digest", hex(meta.digest)}, {"tool", meta.tool},
                      {"options", meta.options}, {"inputs", inputs},           {"columns", list}};
}

// One line a fact, its fields separated by tabs.
std::string header_text(const Container& file, const std::vector<Column>& columns) {
  std::string out;
  const auto line = [&](std::initializer_list<std::string_view> fields) {
    for (std::string_view field : fields) {
      append_escaped(out, field);
      out += '\t';
    }
    out.back() = '\n';
  };
  const Meta& meta = file.meta();
  line({"kind", meta.kind});
  line({"digest", hex(meta.digest)});
  line({"tool", meta.tool});
  out += "options\t" + meta.options.dump() + "\n";  // JSON is one line already
  for (const Input& i : meta.inputs) line({"input", i.role, i.kind, hex(i.digest)});
  for (const Column& c : columns) line({"column", c.name, c.describe()});
  return out;
}

std::vector<Column> pick(const Container& file, const std::vector<Column>& all, const std::vector<std::string>& names) {
  std::vector<Column> out;
  for (const std::string& name : names) {
    const auto at = std::find_if(all.begin(), all.end(), [&](const Column& c) { return c.name == name; });
    if (at == all.end()) throw Error(file.path(), "has no column " + name + " (tensor-dump --schema lists them)");
    out.push_back(*at);
    if (at->rows() != out[0].rows())
      throw Error(file.path(), "column " + name + " has " + std::to_string(at->rows()) + " rows, but " + out[0].name +
                                   " has " + std::to_string(out[0].rows()) + ": they cannot stand side by side");
  }
  return out;
}

}  // namespace

void dump(const Container& file, const DumpOptions& options, Sink& out) {
  const std::vector<Column> all = columns_of(file);
  const auto shown_rows = [&](const Column& c) {
    return options.head < 0 ? c.rows() : std::min(c.rows(), options.head);
  };
  std::string line;
  if (options.columns.empty()) {
    out.write(options.json ? header_json(file, all).dump() + "\n" : header_text(file, all));
    if (options.schema) return;
    for (const Column& c : all)
      for (int64_t row = 0; row < shown_rows(c); ++row) {
        if (options.json) {
          line = "{\"column\":\"" + c.name + "\",\"row\":" + std::to_string(row) + ",\"value\":";
          c.append_json(line, row);
          line += "}\n";
        } else {
          line = c.name + "\t" + std::to_string(row) + "\t";
          c.append_text(line, row);
          line += '\n';
        }
        out.write(line);
      }
    return;
  }
  const std::vector<Column> columns = pick(file, all, options.columns);
  for (int64_t row = 0; row < shown_rows(columns[0]); ++row) {
    line = options.json ? "{" : "";
    for (const Column& c : columns) {
      if (&c != &columns[0]) line += options.json ? ',' : '\t';
      if (options.json) {
        line += "\"" + c.name + "\":";
        c.append_json(line, row);
      } else {
        c.append_text(line, row);
      }
    }
    line += options.json ? "}\n" : "\n";
    out.write(line);
  }
}

}  // namespace nd
