#!/usr/bin/python3
# D-HAN in PyTorch as most people write it: gather, concatenate, nn.Linear, autograd; every pair of an instance and a
# candidate computed by itself. Training steps with AdamW, then scores without gradients; prints one JSON line.
import math

import torch
from torch import nn
from torch.nn import functional

import dhan_data as dd
import dhan_run


class Block(nn.Module):
    """Eqs. (1)-(5): attention among a stack of tokens, pooled to one vector."""

    def __init__(self, inputs, tokens):
        super().__init__()
        h = dd.HIDDEN
        self.input, self.leave, self.pool = nn.Linear(inputs, h), nn.Linear(h, dd.WIDTH), nn.Linear(tokens, 1)
        self.query, self.key, self.value, self.output = (nn.Linear(h, h) for _ in range(4))
        self.norm = nn.LayerNorm(h)

    def forward(self, x, drop):
        x = self.input(x)                                                                   # [..., T, h]
        weights = torch.softmax(self.query(x) @ self.key(x).transpose(-1, -2) / math.sqrt(dd.HIDDEN), dim=-1)
        y = self.norm(x + drop(self.output(drop(weights) @ self.value(x))))
        return self.leave(self.pool(y.transpose(-1, -2)).squeeze(-1))


class Layer(nn.Module):
    """Eq. (7)."""

    def __init__(self):
        super().__init__()
        h = dd.HIDDEN
        self.query, self.key, self.value, self.output = (nn.Linear(h, h) for _ in range(4))
        self.norm1, self.norm2 = nn.LayerNorm(h), nn.LayerNorm(h)
        self.inner, self.outer = nn.Linear(h, dd.INNER), nn.Linear(dd.INNER, h)

    def forward(self, x, drop):
        weights = torch.softmax(self.query(x) @ self.key(x).transpose(-1, -2) / math.sqrt(dd.HIDDEN), dim=-1)
        x = self.norm1(x + drop(self.output(drop(weights) @ self.value(x))))
        return self.norm2(x + drop(self.outer(functional.gelu(self.inner(x)))))


class Dhan(nn.Module):
    def __init__(self, articles, dropout):
        super().__init__()
        self.articles, self.dropout = articles, dropout
        d, h = dd.WIDTH, dd.HIDDEN
        self.user_id, self.article_id = nn.Embedding(dd.USERS + 1, d), nn.Embedding(dd.ARTICLES + 1, d)
        self.absolute = nn.ModuleList(nn.Embedding(rows, width) for _, rows, width in dd.FIELDS)
        self.relative = nn.ModuleList(nn.Embedding(2 * rows, width) for _, rows, width in dd.FIELDS)
        self.sentence, self.element = Block(d, dd.SENTENCES + 2), Block(2 * d, dd.ELEMENTS)
        self.sequence = nn.Linear(2 * (3 * d + h) + h + d, h)
        self.layers = nn.ModuleList(Layer() for _ in range(3))  # eq. (7) and the summary
        self.head = nn.Linear(dd.LENGTH * h + 4 * d, dd.HEAD)
        self.second, self.last = nn.Linear(dd.HEAD, dd.HEAD // 2), nn.Linear(dd.HEAD // 2, 1)
        for table in (self.user_id, self.article_id):
            nn.init.normal_(table.weight, std=0.02)

    def drop(self, x):
        return functional.dropout(x, self.dropout) if self.training else x

    def forward(self, clicks):
        """Logits [n, C]."""
        n, C, L = *clicks.candidate.shape, dd.LENGTH
        of_pair = lambda x: x.unsqueeze(1).expand(n, C, *x.shape[1:])        # from an instance to its pairs
        of_item = lambda x: x.unsqueeze(2).expand(n, C, L, *x.shape[2:])     # from a pair to its history
        joined = lambda tables, rows: torch.cat([t(rows[..., f]) for f, t in enumerate(tables)], dim=-1)
        user, a = self.user_id(clicks.user), self.articles
        text, element = a.sentence_mean[clicks.candidate], a.element[clicks.candidate]        # [n, C, d], [n, C, 5, d]
        g_c = torch.cat([text, self.article_id(clicks.candidate), a.element_mean[clicks.candidate]], dim=-1)

        others = torch.stack([of_item(text), of_item(of_pair(user))], dim=3)                 # [n, C, L, 2, d]
        s = self.sentence(torch.cat([of_pair(a.sentence[clicks.article]), others], dim=3), self.drop)
        e = self.element(torch.cat([of_pair(a.element[clicks.article]), of_item(element)], dim=-1), self.drop)
        history = torch.cat([self.article_id(clicks.article), joined(self.absolute, clicks.absolute),
                             joined(self.relative, clicks.relative)], dim=-1)
        candidate = torch.cat([g_c, of_pair(joined(self.absolute, clicks.now)), of_pair(user)], dim=-1)
        x = self.sequence(torch.cat([s, e, of_pair(history), of_item(candidate)], dim=-1))   # [n, C, L, h]
        for layer in self.layers:
            x = layer(x, self.drop)
        f = torch.cat([x.flatten(2), g_c, of_pair(user)], dim=-1)
        return self.last(torch.relu(self.second(torch.relu(self.head(f))))).squeeze(-1)

    score = forward


if __name__ == "__main__":
    dhan_run.main("plain", Dhan, micro=32, together=1)
