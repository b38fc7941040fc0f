"""A layer written in Lua, with parameters of its own, among built-in ones: y = x * sigmoid(slope * x), where
each column has its slope. Its gradients are checked against finite differences, and then it is trained.

   lua_layer.lua [iterations]

Translated from lua_layer.lua by torch7py."""

import sys

import torch
from torch import nn

iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 300


def flatten_parameters(parameters):
    """All weights as one vector, and their gradients as another: the parameters become views of them."""
    parameters = list(parameters)
    weights = nn.utils.parameters_to_vector(parameters).detach()
    gradients = torch.zeros_like(weights)
    start = 0
    for p in parameters:
        end = start + p.numel()
        p.data, p.grad = weights[start:end].view_as(p), gradients[start:end].view_as(p)
        start = end
    return weights, gradients


class GateFunction(torch.autograd.Function):
    """nn.Gate with its gradients as lua_layer.lua writes them."""

    @staticmethod
    def forward(ctx, input_, slope):
        slopes = slope.view(1, -1).expand_as(input_)  # the slopes for every row, without a copy
        gate = torch.sigmoid(input_ * slopes)
        output = input_ * gate
        ctx.save_for_backward(input_, gate, slopes)
        return output

    @staticmethod
    def backward(ctx, gradOutput):
        input_, gate, slopes = ctx.saved_tensors

        # dy/dx = gate + x * slope * gate * (1 - gate), times what comes from above.
        bell = gate * (1 - gate)
        gradInput = (input_ * bell * slopes + gate) * gradOutput

        # dy/dslope = x * x * gate * (1 - gate), summed over the rows; gradients add up until zeroGradParameters.
        bell = gate * (1 - gate)
        gradSlope = bell.mul_(input_).mul_(input_).mul_(gradOutput).sum(0, keepdim=True).view(-1)
        return gradInput, gradSlope


# The class: nn.Gate derives from nn.Module, and `parent` is where the methods that it does not define are
# found.
class Gate(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.slope = nn.Parameter(torch.ones(size))

    # What there is to learn: getParameters, zeroGradParameters and updateParameters go by this. A layer whose
    # parameters are called weight and bias does not need it.

    # The output, which stays in self.output.
    def forward(self, input_):
        return GateFunction.apply(input_, self.slope)

    def __repr__(self):
        return f"nn.Gate({self.slope.numel()})"


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)

    model = nn.Sequential(nn.Linear(2, 6), Gate(6), nn.Linear(6, 1))
    print(model)

    x = torch.randn(40, 2)
    y = x[:, :1] * x[:, 1:2]  # the product of the two columns
    criterion = nn.MSELoss()

    weights, gradients = flatten_parameters(model.parameters())

    def lossOf(input_):
        return criterion(model(input_), y)

    # Each derivative beside (loss(w + h) - loss(w - h)) / 2h.
    gradients.zero_()
    loss2 = lossOf(x)
    loss2.backward()
    h, worst = 1e-5, 0
    analytic = gradients.clone()
    for i in range(weights.numel()):
        w = weights[i].item()
        weights[i] = w + h
        above = lossOf(x).item()
        weights[i] = w - h
        below = lossOf(x).item()
        weights[i] = w
        worst = max(abs((above - below) / (2 * h) - analytic[i].item()), worst)
    print(
        f"{weights.numel()} derivatives, all within 1e-8 of finite differences: {str(worst < 1e-8).lower()}"
    )

    for i in range(1, iterations + 1):
        loss = lossOf(x)
        model.zero_grad(set_to_none=False)
        loss.backward()
        torch.optim.SGD(model.parameters(), lr=0.1).step()
        if i == 1 or i % 100 == 0:
            print(f"iteration {i}: loss {loss.item():.14g}")


if __name__ == "__main__":
    main()
