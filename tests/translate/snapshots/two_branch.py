"""A model with two inputs of different kinds, and a shortcut: how tables of tensors flow through nn.
It learns a number from three measurements and a category.

   two_branch.lua [iterations]

Translated from two_branch.lua by torch7py."""

import math
import random
import sys

import torch
from torch import nn

iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 1200

# y depends on the measurements, on the category, and on both together
n = 60


def keep_output(module, inputs, output):
    """A forward hook: a module keeps its last output."""
    module.output = output.detach() if torch.is_tensor(output) else [x.detach() for x in output]


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 8)  # two_branch.lua:24
        self.lookup = nn.Embedding(4, 8)  # nn.LookupTable: items count from 1, two_branch.lua:25

    def forward(self, inputs):
        x, h = inputs
        return torch.tanh(self.linear(x)), self.lookup(h.long() - 1)


class JoinTable(nn.Module):
    def forward(self, x):
        return torch.cat(tuple(x), dim=1)


class Shortcut(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(16, 16)  # two_branch.lua:32

    def forward(self, x):
        return x + torch.tanh(self.linear(x))


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    random.seed(1)
    measurements = torch.rand(n, 3)
    categories = torch.empty(n)
    y = torch.empty(n, 1)
    for i in range(n):
        m, c = measurements[i], random.randint(1, 4)
        categories[i] = c
        y[i] = m[0].item() - 2 * m[1].item() + 0.5 * c + (math.sin(6 * m[2].item()) if c == 3 else 0)

    # ParallelTable: the first input to the first layer, the second to the second
    branches = Branches()
    branches.register_forward_hook(keep_output)

    # ConcatTable: one input to every layer; CAddTable: the sum of a table. Together a shortcut around the inner
    # layers.

    # side by side along dimension 2: n x 16
    model = nn.Sequential(branches, JoinTable(), Shortcut(), nn.Linear(16, 1))
    model[1].register_forward_hook(keep_output)

    criterion = nn.MSELoss()
    input_ = [measurements, categories]

    # A layer keeps its last output, and a table layer a table of them.
    model(input_)
    two = branches.output
    print(f"branches: {len(two)} tensors, {two[0].shape[1]} and {two[1].shape[1]} columns")
    print(f"joined: {model[1].output.shape[1]} columns")

    for i in range(1, iterations + 1):
        prediction = model(input_)
        loss = criterion(prediction, y)
        model.zero_grad()
        loss.backward()
        torch.optim.SGD(model.parameters(), lr=0.05).step()
        if i == 1 or i % 300 == 0:
            print(f"iteration {i}: loss {loss.item():.14g}")


if __name__ == "__main__":
    main()
