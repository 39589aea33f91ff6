#!/usr/bin/python3
# KRED in PyTorch as most people write it: gather, concatenate, nn.Linear, autograd. One epoch of the category task,
# then all articles once more without gradients; prints one JSON line. Every article has as many entities and every
# entity as many neighbours here, so there is no padding to mask.
import torch
from torch import nn

import kred_data as kd
import kred_run


class Kred(nn.Module):
    def __init__(self, data):
        super().__init__()
        self.data = data
        d, D, H = kd.D_ENTITY, kd.D_BASE, kd.HIDDEN
        self.kgat_1, self.kgat_2 = nn.Linear(3 * d, H), nn.Linear(H, 1)
        self.kgat_0 = nn.Linear(2 * d, d, bias=False)
        self.position, self.frequency = nn.Embedding(kd.POSITIONS, d), nn.Embedding(kd.FREQUENCIES, d)
        self.kind = nn.Embedding(kd.TYPES, d)
        self.distill_1, self.distill_2 = nn.Linear(d + D, H), nn.Linear(H, 1)
        self.out = nn.Linear(d + D, kd.D_OUT)
        self.head = nn.Sequential(nn.Linear(kd.D_OUT, H), nn.ReLU(), nn.Linear(H, kd.CLASSES))
        for p in self.parameters():
            nn.init.xavier_uniform_(p) if p.dim() == 2 else nn.init.zeros_(p)

    def entities(self, head):
        """Eqs 1-3 for head [n]: [n, d]."""
        e_h = self.data.entity[head]                                             # [n, d]
        e_r = self.data.relation[self.data.tail_relation[head]]                  # [n, 20, d]
        e_t = self.data.entity[self.data.tail[head]]                             # [n, 20, d]
        triple = torch.cat([e_h.unsqueeze(1).expand_as(e_t), e_r, e_t], dim=2)   # [n, 20, 3d]
        pi = torch.softmax(self.kgat_2(torch.relu(self.kgat_1(triple))), dim=1)  # [n, 20, 1]
        return torch.relu(self.kgat_0(torch.cat([e_h, (pi * e_t).sum(1)], dim=1)))

    def forward(self, rows):
        """Eqs 4-8 and the category head: logits [n, 15]."""
        data = self.data
        e = self.entities(data.head[rows].flatten()).view(len(rows), kd.LINKS, -1)
        e = e + self.position(data.position[rows]) + self.frequency(data.frequency[rows]) + self.kind(data.type[rows])
        v = data.base[rows]                                                      # [n, D]
        query = torch.cat([e, v.unsqueeze(1).expand(-1, kd.LINKS, -1)], dim=2)   # [n, 24, d + D]
        a = torch.softmax(self.distill_2(torch.relu(self.distill_1(query))), dim=1)
        return self.head(torch.tanh(self.out(torch.cat([(a * e).sum(1), v], dim=1))))


def gradients(team, model, rows):
    mine = team.split(rows)
    loss = nn.functional.cross_entropy(model(mine), model.data.label[mine], reduction="sum") / len(rows)
    loss.backward()
    return loss.detach()


def infer(team, model, data):
    with torch.no_grad():
        for rows in torch.arange(len(data.base)).split(kd.BATCH):
            model(team.split(rows))


def main():
    options = kred_run.arguments("KRED training and inference in plain PyTorch, timed.")
    data = kd.Data(options.docs, options.seed)
    model = Kred(data)
    team = kred_run.Team(list(model.parameters()), options.workers)

    def work():
        step = lambda rows: gradients(team, model, rows)
        kred_run.warm_up(team, data, step)
        train_seconds, losses = team.seconds(lambda: kred_run.train(team, data, step))
        infer_seconds, _ = team.seconds(lambda: infer(team, model, data))
        return losses, {"train_seconds": train_seconds, "infer_seconds": infer_seconds}

    kred_run.report("plain", options, data, *team.run(work))


if __name__ == "__main__":
    main()
