# Settings that suit an artificial newsroom of a few thousand articles: small vectors, and the dot product as predictor,
# which learns in seconds what the default net takes many epochs to find.
newsroom_dim := 48
newsroom_transe := --dim $(newsroom_dim) --triples all --epochs 200
newsroom_text := --dim 64 --epochs 5
newsroom_train := --hidden 64 --width 64 --predictor dot --bound none --gamma 1 --lr 0.003 --epochs 8 --patience 3
newsroom_settings = DIM=$(newsroom_dim) TRANSE='$(newsroom_transe)' TEXT='$(newsroom_text)' TRAIN='$(newsroom_train)'
