#include "lib/data/newsroom_log_files.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "lib/data/log_time.h"
#include "lib/data/newsroom_text.h"
#include "lib/io/json.h"
#include "lib/io/sink.h"

namespace nd::newsroom {
namespace {

constexpr int64_t first_second = int64_t{19723} * 86400;  // Monday 1 January 2024, as in newsroom_files.cpp

// Words of the log's own: so many on either side.
enum Word { lead_word, wish_word, person_word, place_word, organization_word, word_lists };
constexpr int64_t words_a_side = 24;
constexpr uint64_t no_organization_in = 5;

std::string article_id(int64_t article) { return "N" + std::to_string(article + 1); }
std::string user_id(int64_t user) { return "U" + std::to_string(user + 1); }

std::string own_word(Word list, int side, int64_t n) {
  return made_up_word(words_of_others + (2 * list + (side > 0)) * words_a_side + n);
}
std::string own_word(Word list, int side, RandomSequence& draw) {
  return own_word(list, side, static_cast<int64_t>(draw.below(words_a_side)));
}

std::string capitalised(std::string w) {
  w[0] = static_cast<char>(w[0] - 'a' + 'A');
  return w;
}

// Sentences of two words of the topic, two of the wish's side and two of leads: in the first one the lead's, in one of
// the others the opposite, in the rest one of either side.
std::string body_of(const Language& language, const log::Story& story, int64_t most, uint64_t seed, int64_t article) {
  RandomSequence draw(seed, "body", static_cast<uint64_t>(article));
  const auto least = static_cast<uint64_t>(std::max<int64_t>(2, most / 3));
  const auto sentences = least + draw.below(static_cast<uint64_t>(most) - least + 1);
  const auto against = 1 + draw.below(sentences - 1);
  std::string text;
  for (uint64_t s = 0; s < sentences; ++s) {
    const int side = s == 0 ? story.lead : s == against ? -story.lead : 1;
    const int other = s == 0 || s == against ? side : -1;
    std::vector<std::string> words = {own_word(lead_word, side, draw), own_word(lead_word, other, draw),
                                      own_word(wish_word, story.wish, draw), own_word(wish_word, story.wish, draw)};
    for (int i = 0; i < 2; ++i) words.push_back(language.topic_word(story.topic, story.subtopic, draw));
    shuffle(words, draw);
    words[0] = capitalised(words[0]);
    for (size_t w = 0; w < words.size(); ++w) text += (w > 0 ? " " : s > 0 ? ". " : "") + words[w];
  }
  return text + '.';
}

void append_list(std::string& line, const char* label, const std::vector<std::string>& elements) {
  line += std::string(",\"") + label + "\":[";
  for (size_t i = 0; i < elements.size(); ++i) {
    if (i > 0) line += ',';
    json::append(line, elements[i]);
  }
  line += ']';
}

std::string elements_of(const Language& language, const log::Story& story, uint64_t seed, int64_t article) {
  RandomSequence draw(seed, "elements", static_cast<uint64_t>(article));
  std::string line = "{\"id\":\"" + article_id(article) + '"';
  const auto names = [&](Word list, int side) {
    std::vector<std::string> out;
    for (uint64_t n = 1 + draw.below(3); n > 0; --n) out.push_back(capitalised(own_word(list, side, draw)));
    return out;
  };
  append_list(line, "person", names(person_word, story.person));
  append_list(line, "location", names(place_word, story.place));
  if (draw.below(no_organization_in) != 0) append_list(line, "organization", names(organization_word, 1));
  append_list(line, "keywords", {language.topic_word(story.topic, story.subtopic, draw)});
  return line + "}\n";
}

struct Row {
  int64_t second;
  int64_t user;
  log::Click click;
  bool opens;  // a session
};

std::vector<Row> all_clicks(const Log& log) {
  std::vector<Row> rows;
  for (int64_t user = 0; user < log.newsroom().options().users; ++user) {
    int32_t session = -1;
    for (const log::Click& click : log.clicks(user)) {
      rows.push_back({first_second + click.second, user, click, click.session != session});
      session = click.session;
    }
  }
  std::ranges::stable_sort(rows, {}, &Row::second);
  return rows;
}

// Adressa's members, in its order. Before every click the user sees three pages that are no articles.
void write_adressa(const Log& log, const Language& language, std::span<const Row> rows, const std::string& folder) {
  std::optional<Sink> out;
  std::string open_day;
  int64_t event = 0;
  for (const Row& row : rows) {
    std::string day_name = iso_time(row.second).substr(0, 10);
    std::erase(day_name, '-');
    if (day_name != open_day) {
      if (out) out->commit();
      out.emplace(folder + "/" + day_name);
      open_day = day_name;
    }
    const std::string id = article_id(row.click.article), time = std::to_string(row.second);
    for (int page = 0; page < 3; ++page)
      out->write("{\"eventId\":" + std::to_string(++event) + ",\"url\":\"https://news.example/\",\"userId\":\"" +
                 user_id(row.user) + "\",\"sessionStart\":" + (page == 0 && row.opens ? "true" : "false") +
                 ",\"time\":" + time + "}\n");
    const log::Story& story = log.story(row.click.article);
    const int64_t published = first_second + static_cast<int64_t>(log.newsroom().published(row.click.article) * 86400);
    std::string line = "{\"eventId\":" + std::to_string(++event) + ",\"category1\":";
    json::append(line, language.category(story.topic) + "|" + language.subcategory(story.topic, story.subtopic));
    line += ",\"url\":\"https://news.example/" + id + ".html\",\"id\":\"" + id + "\",\"publishtime\":\"" +
            iso_time(published) + "\",\"title\":";
    json::append(line, language.title(row.click.article, log.newsroom().article(row.click.article)).text);
    out->write(line + ",\"userId\":\"" + user_id(row.user) + "\",\"sessionStart\":false,\"time\":" + time + "}\n");
  }
  if (out) out->commit();
}

void write_words(const Log& log, const Language& language, const std::string& path) {
  const Random direction(log.newsroom().options().seed, "directions"), noise(log.newsroom().options().seed, "words");
  // Words lie around a centre, those without one around zero; centres of the two sides are opposite.
  struct Place {
    std::string word;
    int64_t centre;  // -1 for none
    double side;
  };
  std::vector<Place> places;
  for (const auto& [word, topic] : language.words())
    places.push_back({word, topic < 0 ? -1 : int64_t{word_lists} + topic, 1});
  for (int list = 0; list < word_lists; ++list)
    for (const int side : {-1, 1})
      for (int64_t n = 0; n < words_a_side; ++n)
        places.push_back({own_word(static_cast<Word>(list), side, n), list, static_cast<double>(side)});
  Sink out(path);
  for (size_t w = 0; w < places.size(); ++w) {
    std::string row = places[w].word;
    for (int64_t k = 0; k < log.options().word_dim; ++k) {
      const auto at = static_cast<uint64_t>(k);
      const double centre = places[w].centre < 0 ? 0 : direction.normal(at, static_cast<uint64_t>(places[w].centre));
      char text[32];
      std::snprintf(text, sizeof text, "\t%.4f", places[w].side * centre + 0.5 * noise.normal(at, w));
      row += text;
    }
    out.write(row += '\n');
  }
  out.commit();
}

}  // namespace

void write_log(const Log& log, const std::string& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder + "/adressa", failed);
  if (failed) throw Error(folder + "/adressa", "cannot make this folder: " + failed.message());
  const Language language(log.newsroom());
  const uint64_t seed = log.newsroom().options().seed;
  const std::vector<Row> rows = all_clicks(log);
  write_adressa(log, language, rows, folder + "/adressa");
  std::vector<bool> clicked(static_cast<size_t>(log.newsroom().options().articles));
  {
    Sink out(folder + "/clicks.tsv");
    out.write("user\tarticle\ttime_s\tsession\n");
    for (const Row& row : rows) {
      clicked[static_cast<size_t>(row.click.article)] = true;
      const std::string user = user_id(row.user);
      out.write(user + '\t' + article_id(row.click.article) + '\t' + std::to_string(row.second) + '\t' + user + '-' +
                std::to_string(row.click.session + 1) + '\n');
    }
    out.commit();
  }
  Sink articles(folder + "/articles.tsv"), elements(folder + "/elements.jsonl");
  articles.write("article\ttitle\tbody\tcategory\ttime_s\n");
  for (int64_t i = 0; i < log.newsroom().options().articles; ++i) {
    const log::Story& story = log.story(i);
    articles.write(article_id(i) + '\t' + language.title(i, log.newsroom().article(i)).text + '\t' +
                   body_of(language, story, log.options().sentences, seed, i) + '\t' + language.category(story.topic) +
                   '\t' + std::to_string(first_second + static_cast<int64_t>(log.newsroom().published(i) * 86400)) +
                   '\n');
    if (story.has_elements && clicked[static_cast<size_t>(i)]) elements.write(elements_of(language, story, seed, i));
  }
  articles.commit();
  elements.commit();
  write_words(log, language, folder + "/words.vec");
}

}  // namespace nd::newsroom
