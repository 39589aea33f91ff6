#include "lib/models/kred_explain.h"

#include "lib/io/sink.h"
#include "lib/io/tsv.h"

namespace nd {
void write_attention(const std::string& path, const OpenKred& kred, const KredRanker::Attention& weights) {
  const Corpus& corpus = *kred.files.corpus;
  const KredData& data = *kred.data;
  Sink sink(path);
  sink.write("what\tof\tto\tlabel\tkind\tposition\tfrequency\tweight\n");
  std::string line;
  const auto flush = [&] {
    line += '\n';
    sink.write(line);
    line.clear();
  };

  // Links that have no vector take no part, so the corpus' own links are walked beside those that do.
  size_t at = 0;
  for (int64_t a = 0; !weights.link.empty() && a < corpus.size(); ++a) {
    int64_t l = corpus.link_entity.offsets[a];
    for (int64_t i = data.link_offsets[a]; i < data.link_offsets[a + 1]; ++i, ++at) {
      const int32_t e = data.head_corpus[data.link_head[i]];
      while (corpus.link_entity.values[l] != e) ++l;
      cell(line, "entity");
      cell(line, corpus.id[a]);
      cell(line, corpus.entity_id[e]);
      cell(line, corpus.entity_label[e]);
      cell(line, corpus.link_type[l] < 0 ? "-" : corpus.type_name[corpus.link_type[l]]);
      cell(line, corpus.link_position[l] == 0 ? "title" : "body");
      cell(line, std::to_string(corpus.link_frequency[l]));
      cell(line, weights.link[at]);
      flush();
    }
  }
  for (int64_t h = 0; !weights.neighbour.empty() && h < data.heads(); ++h)
    for (int64_t j = data.neighbour_offsets[h]; j < data.neighbour_offsets[h + 1]; ++j) {
      cell(line, "neighbour");
      cell(line, corpus.entity_id[data.head_corpus[h]]);
      cell(line, (*kred.files.entities)->id[data.neighbour_tail[j]]);
      cell(line, "-");
      cell(line, (*kred.files.entities)->relation_id[data.neighbour_relation[j]]);
      cell(line, "-");
      cell(line, "-");
      cell(line, weights.neighbour[j]);
      flush();
    }
  sink.commit();
}

}  // namespace nd
