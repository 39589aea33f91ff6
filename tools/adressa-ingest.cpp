// adressa-ingest: the Adressa news data set into the files the other tools read.
// Reads:  files of one day each, JSON lines, or folders of them.
// Writes: a corpus, and the clicks.
#include <string>
#include <vector>

#include "lib/cli/command.h"
#include "lib/data/adressa.h"
#include "lib/io/kind_file.h"
#include "tools/click_report.h"
#include "tools/meta.h"

namespace {

using namespace nd;

struct Options {
  std::vector<std::string> days, articles;
  std::string article_columns, corpus_out, clicks_out, repeats = "first";
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("turn Adressa's day files into a corpus and clicks");
  c.describe(
      "Lines that view no article (no id, title or category) are counted and left out: they are most. Written from "
      "descriptions of the data set and unproven on its real files.");
  c.inputs(o.days, "DAYS", "day files of JSON lines, plain, gzip or zstd, or folders of them");
  c.output_option(o.corpus_out, "--corpus-out", "FILE", "corpus to write", cli::required);
  c.output_option(o.clicks_out, "--clicks-out", "FILE", "clicks to write", cli::required);
  c.input_option(o.articles, "--articles", "FILE", "what else is known of articles, their bodies above all; repeat it");
  c.option(o.article_columns, "--article-columns", "LIST", "which column of these is what, as in click-ingest(1)");
  c.choice(o.repeats, "--repeats", {"first", "keep"}, "of a user's clicks on one article the first only, or all");
  c.common(o.common, cli::max_skip | cli::compress);
  c.example("adressa-ingest one_week --corpus-out corpus.nd --clicks-out clicks.nd");
  c.see_also("click-ingest(1), neg-sample(1), text-encode(1), nightdesk-formats(5)");
}

void validate(const Options& o) {
  if (o.corpus_out == o.clicks_out) throw UsageError("--corpus-out and --clicks-out name one file, expected two");
  if (o.articles.empty() && !o.article_columns.empty()) throw UsageError("--article-columns is for --articles");
  cli::refuse_terminal(o.corpus_out);
  cli::refuse_terminal(o.clicks_out);
}

int run(const Options& o, cli::Context& ctx) {
  const DayFiles files = day_files(o.days);
  Skips skips(o.common.max_skip);
  cli::Progress progress(ctx.log, "megabytes", static_cast<int64_t>(files.bytes / 1000000));
  AdressaReader reader([&](uint64_t bytes) { progress.at(static_cast<int64_t>(bytes / 1000000)); });
  const ArticleLists lists(o.article_columns, tell_columns(ctx.log));
  for (const std::string& path : o.articles) lists.read(path, reader.articles, skips);
  for (const std::string& path : files.paths) reader.read(path, skips);
  if (reader.clicks.size() == 0) throw Error(o.days[0], "no line has an id, a title, a category and a user: no clicks");
  for (const std::string& line : skips.report()) ctx.log.warn(line);
  ctx.log.info("lines", {{"files", files.paths.size()},
                         {"lines", reader.counts.lines},
                         {"no_article", reader.counts.no_article},
                         {"no_user", reader.counts.no_user}});

  const bool keep = o.repeats == "keep";
  const ClickLog log = take_log(reader.articles, reader.clicks, keep ? Repeats::keep : Repeats::first, false);
  report(ctx.log, log, keep);
  save(ctx, log, o.corpus_out, o.clicks_out, o.common.compress);
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return nd::cli::main<Options>(argc, argv, "adressa-ingest", declare, validate, run); }
