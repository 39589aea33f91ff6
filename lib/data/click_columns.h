// Which fields of other people's click logs mean what: as told, or guessed from their names.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "lib/data/records.h"

namespace nd {

// What a field may mean in a log of clicks or in a list of articles.
enum class Role : uint8_t { user, article, time, session, title, abstract, body, category, subcategory, url };
constexpr size_t kRoles = 10;

// unknown: as the first row's time looks.
enum class TimeUnit : uint8_t { unknown, seconds, milliseconds, microseconds, nanoseconds, iso };

struct ColumnMap {
  std::array<std::string, kRoles> field;  // name or number of each role's field, "" for none
  TimeUnit unit = TimeUnit::unknown;

  std::string& operator[](Role role) { return field[static_cast<size_t>(role)]; }
  const std::string& operator[](Role role) const { return field[static_cast<size_t>(role)]; }
  // "user=personId,article=contentId,time=timestamp:s", as --columns takes it.
  std::string text() const;
};

// Reads "user=…,article=…,time=…:ms". Units are s, ms, us, ns and iso. UsageError for an unknown role or unit, a role
// that comes twice, one not among `allowed`, or no name.
ColumnMap parse_columns(std::string_view text, std::initializer_list<Role> allowed);

// Gives roles that have no field yet one of these names, by the names logs commonly use (letter case, `_`, `-` and
// dots do not matter: click_article_id, contentId, user.id); names that a role has already are left alone. A name that
// ends in _s, _ms, _us or _ns tells the unit of the time.
void guess_columns(const std::vector<std::string>& names, std::initializer_list<Role> allowed, ColumnMap& map);

// Guesses what is not told and has `rows` read these fields: those of the roles in their order (operator[] takes a
// role's number), then `more`. Where columns are told by number, the file has no header and nothing is guessed. Error
// when one of the roles that are needed has no field; `hint` is an option that would name it.
ColumnMap choose_columns(RecordReader& rows, const ColumnMap& told, std::initializer_list<Role> allowed,
                         std::initializer_list<Role> needed, const std::vector<std::string>& more,
                         const std::string& hint);

// The unit a time is written in: iso unless it is a number, and of numbers seconds, milliseconds, microseconds or
// nanoseconds by size, each lying between 1973 and 5138 only in its own unit. unknown when it is neither.
TimeUnit guess_unit(std::string_view time);

// Reads a time. nullptr, or what is wrong with it: no time, before 1970, 2100 or later (formats/clicks.h).
const char* read_time(std::string_view text, TimeUnit unit, int64_t& micros);

}  // namespace nd
