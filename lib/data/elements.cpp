#include "lib/data/elements.h"

#include <algorithm>
#include <charconv>

#include "lib/data/stacking.h"
#include "lib/data/table.h"
#include "lib/io/source.h"
#include "lib/tensor/parallel.h"

namespace nd {
namespace {

constexpr int64_t kKinds = element_kinds.size();
constexpr const char* kNotUtf8 = "the text is not UTF-8";
constexpr const char* kUnknownArticle = "the article is not in the corpus";
constexpr const char* kUnknownLabel = "a label is of no known kind (--kinds LABEL=KIND, or =none)";

int kind_named(std::string_view name) {
  const auto at = std::ranges::find(element_kinds, name);
  if (at != element_kinds.end()) return static_cast<int>(at - element_kinds.begin());
  return name == "none" ? ElementLabels::kNone : ElementLabels::kUnknown;
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Columns between tabs, or between blanks where there is no tab.
void split_columns(std::string_view line, std::vector<std::string_view>& fields) {
  if (line.find('\t') != std::string_view::npos) return split_fields(line, 1000, fields);
  fields.clear();
  for (size_t at = line.find_first_not_of(' '); at != std::string_view::npos;) {
    const size_t end = std::min(line.find(' ', at), line.size());
    fields.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(' ', end);
  }
}

// The label of a tag, "" for none: B-PER, PER, or name=B-PER among the parts of CoNLL-U's last column.
std::string_view label_of(std::string_view tag) {
  if (tag.find('=') != std::string_view::npos) {
    std::string_view name;
    for (size_t at = 0; at < tag.size();) {
      const size_t end = std::min(tag.find('|', at), tag.size());
      if (const std::string_view part = tag.substr(at, end - at); part.starts_with("name=")) name = part.substr(5);
      at = end + 1;
    }
    tag = name;
  }
  if (tag == "O" || tag == "_") return {};
  if (tag.size() > 2 && tag[1] == '-' && std::string_view("BIESLU").find(tag[0]) != std::string_view::npos)
    return tag.substr(2);
  return tag;
}

// The id of a line that begins a document, as far as it is one.
bool begins_document(std::string_view line, std::string_view& id) {
  if (line.starts_with("-DOCSTART-")) {
    id = trimmed(line.substr(10));
    id = id.substr(0, id.find_first_of(" \t"));
    return true;
  }
  if (!line.starts_with("# newdoc")) return false;
  const size_t equals = line.find('=');
  id = equals == std::string_view::npos ? std::string_view() : trimmed(line.substr(equals + 1));
  return true;
}

// "# text = ...", "# newpar": but "# O" is a token.
bool is_comment(std::string_view line) {
  return line.starts_with("# ") && (line.find(" = ") != std::string_view::npos || line.starts_with("# newpar"));
}

}  // namespace

ElementLabels::ElementLabels(std::string_view more) {
  kind_ = {{"time", 0},         {"date", 0},          {"datetime", 0}, {"person", 1},       {"persons", 1},
           {"per", 1},          {"pers", 1},          {"people", 1},   {"organization", 2}, {"organizations", 2},
           {"organisation", 2}, {"organisations", 2}, {"org", 2},      {"company", 2},      {"gpe_org", 2},
           {"location", 3},     {"locations", 3},     {"loc", 3},      {"place", 3},        {"gpe", 3},
           {"gpe_loc", 3},      {"keywords", 4},      {"keyword", 4},  {"concept", 4}};
  while (!more.empty()) {
    const size_t comma = std::min(more.find(','), more.size());
    const std::string_view part = more.substr(0, comma);
    more.remove_prefix(std::min(comma + 1, more.size()));
    const size_t equals = std::min(part.find('='), part.size());
    const int kind = kind_named(part.substr(std::min(equals + 1, part.size())));
    if (equals == 0 || kind == kUnknown)
      throw UsageError("no label can be meant by '" + std::string(part) +
                       "', expected LABEL=KIND with a kind of time, person, organization, location, keywords, none");
    kind_[lower_case(part.substr(0, equals))] = kind;
  }
}

int ElementLabels::find(std::string_view label) const {
  const auto at = kind_.find(lower_case(label));
  return at == kind_.end() ? kUnknown : at->second;
}

ElementReader::ElementReader(const Corpus& corpus, const Vectors& words, ElementLabels labels)
    : corpus_(corpus), words_(words), labels_(std::move(labels)), article_(corpus.id), word_(words.id) {}

void ElementReader::read(const std::string& path, const ElementFormat& format, Skips& skips) {
  LineReader in(path);
  std::string_view line;
  if (!in.next(line)) throw Error(shown(path), "is empty, expected JSON lines or columns of tokens");
  const bool json = format.name == "json" || (format.name == "auto" && trimmed(line).starts_with('{'));
  in_document_ = false;
  do {
    if (trimmed(line).empty()) continue;
    const char* cut = nullptr;
    const char* problem = !json::is_utf8(line) ? kNotUtf8 : json ? add_object(line, cut) : add_token(line, format, cut);
    // What follows is of no known article, and not of the one before.
    if (std::string_view id; problem == kNotUtf8 && !json && begins_document(line, id)) open_document({});
    if (problem) skips.skip(path, in.row(), problem);
    else if (cut) skips.cut(path, in.row(), cut);
    if (!json && !problem && !in_document_ && !is_comment(line))
      in.fail("a token comes before the first document, expected a line '# newdoc id = ID' or '-DOCSTART- ID'");
  } while (in.next(line));
}

const char* ElementReader::add_object(std::string_view line, const char*& cut) {
  json::Node object, id;
  try {
    object = parser_.parse(line);
  } catch (const Error&) {
    return "the line is not JSON";
  }
  if (object.type() != json::Node::Type::object) return "the line is no JSON object";
  std::string_view name;
  char digits[24];
  if (int64_t number; object.find("id", id) && !id.get(name) && id.get(number))
    name = {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
  if (name.empty()) return "the id is missing";
  const int32_t article = article_.find(name);
  if (article < 0) return kUnknownArticle;
  object.members([&](std::string_view key, const json::Node& value) {
    if (key == "id") return;
    const int kind = labels_.find(key);
    if (kind == ElementLabels::kUnknown) cut = kUnknownLabel;
    if (kind < 0 || value.type() == json::Node::Type::null) return;
    const auto element = [&](const json::Node& node) {
      if (std::string_view text; node.get(text)) add_words(article, kind, text);
      else cut = "an element is no text";
    };
    if (!value.each(element)) element(value);
  });
  return nullptr;
}

const char* ElementReader::open_document(std::string_view id) {
  in_document_ = true;
  document_ = id.empty() ? -1 : article_.find(id);
  return id.empty() ? "the id is missing" : document_ < 0 ? kUnknownArticle : nullptr;
}

const char* ElementReader::add_token(std::string_view line, const ElementFormat& format, const char*& cut) {
  if (std::string_view id; begins_document(line, id)) return open_document(id);
  if (is_comment(line) || document_ < 0) return nullptr;
  split_columns(line, fields_);
  if (fields_.size() < 2 || static_cast<int64_t>(fields_.size()) <= format.token_column)
    return "the row has too few columns";
  const std::string_view label = label_of(fields_.back());
  if (label.empty()) return nullptr;
  const int kind = labels_.find(label);
  if (kind == ElementLabels::kUnknown) cut = kUnknownLabel;
  if (kind >= 0) add_words(document_, kind, fields_[static_cast<size_t>(format.token_column - 1)]);
  return nullptr;
}

void ElementReader::add_words(int64_t article, int kind, std::string_view text) {
  split_.words.clear();
  split_.ends.clear();
  splitter_.split(text, split_);
  counts.words += static_cast<int64_t>(split_.words.size());
  for (const std::string& word : split_.words) {
    const int32_t row = word_.find(word);
    if (row < 0) continue;
    ++counts.words_known;
    of_article_.push_back(static_cast<int32_t>(article));
    of_word_.push_back(row);
    of_kind_.push_back(static_cast<uint8_t>(kind));
  }
}

Stacks ElementReader::stacks() {
  const int64_t articles = corpus_.size(), dim = words_.dim(), entries = static_cast<int64_t>(of_article_.size());
  // The entries of each article together, in the order they were read.
  std::vector<int64_t> begin(static_cast<size_t>(articles) + 1, 0), order(static_cast<size_t>(entries));
  for (const int32_t a : of_article_) ++begin[static_cast<size_t>(a) + 1];
  for (int64_t a = 0; a < articles; ++a) begin[a + 1] += begin[a];
  std::vector<int64_t> next = begin;
  for (int64_t e = 0; e < entries; ++e) order[next[of_article_[e]]++] = e;

  counts.articles = 0;
  counts.by_kind = {};
  for (int64_t a = 0; a < articles; ++a) {
    std::array<bool, kKinds> has{};
    for (int64_t i = begin[a]; i < begin[a + 1]; ++i) has[of_kind_[order[i]]] = true;
    counts.articles += begin[a] < begin[a + 1];
    for (size_t k = 0; k < kKinds; ++k) counts.by_kind[k] += has[k];
  }

  std::vector<float> x(static_cast<size_t>(articles * kKinds * dim), 1.0f);
  parallel_ranges(articles, 64, [&](int64_t first, int64_t last) {
    std::vector<double> sum(static_cast<size_t>((kKinds + 1) * dim));  // of each kind, and of all
    for (int64_t a = first; a < last; ++a) {
      if (begin[a] == begin[a + 1]) continue;
      sum.assign(sum.size(), 0.0);
      std::array<int64_t, kKinds + 1> count{};
      for (int64_t i = begin[a]; i < begin[a + 1]; ++i) {
        const auto word = words_.x[of_word_[order[i]]];
        for (const int64_t k : {int64_t{of_kind_[order[i]]}, kKinds}) {
          for (int64_t j = 0; j < dim; ++j) sum[k * dim + j] += static_cast<double>(word[j]);
          ++count[k];
        }
      }
      for (int64_t k = 0; k < kKinds; ++k) {
        const int64_t from = count[k] > 0 ? k : kKinds;
        float* row = x.data() + (a * kKinds + k) * dim;
        for (int64_t j = 0; j < dim; ++j)
          row[j] = static_cast<float>(sum[from * dim + j] / static_cast<double>(count[from]));
        normalise({row, static_cast<size_t>(dim)});
      }
    }
  });
  StringsBuilder label;
  for (const char* kind : element_kinds) label.push(kind);
  return {corpus_.id, label.take(), {std::move(x), articles * kKinds, dim}};
}

}  // namespace nd
