#!/usr/bin/python3
# kred_selftest.py: does the checker notice? Small random cases of every setting, computed in float32 by kred_torch.py
# itself, must pass; the same cases against a kred_torch.py with one line altered must fail. No C++ takes part.
import json
import os
import sys
import tempfile
import types

import numpy as np
import torch

import check
import kred_torch

BASE = {"system": "kred", "task": "user2item", "model": "kred", "kgat": "softmax", "context": "on",
        "distill": "attention", "no_entity": "zero", "user_attn": "mlp", "predictor": "mlp", "bound": "sigmoid",
        "gamma": 10, "lr": 1e-3, "l2": 1e-5, "l2_mode": "coupled"}
CASES = {  # what differs from BASE
    "user2item": {}, "category": {"task": "category"},
    "kgat-mean": {"kgat": "mean"}, "kgat-sum": {"kgat": "sum"}, "without-kgat": {"kgat": "off"},
    "without-context": {"context": "off"}, "without-distill": {"distill": "mean"}, "distill-sum": {"distill": "sum"},
    "distill-max": {"distill": "max"}, "no-entity-learned": {"no_entity": "learned"},
    "dv": {"model": "dv"}, "dv-entity": {"model": "dv-entity"}, "user-linear": {"user_attn": "linear"},
    "predictor-dot": {"predictor": "dot", "bound": "none"}, "predictor-cos": {"predictor": "cos", "bound": "none"},
    "predictor-linear": {"predictor": "linear"}, "decoupled": {"l2_mode": "decoupled", "l2": 0.1},
}
ALTERED = {  # case: (a line of kred_torch.py, what it becomes) that this case must notice
    "user2item": [
        ("torch.relu(x @ w1 + b1)", "torch.tanh(x @ w1 + b1)"),
        ("(pi * e_t).sum(0)", "(pi * e_r).sum(0)"),
        ("torch.relu(torch.cat([e_h, gathered]) @ w0)", "torch.cat([e_h, gathered]) @ w0"),
        ("torch.cat([e_h.expand_as(e_t), e_r, e_t], dim=1)", "torch.cat([e_h.expand_as(e_t), e_t, e_r], dim=1)"),
        ("frequency[f - 1]", "frequency[0]"),
        ("min(int(self.x[\"link_frequency\"][link]), len(frequency))", "min(int(self.x[\"link_frequency\"][link]), 3)"),
        ("kind[t if t >= 0 else len(kind) - 1]", "kind[max(t, 0)]"),
        ("e + position[int(self.x[\"link_position\"][link])]", "e + position[0]"),
        ("(a * e).sum(0)", "e.mean(0)"),
        ("torch.tanh(torch.cat([e_o, v_d])", "torch.relu(torch.cat([e_o, v_d])"),
        ("(a * v).sum(0)", "v.mean(0)"),
        ("torch.sigmoid(y)", "y"),
        ("self.s[\"gamma\"] * y", "y"),
        ("torch.stack(losses).mean()", "torch.stack(losses).sum()"),
        ("weight_decay=s[\"l2\"] if", "weight_decay=10 * s[\"l2\"] if"),
        ("torch.optim.Adam(params", "torch.optim.Adam(params, betas=(0.9, 0.99)")],
    "category": [
        ("torch.relu(v @ self.p", "torch.tanh(v @ self.p"),
        ("cross_entropy(logits,", "cross_entropy(2 * logits,")],
    "kgat-mean": [("e_t.mean(0)", "e_t.sum(0)")],
    "no-entity-learned": [("== \"learned\"", "== \"zero\"")],
    "dv-entity": [("torch.cat([e_o, v_d])\n", "torch.cat([e_o * 2, v_d])\n")],
    "predictor-cos": [("u.norm() * v.norm()", "v.norm() * v.norm()")],
    "decoupled": [("torch.optim.AdamW(", "torch.optim.Adam(")],
}


def ragged(random, name, lengths, high):
    values = np.concatenate([random.choice(high, n, replace=False) for n in lengths] or [[]]).astype(np.int32)
    return {name + ".values": values, name + ".offsets": np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)}


def shapes(s, d, D, H, K, T, C):
    """name -> shape of the parameters that the settings use."""
    attention = lambda block: {block + ".b1": (1, H), block + ".w2": (H, 1), block + ".b2": (1, 1)}
    p = {}
    if s["model"] == "kred":
        if s["kgat"] == "softmax":
            p.update({"kgat.w1_head": (d, H), "kgat.w1_relation": (d, H), "kgat.w1_tail": (d, H), **attention("kgat")})
        if s["kgat"] != "off":
            p.update({"kgat.w0_self": (d, d), "kgat.w0_neighbours": (d, d)})
        if s["context"] == "on":
            p.update({"context.position": (2, d), "context.frequency": (20, d), "context.type": (T + 1, d)})
        p.update({"out.w3_entity": (d, K), "out.w3_document": (D, K), "out.b3": (1, K)})
        if s["distill"] == "attention":
            p["distill.w1_document"] = (D, H)
    if s["model"] == "dv-entity" or (s["model"] == "kred" and s["distill"] == "attention"):
        p.update({"distill.w1_entity": (d, H), **attention("distill")})
    if s["no_entity"] == "learned":
        p["distill.empty"] = (1, d)
    K = {"kred": K, "dv": D, "dv-entity": d + D}[s["model"]]
    if s["task"] == "category":
        return {**p, "category.w1": (K, H), "category.b1": (1, H), "category.w2": (H, C), "category.b2": (1, C)}
    if s["user_attn"] == "mlp":
        p.update({"user.w1": (K, H), **attention("user")})
    else:
        p.update({"user.w": (K, 1), "user.b": (1, 1)})
    if s["predictor"] == "mlp":
        p.update({"predictor.w1_user": (K, H), "predictor.w1_document": (K, H), **attention("predictor")})
    elif s["predictor"] == "linear":
        p.update({"predictor.w_user": (K, 1), "predictor.w_document": (K, 1), "predictor.b": (1, 1)})
    return p


def make_case(settings, seed=1):
    """(settings, tensors) with results of a float32 run."""
    random = np.random.default_rng(seed)
    E, R, d, N, D, H, K, T, C, B, S = 30, 5, 6, 25, 8, 7, 9, 3, 4, 4, 20
    normal = lambda shape: random.normal(0, 0.5, shape).astype(np.float32)
    t = {"entity_x": normal((E, d)), "relation_x": normal((R, d)), "document_x": normal((N, D)),
         "steps": np.arange(S, dtype=np.int32) % 4}
    t.update(ragged(random, "neighbour_tail", random.integers(0, 5, E), E))
    t["neighbour_relation"] = random.integers(0, R, len(t["neighbour_tail.values"]), np.int32)
    t.update(ragged(random, "link_entity", random.integers(0, 6, N), E))
    links = len(t["link_entity.values"])
    t["link_position"] = random.integers(0, 2, links, np.uint8)
    t["link_frequency"] = random.integers(1, 30, links, np.int32)
    t["link_type"] = random.integers(-1, T, links, np.int32)
    for k in range(4):
        if settings["task"] == "category":
            t[f"batch.{k}.document"] = random.integers(0, N, B, np.int32)
            t[f"batch.{k}.label"] = random.integers(0, C, B, np.int32)
        else:
            t.update(ragged(random, f"batch.{k}.history", [0, 1, *random.integers(1, 5, B - 2)], N))
            sizes = random.integers(2, 5, B)
            t.update(ragged(random, f"batch.{k}.candidate", sizes, N))
            t[f"batch.{k}.positive"] = (random.random(B) * sizes).astype(np.int32)
    for name, shape in shapes(settings, d, D, H, K, T, C).items():
        t["param." + name] = normal(shape)
    # As if another program had computed them: every parameter off by one rounding.
    rounding = lambda a: (a * (1 + 6e-8 * random.choice([-1, 1], a.shape))).astype(np.float32)
    other = {name: rounding(a) if name.startswith("param.") else a for name, a in t.items()}
    return {**t, **check.compute(settings, other, torch.float32)[0]}


def write(path, settings, tensors):
    codes = {v: k for k, v in check.DTYPES.items()}
    header, at = {"__metadata__": {"nd.kind": "parity/1", "nd.options": json.dumps(settings)}}, 0
    for name, a in tensors.items():
        dtype = codes[a.dtype.str.replace("|", "")]
        header[name] = {"dtype": dtype, "shape": a.shape, "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text + b"".join(a.tobytes() for a in tensors.values()))


def altered(module, old, new):
    """The module with one piece of its text replaced."""
    with open(module.__file__) as f:
        source = f.read()
    assert source.count(old) >= 1, f"{module.__file__} has no longer: {old}"
    other = types.ModuleType("altered")
    exec(source.replace(old, new), other.__dict__)
    return other


def failures(path):
    settings, tensors = check.read_safetensors(path)
    differences = check.compare(settings, tensors, torch.float64)
    return [name for name, x, _ in differences if x is None or x > check.TOLERANCE]


def main():
    torch.set_num_threads(1)
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, difference in CASES.items():
            path, settings = os.path.join(folder, name), {**BASE, **difference}
            write(path, settings, make_case(settings))
            bad = failures(path)
            print(f"{name}: {'equal' if not bad else 'DIFFERS in ' + ' '.join(bad)}")
            wrong += bool(bad)
            for old, new in ALTERED.get(name, []):
                check.MODELS["kred"] = altered(kred_torch, old, new).Kred
                bad = failures(path)
                check.MODELS["kred"] = kred_torch.Kred
                print(f"{name}: {new.strip()}: {'noticed' if bad else 'NOT NOTICED'}")
                wrong += not bad
    print("all as expected" if not wrong else f"{wrong} not as expected")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
