#!/usr/bin/python3
# dhan_selftest.py FOLDER: does the checker notice? Cases that dhan_dump wrote into FOLDER must differ from a
# dhan_torch.py with one line altered.
import os
import sys

import torch

import check
import dhan_torch
from kred_selftest import altered

FORWARD = {  # case: (a line of dhan_torch.py, what it becomes) that its scores and gradients must notice
    "dhan-default": [
        ("math.sqrt(self.s[\"hidden\"]), dim=2", "self.s[\"hidden\"], dim=2"),
        ("x + self.linear(f\"{block}.output\"", "self.linear(f\"{block}.output\""),
        ("eps=1e-5", "eps=1e-3"),
        ("[self.sentences(c).mean(0), user]", "[user, self.sentences(c).mean(0)]"),
        ("else torch.ones_like(self.x[\"element_x\"][0])", "else torch.zeros_like(self.x[\"element_x\"][0])"),
        ("len(self.p[\"id.article\"]) - 1]", "0]"),
        ("[self.element_rows(a), self.element_rows(c)]", "[self.element_rows(c), self.element_rows(a)]"),
        ("(self.p[f\"{block}.pool.w\"] * y).sum(1)", "y.sum(1)"),
        ("\"weekday\": t.weekday()", "\"weekday\": (t.weekday() + 1) % 7"),
        ("now[f] - then[f]", "then[f] - now[f]"),
        ("[g_c, user]", "[user, g_c]"),
        ("functional.gelu(", "torch.relu("),
        ("name + (\".norm1\" if self.official else \".norm2\")", "name + \".norm1\""),
        ("range(2 if kind", "range(1 if kind"),
        ("self.summary(x).flatten()", "self.summary(x).flip(0).flatten()"),
        ("functional.logsigmoid(-other).mean()", "functional.logsigmoid(-other).sum() / len(z)")],
    "dhan-oslo": [("+ self.s[\"utc_offset\"]", "")],
    "dhan-anchor-last": [("== \"last\"", "== \"none\"")],
    "dhan-concat6": [("0 <= year < self.s[\"years\"] else self.s[\"years\"]", "0 <= year < 1 else 1")],
    "dhan-mean5": [("torch.stack(rows).mean(0)", "torch.stack(rows).sum(0)")],
    "dhan-log": [("math.floor(2 * math.log2(1 + minutes))", "math.floor(2 * math.log2(2 + minutes))")],
    "dhan-lstm": [("i, f, c, o = (", "f, i, c, o = (")],
    "dhan-bilstm": [("self.lstm(\"summary.backward\", x.flip(0)).flip(0)", "self.lstm(\"summary.backward\", x)")],
    "dhan-cnn": [("for i in range(3)]", "for i in (2, 1, 0)]")],
    "dhan-mh4": [("1 if kind == \"sh\" else int(kind[2:])", "2")],
    "dhan-pool-own": [("y[:, :own].mean(1)", "y.mean(1)")],
    "dhan-levels-none": [("parts.append(rows.mean(1))", "parts.append(rows[:, 0])")],
    "dhan-time-decay": [("-0.01 * hours", "-0.02 * hours")],
    "dhan-official-both": [("self.s[\"hidden\"] / 4 if", "self.s[\"hidden\"] if")],
    "dhan-official-abs": [("torch.cat([rows, g_c[None]])", "torch.cat([g_c[None], rows])"),
                          ("self.p[\"sequence.shorten.b\"].T", "0")],
}
STEPS = {  # the same, that only the steps tell
    "dhan-clipped": [("self.s[\"clip\"])", "1e9)")],
    "dhan-decayed": [("\"weight_decay\": 0.0", "\"weight_decay\": self.s[\"l2\"]"),
                     ("\"weight_decay\": self.s[\"l2\"]}, {", "\"weight_decay\": 0.0}, {")],
    "dhan-default": [("eps=self.s[\"epsilon\"]", "eps=1e-4"), ("betas=(0.9, 0.999)", "betas=(0.9, 0.99)")],
}


def differs(settings, tensors):
    return any(x is not None and x > check.TOLERANCE for _, x, _ in check.compare(settings, tensors, torch.float64))


def main():
    torch.set_num_threads(1)
    unnoticed = done = 0
    for table, steps in ((FORWARD, False), (STEPS, True)):
        for case, alterations in table.items():
            settings, tensors = check.read_safetensors(os.path.join(sys.argv[1], case + ".safetensors"))
            if not steps:  # one is quicker than twenty
                tensors = {k: v for k, v in tensors.items() if k != "out.losses" and not k.startswith("after.")}
                tensors["steps"] = tensors["steps"][:1]
            for old, new in alterations:
                check.MODELS["dhan"] = altered(dhan_torch, old, new).Dhan
                done += 1
                if not differs(settings, tensors):
                    print(f"{case}: {new}: NOT NOTICED")
                    unnoticed += 1
    print(f"{done} alterations of dhan_torch.py, {unnoticed} not noticed")
    sys.exit(unnoticed > 0)


if __name__ == "__main__":
    main()
