# The clicks of D-HAN's speed comparison, at the paper's sizes (README.md). Every number is a function of (seed, stream,
# counter), so any language can draw from the same distributions.
import numpy as np
import torch

from kred_data import below, floats, uniform

USERS, ARTICLES, LENGTH, SENTENCES, ELEMENTS, WIDTH, HIDDEN, INNER, HEAD = 66_649, 14_700, 10, 20, 5, 64, 64, 256, 320
BATCH, NEGATIVES, CANDIDATES = 256, 3, 100
FIELDS = (("month", 12, 12), ("day", 31, 12), ("weekday", 7, 12), ("hour", 24, 12), ("minute", 60, 16))  # rows, width
FIRST, SPAN, GAP = 1_483_228_800, 90 * 86_400, 20_000


def calendar(seconds):
    """[..., 5]: month, day, weekday, hour and minute, each from 0."""
    t = seconds.astype("datetime64[s]")
    day, month = t.astype("datetime64[D]"), t.astype("datetime64[M]")
    fields = [month.astype(np.int64) % 12, (day - month.astype("datetime64[D]")).astype(np.int64),
              (day.astype(np.int64) + 3) % 7, seconds // 3600 % 24, seconds // 60 % 60]
    return np.stack(fields, axis=-1)


def popular(seed, stream, shape):
    """Zipf(1) over the articles."""
    cdf = np.cumsum(1 / np.arange(1, ARTICLES + 1))
    return np.minimum(np.searchsorted(cdf / cdf[-1], uniform(seed, stream, shape)), ARTICLES - 1)


class Articles:
    def __init__(self, seed):
        self.sentence = torch.from_numpy(floats(seed, 1, ARTICLES, SENTENCES * WIDTH, 1.7)).view(-1, SENTENCES, WIDTH)
        self.element = torch.from_numpy(floats(seed, 2, ARTICLES, ELEMENTS * WIDTH, 1.7)).view(-1, ELEMENTS, WIDTH)
        self.sentence_mean, self.element_mean = self.sentence.mean(1), self.element.mean(1)


class Clicks:
    """n instances of so many candidates, the first of them clicked. absolute, relative and now are rows of the time
    tables already, what they come from is in time and moment."""

    def __init__(self, n, candidates, seed):
        self.user = torch.from_numpy(below(seed, 11, (n,), USERS))
        self.article = torch.from_numpy(popular(seed, 12, (n, LENGTH)))
        candidate = below(seed, 13, (n, candidates), ARTICLES)
        candidate[:, 0] = popular(seed, 14, (n,))
        self.candidate = torch.from_numpy(candidate)
        gaps = below(seed, 15, (n, LENGTH + 1), GAP)
        seconds = FIRST + below(seed, 16, (n, 1), SPAN) + np.cumsum(gaps, axis=1)
        times = calendar(seconds)
        rows = np.array([rows for _, rows, _ in FIELDS])
        self.absolute, self.now = torch.from_numpy(times[:, :-1]), torch.from_numpy(times[:, -1])    # [n, L, 5], [n, 5]
        self.time, self.moment = torch.from_numpy(seconds[:, :-1]), torch.from_numpy(seconds[:, -1])
        self.relative = torch.from_numpy(times[:, -1:] - times[:, :-1] + rows)                      # [n, L, 5]

    def __len__(self):
        return len(self.user)

    def __getitem__(self, rows):
        part = object.__new__(Clicks)
        part.__dict__ = {name: x[rows] for name, x in self.__dict__.items()}
        return part
