// An artificial newsroom written to the raw formats that our ingest tools read.
#pragma once

#include <string>

#include "lib/data/newsroom.h"

namespace nd::newsroom {

struct Extras {
  int64_t vector_dim = 0;  // also write document vectors of this width; 0 for none
  double kg_held_out = 0;  // share of the triples that goes to kg/valid.txt, and as many to kg/test.txt
  bool truth = false;      // also write why every candidate would be clicked
};

// Writes into `folder`, which is made when it is missing; each file is replaced atomically.
//
//   train/news.tsv dev/news.tsv            MIND's news: articles published until the end of that split
//   train/behaviors.tsv dev/behaviors.tsv  MIND's behaviors, in order of time; the later days are in dev
//   kg/train.txt [valid.txt test.txt]      head TAB relation TAB tail
//   labels/popularity.tsv labels/local.tsv article TAB label
//   document.vec                           article TAB value TAB value ...: the topic and noise, nothing of entities
//   truth.tsv                              impression, user, article, clicked, and the terms of the logit by cause
void write_newsroom(const Newsroom& newsroom, const std::string& folder, const Extras& extras);

}  // namespace nd::newsroom
