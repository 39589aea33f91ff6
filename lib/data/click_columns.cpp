#include "lib/data/click_columns.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>

#include "formats/clicks.h"
#include "lib/data/log_time.h"
#include "lib/data/table.h"
#include "lib/io/error.h"

namespace nd {
namespace {

struct RoleNames {
  std::string_view role;
  std::vector<std::string_view> names;  // the likelier first; lower case, without _, - and dots
};

const std::array<RoleNames, kRoles>& roles() {
  static const std::array<RoleNames, kRoles> table = {{
      {"user", {"user", "userid", "uid", "personid", "visitorid", "readerid", "customerid"}},
      {"article",
       {"article", "articleid", "clickarticleid", "news", "newsid", "nid", "item", "itemid", "contentid", "document",
        "documentid", "docid", "id"}},
      {"time",
       {"time", "timestamp", "clicktimestamp", "clicktime", "eventtime", "datetime", "date", "ts", "published",
        "publishtime", "publishedat"}},
      {"session", {"session", "sessionid"}},
      {"title", {"title", "headline"}},
      {"abstract", {"abstract", "summary", "subtitle", "lead"}},
      {"body", {"body", "text", "fulltext", "content"}},
      {"category", {"category", "categoryid", "category1", "cat", "section"}},
      {"subcategory", {"subcategory", "subcat"}},
      {"url", {"url", "link"}},
  }};
  return table;
}

struct UnitName {
  TimeUnit unit;
  std::string_view name;
  double micros;
};
constexpr UnitName kUnits[] = {{TimeUnit::seconds, "s", 1e6},
                               {TimeUnit::milliseconds, "ms", 1e3},
                               {TimeUnit::microseconds, "us", 1},
                               {TimeUnit::nanoseconds, "ns", 1e-3},
                               {TimeUnit::iso, "iso", 0}};

TimeUnit unit_named(std::string_view name) {
  for (const UnitName& u : kUnits)
    if (u.name == name) return u.unit;
  return TimeUnit::unknown;
}

// A name as it is compared, and the unit its end tells.
std::string plain(std::string_view name, TimeUnit& unit) {
  std::string out = lower_case(name);
  unit = TimeUnit::unknown;
  if (const size_t end = out.rfind('_'); end != std::string::npos && out.substr(end + 1) != "iso") {
    unit = unit_named(std::string_view(out).substr(end + 1));
    if (unit != TimeUnit::unknown) out.resize(end);
  }
  std::erase_if(out, [](char c) { return c == '_' || c == '-' || c == ' ' || c == '.'; });
  return out;
}

bool is_by_number(const ColumnMap& map) {
  return std::ranges::any_of(map.field, [](const std::string& name) {
    return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
  });
}

bool allows(std::initializer_list<Role> allowed, size_t role) {
  return std::ranges::find(allowed, static_cast<Role>(role)) != allowed.end();
}

}  // namespace

std::string ColumnMap::text() const {
  std::string out;
  for (size_t r = 0; r < kRoles; ++r) {
    if (field[r].empty()) continue;
    out += (out.empty() ? "" : ",") + std::string(roles()[r].role) + "=" + field[r];
    if (static_cast<Role>(r) != Role::time) continue;
    for (const UnitName& u : kUnits)
      if (u.unit == unit) out += ":" + std::string(u.name);
  }
  return out;
}

ColumnMap parse_columns(std::string_view text, std::initializer_list<Role> allowed) {
  ColumnMap map;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    size_t role = 0;
    while (role < kRoles && roles()[role].role != name) ++role;
    if (role == kRoles || !allows(allowed, role)) {
      std::string expected;
      for (const Role r : allowed) {
        expected += expected.empty() ? "" : ", ";
        expected += roles()[static_cast<size_t>(r)].role;
      }
      throw UsageError("no column can be meant by '" + std::string(part) + "', expected ROLE=NAME with a role of " +
                       expected);
    }
    std::string_view field = equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    if (static_cast<Role>(role) == Role::time)
      if (const size_t colon = field.rfind(':'); colon != std::string_view::npos) {
        map.unit = unit_named(field.substr(colon + 1));
        if (map.unit == TimeUnit::unknown)
          throw UsageError("no unit of time is called '" + std::string(field.substr(colon + 1)) +
                           "', expected s, ms, us, ns or iso");
        field = field.substr(0, colon);
      }
    if (field.empty()) throw UsageError("the column of the " + std::string(name) + " has no name");
    if (!map.field[role].empty()) throw UsageError("the column of the " + std::string(name) + " is given twice");
    map.field[role] = field;
  }
  return map;
}

void guess_columns(const std::vector<std::string>& names, std::initializer_list<Role> allowed, ColumnMap& map) {
  std::vector<std::string> plain_name;
  std::vector<TimeUnit> unit(names.size());
  for (size_t n = 0; n < names.size(); ++n) plain_name.push_back(plain(names[n], unit[n]));
  for (size_t role = 0; role < kRoles; ++role) {
    if (!map.field[role].empty() || !allows(allowed, role)) continue;
    for (const std::string_view wanted : roles()[role].names) {
      const auto at = std::ranges::find(plain_name, wanted);
      if (at == plain_name.end()) continue;
      const auto n = static_cast<size_t>(at - plain_name.begin());
      if (std::ranges::find(map.field, names[n]) != map.field.end()) continue;
      map.field[role] = names[n];
      break;
    }
  }
  // The name may tell the unit even where the column was named by hand.
  for (size_t n = 0; n < names.size(); ++n)
    if (names[n] == map[Role::time] && map.unit == TimeUnit::unknown) map.unit = unit[n];
}

ColumnMap choose_columns(RecordReader& rows, const ColumnMap& told, std::initializer_list<Role> allowed,
                         std::initializer_list<Role> needed, const std::vector<std::string>& more,
                         const std::string& hint) {
  ColumnMap map = told;
  if (rows.json() || !is_by_number(map)) guess_columns(rows.names(), allowed, map);
  for (const Role role : needed) {
    if (!map[role].empty()) continue;
    std::string names;
    for (const std::string& n : rows.names()) names += (names.empty() ? "" : ", ") + n;
    rows.fail("no column could be found for the " + std::string(roles()[static_cast<size_t>(role)].role) +
              "; say which, as in " + hint + " (the first line has " + names + ")");
  }
  std::vector<std::string> fields(map.field.begin(), map.field.end());
  fields.insert(fields.end(), more.begin(), more.end());
  rows.choose(fields);
  return map;
}

TimeUnit guess_unit(std::string_view time) {
  double number;
  const auto [end, error] = std::from_chars(time.data(), time.data() + time.size(), number);
  if (error != std::errc() || end != time.data() + time.size()) {
    int64_t micros;
    return parse_iso_time(time, micros) ? TimeUnit::iso : TimeUnit::unknown;
  }
  number = std::fabs(number);
  return number < 1e11   ? TimeUnit::seconds
         : number < 1e14 ? TimeUnit::milliseconds
         : number < 1e17 ? TimeUnit::microseconds
                         : TimeUnit::nanoseconds;
}

const char* read_time(std::string_view text, TimeUnit unit, int64_t& micros) {
  constexpr const char* kNoTime = "the time is missing or not a time";
  if (unit == TimeUnit::iso) {
    if (!parse_iso_time(text, micros)) return kNoTime;
  } else {
    double number;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return kNoTime;
    for (const UnitName& u : kUnits)
      if (u.unit == unit) number *= u.micros;
    if (number >= 0x1p62) return "the time is in 2100 or later";
    micros = number < 0 ? -1 : static_cast<int64_t>(number);
  }
  if (micros < 0) return "the time is before 1970";
  if (micros >= Clicks::end_of_time * 1000000) return "the time is in 2100 or later";
  return nullptr;
}

}  // namespace nd
