# KRED from the equations of the paper (Liu et al., RecSys 2020), for comparison only: one article and one entity at a
# time, vectors concatenated as printed, nothing shared between articles. Equation numbers are the paper's; what the
# paper leaves open is settled in README.md. Slow on purpose.
import torch


def additive_attention(x, w1, b1, w2, b2):
    """Weights of the rows of x [n, in]: softmax over n of w2 . ReLU(W1 x + b1) + b2 (the form of eqs 2-3, 5-6)."""
    return torch.softmax(torch.relu(x @ w1 + b1) @ w2 + b2, dim=0)  # [n, 1]


class Kred:
    def __init__(self, settings, inputs, params):
        """settings: nd.options; inputs: name -> tensor, frozen; params: name -> tensor with requires_grad."""
        self.s, self.x, self.p = settings, inputs, params
        self.neighbours = rows_of(inputs, "neighbour_tail")
        self.links = rows_of(inputs, "link_entity")

    def bias(self, name):
        """A bias that a softmax cancels may be absent."""
        return self.p.get(name, 0.0)

    # -- the entity ---------------------------------------------------------------------------------------------

    def entity(self, h):
        """Eqs 1-3: e_Nh of entity row h, [d]."""
        e_h = self.x["entity_x"][h]
        if self.s["kgat"] == "off":
            return e_h
        start, end = self.neighbours[h]
        e_t = self.x["entity_x"][self.x["neighbour_tail.values"][start:end].long()]         # [n, d]
        e_r = self.x["relation_x"][self.x["neighbour_relation"][start:end].long()]          # [n, d]
        if start == end:
            gathered = torch.zeros_like(e_h)
        elif self.s["kgat"] == "softmax":
            w1 = torch.cat([self.p["kgat.w1_head"], self.p["kgat.w1_relation"], self.p["kgat.w1_tail"]])
            triples = torch.cat([e_h.expand_as(e_t), e_r, e_t], dim=1)                      # [n, 3d]
            pi = additive_attention(triples, w1, self.p["kgat.b1"], self.p["kgat.w2"], self.bias("kgat.b2"))
            gathered = (pi * e_t).sum(0)
        elif self.s["kgat"] == "mean":
            gathered = e_t.mean(0)
        else:
            gathered = e_t.sum(0)
        w0 = torch.cat([self.p["kgat.w0_self"], self.p["kgat.w0_neighbours"]])
        return torch.relu(torch.cat([e_h, gathered]) @ w0)

    def entity_in_context(self, link):
        """Eq 4: e_Ih of one link of an article, [d]."""
        e = self.entity(int(self.x["link_entity.values"][link]))
        if self.s["context"] == "off":
            return e
        position, frequency, kind = self.p["context.position"], self.p["context.frequency"], self.p["context.type"]
        f = min(int(self.x["link_frequency"][link]), len(frequency))
        t = int(self.x["link_type"][link])
        e = e + position[int(self.x["link_position"][link])]
        return e + frequency[f - 1] + kind[t if t >= 0 else len(kind) - 1]

    # -- the article --------------------------------------------------------------------------------------------

    def document(self, v):
        """Eqs 5-8: v_k of article row v, [K]."""
        v_d = self.x["document_x"][v]
        if self.s["model"] == "dv":
            return v_d
        links = range(*self.links[v])
        if self.s["model"] == "dv-entity":
            e = self.x["entity_x"][[int(self.x["link_entity.values"][k]) for k in links]]   # [n, d]
            query, w1 = e, self.p["distill.w1_entity"]
        elif links:
            e = torch.stack([self.entity_in_context(k) for k in links])
            query = torch.cat([e, v_d.expand(len(e), -1)], dim=1)
            w1 = None
            if self.s["distill"] == "attention":
                w1 = torch.cat([self.p["distill.w1_entity"], self.p["distill.w1_document"]])
        if not links:
            zero = v_d.new_zeros(self.x["entity_x"].shape[1])
            e_o = self.p["distill.empty"][0] if self.s["no_entity"] == "learned" else zero
        elif self.s["distill"] == "attention" or self.s["model"] == "dv-entity":
            a = additive_attention(query, w1, self.p["distill.b1"], self.p["distill.w2"], self.bias("distill.b2"))
            e_o = (a * e).sum(0)
        else:
            e_o = {"mean": e.mean(0), "sum": e.sum(0), "max": e.max(0).values}[self.s["distill"]]
        if self.s["model"] == "dv-entity":
            return torch.cat([e_o, v_d])
        w3 = torch.cat([self.p["out.w3_entity"], self.p["out.w3_document"]])
        return torch.tanh(torch.cat([e_o, v_d]) @ w3 + self.p["out.b3"][0])

    def documents(self, rows):
        return torch.stack([self.document(int(v)) for v in rows])

    # -- the tasks ----------------------------------------------------------------------------------------------

    def user(self, history):
        """u_i of a list of article rows, [K]; zero without a history."""
        if len(history) == 0:
            return None
        v = self.documents(history)
        if self.s["user_attn"] == "mlp":
            a = additive_attention(v, self.p["user.w1"], self.p["user.b1"], self.p["user.w2"], self.bias("user.b2"))
        else:
            a = torch.softmax(v @ self.p["user.w"] + self.bias("user.b"), dim=0)
        return (a * v).sum(0)

    def score(self, u, v):
        """Eq 9: y(i, j), a scalar."""
        uv = torch.cat([u, v])
        kind = self.s["predictor"]
        if kind == "mlp":
            w1 = torch.cat([self.p["predictor.w1_user"], self.p["predictor.w1_document"]])
            hidden = torch.relu(uv @ w1 + self.p["predictor.b1"][0])
            y = (hidden @ self.p["predictor.w2"] + self.p["predictor.b2"][0])[0]
        elif kind == "linear":
            w = torch.cat([self.p["predictor.w_user"], self.p["predictor.w_document"]])
            y = (uv @ w + self.p["predictor.b"][0])[0]
        elif kind == "dot":
            y = u @ v
        else:
            y = (u @ v) / (u.norm() * v.norm()).clamp(min=1e-8)
        return torch.sigmoid(y) if self.s["bound"] == "sigmoid" else y

    def user2item(self, batch):
        """Eqs 9-11 without the L2 term: (scores of all candidates, mean loss)."""
        scores, losses = [], []
        rows = zip(rows_of(batch, "history"), rows_of(batch, "candidate"), batch["positive"])
        for (h0, h1), (c0, c1), positive in rows:
            candidates = self.documents(batch["candidate.values"][c0:c1])
            u = self.user(batch["history.values"][h0:h1])
            if u is None:
                u = candidates.new_zeros(candidates.shape[1])
            y = torch.stack([self.score(u, v) for v in candidates])
            scores.append(y)
            losses.append(-torch.log_softmax(self.s["gamma"] * y, dim=0)[int(positive)])    # eqs 10-11
        return torch.cat(scores), torch.stack(losses).mean()

    def category(self, batch):
        """Eq 12 without the L2 term: (logits, mean loss)."""
        v = self.documents(batch["document"])
        hidden = torch.relu(v @ self.p["category.w1"] + self.p["category.b1"])
        logits = hidden @ self.p["category.w2"] + self.p["category.b2"]
        return logits, torch.nn.functional.cross_entropy(logits, batch["label"].long())

    def run(self, batch):
        return self.category(batch) if self.s["task"] == "category" else self.user2item(batch)

    def outputs(self):
        """What a case may hold besides scores, losses, gradients and parameters."""
        return {"out.document": self.documents(range(len(self.x["document_x"])))}

    def train(self, batches, steps):
        """Adam as the settings say; returns the loss of every step, before its update."""
        s, params = self.s, list(self.p.values())
        if s["l2_mode"] == "decoupled":
            adam = torch.optim.AdamW(params, lr=s["lr"], weight_decay=s["l2"])
        else:
            adam = torch.optim.Adam(params, lr=s["lr"], weight_decay=s["l2"] if s["l2_mode"] == "coupled" else 0.0)
        losses = []
        for k in steps:
            adam.zero_grad()
            loss = self.run(batches[int(k)])[1]
            loss.backward()
            for p in params:  # an unused parameter still decays
                p.grad = torch.zeros_like(p) if p.grad is None else p.grad
            adam.step()
            losses.append(loss.detach())
        return torch.stack(losses)


def rows_of(tensors, name):
    """The (start, end) of every row of a ragged column."""
    offsets = tensors[name + ".offsets"].tolist()
    return list(zip(offsets[:-1], offsets[1:]))
