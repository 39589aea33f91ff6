// click-ingest: anybody's click log into the files the other tools read.
// Reads:  tables or JSON lines of clicks, and optionally of articles.
// Writes: a corpus, and the clicks.
#include <string>
#include <vector>

#include "lib/cli/command.h"
#include "lib/data/click_text.h"
#include "lib/io/kind_file.h"
#include "tools/click_report.h"
#include "tools/meta.h"

namespace {

using namespace nd;

struct Options {
  std::vector<std::string> clicks, articles;
  std::string corpus_out, clicks_out, repeats = "first";
  bool only_with_text = false;
  std::string article_columns;
  ClickTextOptions text;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("turn anybody's click log into a corpus and clicks");
  c.describe(
      "A row is a click: user, article, time, and where the log has them session, and the article's title, body and "
      "category. Which column is which is told by --columns or guessed from the header, and printed.");
  c.inputs(o.clicks, "CLICKS", "logs as TSV, CSV or JSON lines, plain, gzip or zstd");
  c.output_option(o.corpus_out, "--corpus-out", "FILE", "corpus to write", cli::required);
  c.output_option(o.clicks_out, "--clicks-out", "FILE", "clicks to write", cli::required);
  c.option(o.text.columns, "--columns", "LIST",
           "which column is what: user=NAME,article=NAME,time=NAME, and session, title, body, category; all by number "
           "from 1 where there is no header; the time may end in :s, :ms, :us, :ns or :iso");
  c.option(o.text.where, "--where", "FIELD=VALUE",
           "only rows with this value; repeat it for more values of a field, or for more fields");
  c.choice(o.text.format, "--format", {"auto", "tsv", "csv", "json"}, "how the clicks are written");
  c.input_option(o.articles, "--articles", "FILE", "what else is known of articles, clicked or not; repeat it");
  c.option(o.article_columns, "--article-columns", "LIST",
           "the same for article lists: article, title, abstract, body, category, subcategory, url, and time of "
           "publication");
  c.choice(o.repeats, "--repeats", {"first", "keep"}, "of a user's clicks on one article the first only, or all");
  c.flag(o.only_with_text, "--only-with-text", "leave out clicks on articles that have no text");
  c.common(o.common, cli::max_skip | cli::compress);
  c.example("click-ingest clicks.tsv.gz --corpus-out corpus.nd --clicks-out clicks.nd");
  c.example(
      "click-ingest log.csv --columns user=reader,article=page,time=at:ms --where event=VIEW --articles articles.tsv "
      "--article-columns article=1,category=2,title=3,body=4 --corpus-out corpus.nd --clicks-out clicks.nd");
  c.see_also("neg-sample(1), rank-score(1), text-encode(1), nightdesk-formats(5)");
}

void validate(const Options& o) {
  if (o.corpus_out == o.clicks_out) throw UsageError("--corpus-out and --clicks-out name one file, expected two");
  if (o.articles.empty() && !o.article_columns.empty()) throw UsageError("--article-columns is for --articles");
  cli::refuse_terminal(o.corpus_out);
  cli::refuse_terminal(o.clicks_out);
}

int run(const Options& o, cli::Context& ctx) {
  Skips skips(o.common.max_skip);
  ClickText text(o.text, tell_columns(ctx.log));
  const ArticleLists lists(o.article_columns, tell_columns(ctx.log));
  for (const std::string& path : o.articles) lists.read(path, text.articles, skips);
  for (const std::string& path : o.clicks) text.read(path, skips);
  for (const std::string& line : skips.report()) ctx.log.warn(line);

  const bool keep = o.repeats == "keep";
  const ClickLog log = take_log(text.articles, text.clicks, keep ? Repeats::keep : Repeats::first, o.only_with_text);
  if (!o.text.where.empty()) ctx.log.info("left out by --where", {{"rows", text.filtered}});
  report(ctx.log, log, keep);
  save(ctx, log, o.corpus_out, o.clicks_out, o.common.compress);
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return nd::cli::main<Options>(argc, argv, "click-ingest", declare, validate, run); }
