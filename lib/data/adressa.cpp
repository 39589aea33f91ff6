#include "lib/data/adressa.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

#include "lib/data/log_time.h"
#include "lib/data/table.h"
#include "lib/io/source.h"

namespace nd {
namespace {

enum Name : size_t { kUser, kId, kTime, kTitle, kCategory, kUrl, kCanonicalUrl, kPublished, kSessionStart, kProfile };
const std::vector<std::string> kNames = {"userId", "id",           "time",        "title",        "category1",
                                         "url",    "canonicalUrl", "publishtime", "sessionStart", "profile"};

constexpr int64_t kLinesPerReport = 4096;
constexpr int64_t kMostCount = 1 << 20;  // of one entity in one article
constexpr size_t kTitleEnd = 4096;       // bytes in which entities are looked for: there may be very many of them

// Groups of a profile whose items are entities; all others (taxonomy, sentiment, ...) are passed over.
constexpr std::string_view kEntityGroups[] = {"entity", "person", "location", "company", "concept"};

std::string_view part_before(std::string_view text, char mark) { return text.substr(0, text.find(mark)); }
std::string_view part_after(std::string_view text, char mark) {
  const size_t at = text.rfind(mark);
  return at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
}

int32_t code_points(std::string_view text) {
  return static_cast<int32_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

DayFiles day_files(std::span<const std::string> paths) {
  DayFiles out;
  for (const std::string& path : paths) {
    if (path == "-" || !std::filesystem::is_directory(path)) {
      out.paths.push_back(path);
      continue;
    }
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(path))
      if (entry.is_regular_file() && !entry.path().filename().string().starts_with('.')) files.push_back(entry.path());
    if (files.empty()) throw Error(path, "is a folder without files, expected files of one day each");
    std::ranges::sort(files);
    out.paths.insert(out.paths.end(), files.begin(), files.end());
  }
  for (const std::string& path : out.paths) {
    std::error_code unknown;
    const uint64_t size =
        std::filesystem::is_regular_file(path, unknown) ? std::filesystem::file_size(path, unknown) : 0;
    if (size == 0 || unknown) {
      out.bytes = 0;
      break;
    }
    out.bytes += size;
  }
  return out;
}

AdressaReader::AdressaReader(std::function<void(uint64_t)> consumed) : consumed_(std::move(consumed)), line_(kNames) {}

void AdressaReader::read(const std::string& path, Skips& skips) {
  LineReader in(path);
  const int64_t before = counts.lines;
  for (std::string_view line; in.next(line);) {
    if (line.empty()) continue;
    if (const char* problem = add(line)) skips.skip(path, in.row(), problem);
    if (in.row() % kLinesPerReport == 0) consumed_(bytes_ + in.consumed());
  }
  if (counts.lines == before)
    throw Error(shown(path),
                in.row() == 0 ? "is empty, expected one JSON object a line" : "has no line that is a JSON object");
  bytes_ += in.consumed();
}

// What is wrong with the line, or nullptr.
const char* AdressaReader::add(std::string_view text) {
  try {
    line_.pick(text);
  } catch (const Error&) {
    return json::is_utf8(text) ? "the line is no JSON object" : "the text is not UTF-8";
  }
  ++counts.lines;
  // Sessions begin on any page, so they are followed on all lines.
  int32_t user = -1;
  if (!line_[kUser].text.empty()) {
    user = clicks.add_user(line_[kUser].text);
    if (static_cast<size_t>(user) >= session_.size()) session_.resize(static_cast<size_t>(user) + 1, -1);
    int32_t& session = session_[static_cast<size_t>(user)];
    if (session < 0 || line_[kSessionStart].truth) session = static_cast<int32_t>(counts.sessions++);
  }
  if (line_[kId].text.empty() || line_[kTitle].text.empty() || line_[kCategory].text.empty()) {
    ++counts.no_article;
    return nullptr;
  }
  if (user < 0) {
    ++counts.no_user;
    return nullptr;
  }
  const json::Member& time = line_[kTime];
  if (time.type != json::Node::Type::integer) return "the time is missing or no whole number";
  if (time.integer < 0) return "the time is before 1970";
  if (time.integer >= Clicks::end_of_time) return "the time is in 2100 or later";

  const int32_t article = articles.add(line_[kId].text);
  if (state_.size() <= static_cast<size_t>(article)) state_.resize(static_cast<size_t>(article) + 1);
  State& state = state_[static_cast<size_t>(article)];
  if (!std::exchange(state.told, true)) tell(article);
  if (!state.linked && line_[kProfile].type == json::Node::Type::array) {
    state.linked = true;
    link(article, line_[kProfile].text, line_[kTitle].text);
  }
  clicks.add(user, article, time.integer * 1000000, session_[static_cast<size_t>(user)]);
  return nullptr;
}

void AdressaReader::tell(int32_t article) {
  const std::string_view category = line_[kCategory].text, canonical = line_[kCanonicalUrl].text;
  int64_t published = -1;
  if (int64_t micros; parse_iso_time(line_[kPublished].text, micros) && micros >= 0) published = micros / 1000000;
  articles.tell(article, {.title = line_[kTitle].text,
                          .url = canonical.empty() ? line_[kUrl].text : canonical,
                          .category = part_before(category, '|'),
                          .subcategory = part_after(category, '|'),
                          .published = published});
}

// {"item":"Trondheim","groups":[{"group":"location","weight":0.8,"count":3}]} is a link; of several groups that are
// entities the heaviest says what it is. A profile that is not written so gives none.
void AdressaReader::link(int32_t article, std::string_view profile, std::string_view title) {
  json::Node items;
  try {
    items = profile_.parse(profile);
  } catch (const Error&) {
    return;
  }
  // Items are often written in lower case whatever the title has.
  const std::string lower_title = lower_case(title.substr(0, kTitleEnd));
  items.each([&](const json::Node& item) {
    json::Node name, groups;
    ArticleBuilder::Link link;
    if (!item.find("item", name) || !name.get(link.entity) || link.entity.empty() || !item.find("groups", groups))
      return;
    double heaviest = -1;
    groups.each([&](const json::Node& group) {
      json::Node value;
      std::string_view type;
      if (!group.find("group", value) || !value.get(type) ||
          std::ranges::find(kEntityGroups, type) == std::end(kEntityGroups))
        return;
      double weight = 0;
      if (group.find("weight", value)) value.get(weight);
      if (!(weight > heaviest)) return;
      heaviest = weight;
      int64_t count = 1;
      if (group.find("count", value)) value.get(count);
      link.type = type;
      link.confidence = static_cast<float>(std::clamp(weight, 0.0, 1.0));
      link.frequency = static_cast<int32_t>(std::clamp<int64_t>(count, 1, kMostCount));
    });
    if (heaviest < 0) return;
    if (const size_t at = lower_title.find(lower_case(link.entity)); at != std::string_view::npos) {
      link.position = 0;
      link.first = code_points(title.substr(0, at));
    }
    articles.link(article, link);
  });
}

}  // namespace nd
