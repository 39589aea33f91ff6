#!/usr/bin/python3
# The plain PyTorch models on one device: one process, one optimiser over all parameters, batches as our programs have
# them. Prints one JSON line with the figures of run.sh's. Float32 all through: no TF32 products.
import argparse
import json
import time

import torch

import dhan_data as dd
import dhan_plain
import dhan_run
import kred_data as kd
import kred_plain


def on_device(thing, device):
    """The data object with its tensors on the device."""
    for name, value in vars(thing).items():
        if isinstance(value, torch.Tensor):
            setattr(thing, name, value.to(device))
    return thing


def seconds(device, work):
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    began = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - began


def kred(options, device):
    data = on_device(kd.Data(options.docs, options.seed), device)
    model = kred_plain.Kred(data).to(device)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-5)

    def train(order):
        for rows in order.split(kd.BATCH):
            adam.zero_grad()
            torch.nn.functional.cross_entropy(model(rows), data.label[rows]).backward()
            adam.step()

    def infer():
        with torch.no_grad():
            for rows in torch.arange(options.docs, device=device).split(kd.BATCH):
                model(rows)

    train(data.order[:3 * kd.BATCH])
    scale = kd.DOCUMENTS / options.docs
    return {"train_seconds": scale * seconds(device, lambda: train(data.order)),
            "infer_seconds": scale * seconds(device, infer)}


def dhan(options, device):
    model = dhan_plain.Dhan(on_device(dd.Articles(options.seed), device), options.dropout).to(device)
    decays = lambda name: not name.endswith("bias") and "norm" not in name
    groups = [{"params": [p for name, p in model.named_parameters() if decays(name) == decay],
               "weight_decay": dhan_run.DECAY if decay else 0} for decay in (True, False)]
    adam = torch.optim.AdamW(groups, lr=dhan_run.LR, eps=1e-6)
    clicks = on_device(dd.Clicks((2 + options.steps) * dd.BATCH, 1 + dd.NEGATIVES, options.seed), device)
    to_score = on_device(dd.Clicks(4 + options.score, dd.CANDIDATES, options.seed), device)

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
            for batch in rows.split(4):
                model(to_score[batch])

    rows = torch.arange(len(clicks), device=device).split([2 * dd.BATCH, options.steps * dd.BATCH])
    train(rows[0])
    train_seconds = seconds(device, lambda: train(rows[1]))
    scored = torch.arange(len(to_score), device=device).split([4, options.score])
    score(scored[0])
    return {"instances_per_second": options.steps * dd.BATCH / train_seconds,
            "pairs_per_second": options.score * dd.CANDIDATES / seconds(device, lambda: score(scored[1]))}


def main():
    parser = argparse.ArgumentParser(description="KRED and D-HAN in plain PyTorch on one device, timed.")
    parser.add_argument("model", choices=("kred", "dhan"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--docs", type=int, default=kd.DOCUMENTS)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--score", type=int, default=400)
    parser.add_argument("--dropout", type=float, default=0.2)
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print(json.dumps({"skipped": f"PyTorch {torch.__version__} here has no CUDA"}))
        return
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.manual_seed(options.seed)
    figures = (kred if options.model == "kred" else dhan)(options, device)
    print(json.dumps({name: float(f"{value:.5g}") for name, value in figures.items()} | {"torch": torch.__version__}))


if __name__ == "__main__":
    main()
