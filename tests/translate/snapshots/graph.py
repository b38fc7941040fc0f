"""nngraph: a model written as a graph of named values, with two inputs, a shortcut and a joined output. It learns the sum
and the product of its inputs at once.

   graph.lua [iterations]

Translated from graph.lua by torch7py."""

import sys

import torch
from torch import nn

iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 300

n = 50


class Layer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, from_):
        return torch.tanh(self.linear(from_))


class MakeModel(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.first = Layer(2, hidden)
        self.second = Layer(hidden, hidden)
        self.sum_ = nn.Linear(2, 1)
        self.product = nn.Linear(hidden, 1)

    def forward(self, a, b):
        both = torch.cat((a, b), dim=1)
        first = self.first(both)
        second = first + self.second(first)
        sum_ = self.sum_(both)
        product = self.product(second)
        return torch.cat((sum_, product), dim=1)


def makeModel(hidden):
    return MakeModel(hidden)


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)

    model = makeModel(10)
    criterion = nn.MSELoss()
    a, b = torch.rand(n, 1).mul_(2).add_(-1), torch.rand(n, 1).mul_(2).add_(-1)
    inputs, targets = [a, b], torch.cat([a + b, a * b], 1)

    for i in range(1, iterations + 1):
        outputs = model(*inputs)
        loss = criterion(outputs, targets)
        model.zero_grad()
        loss.backward()
        torch.optim.SGD(model.parameters(), lr=0.1).step()
        if i == 1 or i % 100 == 0:
            print(f"iteration {i}: loss {loss.item():.14g}")
    outputs = model(torch.tensor([[0.5]]), torch.tensor([[-0.5]], dtype=torch.get_default_dtype()))
    print(f"0.5 and -0.5: sum {outputs[0, 0].item():.3f}, product {outputs[0, 1].item():.3f}")


if __name__ == "__main__":
    main()
