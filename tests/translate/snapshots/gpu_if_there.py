"""A program that computes on a GPU where there is one, asked as most programs of the time asked: with pcall.
It counts the ones in a row of bits, as a class, and says what it computes with.

   gpu_if_there.lua [-gpuid N] [-iterations N]

   torch7py run gpu_if_there.lua                    falls back to the CPU
   torch7py run --device cuda gpu_if_there.lua      computes on the GPU
   torch7py run --cuda-as cpu gpu_if_there.lua      goes the way of the GPU, on the CPU

Translated from gpu_if_there.lua by torch7py."""

import argparse
import math

import torch
from torch import nn


def tensor_type(x):
    """What Torch7 calls the type of x: a CudaTensor holds single precision."""
    return x.type().replace("cuda.Float", "Cuda").replace("cuda.", "Cuda")


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


def main():
    cmd = argparse.ArgumentParser()
    cmd.add_argument("-gpuid", type=int, default=0, help="which GPU to use, from 0; -1 for the CPU")
    cmd.add_argument("-iterations", type=int, default=150, help="steps of training")
    cmd.add_argument("-seed", type=int, default=3, help="seed of the random numbers")
    opt = cmd.parse_args()

    torch.manual_seed(opt.seed)
    torch.set_default_dtype(torch.float32)

    if opt.gpuid >= 0:
        has_cunn = torch.cuda.is_available()
        has_cutorch = torch.cuda.is_available()
        if has_cunn and has_cutorch:
            torch.cuda.set_device(opt.gpuid)  # GPUs count from 1
            torch.cuda.manual_seed(opt.seed)
        else:
            print("cunn and cutorch are not there: computing on the CPU")
            opt.gpuid = -1

    def place(x):
        return x.float().cuda() if opt.gpuid >= 0 else x

    # every row of four bits, and how many of them are ones, from 1
    bits = torch.empty(16, 4)
    for row in range(1, 17):
        for column in range(1, 5):
            bits[row - 1, column - 1] = math.floor((row - 1) / 2 ** (column - 1)) % 2
    inputs = place(bits)
    targets = place(bits.sum(1, keepdim=True).view(-1).add_(1))

    model = place(nn.Sequential(nn.Linear(4, 20), nn.Tanh(), nn.Linear(20, 5), nn.LogSoftmax(dim=-1)))
    criterion = place(nn.NLLLoss())
    print(f"weights: {tensor_type(next(model.parameters()))}, loss: {tensor_type(place(torch.empty(0)))}")

    def feval():
        model.zero_grad()
        loss = criterion(model(inputs), targets.long() - 1)
        loss.backward()
        return loss

    optimizer = Adam(model.parameters(), lr=0.03)
    for i in range(1, opt.iterations + 1):
        loss = optimizer.step(feval)
        if i % 50 == 0:
            print(f"iteration {i:3d}: loss {loss.item():.2f}")

    if opt.gpuid >= 0:
        torch.cuda.synchronize()
    counted = model(inputs).argmax(1, keepdim=True) + 1
    print(
        f"{(counted.to(targets.dtype) == targets.reshape_as(counted)).sum().item()} of 16 rows counted right"
    )


if __name__ == "__main__":
    main()
