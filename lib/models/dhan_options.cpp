// The options of a D-HAN, as its parameters carry them.
#include "lib/data/windows.h"
#include "lib/models/dhan.h"
#include "lib/models/settings.h"

namespace nd {

int64_t DhanOptions::heads() const {
  if (summary == "sh") return 1;
  return summary.starts_with("mh") ? summary[2] - '0' : 0;
}

json::Value DhanOptions::to_json() const {
  return json::Object{{"levels", levels},
                      {"time", time},
                      {"abs_time", times.absolute},
                      {"rel_time", times.relative},
                      {"utc_offset", times.utc_offset},
                      {"first_year", times.first_year},
                      {"years", times.years},
                      {"rel_anchor", rel_anchor},
                      {"summary", summary},
                      {"pool", pool},
                      {"head", head},
                      {"compat", compat},
                      {"length", length},
                      {"width", width},
                      {"hidden", hidden},
                      {"inner", inner},
                      {"head_width", head_width},
                      {"dropout", dropout}};
}

DhanOptions DhanOptions::from_json(const json::Value& value) {
  DhanOptions o;
  constexpr const char* kModel = "D-HAN";
  constexpr int64_t kMost = 1 << 16;
  o.levels = word_setting(value, "levels", kModel, {"none", "S", "E", "N", "SE", "SN", "EN", "SEN"});
  o.time = word_setting(value, "time", kModel, {"none", "rel", "abs", "both", "decay"});
  o.times.absolute = word_setting(value, "abs_time", kModel, {"concat5", "concat6", "mean5"});
  o.times.relative = word_setting(value, "rel_time", kModel, {"calendar", "log"});
  o.rel_anchor = word_setting(value, "rel_anchor", kModel, {"target", "last"});
  o.summary = word_setting(value, "summary", kModel, {"none", "cnn", "lstm", "bilstm", "sh", "mh2", "mh4", "mh8"});
  o.pool = word_setting(value, "pool", kModel, {"positional", "mean", "own"});
  o.head = word_setting(value, "head", kModel, {"two-hidden", "one-hidden"});
  o.compat = word_setting(value, "compat", kModel, {"none", "official"});
  o.times.utc_offset = count_setting(value, "utc_offset", -86400, 86400);
  o.times.first_year = count_setting(value, "first_year", 0, 10000);
  o.times.years = count_setting(value, "years", 0, 10000);
  o.length = count_setting(value, "length", 1, WindowOptions::longest);
  o.width = count_setting(value, "width", 1, kMost);
  o.hidden = count_setting(value, "hidden", 16, kMost);
  o.inner = count_setting(value, "inner", 1, kMost);
  o.head_width = count_setting(value, "head_width", 2, kMost);
  if (o.hidden % 16 != 0) throw Error("option hidden is no multiple of 16");
  const json::Value* dropout = value.find("dropout");
  if (!dropout || !(dropout->number() >= 0 && dropout->number() < 1))
    throw Error("option dropout is missing or out of range");
  o.dropout = dropout->number();
  return o;
}

}  // namespace nd
