"""A layer and a criterion of one's own: a network of radial basis functions, exp(-|x - centre|^2), trained with a
loss that is quadratic near zero and linear beyond.

   rbf.lua [iterations]

Translated from rbf.lua by torch7py."""

import sys

import torch
from torch import nn

iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 200


class RadialFunction(torch.autograd.Function):
    """nn.Radial with its gradients as rbf.lua writes them."""

    @staticmethod
    def forward(ctx, input_, weight):
        n, centres = input_.shape[0], weight.shape[0]
        output = torch.empty(n, centres)
        for c in range(centres):
            difference = input_ - weight[c].view(1, -1).expand_as(input_)
            output[:, c] = (difference * difference).sum(1, keepdim=True).mul_(-1).exp_().flatten()
        ctx.save_for_backward(input_, weight, output)
        return output

    @staticmethod
    def backward(ctx, gradOutput):
        input_, weight, output = ctx.saved_tensors

        # The derivative by x is -2 (x - centre) exp(...).
        gradInput = torch.zeros_like(input_)
        for c in range(weight.shape[0]):
            difference = input_ - weight[c].view(1, -1).expand_as(input_)
            factor = (output[:, c] * gradOutput[:, c]).mul_(-2)
            gradInput.add_(difference * factor.view(-1, 1).expand_as(input_))
        slope = output * gradOutput
        total = weight * slope.sum(0, keepdim=True).view(-1, 1).expand_as(weight)
        gradWeight = 2 * 1 * (slope.t() @ input_ - total)
        return gradInput, gradWeight


# One output for each centre; the centres are learnt.
class Radial(nn.Module):
    def __init__(self, inputSize, centres):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(centres, inputSize))
        self.reset()

    def reset(self, spread=None):
        nn.init.uniform_(
            self.weight, -(spread if spread is not None else 2), spread if spread is not None else 2
        )

    # n x inputSize -> n x centres
    def forward(self, input_):
        return RadialFunction.apply(input_, self.weight)


class HuberCriterionFunction(torch.autograd.Function):
    """nn.HuberCriterion with its gradients as rbf.lua writes them."""

    @staticmethod
    def forward(ctx, layer, input_, target):
        size = torch.abs(input_ - target)
        near = size.clamp(max=layer.limit)
        output = (near * (size - near * 0.5)).mean()
        ctx.save_for_backward(input_, target)
        ctx.layer = layer
        return output

    @staticmethod
    def backward(ctx, gradOutput):
        layer = ctx.layer
        input_, target = ctx.saved_tensors
        gradInput = (input_ - target).clone()
        gradInput.clamp_(-layer.limit, layer.limit).div_(input_.numel())
        return None, gradInput * gradOutput, None


class HuberCriterion(nn.Module):
    def __init__(self, limit):
        super().__init__()
        self.limit = limit if limit is not None else 1

    def forward(self, input_, target):
        return HuberCriterionFunction.apply(self, input_, target)


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)

    x = torch.linspace(-3, 3, 40).view(40, 1)
    y = torch.sin(x * 2) + x * 0.5
    y[19] = 5  # one that is far off

    model = nn.Sequential(Radial(1, 12), nn.Linear(12, 1))
    criterion = HuberCriterion(0.5)
    for i in range(1, iterations + 1):
        prediction = model(x)
        loss = criterion(prediction, y)
        model.zero_grad()
        loss.backward()
        torch.optim.SGD(model.parameters(), lr=0.3).step()
        if i == 1 or i % 50 == 0:
            print(f"iteration {i}: loss {loss.item():.14g}")
    rest = (model(x) - y).abs_()
    print(
        f"half are within {rest.view(-1).sort().values[19].item():.3f}, the worst is off by {rest.max().item():.3f}"
    )


if __name__ == "__main__":
    main()
