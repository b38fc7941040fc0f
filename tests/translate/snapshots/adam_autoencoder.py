"""An autoencoder: eight patterns, each with another one of eight inputs on, must pass through three units,
and the network finds a code for them by itself. Trained with optim.adam.

   adam_autoencoder.lua [iterations]

Translated from adam_autoencoder.lua by torch7py."""

import sys

import torch
from torch import nn

iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 500


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


def criterion(prediction, y):  # binary cross-entropy, the mean over all outputs
    return -(y * torch.log(prediction + 1e-12) + (1 - y) * torch.log(1 - prediction + 1e-12)).mean()


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)

    encoder = nn.Sequential(nn.Linear(8, 3), nn.Sigmoid())
    decoder = nn.Sequential(nn.Linear(3, 8), nn.Sigmoid())
    model = nn.Sequential(encoder, decoder)

    patterns = torch.eye(8)  # the input, and the output to be reached
    optimizer = Adam(model.parameters(), lr=0.1)

    def feval():
        model.zero_grad()
        output = model(patterns)
        loss = criterion(output, patterns)
        loss.backward()
        return loss

    for i in range(1, iterations + 1):
        losses = optimizer.step(feval)
        if i == 1 or i % 100 == 0:
            print(f"iteration {i}: loss {losses.item():.14g}")

    # The code of each pattern, and which output is the largest for it.
    codes = encoder(patterns)
    largest = decoder(codes).argmax(1, keepdim=True) + 1
    for i in range(1, 9):
        code = f"{codes[i - 1, 0].item():.2f} {codes[i - 1, 1].item():.2f} {codes[i - 1, 2].item():.2f}"
        print(f"pattern {i}: code {code}, read as {largest[i - 1, 0].item()}")


if __name__ == "__main__":
    main()
