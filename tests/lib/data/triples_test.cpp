// Triples out of TSV, OpenKE and N-Triples, and the part of a graph around a corpus.
#include "lib/data/triples.h"

#include <gtest/gtest.h>

#include "lib/io/kind_file.h"
#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/sample_kinds.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

using Texts = std::vector<std::string>;

Texts texts(const Strings& s) {
  Texts out;
  for (int64_t i = 0; i < s.size(); ++i) out.emplace_back(s[i]);
  return out;
}

// "head relation tail" of each triple, by name.
Texts named(const Kg& kg) {
  Texts out;
  for (int64_t i = 0; i < kg.size(); ++i)
    out.push_back(std::string(kg.entity_id[kg.head[i]]) + " " + std::string(kg.relation_id[kg.relation[i]]) + " " +
                  std::string(kg.entity_id[kg.tail[i]]));
  return out;
}

class Triples : public testing::Test {
 protected:
  Kg read(const std::string& text, const TripleOptions& options = {}) {
    put(folder_ / "t", text);
    KgReader reader(options);
    counts_ = reader.read(folder_ / "t");
    Kg kg = reader.take();
    EXPECT_EQ(kg.problem(), "");
    return kg;
  }
  TripleOptions openke(const std::string& entities, const std::string& relations) {
    put(folder_ / "entity2id.txt", entities);
    put(folder_ / "relation2id.txt", relations);
    return {.format = "openke", .entities = folder_ / "entity2id.txt", .relations = folder_ / "relation2id.txt"};
  }

  TemporaryFolder folder_;
  TripleCounts counts_;
};

TEST_F(Triples, AreReadFromTsvInEitherOrder) {
  const Kg kg = read("a\tlikes\tb\nb\tlikes\tc d\n");
  EXPECT_EQ(named(kg), (Texts{"a likes b", "b likes c d"}));
  EXPECT_EQ(texts(kg.entity_id), (Texts{"a", "b", "c d"}));
  EXPECT_EQ(named(read("a\tb\tlikes\r\nb\tc d\tlikes", {.order = "htr"})), named(kg));
}

TEST_F(Triples, ComeInThreeSplitsWithOneNumbering) {
  put(folder_ / "train", "a\tr\tb\nb\tr\tc\na\tr\tb\n");
  put(folder_ / "test", "c\tr\ta\na\tr\tb\n");
  KgReader reader({});
  const TripleCounts train = reader.read(folder_ / "train");
  reader.skip();
  const TripleCounts test = reader.read(folder_ / "test");
  const Kg kg = reader.take();
  EXPECT_EQ(kg.problem(), "");
  EXPECT_EQ(std::vector<int64_t>(kg.split.begin(), kg.split.end()), (std::vector<int64_t>{2, 2, 4}));
  EXPECT_EQ(named(kg), (Texts{"a r b", "b r c", "c r a", "a r b"}));
  EXPECT_EQ(train.triples, 2);
  EXPECT_EQ(train.duplicates, 1);
  EXPECT_EQ(test.duplicates, 0);
  EXPECT_EQ(test.repeated, 1) << "a test triple that is a training triple is kept, and counted";

  put(folder_ / "one", "a\tr\tb\n");
  KgReader alone({});
  alone.read(folder_ / "one");
  EXPECT_EQ(alone.take().split[2], 1);
}

TEST_F(Triples, OfTsvThatAreNoneAreErrorsWithTheirRow) {
  EXPECT_ND_ERROR(read("a\tr\tb\na b c\n"), "t:2: expected three tab-separated columns, found 1");
  EXPECT_ND_ERROR(read("a\tr\tb\tc\n"), "t:1: expected three tab-separated columns, found 4");
  EXPECT_ND_ERROR(read("a\tr\t\n"), "t:1: the tail is empty");
  EXPECT_ND_ERROR(read("\tr\tb\n"), "t:1: the head is empty");
  EXPECT_ND_ERROR(read("a\t\tb\n"), "t:1: the relation is empty");
  EXPECT_ND_ERROR(read("a\tr\tb\na\tr\t\xff\n"), "t:2: the tail is not UTF-8");
  EXPECT_ND_ERROR(read(""), "is empty, expected triples");
  EXPECT_ND_ERROR(KgReader({}).read(folder_ / "nowhere"), "cannot open");
}

TEST_F(Triples, AreReadFromOpenKe) {
  const auto options = openke("3\nGermany\t2\nNew York\t0\nOslo\t1\n", "2\nin\t1\nnear\t0\n");
  const Kg kg = read("2\n0 1 1\n1\t2\t0\n", options);
  EXPECT_EQ(texts(kg.entity_id), (Texts{"New York", "Oslo", "Germany"})) << "numbered as in the map";
  EXPECT_EQ(named(kg), (Texts{"New York in Oslo", "Oslo near Germany"}));
  EXPECT_EQ(named(read("0 1 1\n", options)), (Texts{"New York in Oslo"})) << "the count may be missing";
  auto other_order = options;
  other_order.order = "hrt";
  EXPECT_EQ(named(read("1\n0 1 1\n", other_order)), (Texts{"New York in Oslo"}));
  EXPECT_EQ(named(read("1\n0 0 2\n", other_order)), (Texts{"New York near Germany"}));
}

TEST_F(Triples, OfOpenKeThatAreNoneAreErrorsWithTheirRow) {
  const auto options = openke("2\na\t0\nb\t1\n", "1\nr\t0\n");
  EXPECT_ND_ERROR(read("1\n0 2 0\n", options), "t:2: expected the number of an entity, 0 to 1, found '2'");
  EXPECT_ND_ERROR(read("1\n0 1 1\n", options), "t:2: expected the number of a relation, 0 to 0, found '1'");
  EXPECT_ND_ERROR(read("1\n-1 1 0\n", options), "found '-1'");
  EXPECT_ND_ERROR(read("1\n0 1 x\n", options), "found 'x'");
  EXPECT_ND_ERROR(read("1\n0 1 99999999999999999999\n", options), "found '99999999999999999999'");
  EXPECT_ND_ERROR(read("1\n0 1\n", options), "t:2: expected three numbers, found 2 words");
  EXPECT_ND_ERROR(read("3\n0 1 0\n", options), "t:1: says 3 triples, found 1");
  EXPECT_ND_ERROR(read("0\n", options), "is empty");
}

TEST_F(Triples, NeedAMapThatNumbersEveryNameOnce) {
  const auto map = [&](const std::string& text) {
    put(folder_ / "m", text);
    return texts(read_id_map(folder_ / "m"));
  };
  EXPECT_EQ(map("2\nb\t1\na b 0\n"), (Texts{"a b", "b"}));
  EXPECT_EQ(map("0\n"), Texts{});
  EXPECT_ND_ERROR(map(""), "m:1: expected the number of ids");
  EXPECT_ND_ERROR(map("a\t0\n"), "m:1: expected the number of ids, found 'a\t0'");
  EXPECT_ND_ERROR(map("2\na\t0\n"), "m:1: says 2 ids, found 1");
  EXPECT_ND_ERROR(map("1\na\t0\nb\t0\n"), "m:1: says 1 ids, found 2");
  EXPECT_ND_ERROR(map("2\na\t0\nb\t0\n"), "m:3: the number 0 comes twice");
  EXPECT_ND_ERROR(map("2\na\t0\na\t1\n"), "m:3: the name 'a' comes twice");
  EXPECT_ND_ERROR(map("2\na\t0\nb\t2\n"), "m:3: expected a name and a number below 2");
  EXPECT_ND_ERROR(map("1\na\n"), "m:2: expected a name and a number");
  EXPECT_ND_ERROR(map("1\n\t0\n"), "m:2: the name is empty");
  EXPECT_ND_ERROR(map("1\n\xff\t0\n"), "m:2: the name is not UTF-8");
  EXPECT_ND_ERROR(map("9223372036854775807\na\t0\n"), "found 1") << "a large count takes no memory";
}

TEST_F(Triples, AreReadFromNTriples) {
  const std::string text =
      "# a comment\n"
      "\n"
      "<http://a/x> <http://a/p> <http://a/y> .\n"
      "  <http://a/x>\t<http://a/p><http://a/bl\\u00e5> . # behind\n"
      "_:b1 <http://a/p> _:b2 .\n"
      "<http://a/\\U0001F600> <http://a/p> <http://a/x> .\n"
      "<http://a/x> <http://a/name> \"a \\\"quoted\\\" . <name>\" .\n"
      "<http://a/x> <http://a/name> \"navn\"@nb-NO .\n"
      "<http://a/x> <http://a/age> \"7\"^^<http://www.w3.org/2001/XMLSchema#integer> .\n"
      "<http://a/x> <http://a/name> \"ends in a backslash \\\\\" .\n";
  const Kg kg = read(text, {.format = "ntriples"});
  EXPECT_EQ(named(kg), (Texts{"http://a/x http://a/p http://a/y", "http://a/x http://a/p http://a/blå",
                              "_:b1 http://a/p _:b2", "http://a/😀 http://a/p http://a/x"}));
  EXPECT_EQ(counts_.literals, 4);
  EXPECT_EQ(texts(kg.relation_id), Texts{"http://a/p"}) << "what only literals have is no relation of the graph";

  EXPECT_EQ(named(read("<http://e/entity/Q1> <http://e/direct/P31> <http://e/o#Q2> .\n",
                       {.format = "ntriples", .iri = "local"})),
            Texts{"Q1 P31 Q2"});
}

TEST_F(Triples, OfNTriplesThatAreNoneAreErrorsWithTheirRow) {
  const TripleOptions options{.format = "ntriples"};
  const auto error = [&](const std::string& line, const std::string& part) {
    EXPECT_ND_ERROR(read("<a> <b> <c> .\n" + line + "\n", options), "t:2: " + part);
  };
  error("<a> <b> <c>", "expected . behind three terms, found ''");
  error("<a> <b> <c> <d> .", "expected . behind three terms, found '<d> .'");
  error("<a> <b> <c> . <d>", "expected nothing behind the .");
  error("<a> <b> .", "expected <an IRI> as object, found '.'");
  error("<a> _:b <c> .", "expected <an IRI> as predicate");
  error("\"a\" <b> <c> .", "expected <an IRI> as subject");
  error("<a> <b> <c .", "the IRI of the object does not end");
  error("<> <b> <c> .", "the IRI of the subject is empty");
  error("<a> <b> \"c .", "a literal does not end");
  error("<a> <b> \"c\\", "a literal does not end");
  error("<a> <b> \"c\"^^d .", "expected <an IRI> as type of the literal");
  error("<a\\u12> <b> <c> .", "expected \\uXXXX");
  error("<a\\uD800> <b> <c> .", "expected \\uXXXX");
  error("<a\\UFFFFFFFF> <b> <c> .", "expected \\uXXXX");
  error("<a\\n> <b> <c> .", "expected \\uXXXX");
  error("<a\\> <b> <c> .", "expected \\uXXXX");
  error("_: <b> <c> .", "expected a name behind _:");
  error("<\xff> <b> <c> .", "the name is not UTF-8");
  EXPECT_ND_ERROR(read("<a> <b> \"c\" .\n", options), "holds literals only");
  EXPECT_ND_ERROR(read("# nothing\n", options), "is empty");
  EXPECT_ND_ERROR(read("<a/> <b> <c> .\n", {.format = "ntriples", .iri = "local"}), "has no local part");
}

TEST_F(Triples, TakeOptionsThatFitTheFormat) {
  EXPECT_THROW(KgReader({.format = "openke"}), UsageError);
  EXPECT_THROW(KgReader({.format = "openke", .entities = "e"}), UsageError);
  EXPECT_THROW(KgReader({.entities = "e", .relations = "r"}), UsageError);
  EXPECT_THROW(KgReader({.format = "ntriples", .order = "hrt"}), UsageError);
  EXPECT_THROW(KgReader({.iri = "local"}), UsageError);
}

// The corpus of sample_kinds.h links Q1 and Q2.
TEST_F(Triples, AroundACorpusAreThoseWithinSomeHops) {
  // Q1 - a - b - c, Q2 - d, and x - y far away; the test split has b - d.
  put(folder_ / "train", "Q1\tr\ta\nb\ts\ta\nb\tr\tc\nd\tr\tQ2\nx\tfar\ty\n");
  put(folder_ / "test", "b\tr\td\nx\tfar\tx\n");
  KgReader reader({});
  reader.read(folder_ / "train");
  reader.skip();
  reader.read(folder_ / "test");
  const Kg kg = reader.take();
  const Corpus corpus = sample::corpus();
  SubgraphCounts counts;
  Kg near = subgraph(kg, corpus, 1, counts);
  EXPECT_EQ(near.problem(), "");
  EXPECT_EQ(named(near), (Texts{"Q1 r a", "d r Q2"}));
  EXPECT_EQ(near.split[0], 2);
  EXPECT_EQ(near.split[2], 2);
  EXPECT_EQ(texts(near.entity_id), (Texts{"Q1", "a", "d", "Q2"}));
  EXPECT_EQ(texts(near.relation_id), Texts{"r"});
  EXPECT_EQ(counts.linked, 2);
  EXPECT_EQ(counts.known, 2);
  EXPECT_EQ(counts.reached, 4);

  near = subgraph(kg, corpus, 2, counts);
  EXPECT_EQ(named(near), (Texts{"Q1 r a", "b s a", "d r Q2", "b r d"}));
  EXPECT_EQ(near.split[0], 3);
  EXPECT_EQ(near.split[1], 3);
  EXPECT_EQ(near.split[2], 4);
  EXPECT_EQ(subgraph(kg, corpus, 1000000000000, counts).size(), 5) << "as far as it goes, and no further";
  EXPECT_ND_ERROR(subgraph(kg, corpus, 0, counts), "try more --hops");

  KgReader other({});
  put(folder_ / "other", "x\tfar\ty\n");
  other.read(folder_ / "other");
  EXPECT_ND_ERROR(subgraph(other.take(), corpus, 1, counts),
                  "none of the 2 entities linked in the corpus is in the graph");
}

}  // namespace
}  // namespace nd
