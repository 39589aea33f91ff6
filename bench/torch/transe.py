# TransE in PyTorch as kg-transe's preset `best` has it (lib/models/transe.h): L2 distance, the self-adversarial loss, 64
# replacements that 64 triples share, one side of a triple replaced by a fair coin, Adam on the rows of a batch alone.
# Distances come from products, |q - e|^2 = |q|^2 + |e|^2 - 2 qe, as 64 queries meet 64 replacements.
import os

import torch
from torch import nn
from torch.nn import functional

DIM, BATCH, CHUNK, DRAWN, MARGIN, TEMPERATURE = 90, 2048, 64, 64, 5.0, 3.0
LR, FINAL_LR, START = 0.01, 0.001, 0.1


def read(folder):
    """(head, relation, tail of train.txt as rows of tables, entities, relations)."""
    lines = [line.split() for line in open(os.path.join(folder, "train.txt"), encoding="utf-8")]
    names = lambda *columns: {name: row for row, name in enumerate(sorted({line[c] for line in lines for c in columns}))}
    entity, relation = names(0, 2), names(1)
    rows = [(entity[h], relation[r], entity[t]) for h, r, t in lines]
    return torch.tensor(rows).t().contiguous(), len(entity), len(relation)


class Transe(nn.Module):
    def __init__(self, entities, relations):
        super().__init__()
        self.entity = nn.Embedding(entities, DIM, sparse=True)
        self.relation = nn.Embedding(relations, DIM, sparse=True)
        for table in (self.entity, self.relation):
            nn.init.uniform_(table.weight, -START, START)

    def forward(self, head, relation, tail):
        """The summed loss of whole chunks of triples."""
        tail_first = torch.rand(len(head), device=head.device) < 0.5
        sign = tail_first.float().mul_(2).sub_(1).unsqueeze(1)
        drawn = torch.randint(self.entity.num_embeddings, (len(head) // CHUNK * DRAWN,), device=head.device)
        anchor, answer, other = self.entity(torch.cat([torch.where(tail_first, head, tail),
                                                       torch.where(tail_first, tail, head), drawn])) \
            .split([len(head), len(head), len(drawn)])
        query = torch.addcmul(anchor, sign, self.relation(relation))
        distance = (query - answer).square().sum(1).clamp_min(1e-12).sqrt()
        queries, others = query.view(-1, CHUNK, DIM), other.view(-1, DRAWN, DIM)
        squares = queries.square().sum(2, keepdim=True) + others.square().sum(2).unsqueeze(1)
        distances = torch.baddbmm(squares, queries, others.transpose(1, 2), alpha=-2).clamp_min(1e-12).sqrt()
        p = torch.softmax(-TEMPERATURE * distances.detach(), 2)
        return -functional.logsigmoid(MARGIN - distance).sum() - (p * functional.logsigmoid(distances - MARGIN)).sum()


class Training:
    """Epochs of a run that would have `epochs`: the learning rate falls linearly from the first step to the last. What
    is left of an epoch's triples when it is cut into chunks waits for the next."""

    def __init__(self, model, triples, epochs):
        self.model, self.triples = model, triples
        self.adam = torch.optim.SparseAdam(list(model.parameters()), lr=LR)
        self.steps, self.step = epochs * -(-triples.shape[1] // BATCH), 0

    def epoch(self):
        """The mean loss, and how many triples it is of."""
        shuffled = self.triples[:, torch.randperm(self.triples.shape[1], device=self.triples.device)]
        losses, done = [], 0
        for batch in shuffled.split(BATCH, dim=1):
            batch = batch[:, :batch.shape[1] // CHUNK * CHUNK]
            self.adam.zero_grad()
            loss = self.model(*batch)
            loss.backward()
            for group in self.adam.param_groups:
                group["lr"] = LR + (FINAL_LR - LR) * self.step / max(1, self.steps - 1)
            self.adam.step()
            self.step += 1
            losses.append(loss.detach())
            done += batch.shape[1]
        return torch.stack(losses).sum().item() / done, done
