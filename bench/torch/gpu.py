#!/usr/bin/python3
# The PyTorch programs on one device: one process, one optimiser over all parameters, batches as our programs have them.
# First the plain and the fast model of KRED or D-HAN are compared on that device, then each is timed. Prints a JSON line
# a program, with the figures of run.sh's, their names led by the program's. Float32 all through: no TF32 products.
import argparse
import json
import time

import torch

import dhan_data as dd
import dhan_fast
import dhan_plain
import dhan_run
import dhan_same
import kred_data as kd
import kred_fast
import kred_plain
import kred_same
import transe
from kred_data import on_device


def seconds(device, work):
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    began = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - began


def best_of_three(device, work):
    """As the C++ program does with KRED's inference."""
    return min(seconds(device, work) for _ in range(3))


def fused(device):
    """All parameters in one kernel, where there is one."""
    return {"fused": True} if device.type == "cuda" else {}


class Alone:
    """kred_run.Team of one process, for what a table needs of it."""
    rank, workers = 0, 1


def time_kred(options, device):
    kred_same.main(options.device)
    data = on_device(kd.Data(options.docs, options.seed), device)
    large = {"batch": 4096} if device.type == "cuda" else {}
    scale = kd.DOCUMENTS / options.docs
    for name, program in (("plain", kred_plain), ("fast", kred_fast)):
        model = program.Kred(data).to(device)
        adam = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-5, **fused(device))

        def train(order):
            for rows in order.split(kd.BATCH):
                adam.zero_grad()
                torch.nn.functional.cross_entropy(model(rows), data.label[rows]).backward()
                adam.step()

        def infer():
            for rows in torch.arange(options.docs, device=device).split(kd.BATCH):
                model(rows)

        train(data.order[:3 * kd.BATCH])
        figures = {"train_seconds": scale * seconds(device, lambda: train(data.order))}
        with torch.no_grad():
            if name == "plain":
                figures["infer_seconds"] = scale * best_of_three(device, infer)
            else:  # its table, of all entities whatever the number of documents, counts like ours
                table = kred_fast.Table(model)
                table.build(Alone, model, **large)
                table.infer(Alone, model, **large)
                figures["infer_seconds"] = best_of_three(device, lambda: table.build(Alone, model, **large)) \
                    + scale * best_of_three(device, lambda: table.infer(Alone, model, **large))
        yield name, figures


def time_dhan(options, device):
    dhan_same.main(options.device)
    articles = on_device(dd.Articles(options.seed), device)
    clicks = on_device(dd.Clicks((2 + options.steps) * dd.BATCH, 1 + dd.NEGATIVES, options.seed), device)
    decays = lambda name: not name.endswith("bias") and "norm" not in name
    for name, program, together in (("plain", dhan_plain, 4), ("fast", dhan_fast, options.together)):
        model = program.Dhan(articles, options.dropout).to(device)
        groups = [{"params": [p for key, p in model.named_parameters() if decays(key) == decay],
                   "weight_decay": dhan_run.DECAY if decay else 0} for decay in (True, False)]
        adam = torch.optim.AdamW(groups, lr=dhan_run.LR, eps=1e-6, **fused(device))
        to_score = on_device(dd.Clicks(together + options.score, dd.CANDIDATES, options.seed), device)

        def train(rows):
            model.train()
            for batch in rows.split(dd.BATCH):
                adam.zero_grad()
                (dhan_run.loss(model(clicks[batch])) / len(batch)).backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), dhan_run.CLIP)
                adam.step()

        def score(rows):
            model.eval()
            with torch.no_grad():
                for batch in rows.split(together):
                    model.score(to_score[batch])

        rows = torch.arange(len(clicks), device=device).split([2 * dd.BATCH, options.steps * dd.BATCH])
        train(rows[0])
        figures = {"instances_per_second": options.steps * dd.BATCH / seconds(device, lambda: train(rows[1]))}
        scored = torch.arange(len(to_score), device=device).split([together, options.score])
        score(scored[0])
        figures["pairs_per_second"] = options.score * dd.CANDIDATES / seconds(device, lambda: score(scored[1]))
        yield name, figures


def time_transe(options, device):
    triples, entities, relations = transe.read(options.triples)
    model = transe.Transe(entities, relations).to(device)
    training = transe.Training(model, triples.to(device), options.epochs + 1)
    training.epoch()
    done, losses = 0, []

    def train():
        nonlocal done
        for _ in range(options.epochs):
            loss, triples = training.epoch()
            losses.append(loss)
            done += triples

    took = seconds(device, train)
    yield "fast", {"triples_per_s": done / took, "loss": losses[-1]}


def main():
    parser = argparse.ArgumentParser(description="KRED, D-HAN and TransE in PyTorch on one device, timed.")
    parser.add_argument("model", choices=("kred", "dhan", "transe"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--docs", type=int, default=kd.DOCUMENTS)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--score", type=int, default=400)
    parser.add_argument("--together", type=int, default=4, help="instances the fast D-HAN scores at a time")
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--triples", help="folder with a graph's train.txt")
    parser.add_argument("--epochs", type=int, default=4)
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print(json.dumps({"skipped": f"PyTorch {torch.__version__} here has no CUDA"}))
        return
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.manual_seed(options.seed)
    for program, figures in {"kred": time_kred, "dhan": time_dhan, "transe": time_transe}[options.model](options, device):
        figures = {f"{program}_{name}": float(f"{value:.5g}") for name, value in figures.items()}
        print(json.dumps(figures | {"torch": torch.__version__}), flush=True)


if __name__ == "__main__":
    main()
