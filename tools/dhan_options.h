// The options of D-HAN itself, as its trainer is told.
#pragma once

#include "lib/cli/command.h"
#include "lib/models/dhan.h"

namespace nd {

inline void declare_dhan(cli::Command& c, DhanOptions& o) {
  c.choice(
      o.levels, "--levels", {"SEN", "SE", "SN", "EN", "S", "E", "N", "none"},
      "levels of attention: sentences, elements, sequence; without S a text is the mean of its sentences, without E "
      "there are no elements, without N no layer over the sequence");
  c.choice(o.time, "--time", {"none", "rel", "abs", "both", "decay"},
           "times the sequence knows: none, the time since, the moment, both, or a fading by hours");
  c.choice(o.times.absolute, "--abs-time", {"concat5", "concat6", "mean5"},
           "vector of a moment: five fields of the calendar joined, the year with them, or the mean of five");
  c.choice(o.times.relative, "--rel-time", {"calendar", "log"},
           "vector of the time since: differences of the fields, or one by the logarithm");
  c.choice(o.rel_anchor, "--rel-anchor", {"target", "last"},
           "time since, seen from the candidate or the last article read");
  c.choice(
      o.summary, "--summary", {"none", "cnn", "lstm", "bilstm", "sh", "mh2", "mh4", "mh8"},
      "how the history is summarized: not, by convolutions, by an LSTM one way or both, by attention of 1, 2, 4 or 8 "
      "heads");
  c.choice(o.pool, "--pool", {"positional", "mean", "own"},
           "how a block's tokens become one: a weight a position, their mean, the mean without candidate and user");
  c.choice(o.head, "--head", {"two-hidden", "one-hidden"}, "layers before the score");
  c.choice(o.compat, "--compat", {"none", "official"}, "official: four things as the authors' code has them");
  c.option(o.width, "--width", "N", "numbers of a user's and of an article's identity", cli::range(1, 65536));
  c.option(o.hidden, "--hidden", "N", "numbers inside the attention blocks; a multiple of 16", cli::range(16, 65536));
  c.option(o.inner, "--inner", "N", "hidden units between attention layers", cli::range(1, 65536));
  c.option(o.head_width, "--head-width", "N", "units of the first layer before the score", cli::range(2, 65536));
  c.option(o.dropout, "--dropout", "P", "share of numbers left out in training", cli::range(0, 0.99));
}

}  // namespace nd
