#!/usr/bin/python3
# D-HAN in PyTorch with the algebra of our C++ program, which is exact: what depends on an article read, a candidate or
# a user alone is computed once and shared by all pairs it occurs in, products of weights are taken first,
# concatenations become sums. Parameters are those of dhan_plain.py.
import math

import torch
from torch.nn import functional

import dhan_data as dd
import dhan_plain
import dhan_run

h, d, L, M, E = dd.HIDDEN, dd.WIDTH, dd.LENGTH, dd.SENTENCES, dd.ELEMENTS


class Lookup(torch.autograd.Function):
    """Rows of a table. Their gradient goes straight into the table's: no table of zeros a time."""

    @staticmethod
    def forward(ctx, table, rows):
        ctx.table, ctx.rows = table, rows
        return table.index_select(0, rows.flatten()).view(*rows.shape, -1)

    @staticmethod
    def backward(ctx, g):
        if ctx.table.grad is None:
            ctx.table.grad = torch.zeros_like(ctx.table)
        ctx.table.grad.index_add_(0, ctx.rows.flatten(), g.reshape(-1, g.shape[-1]))
        return None, None


class Drop(torch.autograd.Function):
    """Dropout from one random byte a number, on a CPU several times as fast as PyTorch's own; p is rounded to 1/256."""

    @staticmethod
    def forward(ctx, x, p):
        words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64).random_(-2**63, None)
        left_out = round(256 * p)
        kept = (words.view(torch.uint8)[:x.numel()] >= left_out).view(x.shape)
        factor = kept.to(torch.float32).mul_(256 / (256 - left_out))
        ctx.save_for_backward(factor)
        return x * factor

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0], None


class AddTokens(torch.autograd.Function):
    """y [., C, M + 2, h] += the tokens of each pair, in place; x [., M + C + 1, h] has sentences, candidates, user."""

    @staticmethod
    def forward(ctx, y, x):
        y[:, :, :M].add_(x[:, None, :M])
        y[:, :, M].add_(x[:, M:-1])
        y[:, :, M + 1].add_(x[:, None, -1])
        ctx.mark_dirty(y)
        return y

    @staticmethod
    def backward(ctx, g):
        return g, torch.cat([g[:, :, :M].sum(1), g[:, :, M], g[:, :, M + 1].sum(1, keepdim=True)], dim=1)


class Projected:
    """A block's weights with products taken: token -> (x, query, key, value through the output layer), each h wide."""

    def __init__(self, block):
        w, b = block.input.weight, block.input.bias                                          # [h, in], [h]
        through = torch.cat([block.query.weight, block.key.weight, block.output.weight @ block.value.weight])
        bias = torch.cat([block.query.bias, block.key.bias, block.output.weight @ block.value.bias])
        self.w = torch.cat([w, through @ w]).t()                                              # [in, 4h]
        self.b = torch.cat([b, through @ b + bias])


class Dhan(dhan_plain.Dhan):
    def __init__(self, articles, dropout):
        super().__init__(articles, dropout)
        self.kept = None  # weights() while nothing changes them
        # Where each field's rows begin once the tables are one.
        begin = torch.tensor([0, 12, 43, 50, 74])
        self.register_buffer("of_absolute", begin, persistent=False)
        self.register_buffer("of_relative", 134 + 2 * begin, persistent=False)

    def train(self, mode=True):
        self.kept = None
        return super().train(mode)

    def drop(self, x):
        if x.is_cuda:
            return functional.dropout(x, self.dropout, self.training)
        return Drop.apply(x, self.dropout) if self.training and self.dropout > 0 else x

    def weights(self):
        if self.kept:
            return self.kept
        w = self.sequence.weight.t()                    # rows: s e id, absolute, relative, g_c, now, user
        at = dict(zip(("text", "element", "id", "absolute", "relative", "candidate", "now", "user"),
                      w.split([d, d, d, h, h, 3 * d, h, d])))
        widths = [width for _, _, width in dd.FIELDS]
        times = lambda tables, w: [t.weight @ part for t, part in zip(tables, w.split(widths))]
        leave_s, leave_e = self.sentence.leave, self.element.leave
        kept = {"sentence": Projected(self.sentence), "element": Projected(self.element), "id": at["id"],
                "from_sentence": leave_s.weight.t() @ at["text"], "from_element": leave_e.weight.t() @ at["element"],
                "bias": self.sequence.bias + leave_s.bias @ at["text"] + leave_e.bias @ at["element"],
                "times": torch.cat(times(self.absolute, at["absolute"]) + times(self.relative, at["relative"])),
                "now": torch.cat(times(self.absolute, at["now"])), "candidate": at["candidate"], "user": at["user"],
                "head": self.head.weight.t().split([L * h, 3 * d, d])}
        if not self.training:
            self.kept = kept
        return kept

    def pool(self, block, y):
        """y [..., T, h] before its norm -> [..., h]; the norm's weights wait until after the sum."""
        normed = functional.layer_norm(y, (h,), eps=1e-5)
        shape = normed.shape
        weight = block.pool.weight.expand(shape[:-2].numel(), 1, -1)
        z = torch.bmm(weight, normed.reshape(-1, *shape[-2:])).view(*shape[:-2], h)
        return z * block.norm.weight + (block.norm.bias * block.pool.weight.sum() + block.pool.bias)

    def sentence_block(self, w, clicks, text, user):
        """Pooled blocks [n, L, C, h]: all candidates are keys of one product, and a mask leaves a pair its own."""
        n, C = clicks.candidate.shape
        p, block, T = w["sentence"], self.sentence, M + C + 1
        rows = torch.addmm(p.b, self.articles.sentence[clicks.article].view(-1, d), p.w).view(n, L, M, 4 * h)
        rest = torch.cat([torch.addmm(p.b, text.view(-1, d), p.w).view(n, C, -1),
                          torch.addmm(p.b, user, p.w).view(n, 1, -1)], dim=1)                # [n, C + 1, 4h]
        tokens = torch.cat([rows, rest.unsqueeze(1).expand(-1, L, -1, -1)], dim=2).view(n * L, T, 4 * h)
        x, q, k, v = tokens.split(h, dim=2)
        scores = torch.bmm(q, k.transpose(1, 2)).mul(1 / math.sqrt(h))                       # [nL, T, T]
        scores = torch.cat([scores[:, None, :M].expand(-1, C, -1, -1), scores[:, M:-1, None],
                            scores[:, None, -1:].expand(-1, C, -1, -1)], dim=2)              # [nL, C, M + 2, T]
        mask = text.new_zeros(C, 1, T)
        mask[:, 0, M:M + C] = text.new_full((C, C), -math.inf).fill_diagonal_(0)
        weights = self.drop(torch.softmax(scores.add_(mask), dim=3))
        y = torch.bmm(weights.view(n * L, -1, T), v).view(n * L, C, M + 2, h)
        y = AddTokens.apply(self.drop(y.add_(block.output.bias)), x)
        return self.pool(block, y).view(n, L, C, h)

    def merged_sentence_block(self, w, clicks, text, user):
        """The same without dropout, for many candidates: sums over sentences and user once for each article read,
        a pair's candidate merged into them with a running maximum."""
        n, C = clicks.candidate.shape
        p, block, scale = w["sentence"], self.sentence, 1 / math.sqrt(h)
        rows = torch.addmm(p.b, self.articles.sentence[clicks.article].view(-1, d), p.w).view(n, L, M, 4 * h)
        of_user = torch.addmm(p.b, user, p.w).view(n, 1, 1, -1).expand(-1, L, -1, -1)
        x, q, k, v = torch.cat([rows, of_user], dim=2).view(n * L, M + 1, 4 * h).split(h, dim=2)
        x_c, q_c, k_c, v_c = torch.addmm(p.b, text.view(-1, d), p.w).view(n, 1, C, -1).expand(-1, L, -1, -1) \
            .reshape(n * L, C, -1).split(h, dim=2)
        own = torch.bmm(q, k.transpose(1, 2)).mul_(scale)                                    # [nL, M + 1, M + 1]
        top = own.amax(2, keepdim=True)
        own = own.sub_(top).exp_()
        total, summed = own.sum(2, keepdim=True), torch.bmm(own, v)                          # [nL, M + 1, 1 or h]
        other = torch.bmm(q, k_c.transpose(1, 2)).mul_(scale)                                # [nL, M + 1, C]
        most = torch.maximum(other, top)
        kept, other = (top - most).exp_(), (other - most).exp_()
        both = kept * total + other
        first = lambda t: t.transpose(0, 1).contiguous()  # rows lead, so that the pool is one product
        kept, other = first(kept.div_(both)).unsqueeze(3), first(other.div_(both)).unsqueeze(3)  # [M + 1, nL, C, 1]
        y = kept * first(summed).unsqueeze(2)                                                # [M + 1, nL, C, h]
        y.addcmul_(other, v_c).add_(first(x + block.output.bias).unsqueeze(2))
        # The candidate's own row.
        by_rows, by_self = torch.bmm(q_c, k.transpose(1, 2)), (q_c * k_c).sum(2, keepdim=True)
        weights = torch.softmax(torch.cat([by_rows, by_self], dim=2).mul_(scale), dim=2)
        row = torch.bmm(weights[:, :, :-1], v).addcmul_(weights[:, :, -1:], v_c).add_(x_c).add_(block.output.bias)
        place = block.pool.weight[0]
        z = torch.cat([place[:M], place[M + 1:]]) @ functional.layer_norm(y, (h,), eps=1e-5).view(M + 1, -1)
        z = z.view(n * L, C, h)
        z.add_(functional.layer_norm(row, (h,), eps=1e-5), alpha=place[M].item())
        z = z * block.norm.weight + (block.norm.bias * place.sum() + block.pool.bias)
        return z.view(n, L, C, h)

    def element_block(self, w, clicks):
        n, C = clicks.candidate.shape
        p, block = w["element"], self.element
        read = self.articles.element[clicks.article].view(-1, d) @ p.w[:d]
        asked = torch.addmm(p.b, self.articles.element[clicks.candidate].view(-1, d), p.w[d:])
        tokens = (read.view(n, L, 1, E, 4 * h) + asked.view(n, 1, C, E, 4 * h)).view(n * L * C, E, 4 * h)
        x, q, k, v = tokens.split(h, dim=2)
        weights = self.drop(torch.softmax(torch.bmm(q, k.transpose(1, 2)).mul(1 / math.sqrt(h)), dim=2))
        y = x + self.drop(torch.bmm(weights, v) + block.output.bias)
        return self.pool(block, y).view(n, L, C, h)

    def layer(self, layer, x, pairs):
        """Eq. (7) for x [pairs * L, h]."""
        w = torch.cat([layer.query.weight, layer.key.weight, layer.value.weight])
        b = torch.cat([layer.query.bias, layer.key.bias, layer.value.bias])
        q, k, v = torch.addmm(b, x, w.t()).view(pairs, L, 3 * h).split(h, dim=2)
        weights = self.drop(torch.softmax(torch.bmm(q, k.transpose(1, 2)).mul(1 / math.sqrt(h)), dim=2))
        y = torch.bmm(weights, v).view(-1, h)
        x = layer.norm1(x + self.drop(layer.output(y)))
        return layer.norm2(x + self.drop(layer.outer(functional.gelu(layer.inner(x)))))

    def forward(self, clicks, merged=False):
        """Logits [n, C]."""
        w, a = self.weights(), self.articles
        n, C = clicks.candidate.shape
        user = Lookup.apply(self.user_id.weight, clicks.user)
        read = Lookup.apply(self.article_id.weight, clicks.article)
        text = a.sentence_mean[clicks.candidate]
        g_c = torch.cat([text, Lookup.apply(self.article_id.weight, clicks.candidate),
                         a.element_mean[clicks.candidate]], dim=2)                            # [n, C, 3d]
        block = self.merged_sentence_block if merged else self.sentence_block
        s, e = block(w, clicks, text, user), self.element_block(w, clicks)
        rows = torch.cat([clicks.absolute + self.of_absolute, clicks.relative + self.of_relative], dim=2).view(n * L, -1)
        item = functional.embedding_bag(rows, w["times"], mode="sum").addmm(read.view(-1, d), w["id"]).view(n, L, 1, h)
        moment = functional.embedding_bag(clicks.now + self.of_absolute, w["now"], mode="sum")
        instance = torch.addmm(moment, user, w["user"]) + w["bias"]
        pair = (g_c @ w["candidate"]).view(n, 1, C, h) + instance.view(n, 1, 1, h)
        x = torch.addmm(s.view(-1, h) @ w["from_sentence"], e.view(-1, h), w["from_element"]).view(n, L, C, h)
        x = (x + item + pair).transpose(1, 2).reshape(n * C * L, h)
        for layer in self.layers:
            x = self.layer(layer, x, n * C)
        sequence, candidate, of_user = w["head"]
        f = (g_c @ candidate + torch.addmm(self.head.bias, user, of_user).unsqueeze(1)).view(n * C, -1)
        f = torch.relu(torch.addmm(f, x.view(n * C, L * h), sequence))
        return self.last(torch.relu(self.second(f))).view(n, C)

    def score(self, clicks):
        return self(clicks, merged=True)


if __name__ == "__main__":
    dhan_run.main("fast", Dhan, micro=128, together=4)
