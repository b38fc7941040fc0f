"""A program with options: fits a line through noisy points, with a validation set, and keeps the best model.

options.lua -help
options.lua -lr 0.5 -iterations 50 -type float. Translated from options.lua by torch7py."""

import argparse
import copy
import math

import torch
from torch import nn


def run_name(parser, prefix, values, ignore):
    """A name for a run: a prefix and the options that are not at their defaults, but for those to be ignored."""
    parts = []
    defaults = vars(parser.parse_args([]))
    for key, value in sorted(vars(values).items()):
        if ignore.get(key):
            print(f"-- ignore option {key}")
        elif key not in defaults:
            print(f"WARNING: unknown option/argument: {key} IGNORING for DIRECTORY NAME")
        elif value != defaults[key] or ignore.get(key) is False:
            shown = ("t" if value else "f") if isinstance(value, bool) else value
            parts.append(f"{key}={shown:.14g}" if isinstance(shown, float) else f"{key}={shown}")
            print(key, shown, defaults[key], sep="\t")
    return ",".join([prefix, *sorted(parts)])


def main():
    torch.set_default_dtype(torch.float64)
    cmd = argparse.ArgumentParser()
    cmd.add_argument("-seed", type=int, default=1, help="of the random numbers")
    cmd.add_argument("-points", type=int, default=50, help="how many to fit")
    cmd.add_argument("-noise", type=float, default=0.1, help="standard deviation of their noise")
    cmd.add_argument("-lr", type=float, default=0.2, help="learning rate")
    cmd.add_argument("-iterations", type=int, default=100, help="how many steps")
    cmd.add_argument("-type", default="double", help="of the numbers: double | float")
    cmd.add_argument("-quiet", action="store_true", help="say only the result")
    opt = cmd.parse_args()  # a table with a value for each option

    torch.manual_seed(opt.seed)
    if opt.type == "float":
        torch.set_default_dtype(torch.float32)
    elif opt.type != "double":
        cmd.error("-type must be double or float")

    # A name for the run that says which options differ from their defaults; cmd:string prints each of them, too.
    print(f"run: {run_name(cmd, 'line', opt, {})}")

    # y = 3x - 1 + noise
    def makePoints(n):
        x = torch.empty(n, 1).uniform_(-1, 1)
        y = x * 3 - 1 + torch.randn(n, 1) * opt.noise
        return x, y

    x, y = makePoints(opt.points)
    checkX, checkY = makePoints(20)

    model = nn.Linear(1, 1)
    criterion = nn.MSELoss()
    # where a longer training would write checkpoints
    best = None
    bestLoss = None

    for i in range(1, opt.iterations + 1):
        prediction = model(x)
        loss = criterion(prediction, y)
        model.zero_grad()
        loss.backward()
        torch.optim.SGD(model.parameters(), lr=opt.lr).step()

        checkLoss = criterion(model(checkX), checkY).item()
        if best is None or checkLoss < bestLoss:
            best, bestLoss = copy.deepcopy(model), checkLoss
        if not opt.quiet and i % math.ceil(opt.iterations / 4) == 0:
            print(f"iteration {i}: loss {loss.item():.6f}, on the other points {checkLoss:.6f}")

    print(f"last: y = {model.weight[0, 0].item():.6f} x + {model.bias[0].item():.6f}")
    print(f"best: y = {best.weight[0, 0].item():.6f} x + {best.bias[0].item():.6f}")


if __name__ == "__main__":
    main()
