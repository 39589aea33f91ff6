# What the two D-HAN programs of the comparison share, so that they differ in the model alone: optimiser steps cut over
# data-parallel processes, scoring, the clock, and the one JSON line.
import argparse
import json
import os
import time

import torch
from torch.nn import functional

import dhan_data as dd
import kred_run

LR, DECAY, CLIP = 1e-3, 1e-4, 1.0


def arguments(program, micro, together):
    parser = argparse.ArgumentParser(description=f"D-HAN training and scoring in PyTorch ({program}), timed.")
    parser.add_argument("--steps", type=int, default=20, help="optimiser steps of 256 instances")
    parser.add_argument("--score", type=int, default=200, help="instances to score, 100 candidates each")
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--micro", type=int, default=micro, help="instances a process trains on at a time")
    parser.add_argument("--together", type=int, default=together, help="instances a process scores at a time")
    return kred_run.crew(parser)


class Team(kred_run.Team):
    """AdamW that decays neither biases nor norms, after clipping the norm of all gradients."""

    def __init__(self, model, workers):
        decays = lambda name, p: not name.endswith("bias") and "norm" not in name
        named = sorted(model.named_parameters(), key=lambda item: not decays(*item))  # those that decay come first
        self.decayed = sum(p.numel() for name, p in named if decays(name, p))
        super().__init__([p for _, p in named], workers)
        self.norms = torch.zeros(workers).share_memory_()

    def optimiser(self, mine):
        return torch.optim.Adam([mine], lr=LR, eps=1e-6)

    def seconds(self, work):
        """Wall seconds, CPU seconds of all processes but for waiting at the end, and what work returned."""
        began = time.process_time()
        wall, (cpu, result) = super().seconds(lambda: (work(), time.process_time())[::-1])
        return wall, self.sum(torch.tensor([cpu - began])).item(), result

    def step(self):
        self.meet()
        torch.sum(self.gradients[:, self.part], 0, out=self.mine.grad)
        self.norms[self.rank] = self.mine.grad.norm()
        self.meet()
        self.gradients[self.rank].zero_()
        self.mine.grad.mul_(min(1.0, CLIP / (self.norms.norm().item() + 1e-6)))
        self.values[self.part.start:min(self.part.stop, self.decayed)].mul_(1 - LR * DECAY)
        self.adam.step()
        self.meet()


def loss(z):
    """Eq. (9), means of both sides, of [n, C] logits with the clicked candidate first; summed over n."""
    return -(functional.logsigmoid(z[:, 0]) + functional.logsigmoid(-z[:, 1:]).mean(1)).sum()


def train(team, model, clicks, micro):
    """One pass; the mean loss of the last step."""
    model.train()
    for rows in torch.arange(len(clicks)).split(dd.BATCH):
        total = 0.0
        for part in team.split(rows).split(micro):
            value = loss(model(clicks[part])) / len(rows)
            value.backward()
            total += value.item()
        team.step()
    return total * team.workers


def score(team, model, clicks, together):
    """Logits of this process's share, [., C]."""
    model.eval()
    with torch.no_grad():
        return torch.cat([model.score(clicks[part]) for part in team.split(torch.arange(len(clicks))).split(together)])


def main(program, build, micro, together):
    options = arguments(program, micro, together)
    articles = dd.Articles(options.seed)
    model = build(articles, options.dropout)
    parameters = sum(p.numel() for p in model.parameters())
    team = Team(model, options.workers)
    warm = dd.Clicks(dd.BATCH, 1 + dd.NEGATIVES, options.seed + 1)
    clicks = dd.Clicks(options.steps * dd.BATCH, 1 + dd.NEGATIVES, options.seed)
    to_score = dd.Clicks(options.score, dd.CANDIDATES, options.seed)

    def work():
        torch.manual_seed(options.seed + team.rank)  # dropout differs between processes
        train(team, model, warm, options.micro)
        *train_seconds, last = team.seconds(lambda: train(team, model, clicks, options.micro))
        score(team, model, to_score[:4 * options.workers], options.together)
        *score_seconds, z = team.seconds(lambda: score(team, model, to_score, options.together))
        return train_seconds, last, score_seconds, z.mean().item()

    train_seconds, last, score_seconds, mean = team.run(work)
    pairs = len(to_score) * dd.CANDIDATES
    figures = {"program": program, "instances_per_second": len(clicks) / train_seconds[0],
               "pairs_per_second": pairs / score_seconds[0],
               "instances_per_cpu_second": len(clicks) / train_seconds[1],
               "pairs_per_cpu_second": pairs / score_seconds[1], "instances": len(clicks), "pairs": pairs,
               "dropout": options.dropout, "loss_last": last, "mean_score": mean, "parameters": parameters,
               "torch": torch.__version__, "blas": kred_run.blas(), "threads": options.threads,
               "workers": options.workers, "load": os.getloadavg()[0]}
    print(json.dumps({k: float(f"{v:.5g}") if isinstance(v, float) else v for k, v in figures.items()}))
