// KRED's attention in a form people read: paper, section 3.8 and Figure 5.
#pragma once

#include <string>

#include "lib/models/kred_file.h"

namespace nd {

// TSV to path or "-", with a header line. First one row per link of every article, in corpus order:
//   entity     article  entity  label  type  position  frequency  weight in the article, eq. (6)
// then one row per chosen neighbour of every linked entity:
//   neighbour  entity   neighbour  label  relation  -  -  weight among the entity's neighbours, eq. (3)
// Articles without entities and models without a part have no rows of it.
void write_attention(const std::string& path, const OpenKred& kred, const KredRanker::Attention& weights);

}  // namespace nd
