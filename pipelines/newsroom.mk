# Settings that suit an artificial newsroom of a few thousand articles: small vectors, few epochs, seconds per training.
newsroom_settings := DIM=32 TRANSE='--dim 32 --triples all --epochs 60' TEXT='--dim 64 --epochs 5' \
  TRAIN='--hidden 64 --width 64 --epochs 12 --patience 3'
