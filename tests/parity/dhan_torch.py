# D-HAN from its equations (Zhao, Chen, Zhang and Li, arXiv 2112.10085), for comparison only: one pair of an instance
# and a candidate at a time, vectors concatenated as printed, nothing shared between pairs. Equation numbers are the
# paper's; what the paper leaves open is settled in README.md. Slow on purpose.
import datetime
import math

import torch
from torch.nn import functional

FIELDS = ["month", "day", "weekday", "hour", "minute"]
ROWS = {"month": 12, "day": 31, "weekday": 7, "hour": 24, "minute": 60}


class Dhan:
    def __init__(self, settings, inputs, params):
        """settings: nd.options; inputs: name -> tensor, frozen; params: name -> tensor with requires_grad."""
        self.s, self.x, self.p = settings, inputs, params
        self.official = settings["compat"] == "official"
        self.text = "sentence_x" in inputs
        self.elements = "element_x" in inputs and "E" in settings["levels"]
        self.absolute = settings["time"] in ("abs", "both")
        self.relative = settings["time"] in ("rel", "both")
        self.candidate_is_token = self.official and settings["time"] == "abs"

    def linear(self, name, x):
        return x @ self.p[name + ".w"] + self.p[name + ".b"][0]

    def stack(self, block, names):
        """Those parts of a weight that there are, one under the other."""
        return [self.p[block + "." + name] for name in names if block + "." + name in self.p]

    # -- what an article is ---------------------------------------------------------------------------------------

    def sentences(self, a):
        """S_i [M, d]; zeros without text."""
        stack = int(self.x["article_sentence"][a])
        return self.x["sentence_x"][stack] if stack >= 0 else torch.zeros_like(self.x["sentence_x"][0])

    def element_rows(self, a):
        """V_i [E, d]; ones without elements."""
        stack = int(self.x["article_element"][a])
        return self.x["element_x"][stack] if stack >= 0 else torch.ones_like(self.x["element_x"][0])

    def identity(self, a):
        row = int(self.x["article_id"][a])
        return self.p["id.article"][row if row >= 0 else len(self.p["id.article"]) - 1]

    def plain(self, a):
        """g of an article by itself: [mean sentence; identity; mean element]."""
        parts = [self.sentences(a).mean(0)] if self.text else []
        parts.append(self.identity(a))
        return torch.cat(parts + ([self.element_rows(a).mean(0)] if self.elements else []))

    # -- sentences and elements, eqs. (1)-(5) -----------------------------------------------------------------------

    def attended(self, block, x, own):
        """Stacks x [L, T, h], past their input layer, to a vector each: attention, residual, norm, pool, output."""
        q, k, v = (self.linear(f"{block}.{part}", x) for part in ("query", "key", "value"))
        weights = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(self.s["hidden"]), dim=2)
        y = self.norm(f"{block}.norm", x + self.linear(f"{block}.output", weights @ v))
        if self.s["pool"] == "positional":
            z = (self.p[f"{block}.pool.w"] * y).sum(1) + self.p[f"{block}.pool.b"]
        else:
            z = y.mean(1) if self.s["pool"] == "mean" else y[:, :own].mean(1)
        return self.linear(f"{block}.leave", z)

    def norm(self, name, x):
        return functional.layer_norm(x, x.shape[-1:], self.p[name + ".gamma"][0], self.p[name + ".beta"][0], eps=1e-5)

    def seen(self, articles, c, user):
        """g_i of the articles read, in the light of candidate c: [s_i|c; e_i; v_i|c], [L, 3d]."""
        parts = []
        if self.text:
            rows = torch.stack([self.sentences(a) for a in articles])                           # [L, M, d]
            if "S" in self.s["levels"]:
                others = torch.stack([self.sentences(c).mean(0), user]).expand(len(rows), -1, -1)
                x = torch.cat([rows, others], dim=1)                                            # [L, M + 2, d]
                parts.append(self.attended("sentence", self.linear("sentence.input", x), rows.shape[1]))
            else:
                parts.append(rows.mean(1))
        parts.append(torch.stack([self.identity(a) for a in articles]))
        if self.elements:
            x = torch.stack([torch.cat([self.element_rows(a), self.element_rows(c)], dim=1) for a in articles])
            w = torch.cat([self.p["element.input.w_own"], self.p["element.input.w_candidate"]])
            parts.append(self.attended("element", x @ w + self.p["element.input.b"][0], x.shape[1]))
        return torch.cat(parts, dim=1)

    # -- time -------------------------------------------------------------------------------------------------------

    def calendar(self, time):
        t = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=int(time) + self.s["utc_offset"])
        return {"year": t.year, "month": t.month - 1, "day": t.day - 1, "weekday": t.weekday(), "hour": t.hour,
                "minute": t.minute}

    def moment(self, time):
        """a(t) [h]."""
        fields = self.calendar(time)
        rows = [self.p["time.abs." + f][fields[f]] for f in FIELDS]
        if self.s["abs_time"] == "mean5":
            return torch.stack(rows).mean(0)
        if self.s["abs_time"] == "concat6":
            year = fields["year"] - self.s["first_year"]
            rows.insert(0, self.p["time.abs.year"][year if 0 <= year < self.s["years"] else self.s["years"]])
        return torch.cat(rows)

    def since(self, time, anchor):
        """r_i [h]."""
        if self.s["rel_time"] == "log":
            minutes = max(0, int(anchor) - int(time)) / 60
            return self.p["time.rel.log"][min(47, math.floor(2 * math.log2(1 + minutes)))]
        then, now = self.calendar(time), self.calendar(anchor)
        return torch.cat([self.p["time.rel." + f][now[f] - then[f] + ROWS[f]] for f in FIELDS])

    # -- the sequence, eqs. (6)-(7) and its summary -------------------------------------------------------------------

    def w6(self):
        """(part of eq. (6) for an article read, part for the candidate and the user)."""
        article, fields = ["w_text", "w_id", "w_element"], ["year", *FIELDS, "all"]
        read = self.stack("sequence.read", article) + self.stack("sequence.abs", fields)
        read += self.stack("sequence.rel", [*FIELDS, "log"])
        rest = self.stack("sequence.candidate", article) + self.stack("sequence.now", fields)
        return read, rest + self.stack("sequence", ["w_user"])

    def tokens(self, articles, times, now, c, user):
        """x_1..x_L of eq. (6), [L, h]; one more where the candidate is a token."""
        anchor = times[-1] if self.s["rel_anchor"] == "last" else now
        g_c = torch.cat([self.plain(c), self.moment(now)] if self.absolute else [self.plain(c)])
        parts = [self.seen(articles, c, user)]
        if self.absolute:
            parts.append(torch.stack([self.moment(t) for t in times]))
        if self.relative:
            parts.append(torch.stack([self.since(t, anchor) for t in times]))
        if not self.candidate_is_token:
            both = g_c if self.official else torch.cat([g_c, user])
            parts.append(both.expand(len(times), -1))
        rows = torch.cat(parts, dim=1)
        if self.candidate_is_token:
            rows = torch.cat([rows, g_c[None]])
        read, rest = self.w6()
        return rows @ torch.cat(read + rest) + self.p["sequence.b"][0]

    def layer(self, name, x, heads):
        """Eq. (7): a Transformer layer, norms behind the sums."""
        q, k, v = (self.linear(f"{name}.{part}", x) for part in ("query", "key", "value"))
        width = self.s["hidden"] // heads
        scale = math.sqrt(self.s["hidden"] / 4 if self.official and heads == 1 else width)
        heads_of = zip(q.split(width, dim=1), k.split(width, dim=1), v.split(width, dim=1))
        y = torch.cat([torch.softmax(a @ b.T / scale, dim=1) @ c for a, b, c in heads_of], dim=1)
        first, second = name + ".norm1", name + (".norm1" if self.official else ".norm2")
        h = self.norm(first, x + self.linear(f"{name}.output", y))
        return self.norm(second, h + self.linear(f"{name}.outer", functional.gelu(self.linear(f"{name}.inner", h))))

    def sequence(self, x, times, now):
        if "N" in self.s["levels"]:
            x = self.layer("sequence.layer", x, 1)
        if self.candidate_is_token:  # a linear layer over tokens: L + 1 -> L
            x = self.p["sequence.shorten.w"].T @ x + self.p["sequence.shorten.b"].T
        if self.s["time"] == "decay":
            hours = (now - times).to(x.dtype) / 3600
            x = x * torch.exp(-0.01 * hours)[:, None]
        return x

    def lstm(self, name, x):
        """All outputs of an LSTM with gates i, f, c, o, from zeros."""
        u, out = self.p[name + ".u"], []
        h = cell = x.new_zeros(len(u))
        for row in self.linear(name, x):
            i, f, c, o = (row + h @ u).chunk(4)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(c)
            h = torch.sigmoid(o) * torch.tanh(cell)
            out.append(h)
        return torch.stack(out)

    def summary(self, x):
        kind = self.s["summary"]
        if kind == "lstm":
            return self.lstm("summary.forward", x)
        if kind == "bilstm":
            return torch.cat([self.lstm("summary.forward", x), self.lstm("summary.backward", x.flip(0)).flip(0)], dim=1)
        for k in range(2 if kind != "none" else 0):
            name = f"summary.{k}"
            if kind == "cnn":
                w = torch.stack([self.p[f"{name}.w{i}"].T for i in range(3)], dim=2)
                x = torch.relu(functional.conv1d(x.T[None], w, self.p[f"{name}.b"][0], padding=1)[0].T)
            else:
                x = self.layer(name, x, 1 if kind == "sh" else int(kind[2:]))
        return x

    # -- prediction, eqs. (8)-(9) -------------------------------------------------------------------------------------

    def logit(self, user_row, articles, times, now, c):
        user = self.p["id.user"][int(user_row)]
        x = self.sequence(self.tokens(articles, times, now, c, user), times, now)
        f = torch.cat([self.summary(x).flatten(), self.plain(c), user])
        w = self.stack("head", ["w_sequence", "w_text", "w_id", "w_element", "w_user"])
        f = torch.relu(f @ torch.cat(w) + self.p["head.b"][0])
        if self.s["head"] == "two-hidden":
            f = torch.relu(self.linear("head.second", f))
        return self.linear("head.last", f)[0]

    def run(self, batch):
        """(logits of all candidates, eq. (9) with a mean for each side)."""
        logits, positive = [], []
        offsets = batch["candidate.offsets"].tolist()
        for i, (c0, c1) in enumerate(zip(offsets[:-1], offsets[1:])):
            for k in range(c0, c1):
                logits.append(self.logit(batch["user"][i], batch["article"][i], batch["time"][i], batch["now"][i],
                                         int(batch["candidate.values"][k])))
                positive.append(k - c0 == int(batch["positive"][i]))
        z, positive = torch.stack(logits), torch.tensor(positive)
        clicked, other = z[positive], z[~positive]
        return z, -functional.logsigmoid(clicked).mean() - functional.logsigmoid(-other).mean()

    def outputs(self):
        return {}

    def train(self, batches, steps):
        """AdamW after clipping the norm of all gradients; returns the loss of every step, before its update."""
        free = ("b", "gamma", "beta")  # biases and norms do not decay
        decayed = [p for name, p in self.p.items() if name.split(".")[-1] not in free]
        rest = [p for name, p in self.p.items() if name.split(".")[-1] in free]
        groups = [{"params": decayed, "weight_decay": self.s["l2"]}, {"params": rest, "weight_decay": 0.0}]
        adam = torch.optim.AdamW(groups, lr=self.s["lr"], betas=(0.9, 0.999), eps=self.s["epsilon"])
        losses = []
        for k in steps:
            adam.zero_grad()
            loss = self.run(batches[int(k)])[1]
            loss.backward()
            for p in self.p.values():  # a parameter without a gradient still decays
                p.grad = torch.zeros_like(p) if p.grad is None else p.grad
            torch.nn.utils.clip_grad_norm_(list(self.p.values()), self.s["clip"])
            adam.step()
            losses.append(loss.detach())
        return torch.stack(losses)
