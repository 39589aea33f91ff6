#!/usr/bin/python3
# check.py CASE...: computes every case again in PyTorch and compares with what the C++ wrote (README.md).
# One line a case and one a tensor that differs (--all: one a tensor), then "N passed, N failed"; exit 1 when anything
# failed. --dtype float32 computes in float32.
import argparse
import json
import multiprocessing
import os
import sys

import numpy as np
import torch

import dhan_torch
import kred_torch

TOLERANCE = 1e-4
GRADIENT_FLOOR = 1e-2  # of a case's largest gradient: a smaller one is compared as if it were this large
MOST_LEFT_OUT = 0.05
MODELS = {"kred": kred_torch.Kred, "dhan": dhan_torch.Dhan}
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


def keep_least(least, gradient):
    """Hook of a parameter: least becomes the smaller of itself and |gradient|, value by value."""
    least.copy_(torch.minimum(least, gradient.abs()))


def compute(settings, tensors, dtype):
    """name -> array of everything a case may hold under out., grad. and after.; and parameter -> array of how near to
    zero its gradient came in any step."""
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
    model = MODELS[settings["system"]](settings, inputs, params)
    with torch.no_grad():
        out = model.outputs()
    out["out.score"], loss = model.run(batches[0])
    out["out.loss"] = loss.reshape(1)
    loss.backward()
    for name, p in params.items():
        out["grad." + name] = torch.zeros_like(p) if p.grad is None else p.grad.clone()
    nearest = {name: torch.full_like(p, np.inf) for name, p in params.items()}
    for name, p in params.items():
        p.register_hook(lambda gradient, least=nearest[name]: keep_least(least, gradient))
    out["out.losses"] = model.train(batches, inputs["steps"])
    for name, p in params.items():
        out["after." + name] = p
    return tuple({name: t.detach().numpy() for name, t in of.items()} for of in (out, nearest))


def compare(settings, tensors, dtype):
    """Yields (name, relative difference or None when the case has no such tensor, values left out as undetermined)."""
    theirs, nearest = compute(settings, tensors, dtype)
    largest = max((np.abs(t).max() for name, t in theirs.items() if name.startswith("grad.")), default=0)
    floor = {"grad": GRADIENT_FLOOR * largest, "after": len(tensors["steps"]) * settings["lr"]}
    for name, t in theirs.items():
        ours, group = tensors.get(name), name.split(".")[0]
        if ours is None:
            yield name, None, 0
        elif ours.size != t.size:
            yield name, np.inf, 0
        else:
            scale = max(np.abs(t).max(), floor.get(group, 0), np.finfo(float).tiny)
            difference = np.abs(ours.reshape(t.shape).astype(np.float64) - t) / scale
            difference = np.where(np.isnan(difference), np.inf, difference)
            left_out = 0
            if group == "after":
                is_noise = (nearest[name.removeprefix("after.")] < TOLERANCE * floor["grad"]) & (difference > TOLERANCE)
                difference, left_out = np.where(is_noise, 0, difference), int(is_noise.sum())
            yield name, difference.max(), left_out
    for name in tensors:
        if name.split(".")[0] in ("out", "grad", "after") and name not in theirs:
            yield name, np.inf, 0  # a result that this model does not have


def check(path, dtype, every):
    """(passed, failed, lines) of one case."""
    torch.set_num_threads(1)  # the tensors are tiny
    case, lines = os.path.basename(path).removesuffix(".safetensors"), []
    try:
        settings, tensors = read_safetensors(path)
        differences = list(compare(settings, tensors, dtype))
    except KeyError as missing:
        return 0, 1, [f"{case}: no setting or tensor {missing}"]
    passed = failed = 0
    for name, difference, left_out in differences:
        verdict = "absent" if difference is None else "ok" if difference <= TOLERANCE else "DIFFERS"
        passed += verdict == "ok"
        failed += verdict == "DIFFERS"
        if every or verdict != "ok":
            detail = "" if difference is None else f" {difference:.1e}"
            lines.append(f"{case}: {name}: {verdict}{detail}" + (f", {left_out} undetermined" if left_out else ""))
    left_out = sum(n for _, _, n in differences)
    values = sum(a.size for name, a in tensors.items() if name.startswith("after."))
    if left_out > MOST_LEFT_OUT * values:
        lines.append(f"{case}: DIFFERS: {left_out} of {values} values after the steps undetermined; change the case")
        failed += 1
    farthest = max((x for _, x, _ in differences if x is not None and x <= TOLERANCE), default=np.nan)
    lines.append(f"{case}: {passed} tensors within {farthest:.0e}, {failed} not"
                 + (f", {left_out} of {values} values undetermined" if left_out else ""))
    return passed, failed, lines


def main():
    parser = argparse.ArgumentParser(description="Compare cases that the C++ wrote with independent PyTorch models.")
    parser.add_argument("case", nargs="+")
    parser.add_argument("--dtype", choices=["float64", "float32"], default="float64")
    parser.add_argument("--all", action="store_true", help="a line for every tensor")
    options = parser.parse_args()
    passed = failed = 0
    with multiprocessing.Pool(len(os.sched_getaffinity(0))) as pool:
        jobs = [(path, getattr(torch, options.dtype), options.all) for path in options.case]
        for case_passed, case_failed, lines in pool.starmap(check, jobs, chunksize=1):
            passed, failed = passed + case_passed, failed + case_failed
            print("\n".join(lines))
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0 or passed == 0)


if __name__ == "__main__":
    main()
