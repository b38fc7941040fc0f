"""A classifier, and what it takes to fool it: the gradient of the loss with respect to the input says in which
direction each number must change a little. Then the other way round: an input is made, by gradient descent, of
which the classifier is sure.

   fooled.lua [iterations]

Translated from fooled.lua by torch7py."""

import math
import sys

import torch
from torch import nn

iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 200
classes, size, count = 3, 6, 60


def lua_divide(a, b):
    """a / b, which in Lua is infinite or not a number where b is 0."""
    return a / b if b else a * math.copysign(math.inf, b)


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(4)

    # Three clouds of points.
    centers = torch.randn(classes, size) * 1.5
    x, y = torch.randn(count, size), torch.empty(count)
    for i in range(1, count + 1):
        y[i - 1] = (i - 1) % classes + 1
        x[i - 1].add_(centers[int(y[i - 1].item()) - 1])

    net = nn.Sequential(nn.Linear(size, 12), nn.Tanh(), nn.Linear(12, classes), nn.LogSoftmax(dim=-1))
    criterion = nn.NLLLoss()

    for i in range(1, iterations + 1):
        net.zero_grad()
        output = net(x)
        loss = criterion(output, y.long() - 1)
        loss.backward()
        torch.optim.SGD(net.parameters(), lr=0.1).step()
        if i % 100 == 0:
            print(f"iteration {i}: loss {loss.item():.14g}")

    def right(input_):
        best = net(input_).argmax(1, keepdim=True) + 1
        n = 0
        for i in range(count):
            if best[i, 0].item() == y[i].item():
                n += 1
        return n

    # The fast gradient sign method.
    def worse(input_, target, epsilon):
        input__leaf = input_.detach().requires_grad_()
        output = net(input__leaf)
        loss2 = criterion(output, target.long() - 1)
        dx = torch.autograd.grad(loss2, input__leaf)[0]
        return input_ + torch.sign(dx) * epsilon

    print(f"right: {right(x)} of {count}")
    for epsilon in (0.1, 0.5, 1):
        print(f"right, all inputs changed by {epsilon:.14g}: {right(worse(x, y, epsilon))}")

    # Which numbers of an input its class depends on.
    one = x[0].clone()
    one_leaf = one.detach().requires_grad_()
    scores = net(one_leaf)
    gradOutput = torch.zeros(classes)
    gradOutput[int(y[0].item()) - 1] = 1
    saliency = torch.autograd.grad(scores, one_leaf, gradOutput)[0].clone().abs_()
    most = saliency.argmax(0, keepdim=True) + 1
    print(
        f"the first is of class {int(y[0].item())} with {math.exp(scores[int(y[0].item()) - 1].item()):.3f}, mostly by its number {most[0].item()}"
    )

    # From nothing to an input of class 2.
    dreamt = torch.zeros(size)
    for _ in range(20):
        dreamt_leaf = dreamt.detach().requires_grad_()
        output2 = net(dreamt_leaf)
        wanted = torch.tensor([0.0, 1.0, 0.0])
        dx = torch.autograd.grad(output2, dreamt_leaf, wanted)[0]
        dreamt.add_(dx, alpha=lua_divide(0.2, torch.abs(dx).mean().item() + 1e-8))
    print(f"made: class 2 with {math.exp(net(dreamt)[1].item()):.4f}")


if __name__ == "__main__":
    main()
