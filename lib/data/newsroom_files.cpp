#include "lib/data/newsroom_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>

#include "lib/data/newsroom_text.h"
#include "lib/io/sink.h"

namespace nd::newsroom {
namespace {

constexpr int64_t first_day = 19723;    // of the impressions, in days since 1970-01-01: Monday 1 January 2024
constexpr size_t recent_clicks = 10;    // of training that a user's history in dev remembers
constexpr size_t rare_unlocated = 300;  // one mention in so many has no offsets, as in MIND

std::string article_id(int64_t article) { return "N" + std::to_string(article + 1); }
std::string user_id(int64_t user) { return "U" + std::to_string(user + 1); }

// "9/30/2019 6:05:09 AM", nothing padded but minutes and seconds.
std::string clock_text(double days) {
  const auto seconds = static_cast<int64_t>(days * 86400);
  // Days to a date in the Gregorian calendar: years start in March, so that leap days end them.
  const int64_t shifted = first_day + seconds / 86400 + 719468;
  const int64_t era = shifted / 146097, of_era = shifted % 146097;
  const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * of_year + 2) / 153;
  const int64_t day = of_year - (153 * shifted_month + 2) / 5 + 1;
  const int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2);
  const int64_t hour = seconds / 3600 % 24, minute = seconds / 60 % 60, second = seconds % 60;
  char text[64];
  std::snprintf(text, sizeof text, "%d/%d/%d %d:%02d:%02d %s", static_cast<int>(month), static_cast<int>(day),
                static_cast<int>(year), static_cast<int>(hour % 12 == 0 ? 12 : hour % 12), static_cast<int>(minute),
                static_cast<int>(second), hour < 12 ? "AM" : "PM");
  return text;
}

// MIND's entity column of one text: an array of objects, keys in MIND's order.
void append_entities(std::string& row, const Newsroom& newsroom, const Language& language, const Article& article,
                     const Text& text, const Random& random, int64_t number) {
  static constexpr std::string_view letters = "POGUCNFMSWELBHVJYKRIQADTXZ";
  row += '[';
  bool first = true;
  for (size_t m = 0; m < article.mentions.size(); ++m) {
    std::string offsets, surfaces;
    for (const Occurrence& o : text.occurrences) {
      if (o.mention != m) continue;
      offsets += (offsets.empty() ? "" : ", ") + std::to_string(o.offset);
      surfaces += (surfaces.empty() ? "\"" : ", \"") + o.surface + '"';
    }
    if (offsets.empty()) continue;
    const int64_t e = article.mentions[m].entity;
    const auto at = static_cast<uint64_t>(number);
    if (article.mentions[m].in_title + article.mentions[m].in_abstract == 1 &&
        random.below(rare_unlocated, at, 2 * m) == 0)
      offsets.clear(), surfaces.clear();
    char confidence[16];
    std::snprintf(confidence, sizeof confidence, "%.3f", 0.9 + 0.1 * random.uniform(at, 2 * m + 1));
    row += first ? "" : ", ";
    first = false;
    row += "{\"Label\": \"" + language.name(e) + "\", \"Type\": \"" +
           letters[static_cast<size_t>(newsroom.graph().type(e))] + "\", \"WikidataId\": \"" +
           newsroom.graph().node_id(e) + "\", \"Confidence\": " + confidence + ", \"OccurrenceOffsets\": [" + offsets +
           "], \"SurfaceForms\": [" + surfaces + "]}";
  }
  row += ']';
}

// The articles [0, count) go to both files while their number is below `train_count`.
void write_news(const Newsroom& newsroom, int64_t train_count, Sink& train, Sink& dev) {
  const Language language(newsroom);
  const Random random(newsroom.options().seed, "mentions");
  for (int64_t i = 0; i < newsroom.options().articles; ++i) {
    const Article a = newsroom.article(i);
    const Text title = language.title(i, a), abstract = language.abstract(i, a);
    std::string row = article_id(i) + '\t' + language.category(a.topic) + '\t' +
                      language.subcategory(a.topic, a.subtopic) + '\t' + title.text + '\t' + abstract.text +
                      "\thttps://news.example/" + article_id(i) + ".html\t";
    append_entities(row, newsroom, language, a, title, random, 2 * i);
    row += '\t';
    append_entities(row, newsroom, language, a, abstract, random, 2 * i + 1);
    row += '\n';
    if (i < train_count) train.write(row);
    dev.write(row);
  }
}

void append_truth(Sink& truth, const Newsroom& newsroom, int64_t number, const Impression& impression) {
  for (size_t c = 0; c < impression.candidate.size(); ++c) {
    std::string row = std::to_string(number + 1) + '\t' + user_id(impression.user) + '\t' +
                      article_id(impression.candidate[c]) + '\t' + (impression.clicked[c] != 0 ? '1' : '0');
    for (double term : newsroom.terms(impression.user, impression.candidate[c])) {
      char text[32];
      const auto end = std::to_chars(text, text + sizeof text, term).ptr;
      row.append("\t").append(text, end);
    }
    truth.write(row += '\n');
  }
}

void write_behaviors(const Newsroom& newsroom, Sink& train, Sink& dev, Sink* truth) {
  const Options& o = newsroom.options();
  const int64_t first_dev = newsroom.first_dev_impression();
  // The latest clicks in training of each user, oldest first.
  std::vector<std::array<int32_t, recent_clicks>> recent(static_cast<size_t>(o.users));
  std::vector<uint8_t> count(static_cast<size_t>(o.users), 0);
  if (truth != nullptr) {
    std::string header = "impression\tuser\tarticle\tclicked";
    for (const char* name : cause_names) header.append("\t").append(name);
    truth->write(header += '\n');
  }
  for (int64_t i = 0; i < o.impressions; ++i) {
    const Impression impression = newsroom.impression(i);
    const auto u = static_cast<size_t>(impression.user);
    std::string row =
        std::to_string(i + 1) + '\t' + user_id(impression.user) + '\t' + clock_text(impression.time) + '\t';
    const size_t before = row.size();
    for (int32_t a : newsroom.history(impression.user)) row += (row.size() > before ? " " : "") + article_id(a);
    if (i >= first_dev)
      for (size_t k = 0; k < count[u]; ++k) row += (row.size() > before ? " " : "") + article_id(recent[u][k]);
    row += '\t';
    for (size_t c = 0; c < impression.candidate.size(); ++c) {
      row += (c > 0 ? " " : "") + article_id(impression.candidate[c]) + (impression.clicked[c] != 0 ? "-1" : "-0");
      if (i >= first_dev || impression.clicked[c] == 0) continue;
      if (count[u] == recent_clicks) std::shift_left(recent[u].begin(), recent[u].end(), 1), --count[u];
      recent[u][count[u]++] = impression.candidate[c];
    }
    (i < first_dev ? train : dev).write(row += '\n');
    if (truth != nullptr) append_truth(*truth, newsroom, i, impression);
  }
}

void write_graph(const Newsroom& newsroom, double held_out, const std::string& folder) {
  const Graph& graph = newsroom.graph();
  const Random random(newsroom.options().seed, "held-out");
  Sink train(folder + "/train.txt");
  std::optional<Sink> valid, test;
  if (held_out > 0) {
    valid.emplace(folder + "/valid.txt");
    test.emplace(folder + "/test.txt");
  }
  std::vector<Triple> triples;
  for (int64_t node = 0; node < graph.nodes(); ++node) {
    graph.triples_of(node, triples);
    for (size_t k = 0; k < triples.size(); ++k) {
      const double at = random.uniform(static_cast<uint64_t>(node), k);
      Sink& out = at < held_out ? *valid : at < 2 * held_out ? *test : train;
      out.write(graph.node_id(triples[k].head) + '\t' + graph.relation_id(triples[k].relation) + '\t' +
                graph.node_id(triples[k].tail) + '\n');
    }
  }
  train.commit();
  if (held_out > 0) {
    valid->commit();
    test->commit();
  }
}

void write_labels(const std::vector<uint8_t>& label, const std::string& path) {
  Sink out(path);
  for (size_t i = 0; i < label.size(); ++i)
    out.write(article_id(static_cast<int64_t>(i)) + '\t' + std::to_string(label[i]) + '\n');
  out.commit();
}

// A direction for each topic and each subtopic, and noise.
void write_vectors(const Newsroom& newsroom, int64_t dim, const std::string& path) {
  const Random direction(newsroom.options().seed, "topic vectors"), noise(newsroom.options().seed, "document vectors");
  Sink out(path);
  for (int64_t i = 0; i < newsroom.options().articles; ++i) {
    const Article a = newsroom.article(i);
    std::string row = article_id(i);
    for (int64_t k = 0; k < dim; ++k) {
      const auto at = static_cast<uint64_t>(k);
      const double x = direction.normal(at, static_cast<uint64_t>(a.topic)) +
                       0.5 * direction.normal(at, static_cast<uint64_t>(1000 + 10 * a.topic + a.subtopic)) +
                       0.5 * noise.normal(at, static_cast<uint64_t>(i));
      char text[32];
      std::snprintf(text, sizeof text, "\t%.4f", x);
      row += text;
    }
    out.write(row += '\n');
  }
  out.commit();
}

}  // namespace

void write_newsroom(const Newsroom& newsroom, const std::string& folder, const Extras& extras) {
  for (const char* name : {"train", "dev", "kg", "labels"}) {
    std::error_code failed;
    std::filesystem::create_directories(folder + "/" + name, failed);
    if (failed) throw Error(folder + "/" + name, "cannot make this folder: " + failed.message());
  }
  const Options& o = newsroom.options();
  {
    Sink train(folder + "/train/news.tsv"), dev(folder + "/dev/news.tsv");
    write_news(newsroom, newsroom.published_before(static_cast<double>(o.days - o.dev_days)), train, dev);
    train.commit();
    dev.commit();
  }
  {
    Sink train(folder + "/train/behaviors.tsv"), dev(folder + "/dev/behaviors.tsv");
    std::optional<Sink> truth;
    if (extras.truth) truth.emplace(folder + "/truth.tsv");
    write_behaviors(newsroom, train, dev, truth ? &*truth : nullptr);
    train.commit();
    dev.commit();
    if (truth) truth->commit();
  }
  write_graph(newsroom, extras.kg_held_out, folder + "/kg");
  write_labels(newsroom.popularity_labels(), folder + "/labels/popularity.tsv");
  write_labels(newsroom.local_labels(), folder + "/labels/local.tsv");
  if (extras.vector_dim > 0) write_vectors(newsroom, extras.vector_dim, folder + "/document.vec");
}

}  // namespace nd::newsroom
