#include "lib/data/triples.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "lib/io/json.h"
#include "lib/io/source.h"

namespace nd {
namespace {

// A whole number and nothing else; -1 when it is none, or none that fits.
int64_t whole_number(std::string_view text) {
  int64_t value = -1;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size() && value >= 0 ? value : -1;
}

// Words between blanks and tabs; the number of them, of which at most three are kept.
int64_t split_words(std::string_view line, std::array<std::string_view, 3>& words) {
  int64_t count = 0;
  for (size_t at = 0; (at = line.find_first_not_of(" \t", at)) != std::string_view::npos;) {
    const size_t end = std::min(line.find_first_of(" \t", at), line.size());
    if (count < 3) words[count] = line.substr(at, end - at);
    ++count;
    at = end;
  }
  return count;
}

int64_t split_columns(std::string_view line, std::array<std::string_view, 3>& columns) {
  int64_t count = 0;
  for (size_t at = 0;; ++count) {
    const size_t end = std::min(line.find('\t', at), line.size());
    if (count < 3) columns[count] = line.substr(at, end - at);
    if (end == line.size()) return count + 1;
    at = end + 1;
  }
}

// One line of N-Triples (W3C Recommendation, 25 February 2014), term by term.
class NTriplesLine {
 public:
  NTriplesLine(LineReader& reader, std::string_view line) : reader_(reader), rest_(line) { skip_blanks(); }

  bool empty() const { return rest_.empty() || rest_[0] == '#'; }
  bool at_literal() const { return !rest_.empty() && rest_[0] == '"'; }

  // An IRI without its brackets, or a blank node with its "_:". The view lives until the next term.
  std::string_view resource(const char* what, bool local) {
    if (!rest_.empty() && rest_[0] == '<') return iri(what, local);
    if (rest_.substr(0, 2) == "_:" && std::string_view(what) != "predicate") {
      const size_t end = std::min(rest_.find_first_of(" \t"), rest_.size());
      if (end == 2) reader_.fail("expected a name behind _:");
      const std::string_view node = rest_.substr(0, end);
      advance(end);
      return node;
    }
    reader_.fail(std::string("expected <an IRI> as ") + what + ", found '" + start() + "'");
  }

  void literal() {
    size_t at = 1;
    while (at < rest_.size() && rest_[at] != '"') at += rest_[at] == '\\' ? 2 : 1;
    if (at >= rest_.size()) reader_.fail("a literal does not end, expected a closing \"");
    advance(at + 1, false);
    if (rest_.substr(0, 1) == "@") {
      advance(std::min(rest_.find_first_of(" \t"), rest_.size()));
    } else if (rest_.substr(0, 2) == "^^") {
      advance(2, false);
      resource("type of the literal", false);
    } else {
      skip_blanks();
    }
  }

  void end() {
    if (rest_.substr(0, 1) != ".") reader_.fail("expected . behind three terms, found '" + start() + "'");
    advance(1);
    if (!empty()) reader_.fail("expected nothing behind the ., found '" + start() + "'");
  }

 private:
  std::string_view iri(const char* what, bool local) {
    const size_t end = rest_.find('>');
    if (end == std::string_view::npos)
      reader_.fail(std::string("the IRI of the ") + what + " does not end, expected >");
    const std::string_view raw = rest_.substr(1, end - 1);
    advance(end + 1);
    text_.clear();
    for (size_t at = 0; at < raw.size();) at += raw[at] == '\\' ? unescape(raw.substr(at)) : plain(raw[at]);
    if (text_.empty()) reader_.fail(std::string("the IRI of the ") + what + " is empty");
    const size_t cut = local ? text_.find_last_of("/#") : std::string::npos;
    const std::string_view id =
        cut == std::string::npos ? std::string_view(text_) : std::string_view(text_).substr(cut + 1);
    if (id.empty()) reader_.fail("the IRI " + text_ + " has no local part; take --iri full");
    return id;
  }
  size_t plain(char c) {
    text_ += c;
    return 1;
  }
  // \uXXXX or \UXXXXXXXX, the only escapes an IRI may have; returns its length.
  size_t unescape(std::string_view raw) {
    const size_t digits = raw.size() > 1 && raw[1] == 'u' ? 4 : raw.size() > 1 && raw[1] == 'U' ? 8 : 0;
    uint32_t code = 0;
    const std::string_view hex = raw.substr(std::min<size_t>(2, raw.size()), digits);
    const auto [end, failure] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    if (digits == 0 || hex.size() != digits || end != hex.data() + digits || failure != std::errc() ||
        code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
      reader_.fail("expected \\uXXXX or \\UXXXXXXXX with the hex digits of a character, found '" +
                   std::string(raw.substr(0, 10)) + "'");
    if (code < 0x80) {
      text_ += static_cast<char>(code);
    } else {
      const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
      constexpr unsigned char kFirst[] = {0, 0xC0, 0xE0, 0xF0};
      text_ += static_cast<char>(kFirst[more] | code >> 6 * more);
      for (int i = more - 1; i >= 0; --i) text_ += static_cast<char>(0x80 | (code >> 6 * i & 0x3F));
    }
    return 2 + digits;
  }
  void advance(size_t bytes, bool blanks = true) {
    rest_.remove_prefix(bytes);
    if (blanks) skip_blanks();
  }
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }
  std::string start() const { return std::string(rest_.substr(0, 40)); }

  LineReader& reader_;
  std::string_view rest_;
  std::string text_;
};

void check_name(const LineReader& reader, std::string_view name, const char* what) {
  if (name.empty()) reader.fail(std::string("the ") + what + " is empty");
  if (!json::is_utf8(name)) reader.fail(std::string("the ") + what + " is not UTF-8");
}

int32_t number_below(const LineReader& reader, std::string_view text, int64_t count, const char* what) {
  const int64_t number = whole_number(text);
  if (number < 0 || number >= count)
    reader.fail(std::string("expected the number of ") + what + ", 0 to " + std::to_string(count - 1) + ", found '" +
                std::string(text.substr(0, 40)) + "'");
  return static_cast<int32_t>(number);
}

}  // namespace

KgReader::KgReader(const TripleOptions& options) : options_(options) {
  const bool maps = !options.entities.empty() && !options.relations.empty();
  const bool map = !options.entities.empty() || !options.relations.empty();
  if (options.format == "openke" ? !maps : map)
    throw UsageError("--entities and --relations belong to --format openke, which needs both");
  if (options.format == "ntriples" && options.order != "auto")
    throw UsageError("--order: N-Triples have one order only");
  if (options.format != "ntriples" && options.iri != "full") throw UsageError("--iri belongs to --format ntriples");
  if (!maps) return;
  entities_ = Vocabulary(read_id_map(options.entities));
  relations_ = Vocabulary(read_id_map(options.relations));
}

TripleCounts KgReader::read(const std::string& path) {
  const bool openke = options_.format == "openke", ntriples = options_.format == "ntriples";
  const bool tail_last = options_.order == "hrt" || (options_.order == "auto" && !openke);
  const int relation_at = tail_last ? 1 : 2, tail_at = tail_last ? 2 : 1;
  const auto split = static_cast<int32_t>(split_.size());
  TripleCounts counts;
  int64_t declared = -1, rows = 0;

  LineReader reader(path);
  std::string_view line;
  while (reader.next(line)) {
    struct {
      int32_t head, relation, tail;
    } t;
    if (ntriples) {
      NTriplesLine terms(reader, line);
      if (terms.empty()) continue;
      const bool local = options_.iri == "local";
      // Names are looked up when the whole line is known to be a triple of entities.
      const std::string head(terms.resource("subject", local)), relation(terms.resource("predicate", local));
      const bool literal = terms.at_literal();
      std::string tail;
      if (literal) terms.literal();
      else tail = terms.resource("object", local);
      terms.end();
      if (literal) {
        ++counts.literals;
        continue;
      }
      for (const std::string& name : {head, relation, tail}) check_name(reader, name, "name");
      t.head = entities_.add(head);
      t.relation = relations_.add(relation);
      t.tail = entities_.add(tail);
    } else {
      std::array<std::string_view, 3> part;
      const int64_t parts = openke ? split_words(line, part) : split_columns(line, part);
      if (openke && reader.row() == 1 && parts == 1 && (declared = whole_number(part[0])) >= 0) continue;
      if (parts != 3)
        reader.fail(openke ? "expected three numbers, found " + std::to_string(parts) + " words"
                           : "expected three tab-separated columns, found " + std::to_string(parts));
      if (openke) {
        t.head = number_below(reader, part[0], entities_.size(), "an entity");
        t.relation = number_below(reader, part[relation_at], relations_.size(), "a relation");
        t.tail = number_below(reader, part[tail_at], entities_.size(), "an entity");
      } else {
        check_name(reader, part[0], "head");
        check_name(reader, part[relation_at], "relation");
        check_name(reader, part[tail_at], "tail");
        t.head = entities_.add(part[0]);
        t.relation = relations_.add(part[relation_at]);
        t.tail = entities_.add(part[tail_at]);
      }
    }
    ++rows;
    const int32_t triple = distinct_.add(std::array{t.head, t.relation, t.tail});
    if (triple == static_cast<int32_t>(seen_in_.size())) {
      seen_in_.push_back(split);
    } else if (seen_in_[triple] == split) {
      ++counts.duplicates;
      continue;
    } else {
      seen_in_[triple] = split;
      ++counts.repeated;
    }
    triples_.push_back(triple);
    ++counts.triples;
  }
  if (declared >= 0 && declared != rows)
    throw Error(shown(path), 1, "says " + std::to_string(declared) + " triples, found " + std::to_string(rows));
  if (rows == 0) {
    if (counts.literals > 0) throw Error(shown(path), "holds literals only, expected triples of entities");
    throw Error(shown(path), "is empty, expected triples");
  }
  split_.push_back(static_cast<int64_t>(triples_.size()));
  return counts;
}

Kg KgReader::take() {
  while (split_.size() < 3) split_.push_back(static_cast<int64_t>(triples_.size()));
  std::vector<int32_t> head, relation, tail;
  for (std::vector<int32_t>* column : {&head, &relation, &tail}) column->reserve(triples_.size());
  for (const int32_t triple : triples_) {
    const auto t = distinct_[triple];
    head.push_back(t[0]);
    relation.push_back(t[1]);
    tail.push_back(t[2]);
  }
  return {entities_.take(),    relations_.take(), std::move(head),
          std::move(relation), std::move(tail),   std::move(split_)};
}

Kg subgraph(const Kg& kg, const Corpus& corpus, int64_t hops, SubgraphCounts& counts) {
  const Vocabulary known(kg.entity_id);
  counts = {};
  std::vector<bool> linked(static_cast<size_t>(corpus.entity_id.size()), false);
  for (const int32_t e : corpus.link_entity.values) linked[e] = true;
  std::vector<bool> inside(static_cast<size_t>(kg.entity_id.size()), false);
  for (int64_t e = 0; e < corpus.entity_id.size(); ++e) {
    if (!linked[e]) continue;
    ++counts.linked;
    const int32_t row = known.find(corpus.entity_id[e]);
    if (row < 0) continue;
    ++counts.known;
    inside[row] = true;
  }
  if (counts.known == 0)
    throw Error("none of the " + std::to_string(counts.linked) +
                " entities linked in the corpus is in the graph; expected ids of the same kind in both");
  for (int64_t hop = 0; hop < hops; ++hop) {
    std::vector<bool> further = inside;
    for (int64_t i = 0; i < kg.size(); ++i)
      if (inside[kg.head[i]] || inside[kg.tail[i]]) further[kg.head[i]] = further[kg.tail[i]] = true;
    if (further == inside) break;
    inside = std::move(further);
  }
  counts.reached = std::ranges::count(inside, true);

  Vocabulary entities, relations;
  std::vector<int32_t> head, relation, tail;
  std::vector<int64_t> split;
  for (int64_t i = 0, s = 0; s < 3; ++s) {
    for (; i < kg.split[s]; ++i) {
      if (!inside[kg.head[i]] || !inside[kg.tail[i]]) continue;
      head.push_back(entities.add(kg.entity_id[kg.head[i]]));
      relation.push_back(relations.add(kg.relation_id[kg.relation[i]]));
      tail.push_back(entities.add(kg.entity_id[kg.tail[i]]));
    }
    split.push_back(static_cast<int64_t>(head.size()));
  }
  if (head.empty()) throw Error("no triple of the graph lies between the entities reached; try more --hops");
  return {entities.take(), relations.take(), std::move(head), std::move(relation), std::move(tail), std::move(split)};
}

Strings read_id_map(const std::string& path) {
  LineReader reader(path);
  std::string_view line;
  const int64_t count = reader.next(line) ? whole_number(line) : -1;
  if (count < 0)
    throw Error(shown(path), 1, "expected the number of ids, found '" + std::string(line.substr(0, 40)) + "'");
  Vocabulary names;
  std::vector<int64_t> number;  // of each name, in the order of the file
  while (reader.next(line)) {
    // The number is the last word: names may have blanks.
    const size_t at = line.find_last_of(" \t");
    const int64_t id = at == std::string_view::npos ? -1 : whole_number(line.substr(at + 1));
    if (id < 0 || id >= count)
      reader.fail("expected a name and a number below " + std::to_string(count) + ", found '" +
                  std::string(line.substr(0, 40)) + "'");
    const std::string_view name = line.substr(0, at);
    check_name(reader, name, "name");
    if (names.add(name) != static_cast<int32_t>(number.size()))
      reader.fail("the name '" + std::string(name) + "' comes twice, expected unique names");
    number.push_back(id);
  }
  if (static_cast<int64_t>(number.size()) != count)
    throw Error(shown(path), 1, "says " + std::to_string(count) + " ids, found " + std::to_string(number.size()));
  std::vector<int64_t> by_number(number.size(), -1);
  for (size_t i = 0; i < number.size(); ++i) {
    if (by_number[number[i]] >= 0)
      throw Error(shown(path), static_cast<int64_t>(i) + 2,
                  "the number " + std::to_string(number[i]) + " comes twice, expected unique numbers");
    by_number[number[i]] = static_cast<int64_t>(i);
  }
  StringsBuilder out;
  for (const int64_t i : by_number) out.push(names[static_cast<int32_t>(i)]);
  return out.take();
}

}  // namespace nd
