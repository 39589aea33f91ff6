// Every kind of file that tools exchange, as one include.
//
// A kind is a plain struct of columns with three members:
//   kind      its name and version, as in nd.kind;
//   columns   calls visit(name, column) for every column, which is all that reading and writing need;
//   problem   what is wrong with the contents, "" when nothing is: the rules that tie columns together.
#pragma once

#include <tuple>

#include "formats/behavior.h"
#include "formats/candidates.h"
#include "formats/checkpoint.h"
#include "formats/clicks.h"
#include "formats/corpus.h"
#include "formats/kg.h"
#include "formats/params.h"
#include "formats/scores.h"
#include "formats/stacks.h"
#include "formats/vectors.h"

namespace nd {

using Kinds = std::tuple<Corpus, Behavior, Clicks, Kg, Vectors, Stacks, Candidates, Scores, Params, Checkpoint>;

}  // namespace nd
