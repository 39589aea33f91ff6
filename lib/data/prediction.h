// Scores as files: the exchanged kind, and the prediction.txt that MIND's official script reads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/behavior.h"
#include "formats/clicks.h"
#include "formats/scores.h"

namespace nd {

// Ids, users and times of the scored impressions (rows of `behavior`) beside their scores and labels.
Scores scores_of(const Behavior& behavior, std::span<const int32_t> impression, Ragged<float> score,
                 Array<uint8_t> label);

// The same of clicks: the id is the click's number in decimal.
Scores scores_of(const Clicks& clicks, std::span<const int32_t> instance, Ragged<float> score, Array<uint8_t> label);

// The way back: which clicks were scored. Error naming `path` for an id that is no click's number.
std::vector<int32_t> clicks_of(const Scores& scores, const Clicks& clicks, const std::string& path);

// One line an impression, "id [rank,rank,...]", 1 the best, in candidate order, without spaces in the list
// (kred.md 11.1). Of equal scores the later candidate ranks better, as eval-rank's default tie rule has it. path or
// "-". Error for an id that is empty or holds white space, which no reader of the format could split off.
void write_prediction(const std::string& path, const Scores& scores);

}  // namespace nd
