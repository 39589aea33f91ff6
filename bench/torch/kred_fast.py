#!/usr/bin/python3
# KRED in PyTorch with the algebra of our own implementation: every entity of a batch once, first layers factored
# (W1 [h; r; t] = W1h h + W1r r + W1t t, likewise [e; v]), a hand-written gradient where autograd would pass over the
# large arrays more often, and a table of entity vectors for inference. One epoch of the category task, then all
# articles once more; prints one JSON line. The biases that a softmax cancels are left out.
import numpy as np
import torch
from torch import nn
from torch.nn import functional

import kred_data as kd
import kred_run

N, H = kd.NEIGHBOURS, kd.HIDDEN


def distinct(ids):
    """(the different ids [u], the place of each id among them, shaped as ids)."""
    if ids.is_cuda:
        return torch.unique(ids, return_inverse=True)
    unique, place = np.unique(ids.numpy(), return_inverse=True)
    return torch.from_numpy(unique), torch.from_numpy(place).view_as(ids)


def added_up(g, index, rows):
    """Rows of g summed up by index: [rows, .]. On a CPU index_put_ does it several times faster than the built-in
    gradients, on a GPU index_add_."""
    sums = g.new_zeros(rows, g.shape[1])
    return sums.index_add_(0, index, g) if g.is_cuda else sums.index_put_((index,), g, accumulate=True)


class Gather(torch.autograd.Function):
    """Rows of a table."""

    @staticmethod
    def forward(ctx, table, index):
        ctx.save_for_backward(index)
        ctx.rows = len(table)
        return table.index_select(0, index)

    @staticmethod
    def backward(ctx, g):
        return added_up(g, *ctx.saved_tensors, ctx.rows), None


def attend(from_head, from_relation, w1_tail, w2, tails, relations):
    """Eqs 2-3 and the sum of eq 1 for u heads: (ReLU layer [20u, H], weights [u, 20], sums [u, d])."""
    hidden = from_relation.index_select(0, relations).addmm_(tails, w1_tail)
    hidden.view(-1, N, H).add_(from_head.unsqueeze(1)).relu_()
    pi = torch.softmax(torch.mv(hidden, w2).view(-1, N), 1)
    every = torch.arange(len(tails), device=tails.device)
    return hidden, pi, functional.embedding_bag(every, tails, every[::N], mode="sum", per_sample_weights=pi.flatten())


class Neighbours(torch.autograd.Function):
    """attend() with its gradient. With m = 1[hidden > 0], the gradient of the layer before the ReLU is
    s_i w2_j m_ij for the gradient s of the scores: w2 is applied after the sums, and m s overwrites hidden."""

    @staticmethod
    def forward(ctx, from_head, from_relation, w1_tail, w2, tails, relations):
        ctx.hidden, ctx.pi, sums = attend(from_head, from_relation, w1_tail, w2, tails, relations)
        ctx.save_for_backward(w2, tails, relations)
        ctx.relation_rows = len(from_relation)
        return sums

    @staticmethod
    def backward(ctx, g):
        w2, tails, relations = ctx.saved_tensors
        pi, hidden = ctx.pi, ctx.hidden
        g_pi = (tails.view(len(pi), N, -1) * g.unsqueeze(1)).sum(2)
        s = (pi * (g_pi - (pi * g_pi).sum(1, keepdim=True))).view(-1, 1)
        g_w2 = torch.mv(hidden.t(), s.flatten())
        m = hidden.sign_().mul_(s)
        g_relation = added_up(m, relations, ctx.relation_rows)
        return (m.view(-1, N, H).sum(1) * w2, g_relation.mul_(w2), torch.mm(tails.t(), m).mul_(w2), g_w2, None, None)


class Kred(nn.Module):
    def __init__(self, data):
        super().__init__()
        self.data = data
        self.context = (data.position * kd.FREQUENCIES + data.frequency) * kd.TYPES + data.type
        d, D, K = kd.D_ENTITY, kd.D_BASE, kd.D_OUT
        shapes = dict(kgat_head=(d, H), kgat_relation=(d, H), kgat_tail=(d, H), kgat_b1=(H,), kgat_w2=(H,),
                      kgat_self=(d, d), kgat_neighbours=(d, d),
                      position=(kd.POSITIONS, d), frequency=(kd.FREQUENCIES, d), kind=(kd.TYPES, d),
                      distill_entity=(d, H), distill_w2=(H,), out_entity=(d, K),
                      base=(D, H + K), base_b=(H + K,),  # of distillation and output side by side: one product
                      head_w1=(K, H), head_b1=(H,), head_w2=(H, kd.CLASSES), head_b2=(kd.CLASSES,))
        for name, shape in shapes.items():
            p = torch.empty(shape)
            if len(shape) == 2:
                nn.init.xavier_uniform_(p)
            else:
                nn.init.normal_(p, std=0.1) if name.endswith("w2") else nn.init.zeros_(p)
            self.register_parameter(name, nn.Parameter(p))

    def entities(self, head):
        """Eqs 1-3 for distinct heads [u]: [u, d]."""
        data = self.data
        e_h = data.entity.index_select(0, head)
        tails = data.entity.index_select(0, data.tail.index_select(0, head).flatten())
        relations = data.tail_relation.index_select(0, head).flatten()
        sums = Neighbours.apply(torch.addmm(self.kgat_b1, e_h, self.kgat_head), data.relation @ self.kgat_relation,
                                self.kgat_tail, self.kgat_w2, tails, relations)
        return torch.addmm(e_h @ self.kgat_self, sums, self.kgat_neighbours).relu_()

    def contexts(self):
        """The sum of eq 4's three tables for every combination: [880, d]."""
        sums = self.position[:, None, None] + self.frequency[None, :, None] + self.kind[None, None]
        return sums.view(-1, kd.D_ENTITY)

    def documents(self, rows, e_n, place):
        """Eqs 4-8 and the category head for articles whose k-th entity is row place[., k] of e_n: logits [n, 15]."""
        e = Gather.apply(e_n, place.flatten()) + Gather.apply(self.contexts(), self.context[rows].flatten())  # [24n, d]
        by_query, by_out = torch.addmm(self.base_b, self.data.base[rows], self.base).split([H, kd.D_OUT], dim=1)
        hidden = ((e @ self.distill_entity).view(-1, kd.LINKS, H) + by_query.unsqueeze(1)).relu_()
        a = torch.softmax(hidden @ self.distill_w2, 1)
        e_o = (a.unsqueeze(2) * e.view(-1, kd.LINKS, kd.D_ENTITY)).sum(1)
        return self.classify(torch.addmm(by_out, e_o, self.out_entity).tanh_())

    def forward(self, rows):
        head, place = distinct(self.data.head[rows])
        return self.documents(rows, self.entities(head), place)

    def classify(self, v):
        return torch.addmm(self.head_b2, torch.addmm(self.head_b1, v, self.head_w1).relu_(), self.head_w2)


class Trainer:
    """The gradients of one batch. The processes of a team share its distinct heads, then its articles."""

    def __init__(self, team, model):
        self.team, self.model = team, model
        self.e = torch.empty(kd.BATCH * kd.LINKS, kd.D_ENTITY).share_memory_()
        self.g = torch.empty(team.workers, *self.e.shape).share_memory_()

    def gradients(self, rows):
        team, model = self.team, self.model
        head, place = distinct(model.data.head[rows])
        e_mine = model.entities(team.split(head))
        team.split(self.e[:len(head)]).copy_(e_mine.detach())
        team.meet()
        e = self.e[:len(head)].requires_grad_()
        mine = team.split(rows)
        logits = model.documents(mine, e, team.split(place))
        loss = functional.cross_entropy(logits, model.data.label[mine], reduction="sum") / len(rows)
        loss.backward()
        self.g[team.rank, :len(head)] = e.grad
        team.meet()
        e_mine.backward(sum(team.split(g[:len(head)]) for g in self.g))
        return loss.detach()


class Table:
    """For inference: vectors of all heads, then of all contexts (e), and their products with W1' (query)."""

    def __init__(self, model):
        rows = kd.HEADS + kd.POSITIONS * kd.FREQUENCIES * kd.TYPES
        device = model.kgat_b1.device
        self.e, self.query = (torch.empty(rows, width, device=device).share_memory_() for width in (kd.D_ENTITY, H))
        self.links = torch.stack([model.data.head, model.context + kd.HEADS], dim=2)  # rows of e, [documents, 24, 2]

    def build(self, team, model, batch=256):
        """A batch of the default's size stays in a CPU's second-level cache."""
        data, end = model.data, kd.HEADS * (team.rank + 1) // team.workers
        from_relation = torch.addmm(model.kgat_b1, data.relation, model.kgat_relation)
        for at in range(kd.HEADS * team.rank // team.workers, end, batch):
            rows = slice(at, min(at + batch, end))
            tails = data.entity.index_select(0, data.tail[rows].flatten())
            _, _, sums = attend(data.entity[rows] @ model.kgat_head, from_relation, model.kgat_tail, model.kgat_w2,
                                tails, data.tail_relation[rows].flatten())
            torch.addmm(data.entity[rows] @ model.kgat_self, sums, model.kgat_neighbours, out=self.e[rows]).relu_()
            torch.mm(self.e[rows], model.distill_entity, out=self.query[rows])
        if team.rank == 0:
            self.e[kd.HEADS:] = model.contexts()
            torch.mm(self.e[kd.HEADS:], model.distill_entity, out=self.query[kd.HEADS:])

    def infer(self, team, model, batch=256):
        """Eqs 4-8 and the category head for this process's part of all articles: logits."""
        data, logits, end = model.data, [], len(model.data.base) * (team.rank + 1) // team.workers
        for at in range(len(model.data.base) * team.rank // team.workers, end, batch):
            rows = slice(at, min(at + batch, end))
            by_query, by_out = torch.addmm(model.base_b, data.base[rows], model.base).split([H, kd.D_OUT], dim=1)
            hidden = functional.embedding_bag(self.links[rows].view(-1, 2), self.query, mode="sum")
            hidden = hidden.view(-1, kd.LINKS, H).add_(by_query.unsqueeze(1)).relu_()
            a = torch.softmax(torch.mv(hidden.view(-1, H), model.distill_w2).view(-1, kd.LINKS), 1)
            e_o = functional.embedding_bag(self.links[rows].view(len(a), -1), self.e, mode="sum",
                                           per_sample_weights=a.repeat_interleave(2, dim=1))
            logits.append(model.classify(torch.addmm(by_out, e_o, model.out_entity).tanh_()))
        return torch.cat(logits)


def main():
    options = kred_run.arguments("KRED training and inference in PyTorch with the algebra of the C++ program, timed.")
    data = kd.Data(options.docs, options.seed)
    model = Kred(data)
    team = kred_run.Team(list(model.parameters()), options.workers)
    trainer, table = Trainer(team, model), Table(model)

    def work():
        kred_run.warm_up(team, data, trainer.gradients)
        train_seconds, losses = team.seconds(lambda: kred_run.train(team, data, trainer.gradients))
        with torch.no_grad():
            # The best of three, as with the C++ program.
            table_seconds = min(team.seconds(lambda: table.build(team, model))[0] for _ in range(3))
            infer_seconds, logits = min((team.seconds(lambda: table.infer(team, model)) for _ in range(3)),
                                        key=lambda run: run[0])
            if team.rank == 0:
                torch.testing.assert_close(logits[:kd.BATCH], model(torch.arange(kd.BATCH)), rtol=1e-3, atol=1e-4)
        return losses, {"train_seconds": train_seconds, "table_seconds": table_seconds, "infer_seconds": infer_seconds}

    kred_run.report("fast", options, data, *team.run(work), unscaled=["table_seconds"])


if __name__ == "__main__":
    main()
