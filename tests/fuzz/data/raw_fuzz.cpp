// Any bytes as each of the raw files people bring: an Error that names the file, or data that keep the rules of their
// kind. The first byte picks the reader, the second its options, both counted from '0'. Where a reader takes several
// files, a byte 0 ends each but the last.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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

// Each file that a reader takes.
struct Files {
  std::string_view bytes;
  std::vector<std::unique_ptr<fuzz::MemoryFile>> files;

  // The path of the next one: up to a byte 0, or all there is.
  std::string next(bool last = true) {
    const size_t end = last ? bytes.size() : std::min(bytes.find('\0'), bytes.size());
    const std::string_view file = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    files.push_back(std::make_unique<fuzz::MemoryFile>(reinterpret_cast<const uint8_t*>(file.data()), file.size()));
    return files.back()->path();
  }
};

void judge(std::string_view pair) {
  const size_t cut = std::min(pair.find('\0'), pair.size());
  const metrics::MindPair files(pair.substr(0, cut), "/proc/truth", pair.substr(std::min(cut + 1, pair.size())),
                                "/proc/prediction");
  metrics::evaluate(files.blocks(), metrics::official_columns(), metrics::Ties::last, 1);
}

void must_be_sound(const ClickLog& log) {
  must_be_sound(log.corpus);
  must_be_sound(log.clicks);
}

void read(int reader, int choice, std::string_view bytes) {
  Files files{bytes, {}};
  Skips skips(choice % 2 ? -1 : 3);
  switch (reader) {
    case 0: {
      MindNewsCounts counts;
      return must_be_sound(read_mind_news(std::vector<std::string>{files.next()}, skips, counts));
    }
    case 1: {
      MindBehaviorCounts counts;
      return must_be_sound(read_mind_behaviors(files.next(), sample::corpus().id, skips, counts));
    }
    case 2: {
      const char* formats[] = {"tsv", "ntriples"};
      const char* orders[] = {"auto", "hrt", "htr"};
      const char* iris[] = {"full", "local"};
      KgReader reader({.format = formats[choice % 2], .order = orders[choice / 2 % 3], .iri = iris[choice / 6 % 2]});
      reader.read(files.next());
      return must_be_sound(reader.take());
    }
    case 3: {
      const std::string entities = files.next(false), relations = files.next(false);
      KgReader reader({.format = "openke", .entities = entities, .relations = relations});
      reader.read(files.next());
      return must_be_sound(reader.take());
    }
    case 4: {
      const char* formats[] = {"auto", "vec", "word2vec", "glove"};
      const IdsAndRows read = read_vectors({.path = files.next(), .format = formats[choice % 4]});
      return must_be_sound(Vectors{.id = read.id, .x = read.x});
    }
    case 5: {
      const std::string ids = choice / 2 % 2 ? files.next(false) : "", map = choice / 2 % 2 ? "" : files.next(false);
      const IdsAndRows read =
          read_vectors({.path = files.next(), .format = choice % 2 ? "npy" : "rows", .ids = ids, .map = map});
      return must_be_sound(Vectors{.id = read.id, .x = read.x});
    }
    case 6:
      read_pool(files.next(), sample::corpus());
      return;
    case 7: {
      const char* formats[] = {"auto", "tsv", "csv", "json"};
      ClickText text({.format = formats[choice % 4], .where = {}}, [](const std::string&, const std::string&) {});
      if (choice / 4 % 2)
        return ArticleLists("", [](const std::string&, const std::string&) {}).read(files.next(), text.articles, skips);
      text.read(files.next(), skips);
      return must_be_sound(take_log(text.articles, text.clicks, choice % 2 ? Repeats::keep : Repeats::first, false));
    }
    case 8: {
      AdressaReader adressa;
      adressa.read(files.next(), skips);
      if (adressa.clicks.size() == 0) return;  // which is for the tool to say, as other days may have some
      return must_be_sound(take_log(adressa.articles, adressa.clicks, Repeats::first, false));
    }
    default:
      return judge(bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const int reader = static_cast<uint8_t>(data[0] - '0') % 10, choice = static_cast<uint8_t>(data[1] - '0');
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  int64_t seconds;
  parse_log_time(bytes, seconds);
  try {
    read(reader, choice, bytes);
  } catch (const UsageError&) {  // not about the file, but about what was said of it
  } catch (const Error& e) {
    if (std::string_view(e.what()).find("/proc/") == std::string_view::npos) std::abort();
  }
  return 0;
}
