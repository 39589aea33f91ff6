#!/usr/bin/python3
# Are the plain and the fast program the same model? Logits and gradients of a batch with the same parameters and no
# dropout, and the fast program's scores of many candidates; exit 1 when they differ.
import torch

import dhan_data as dd
import dhan_fast
import dhan_plain
import dhan_run


def main():
    torch.manual_seed(1)
    articles = dd.Articles(1)
    plain, fast = dhan_plain.Dhan(articles, 0.0), dhan_fast.Dhan(articles, 0.0)
    for name, p in plain.named_parameters():  # where they start alike or near zero, mistakes in them would hide
        if "norm" in name or "id" in name:
            p.data += 0.5 * torch.randn_like(p)
    fast.load_state_dict(plain.state_dict())
    clicks = dd.Clicks(16, 1 + dd.NEGATIVES, 1)
    for model in (plain, fast):
        model.train()
        model.logits = model(clicks)
        dhan_run.loss(model.logits).backward()
    torch.testing.assert_close(fast.logits, plain.logits, rtol=1e-4, atol=1e-5)
    for (name, p), q in zip(plain.named_parameters(), fast.parameters()):
        largest = p.grad.abs().max().item()
        torch.testing.assert_close(q.grad, p.grad, rtol=1e-3, atol=1e-4 * largest + 1e-6, msg=lambda t: f"{name}: {t}")
    to_score = dd.Clicks(2, dd.CANDIDATES, 2)
    with torch.no_grad():
        z = plain.eval().score(to_score)
        torch.testing.assert_close(fast.eval().score(to_score), z, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(fast(to_score), z, rtol=1e-4, atol=1e-5)
    print("the plain and the fast program agree")


if __name__ == "__main__":
    main()
