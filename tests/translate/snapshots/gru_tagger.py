"""A tagger with gated recurrent units (GRU): says of each symbol of a sequence whether it stands inside
brackets. Sequences have different lengths, and it is tried on longer ones than it has seen.

   gru_tagger.lua [iterations]

Translated from gru_tagger.lua by torch7py."""

import random
import sys

import torch
import torch.nn.functional as F
from torch import nn

iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 150
batchSize = 10


class GRU(nn.Module):
    """A gated recurrent unit that resets its output before the product, where nn.GRU resets the product."""

    def __init__(self, inputs, size, batch_first=False):
        super().__init__()
        self.size, self.batch_first = size, batch_first
        self.gates_from_input = nn.Linear(inputs, 2 * size)
        self.gates_from_output = nn.Linear(size, 2 * size, bias=False)
        self.from_input = nn.Linear(inputs, size)
        self.from_kept = nn.Linear(size, size, bias=False)

    def forward(self, x, h=None):
        x = x.transpose(0, 1) if self.batch_first else x
        h = x.new_zeros(*x.shape[1:-1], self.size) if h is None else h
        outputs = []
        for gates, new in zip(self.gates_from_input(x), self.from_input(x), strict=True):
            r, z = torch.sigmoid(gates + self.gates_from_output(h)).chunk(2, -1)
            h = z * h + (1 - z) * torch.tanh(new + self.from_kept(r * h))
            outputs.append(h)
        return torch.stack(outputs, 1 if self.batch_first else 0), h


class Adam(torch.optim.Optimizer):
    """Adam as optim.adam computes it: epsilon is added before the second moment's bias is corrected."""

    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-8, lr_decay=0, weight_decay=0):
        names = {"lr": lr, "betas": betas, "eps": eps, "lr_decay": lr_decay, "weight_decay": weight_decay}
        super().__init__(params, names)

    @torch.no_grad()
    def step(self, closure=None):
        with torch.enable_grad():
            loss = closure() if closure is not None else None
        for group in self.param_groups:
            (beta1, beta2), eps = group["betas"], group["eps"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                grad = p.grad.add(p, alpha=group["weight_decay"]) if group["weight_decay"] else p.grad
                rate = group["lr"] / (1 + state["t"] * group["lr_decay"])
                state["t"] += 1
                state["m"].lerp_(grad, 1 - beta1)
                state["v"].mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
                rate *= (1 - beta2 ** state["t"]) ** 0.5 / (1 - beta1 ** state["t"])
                p.addcdiv_(state["m"], state["v"].sqrt().add_(eps), value=-rate)
        return loss


# symbols: 1 is a letter, 2 opens a bracket, 3 closes it; tags: 1 is outside, 2 inside
# A sequence is a table of tensors, one for each step, with a number for each row of the batch.
def makeBatch(length):
    inputs, targets = [], []
    inside = torch.ones(batchSize)  # the tag that each row has reached
    for t in range(length):
        x = torch.ones(batchSize)
        for row in range(batchSize):
            if random.random() < 0.3:
                x[row] = 2 if inside[row].item() == 1 else 3
                inside[row] = 3 - inside[row].item()
        inputs.append(x)
        targets.append(inside.clone())
    return inputs, targets


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lookup = nn.Embedding(3, 4)  # nn.LookupTable: items count from 1, gru_tagger.lua:32
        self.gru = GRU(4, 8)  # nn.GRU: resets before its product, unlike PyTorch's, gru_tagger.lua:33
        self.linear = nn.Linear(8, 2)  # gru_tagger.lua:34

    def forward(self, x):
        x = self.lookup(x - 1)
        x, _ = self.gru(x)
        return F.log_softmax(self.linear(x), dim=-1)


def criterion(prediction, y):  # nn.SequencerCriterion(nn.ClassNLLCriterion())
    return sum(F.nll_loss(p, t.long() - 1) for p, t in zip(prediction, y))


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    random.seed(1)

    model = Model()

    optimizer = Adam(model.parameters(), lr=0.03)

    for i in range(1, iterations + 1):
        length = i % 4 + 5  # a Sequencer takes a table of any length
        inputs, targets = makeBatch(length)

        def feval(*, length=length, inputs=inputs, targets=targets):
            model.zero_grad()
            outputs = model(torch.stack(inputs).long())
            loss = criterion(outputs, targets)
            loss.backward()
            return loss / length

        losses = optimizer.step(feval)
        if i == 1 or i % 30 == 0:
            print(f"iteration {i}: loss {losses.item():.14g}")

    model.eval()  # no training from here on
    length2, right = 40, 0
    inputs2, targets2 = makeBatch(length2)
    outputs = model(torch.stack(inputs2).long())
    for t in range(length2):
        tags = outputs[t].argmax(1, keepdim=True) + 1
        right += (tags.to(targets2[t].dtype) == targets2[t].view(batchSize, 1)).sum().item()
    print(f"{right} of {length2 * batchSize} tags right in sequences of {length2}")


if __name__ == "__main__":
    main()
