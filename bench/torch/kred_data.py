# The newsroom of the speed comparison, at the setting of the paper's Table 4 (README.md). Every number is a function of
# (seed, stream, counter), so any language can draw from the same distributions.
import numpy as np
import torch

DOCUMENTS, BATCH, CLASSES = 100_000, 64, 15
LINKS, HEADS, NEIGHBOURS, ENTITIES, RELATIONS = 24, 60_000, 20, 200_000, 1_000
POSITIONS, FREQUENCIES, TYPES = 2, 20, 22
D_ENTITY, D_BASE, HIDDEN, D_OUT = 90, 768, 128, 128


def uniform(seed, stream, shape):
    """float64 in [0, 1): splitmix64 of a counter, keyed by seed and stream number."""
    def mix(x):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))
    with np.errstate(over="ignore"):
        key = mix(np.uint64(seed) + mix(np.uint64(stream)))
        return (mix(key + np.arange(np.prod(shape), dtype=np.uint64)) >> np.uint64(11)).reshape(shape) * 2.0**-53


def below(seed, stream, shape, n):
    return (uniform(seed, stream, shape) * n).astype(np.int64)


def floats(seed, stream, rows, cols, scale):
    """float32 in [-scale, scale), made a slab at a time to keep the peak low."""
    out = np.empty((rows, cols), np.float32)
    for i, start in enumerate(range(0, rows, 10_000)):
        slab = out[start:start + 10_000]
        slab[:] = (uniform(seed, stream + 1000 * i, slab.shape) * 2 - 1) * scale
    return out


def distinct_zipf(seed, stream, documents):
    """[documents, LINKS] distinct heads, drawn one after another from P(rank k) ~ 1/k, repeats thrown away."""
    cdf = np.cumsum(1 / np.arange(1, HEADS + 1))
    draws = np.searchsorted(cdf / cdf[-1], uniform(seed, stream, (documents, 80)), side="right")
    out = np.empty((documents, LINKS), np.int64)
    for i, row in enumerate(draws):
        first = np.sort(np.unique(row, return_index=True)[1])[:LINKS]
        assert len(first) == LINKS, "80 draws did not hold 24 distinct heads"
        out[i] = row[first]
    return out


class Data:
    """All of it as tensors; integers are int64 because PyTorch indexes fastest with those."""

    def __init__(self, documents, seed):
        tensor = torch.from_numpy
        self.base = tensor(floats(seed, 1, documents, D_BASE, 1.0))                      # [n, 768]
        self.entity = tensor(floats(seed, 2, ENTITIES, D_ENTITY, 0.2))                   # [200000, 90], heads first
        self.relation = tensor(floats(seed, 3, RELATIONS, D_ENTITY, 0.2))                # [1000, 90]
        self.tail = tensor(below(seed, 4, (HEADS, NEIGHBOURS), ENTITIES))                # [60000, 20]
        self.tail_relation = tensor(below(seed, 5, (HEADS, NEIGHBOURS), RELATIONS))
        self.head = tensor(distinct_zipf(seed, 6, documents))                            # [n, 24]
        self.position = tensor(below(seed, 7, (documents, LINKS), POSITIONS))
        self.frequency = tensor((FREQUENCIES * uniform(seed, 8, (documents, LINKS)) ** 3).astype(np.int64))
        self.type = tensor(below(seed, 9, (documents, LINKS), TYPES))
        self.label = self.base[:, :CLASSES].argmax(1)                                    # learnable: the loss must fall
        self.order = tensor(np.argsort(uniform(seed, 10, documents), kind="stable"))     # of the one epoch


def on_device(thing, device):
    """The data object itself, with its tensors on the device."""
    for name, value in vars(thing).items():
        if isinstance(value, torch.Tensor):
            setattr(thing, name, value.to(device))
    return thing


def shares(data):
    """(unique heads / heads, unique neighbours / neighbours of those heads), means over the batches of the epoch."""
    heads, tails = [], []
    for rows in data.order.split(BATCH):
        unique = np.unique(data.head[rows].numpy())
        heads.append(len(unique) / (len(rows) * LINKS))
        tails.append(len(np.unique(data.tail[unique].numpy())) / (len(unique) * NEIGHBOURS))
    return float(np.mean(heads)), float(np.mean(tails))
