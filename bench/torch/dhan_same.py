#!/usr/bin/python3
# Are the plain and the fast program the same model, and the one that tests/parity compares our C++ with? Logits and
# gradients of a batch with the same parameters and no dropout, and the fast program's scores of many candidates; exit 1
# when they differ.
import os
import sys

import torch

import dhan_data as dd
import dhan_fast
import dhan_plain
import dhan_run
from kred_data import on_device

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/parity"))
import dhan_torch  # noqa: E402

SETTINGS = {"levels": "SEN", "time": "both", "abs_time": "concat5", "rel_time": "calendar", "rel_anchor": "target",
            "utc_offset": 0, "first_year": 1970, "years": 1, "summary": "sh", "pool": "positional",
            "head": "two-hidden", "compat": "none", "hidden": dd.HIDDEN}


def for_parity(plain):
    """The parameters of a plain model as tests/parity/README.md names them."""
    p = {"id.user": plain.user_id.weight, "id.article": plain.article_id.weight}

    def linear(name, module, parts=None):
        """parts: names of the pieces of a weight that is cut by its inputs, and how many each has."""
        names, widths = zip(*(parts or [(name + ".w", module.in_features)]))
        p.update(zip(names, module.weight.t().split(widths)))
        p[name + ".b"] = module.bias[None]

    def norm(name, module):
        p[name + ".gamma"], p[name + ".beta"] = module.weight[None], module.bias[None]

    d, h = dd.WIDTH, dd.HIDDEN
    linear("element.input", plain.element.input, [("element.input.w_own", d), ("element.input.w_candidate", d)])
    linear("sentence.input", plain.sentence.input)
    for block in ("sentence", "element"):
        module = getattr(plain, block)
        for part in ("query", "key", "value", "output", "leave", "pool"):
            linear(f"{block}.{part}", getattr(module, part))
        norm(block + ".norm", module.norm)
    for (field, _, _), absolute, relative in zip(dd.FIELDS, plain.absolute, plain.relative):
        p["time.abs." + field], p["time.rel." + field] = absolute.weight, relative.weight
    times = lambda kind: [(f"sequence.{kind}.{field}", width) for field, _, width in dd.FIELDS]
    article = lambda name, parts: [(f"{name}.w_{part}", d) for part in parts]
    linear("sequence", plain.sequence, article("sequence.read", ("text", "element", "id")) + times("abs") + times("rel")
           + article("sequence.candidate", ("text", "id", "element")) + times("now") + [("sequence.w_user", d)])
    for name, layer in zip(("sequence.layer", "summary.0", "summary.1"), plain.layers):
        for part in ("query", "key", "value", "output", "inner", "outer"):
            linear(f"{name}.{part}", getattr(layer, part))
        norm(name + ".norm1", layer.norm1)
        norm(name + ".norm2", layer.norm2)
    parts = article("head", ("text", "id", "element", "user"))
    linear("head", plain.head, [("head.w_sequence", dd.LENGTH * h)] + parts)
    linear("head.second", plain.second)
    linear("head.last", plain.last)
    return p


def parity_logits(plain, articles, clicks):
    rows = torch.arange(dd.ARTICLES)
    inputs = {"sentence_x": articles.sentence, "element_x": articles.element, "article_sentence": rows,
              "article_element": rows, "article_id": rows}
    model = dhan_torch.Dhan(SETTINGS, inputs, for_parity(plain))
    logits = [model.logit(clicks.user[i], clicks.article[i], clicks.time[i], clicks.moment[i], int(c))
              for i in range(len(clicks)) for c in clicks.candidate[i]]
    return torch.stack(logits).view(len(clicks), -1)


def main(device="cpu"):
    torch.manual_seed(1)
    articles = on_device(dd.Articles(1), device)
    plain, fast = dhan_plain.Dhan(articles, 0.0).to(device), dhan_fast.Dhan(articles, 0.0).to(device)
    for name, p in plain.named_parameters():  # where they start alike or near zero, mistakes in them would hide
        if "norm" in name or "id" in name:
            p.data += 0.5 * torch.randn_like(p)
    fast.load_state_dict(plain.state_dict())
    clicks = on_device(dd.Clicks(16, 1 + dd.NEGATIVES, 1), device)
    for model in (plain, fast):
        model.train()
        model.logits = model(clicks)
        dhan_run.loss(model.logits).backward()
    torch.testing.assert_close(fast.logits, plain.logits, rtol=1e-4, atol=1e-5)
    if device == "cpu":  # what parity compares with has no other
        with torch.no_grad():
            torch.testing.assert_close(parity_logits(plain, articles, clicks), plain.logits, rtol=1e-4, atol=1e-5)
    for (name, p), q in zip(plain.named_parameters(), fast.parameters()):
        largest = p.grad.abs().max().item()
        torch.testing.assert_close(q.grad, p.grad, rtol=1e-3, atol=1e-4 * largest + 1e-6, msg=lambda t: f"{name}: {t}")
    to_score = on_device(dd.Clicks(2, dd.CANDIDATES, 2), device)
    with torch.no_grad():
        z = plain.eval().score(to_score)
        torch.testing.assert_close(fast.eval().score(to_score), z, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(fast(to_score), z, rtol=1e-4, atol=1e-5)
    print("the plain, the fast and the parity program agree" if device == "cpu" else "the plain and the fast program agree")


if __name__ == "__main__":
    main()
