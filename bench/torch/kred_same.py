#!/usr/bin/python3
# Are the plain and the fast program the same model? Copies one's parameters into the other and compares logits and
# gradients of a batch; exit 1 when they differ.
import torch
from torch.nn import functional

import kred_data as kd
import kred_fast
import kred_plain


def pieces(plain):
    """(a parameter of kred_fast, the same values as kred_plain holds them), as views that serve for gradients too."""
    d, t = kd.D_ENTITY, lambda linear: linear.weight.t()
    kgat, self_and_sum, query, out = (t(linear) for linear in (plain.kgat_1, plain.kgat_0, plain.distill_1, plain.out))
    return {"kgat_head": kgat[:d], "kgat_relation": kgat[d:2 * d], "kgat_tail": kgat[2 * d:],
            "kgat_b1": plain.kgat_1.bias, "kgat_w2": t(plain.kgat_2).flatten(), "kgat_self": self_and_sum[:d],
            "kgat_neighbours": self_and_sum[d:],
            "position": plain.position.weight, "frequency": plain.frequency.weight, "kind": plain.kind.weight,
            "distill_entity": query[:d], "distill_w2": t(plain.distill_2).flatten(), "out_entity": out[:d],
            "base": torch.cat([query[d:], out[d:]], dim=1),
            "base_b": torch.cat([plain.distill_1.bias, plain.out.bias]),
            "head_w1": t(plain.head[0]), "head_b1": plain.head[0].bias,
            "head_w2": t(plain.head[2]), "head_b2": plain.head[2].bias}


def main(device="cpu"):
    torch.manual_seed(1)
    data = kd.on_device(kd.Data(kd.BATCH, 1), device)
    plain, fast = kred_plain.Kred(data).to(device), kred_fast.Kred(data).to(device)
    for name, values in pieces(plain).items():
        getattr(fast, name).data.copy_(values.detach())
    for model in (plain, fast):
        model.logits = model(data.order)
        functional.cross_entropy(model.logits, data.label).backward()
    torch.testing.assert_close(fast.logits, plain.logits, rtol=1e-4, atol=1e-5)
    for p in plain.parameters():
        p.data = p.grad
    for name, gradient in pieces(plain).items():
        largest = gradient.abs().max().item()
        torch.testing.assert_close(getattr(fast, name).grad, gradient, rtol=1e-3, atol=1e-4 * largest,
                                   msg=lambda text: f"{name}: {text}")
    print("the plain and the fast program agree")


if __name__ == "__main__":
    main()
