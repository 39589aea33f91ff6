#!/usr/bin/python3
# kred_check.py CASE...: computes every case again in PyTorch and compares with what the C++ wrote (README.md).
# One line a tensor, then "N passed, N failed"; exit 1 when anything failed. --dtype float32 computes in float32.
import argparse
import json
import sys

import numpy as np
import torch

import kred_torch

TOLERANCE = 1e-4
MOST_LEFT_OUT = 0.05
DTYPES = {"F64": "<f8", "I64": "<i8", "F32": "<f4", "I32": "<i4", "U8": "u1"}


def read_safetensors(path):
    """(settings, name -> array) of one of our files, in plain numpy."""
    with open(path, "rb") as f:
        data = f.read()
    n = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + n])
    settings = json.loads(header.pop("__metadata__")["nd.options"])
    tensors = {}
    for name, t in header.items():
        start, end = t["data_offsets"]
        tensors[name] = np.frombuffer(data[8 + n + start:8 + n + end], DTYPES[t["dtype"]]).reshape(t["shape"])
    return settings, tensors


def compute(settings, tensors, dtype):
    """name -> array of everything a case may hold under out., grad. and after."""
    as_torch = lambda a: torch.tensor(a, dtype=dtype if a.dtype.kind == "f" else None)
    inputs, params, batches = {}, {}, {}
    for name, array in tensors.items():
        group, _, rest = name.partition(".")
        if group == "param":
            params[rest] = as_torch(array).requires_grad_()
        elif group == "batch":
            k, _, column = rest.partition(".")
            batches.setdefault(int(k), {})[column] = as_torch(array)
        elif group not in ("out", "grad", "after"):
            inputs[name] = as_torch(array)
    model = kred_torch.Kred(settings, inputs, params)
    out = {}
    with torch.no_grad():
        out["out.document"] = model.documents(range(len(inputs["document_x"])))
    out["out.score"], loss = model.run(batches[0])
    out["out.loss"] = loss.reshape(1)
    loss.backward()
    for name, p in params.items():
        out["grad." + name] = torch.zeros_like(p) if p.grad is None else p.grad.clone()
    out["out.losses"] = kred_torch.train(model, batches, inputs["steps"])
    for name, p in params.items():
        out["after." + name] = p
    return {name: t.detach().numpy() for name, t in out.items()}


def compare(settings, tensors, dtype):
    """Yields (name, relative difference or None when the case has no such tensor, values left out as undetermined)."""
    theirs, single = compute(settings, tensors, dtype), compute(settings, tensors, torch.float32)
    largest = max((np.abs(t).max() for name, t in theirs.items() if name.startswith("grad.")), default=0)
    floor = {"grad": 1e-2 * largest, "after": len(tensors["steps"]) * settings["lr"]}
    for name, t in theirs.items():
        ours, group = tensors.get(name), name.split(".")[0]
        if ours is None:
            yield name, None, 0
        elif ours.size != t.size:
            yield name, np.inf, 0
        else:
            scale = max(np.abs(t).max(), floor.get(group, 0), np.finfo(float).tiny)
            difference = np.abs(ours.reshape(t.shape).astype(np.float64) - t) / scale
            noise = np.abs(single[name].astype(np.float64) - t) / scale > 0.1 * TOLERANCE
            noise &= group == "after"
            difference = np.where(np.isnan(difference), np.inf, np.where(noise, 0, difference))
            yield name, difference.max(), int(noise.sum())
    for name in tensors:
        if name.split(".")[0] in ("out", "grad", "after") and name not in theirs:
            yield name, np.inf, 0  # a result that this model does not have


def check(path, dtype):
    """Prints the lines of one case; returns (passed, failed)."""
    passed = failed = 0
    try:
        settings, tensors = read_safetensors(path)
        differences = list(compare(settings, tensors, dtype))
    except KeyError as missing:
        print(f"{path}: no setting or tensor {missing}")
        return 0, 1
    for name, difference, left_out in differences:
        verdict = "absent" if difference is None else "ok" if difference <= TOLERANCE else "DIFFERS"
        passed += verdict == "ok"
        failed += verdict == "DIFFERS"
        detail = "" if difference is None else f" {difference:.1e}"
        print(f"{path}: {name}: {verdict}{detail}" + (f", {left_out} undetermined" if left_out else ""))
    left_out = sum(n for _, _, n in differences)
    values = sum(a.size for name, a in tensors.items() if name.startswith("after."))
    if left_out > MOST_LEFT_OUT * values:
        print(f"{path}: DIFFERS: {left_out} of {values} values after the steps are undetermined; change the case")
        failed += 1
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description="Compare cases that kred_dump wrote with an independent PyTorch KRED.")
    parser.add_argument("case", nargs="+")
    parser.add_argument("--dtype", choices=["float64", "float32"], default="float64")
    options = parser.parse_args()
    results = [check(path, getattr(torch, options.dtype)) for path in options.case]
    passed, failed = (sum(column) for column in zip(*results))
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0 or passed == 0)


if __name__ == "__main__":
    main()
