// Any bytes as each of the raw files people bring: an Error that names the file, or data that keep the rules of their
// kind. The first byte picks the reader, the second its options, both counted from '0'. MIND's pair of truth and
// prediction is cut at a byte 0.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lib/data/adressa.h"
#include "lib/data/click_text.h"
#include "lib/data/log_time.h"
#include "lib/data/mind.h"
#include "lib/data/pool.h"
#include "lib/data/triples.h"
#include "lib/data/vector_text.h"
#include "lib/io/skips.h"
#include "lib/metrics/evaluate.h"
#include "lib/metrics/mind_pair.h"
#include "tests/fuzz/memory_file.h"
#include "tests/lib/io/sample_kinds.h"

namespace {

using namespace nd;

template <class T>
void must_be_sound(const T& data) {
  if (!data.problem().empty()) std::abort();
}

void judge(std::string_view pair) {
  const size_t cut = std::min(pair.find('\0'), pair.size());
  const metrics::MindPair files(pair.substr(0, cut), "truth", pair.substr(std::min(cut + 1, pair.size())),
                                "prediction");
  metrics::evaluate(files.blocks(), metrics::official_columns(), metrics::Ties::last, 1);
}

void must_be_sound(const ClickLog& log) {
  must_be_sound(log.corpus);
  must_be_sound(log.clicks);
}

void read(int reader, int choice, const std::string& path) {
  Skips skips(choice % 2 ? -1 : 3);
  switch (reader) {
    case 0: {
      MindNewsCounts counts;
      return must_be_sound(read_mind_news(std::vector<std::string>{path}, skips, counts));
    }
    case 1: {
      MindBehaviorCounts counts;
      return must_be_sound(read_mind_behaviors(path, sample::corpus().id, skips, counts));
    }
    case 2: {
      const char* formats[] = {"tsv", "ntriples"};
      const char* orders[] = {"auto", "hrt", "htr"};
      const char* iris[] = {"full", "local"};
      KgReader reader({.format = formats[choice % 2], .order = orders[choice / 2 % 3], .iri = iris[choice / 6 % 2]});
      reader.read(path);
      return must_be_sound(reader.take());
    }
    case 3:
      read_id_map(path);
      return;
    case 4: {
      const char* formats[] = {"auto", "vec", "word2vec", "glove", "npy"};
      const IdsAndRows read = read_vectors({.path = path, .format = formats[choice % 5]});
      return must_be_sound(Vectors{.id = read.id, .x = read.x});
    }
    case 5:
      read_pool(path, sample::corpus());
      return;
    case 6: {
      const char* formats[] = {"auto", "tsv", "csv", "json"};
      ClickText text({.format = formats[choice % 4], .where = {}}, [](const std::string&, const std::string&) {});
      if (choice / 4 % 2)
        ArticleLists("", [](const std::string&, const std::string&) {}).read(path, text.articles, skips);
      else
        text.read(path, skips);
      return must_be_sound(take_log(text.articles, text.clicks, choice % 2 ? Repeats::keep : Repeats::first, false));
    }
    default: {
      AdressaReader adressa;
      adressa.read(path, skips);
      return must_be_sound(take_log(adressa.articles, adressa.clicks, Repeats::first, choice % 2));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const int reader = static_cast<uint8_t>(data[0] - '0') % 9, choice = static_cast<uint8_t>(data[1] - '0');
  int64_t seconds;
  parse_log_time({reinterpret_cast<const char*>(data) + 2, size - 2}, seconds);
  const fuzz::MemoryFile file(data + 2, size - 2);
  try {
    if (reader == 8) judge({reinterpret_cast<const char*>(data) + 2, size - 2});
    else read(reader, choice, file.path());
  } catch (const Error&) {}
  return 0;
}
