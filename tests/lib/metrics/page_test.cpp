// The page of results: what is in it, not how it looks.
#include "lib/metrics/page.h"

#include <gtest/gtest.h>

namespace nd::metrics {
namespace {

size_t times(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}
bool holds(const std::string& text, const std::string& part) { return times(text, part) > 0; }

Chapter chapter() {
  return {
      "a log",         "3 impressions judged",
      {"auc", "hr@5"}, {{"ours", {Mark{0.75, std::pair(0.7, 0.8)}, Mark{0.5, {}}}}, {"theirs", {Mark{0.6, {}}, {}}}},
      "ours",          {{"theirs", {Mark{-0.15, std::pair(-0.2, -0.1)}, {}}}}};
}

TEST(Page, EveryMeasureHasAFigureAndEverySystemADotInIt) {
  const std::string html = page({chapter()});
  EXPECT_EQ(times(html, "<figcaption>auc</figcaption>"), 2u);  // values and differences
  EXPECT_EQ(times(html, "<figcaption>hr@5</figcaption>"), 1u);
  EXPECT_EQ(times(html, "<circle"), 4u);
  EXPECT_TRUE(holds(html, "<title>ours: 0.7500 [0.7000, 0.8000]</title>"));
  EXPECT_TRUE(holds(html, "<title>theirs: -0.1500 [-0.2000, -0.1000]</title>"));
}

TEST(Page, DotsAndIntervalsStandWhereTheAxisSays) {
  Chapter c = chapter();
  c.measures = {"auc"};
  c.systems = {{"a", {Mark{0.25, std::pair(0.0, 0.5)}}}, {"b", {Mark{1.0, {}}}}};
  c.differences.clear();
  const std::string html = page({c});
  // 0 to 1 on 300 units from 180 on.
  EXPECT_TRUE(holds(html, "<line x1=\"180.0\" x2=\"330.0\" y1=\"17\" y2=\"17\"/><circle cx=\"255.0\" cy=\"17\""));
  EXPECT_TRUE(holds(html, "<circle cx=\"480.0\" cy=\"39\""));
  EXPECT_TRUE(holds(html, "x=\"180.0\" y=\"64\">0</text>"));
  EXPECT_TRUE(holds(html, "x=\"480.0\" y=\"64\">1</text>"));
}

TEST(Page, DifferencesHaveZeroOnTheirAxis) {
  const std::string html = page({chapter()});
  EXPECT_EQ(times(html, "class=\"zero\""), 1u);
  EXPECT_TRUE(holds(html, "<h2>Differences to ours</h2>"));
  Chapter c = chapter();
  c.differences.clear();
  EXPECT_FALSE(holds(page({c}), "Differences"));
}

TEST(Page, TextIsTextWhateverItHolds) {
  Chapter c = chapter();
  c.title = "<script>alert(1)</script> & \"more\"";
  c.systems[0].system = "<b>bold</b> and a name much too long to stand beside a figure";
  const std::string html = page({c});
  EXPECT_FALSE(holds(html, "<script"));
  EXPECT_FALSE(holds(html, "<b>"));
  EXPECT_TRUE(holds(html, "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;"));
  EXPECT_TRUE(holds(html, ">&lt;b&gt;bold&lt;/b&gt; and a name muc…</text>"));
  EXPECT_TRUE(holds(html, "<td>&lt;b&gt;bold&lt;/b&gt; and a name much too long to stand beside a figure</td>"));
}

TEST(Page, ALongNameIsNotCutInsideACharacter) {
  Chapter c = chapter();
  c.systems[0].system = "ææææææææææææææææææææææææææææææ";
  EXPECT_TRUE(holds(page({c}), ">ææææææææææææææææææææææææææ…</text>"));
}

TEST(Page, OneValueForAllIsAFigureToo) {
  Chapter c = chapter();
  c.measures = {"auc"};
  c.systems = {{"a", {Mark{0.5, {}}}}};
  c.differences.clear();
  const std::string html = page({c});
  EXPECT_EQ(times(html, "<circle"), 1u);
  EXPECT_FALSE(holds(html, "nan"));
  EXPECT_FALSE(holds(html, "inf"));
}

TEST(Page, NothingIsLoadedFromElsewhere) {
  const std::string html = page({chapter()});
  for (const char* word : {"http:", "https:", "src=", "url(", "<script", "@import"})
    EXPECT_FALSE(holds(html, word)) << word;
}

}  // namespace
}  // namespace nd::metrics
