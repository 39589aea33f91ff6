// Parsing: what a command line sets, what it is refused for, and in which order.
#include "lib/cli/command.h"

#include <gtest/gtest.h>

namespace nd::cli {
namespace {

struct Options {
  std::string corpus, graph, output, vectors, order = "title", preset = "best";
  std::vector<std::string> exclude;
  std::vector<int64_t> at = {5, 10};
  double confidence = 0.9;
  float rate = 1e-5f;
  int epochs = 10;
  bool require_vector = false;
  Common common;
};

void declare(Command& c, Options& o) {
  c.summary("keep the entity links worth keeping");
  c.describe("Drops links.");
  c.input(o.corpus, "CORPUS", "corpus file, or -");
  c.input_optional(o.graph, "GRAPH", "graph file, or -");
  c.output(o.output);
  c.input_option(o.vectors, "--vectors", "FILE", "entity vectors");
  c.input_option(o.exclude, "--exclude", "FILE", "behavior files");
  c.option(o.confidence, "--min-conf", "P", "smallest confidence kept, 0 to 1", range(0, 1));
  c.option(o.rate, "--lr", "R", "step size", above(0));
  c.option(o.epochs, "--epochs", "N", "passes over the data", at_least(1));
  c.option(o.at, "--at", "K", "cut-offs");
  c.flag(o.require_vector, "--require-vector", "only entities with a vector");
  c.choice(o.order, "--order", {"title", "count"}, "which links come first");
  c.preset(o.preset, "--preset", {"best", "paper"}, "settings", [&o](const std::string& word) {
    o.epochs = word == "paper" ? 77 : 10;
    o.confidence = 0.5;
  });
  c.common(o.common, threads | seed | device | max_skip | compress);
  c.example("link-filter corpus.nd -o links.nd");
  c.see_also("kred-train(1)");
}

// Parses the words of `line`; the problem when there is one, else "".
std::string parse(Options& o, std::vector<std::string> args, std::string* json = nullptr) {
  Command c("link-filter");
  declare(c, o);
  try {
    if (!c.parse(args)) return c.answer();
  } catch (const UsageError& e) {
    return e.what();
  }
  if (json) *json = Context(c).options_json();
  return "";
}

TEST(Command, SetsEveryTypeOfValue) {
  Options o;
  EXPECT_EQ(parse(o, {"a.nd",
                      "-o",
                      "b.nd",
                      "--min-conf",
                      "0.25",
                      "--lr=1e-3",
                      "--epochs",
                      "3",
                      "--require-vector",
                      "--order",
                      "count",
                      "--exclude",
                      "x",
                      "--exclude",
                      "y,z",
                      "g.nd",
                      "--at",
                      "1,2",
                      "--at",
                      "3",
                      "--seed",
                      "9223372036854775807",
                      "--threads",
                      "2"}),
            "");
  EXPECT_EQ(o.corpus, "a.nd");
  EXPECT_EQ(o.graph, "g.nd");
  EXPECT_EQ(o.output, "b.nd");
  EXPECT_EQ(o.confidence, 0.25);
  EXPECT_EQ(o.rate, 1e-3f);
  EXPECT_EQ(o.epochs, 3);
  EXPECT_TRUE(o.require_vector);
  EXPECT_EQ(o.order, "count");
  EXPECT_EQ(o.exclude, (std::vector<std::string>{"x", "y,z"}));
  EXPECT_EQ(o.at, (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(o.common.seed, 9223372036854775807u);
  EXPECT_EQ(o.common.threads, 2);
}

TEST(Command, KeepsDefaultsAndCountsTheProcessors) {
  Options o;
  EXPECT_EQ(parse(o, {"a.nd", "-ob.nd"}), "");
  EXPECT_EQ(o.output, "b.nd");
  EXPECT_EQ(o.at, (std::vector<int64_t>{5, 10}));
  EXPECT_EQ(o.confidence, 0.9);
  EXPECT_GE(o.common.threads, 1);
}

TEST(Command, TheLastOfARepeatedValueWins) {
  Options o;
  EXPECT_EQ(parse(o, {"a.nd", "-o", "b", "-o", "c", "--epochs", "1", "--epochs", "2", "--require-vector",
                      "--no-require-vector"}),
            "");
  EXPECT_EQ(o.output, "c");
  EXPECT_EQ(o.epochs, 2);
  EXPECT_FALSE(o.require_vector);
}

TEST(Command, APresetNeverOverridesAGivenOption) {
  Options o;
  EXPECT_EQ(parse(o, {"a.nd", "-o", "b", "--epochs", "5", "--preset", "paper"}), "");
  EXPECT_EQ(o.epochs, 5);
  EXPECT_EQ(o.confidence, 0.5);
}

TEST(Command, ReportsAnUnknownOptionFirst) {
  Options o;
  EXPECT_EQ(parse(o, {"--min-cof", "1"}),
            "unknown option --min-cof, did you mean --min-conf? (see link-filter --help)");
  EXPECT_EQ(parse(o, {"--zebra=4", "--epochs", "none"}), "unknown option --zebra (see link-filter --help)");
  EXPECT_EQ(parse(o, {"-x", "--help"}), "unknown option -x (see link-filter --help)");
  EXPECT_EQ(parse(o, {"--thread", "2"}), "unknown option --thread, did you mean --threads? (see link-filter --help)");
  EXPECT_EQ(parse(o, {"--bogus", "--epochs"}), "unknown option --bogus (see link-filter --help)");
}

TEST(Command, RefusesWhatIsMissingOrTooMuch) {
  Options o;
  EXPECT_EQ(parse(o, {}), "CORPUS is missing (see link-filter --help)");
  EXPECT_EQ(parse(o, {"a.nd"}), "--output FILE is missing (see link-filter --help)");
  EXPECT_EQ(parse(o, {"a", "b", "c", "-o", "d"}), "unexpected argument 'c' (see link-filter --help)");
  EXPECT_NE(parse(o, {"a", "-o", "d", "--epochs"}), "");
  EXPECT_NE(parse(o, {"a", "-o", "d", "--require-vector=maybe"}), "");
  EXPECT_EQ(parse(o, {"a", "-o", "d", "--vectors=", "x"}), "--vectors= has no value (see link-filter --help)");
  EXPECT_EQ(parse(o, {"a", "-o", ""}), "--output: expected a file, found an empty name");
}

TEST(Command, RefusesValuesOutOfRange) {
  for (auto [option, value, message] : std::vector<std::array<const char*, 3>>{
           {"--min-conf", "1.5", "--min-conf: expected a number from 0 to 1, found '1.5'"},
           {"--min-conf", "nan", "--min-conf: expected a number from 0 to 1, found 'nan'"},
           {"--min-conf", "0,5", "--min-conf: expected a number from 0 to 1, found '0,5'"},
           {"--lr", "0", "--lr: expected a number above 0, found '0'"},
           {"--lr", "inf", "--lr: expected a number above 0, found 'inf'"},
           {"--epochs", "0", "--epochs: expected a whole number of at least 1, found '0'"},
           {"--epochs", "3.5", "--epochs: expected a whole number of at least 1, found '3.5'"},
           {"--epochs", "99999999999", "--epochs: expected a whole number of at least 1, found '99999999999'"},
           {"--seed", "-1", "--seed: expected a whole number, found '-1'"},
           {"--seed", "9223372036854775808", "--seed: expected a whole number, found '9223372036854775808'"},
           {"--at", "1,,2", "--at: expected a whole number, found ''"},
           {"--order", "size", "--order: expected title|count, found 'size'"}}) {
    Options o;
    EXPECT_EQ(parse(o, {"a", "-o", "b", option, value}), message);
  }
}

TEST(Command, TakesADashForOneStreamOnly) {
  Options o;
  EXPECT_EQ(parse(o, {"-", "-o", "b"}), "");
  EXPECT_EQ(o.corpus, "-");
  EXPECT_EQ(parse(o, {"-", "-", "-o", "b"}), "standard input can be read only once: give '-' for one input");
  EXPECT_EQ(parse(o, {"-", "--vectors", "-", "-o", "b"}),
            "standard input can be read only once: give '-' for one input");
}

TEST(Command, RefusesADashForAFolder) {
  std::string folder;
  Command c("news-synth");
  c.output_folder(folder);
  EXPECT_THROW(c.parse({"-o", "-"}), UsageError);
  EXPECT_NE(c.print_options().find("--output\t-o\tDIR"), std::string::npos);
}

TEST(Command, TakesAnythingAfterTwoDashes) {
  Options o;
  EXPECT_EQ(parse(o, {"-o", "b", "--", "--strange.nd"}), "");
  EXPECT_EQ(o.corpus, "--strange.nd");
}

TEST(Command, WritesContentOptionsCanonically) {
  Options o;
  std::string json;
  EXPECT_EQ(parse(o, {"a", "-o", "b", "--threads", "7", "--vectors", "v", "-q", "--lr", "0.1"}, &json), "");
  EXPECT_EQ(json,
            "{\"at\":[5,10],\"epochs\":10,\"lr\":0.1,\"min-conf\":0.9,\"order\":\"title\",\"preset\":\"best\","
            "\"require-vector\":false,\"seed\":1}");
}

TEST(Command, ReadsSeveralInputs) {
  std::vector<std::string> files;
  Command c("eval-rank");
  c.inputs(files, "SCORES", "score files");
  EXPECT_TRUE(c.parse({"a", "b", "c"}));
  EXPECT_EQ(files, (std::vector<std::string>{"a", "b", "c"}));
  Command none("eval-rank");
  none.inputs(files, "SCORES", "score files");
  EXPECT_THROW(none.parse({}), UsageError);
}

TEST(Command, HelpShowsDefaultsAndAnExample) {
  Options o;
  std::string help = parse(o, {"--help"});
  for (const char* part :
       {"link-filter - keep the entity links worth keeping", "Usage: link-filter [options] CORPUS [GRAPH] -o FILE",
        "link-filter corpus.nd -o links.nd", "--min-conf P", "[0.9]", "(required)", "--[no-]require-vector", "[no]",
        "kred-train(1), nightdesk(7)"})
    EXPECT_NE(help.find(part), std::string::npos) << part << "\n" << help;
  EXPECT_EQ(parse(o, {"--version"}), "link-filter (nightdesk) " ND_VERSION "\n");
}

TEST(Command, PrintsEveryOptionAsATableRow) {
  Options o;
  std::string table = parse(o, {"--print-options"});
  EXPECT_NE(table.find("--output\t-o\tFILE\t\tfile to write, or -\n"), std::string::npos) << table;
  EXPECT_NE(table.find("--min-conf\t\tP\t0.9\tsmallest confidence kept, 0 to 1\n"), std::string::npos);
  EXPECT_NE(table.find("--[no-]require-vector\t\t\tno\tonly entities with a vector\n"), std::string::npos);
  EXPECT_NE(table.find("--help\t-h\t\t\t"), std::string::npos);
}

TEST(Rules, JoinToTheTighterBound) {
  Rules r = above(0) | at_least(0) | range(-1, 5) | below(5) | not_content;
  EXPECT_EQ(r.low, 0);
  EXPECT_TRUE(r.low_open);
  EXPECT_EQ(r.high, 5);
  EXPECT_TRUE(r.high_open);
  EXPECT_FALSE(r.content);
}

}  // namespace
}  // namespace nd::cli
