"""What programs use besides layers: weights as one vector, options, files, the classes of optim."""

from __future__ import annotations

import argparse
import csv
import math
import os
import random
import subprocess
import sys
import time

import torch
from torch import nn


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


def generator_state():
    """The state of both generators, PyTorch's and that of single numbers."""
    return torch.get_rng_state(), random.getstate()


def set_generator_state(state):
    """Have both generators go on from a state."""
    torch.set_rng_state(state[0])
    random.setstate(state[1])


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


def log_prints(path, options):
    """From now on what is printed is written into a file as well, at first what the options are."""
    screen = sys.stdout
    with open(path, "w"):
        pass  # an older one is emptied

    class Both:
        def write(self, text):
            with open(path, "a") as file:
                file.write(text.replace("\t", " ").replace("\n", " \n"))
            return screen.write(text)

        def flush(self):
            screen.flush()

    sys.stdout = Both()
    print(f"[program started on {time.strftime('%c')}]")
    print("[command line arguments]")
    for key, value in sorted(options.items()):
        shown = str(value).lower() if isinstance(value, bool) else value
        print(key, f"{shown:.14g}" if isinstance(shown, (int, float)) else shown, sep="\t")
    print("[----------------------]")


def with_options(saved, *names):
    """A saved table whose options, kept as dicts, are again what argparse gives."""
    return {**saved, **{name: argparse.Namespace(**saved[name]) for name in names if name in saved}}


def open_or_none(path, mode="r"):
    """The opened file, or None where it cannot be opened."""
    try:
        return open(path, mode)
    except OSError:
        return None


def make_directory(path):
    """Make a directory and those above it; whether that was done."""
    try:
        os.makedirs(path)
    except OSError:
        return False
    return True


def to_number(text, base=None):
    """The number that a text says, or None."""
    text = str(text).replace("_", "?")  # which Python takes for a digit's neighbour
    try:
        if base not in (None, 10):
            return float(int(text, base))
        number = float.fromhex(text) if "x" in text.lower() else float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() and 0 < abs(number) < 2**53 or text == "0" else number


def round_away(x):
    """To the nearest whole numbers, halves away from zero as in C; PyTorch rounds them to even ones."""
    return x.trunc() + (2 * x.frac()).trunc()


def load_rows(path, separator=",", verbose=True):
    """The rows of a file of separated values, as lists of text."""
    if verbose:
        print(f"<csv>\tparsing file: {path}")
    with open(os.path.expanduser(path), newline="") as file:
        return [
            row or [""] for row in csv.reader(file, delimiter=separator, skipinitialspace=separator == " ")
        ]


def load_columns(path, separator=",", header=None, skip=0, verbose=True):
    """The columns of a file of separated values by name, as lists of text. Without a header they are numbered."""
    rows = load_rows(path, separator, verbose)[skip:]
    if header or (header is None and to_number(rows[0][0]) is None):
        names, rows = rows[0], rows[1:]
    else:
        names = [f"var_{number}" for number in range(1, len(rows[0]) + 1)]
    if verbose:
        print("<csv>\ttidying up entries")
        print("<csv>\treturning tidy table")
    return {name: [row[i] for row in rows if i < len(row)] for i, name in enumerate(names)}


class Logger:
    """Writes values to a file: a line of their names, then one for each set of values."""

    def __init__(self, path):
        self.path, self.empty = path, True
        with open(path, "w"):
            pass

    def write(self, texts):
        with open(self.path, "a") as file:
            file.write("".join(f"{text}\t" for text in texts) + "\n")

    def set_names(self, names):
        self.empty = False
        self.write(names)

    def add(self, values):
        named = sorted(values.items()) if isinstance(values, dict) else list(enumerate(values, 1))
        if self.empty:
            self.set_names([name for name, _ in named])
        self.write([value if isinstance(value, str) else f"{value:11.4e}" for _, value in named])


class ConfusionMatrix:
    """How often each class was taken for each; they count from 1, and a target below 1 is missing."""

    def __init__(self, classes):
        self.nclasses = classes if isinstance(classes, int) else len(classes)
        self.classes = [] if isinstance(classes, int) else classes
        self.mat = torch.zeros(self.nclasses, self.nclasses, dtype=torch.int64)
        self.averageUnionValid = 0
        self.zero()

    def zero(self):
        self.mat.zero_()
        self.valids, self.unionvalids = torch.zeros(2, len(self.mat), dtype=torch.float32)
        self.totalValid, self.averageValid = 0, 0

    def add(self, prediction, target):
        self.batch_add(torch.as_tensor(prediction)[None], torch.as_tensor(target)[None])

    def batch_add(self, predictions, targets):
        # One column holds classes, as a vector does.
        found, wanted = (
            x.argmax(1) if x.dim() > 1 and x.shape[1] > 1 else x.flatten().long() - 1
            for x in (predictions, targets)
        )
        there = wanted >= 0
        size = len(self.mat)
        self.mat += torch.bincount((wanted * size + found)[there], minlength=size**2).view(size, size)

    def update_valids(self):
        right = self.mat.diagonal().double()
        self.valids = (right / self.mat.sum(1)).float()  # as optim keeps them
        self.unionvalids = (right / (self.mat.sum(0) + self.mat.sum(1) - right)).float()
        self.averageValid = self.valids.double().nanmean().item()
        self.averageUnionValid = self.unionvalids[self.mat.sum(1) > 0].double().mean().item()
        self.totalValid = (right.sum() / self.mat.sum()).item()

    def __str__(self):
        self.update_valids()
        width = max(8, 1 + math.ceil(math.log10(max(self.mat.max().item(), 1))))
        lines = ["ConfusionMatrix:"]
        for i, (row, valid) in enumerate(zip(self.mat.tolist(), self.valids.tolist())):
            numbers = "".join(f"{count:{width}d}" for count in row)
            end = "]]  " if i + 1 == len(self.mat) else "]   "
            name = f"\t[class: {self.classes[i]}]" if self.classes else ""
            lines.append(f"{' ' if i else '['}[{numbers}{end}{100 * valid:.3f}% {name}")
        lines.append(f" + average row correct: {100 * self.averageValid:.14g}% ")
        lines.append(f" + average rowUcol correct (VOC measure): {100 * self.averageUnionValid:.14g}% ")
        lines.append(f" + global correct: {100 * self.totalValid:.14g}%")
        return "\n".join(lines)


def clip_gradients(module, longest):
    """Scale the gradients down where their norm is larger; clip_grad_norm_ would be off by 1e-6."""
    if longest <= 0:
        return None
    parameters = [p for p in module.parameters() if p.grad is not None]
    norm = nn.utils.clip_grad_norm_(parameters, math.inf).item()
    if norm > longest:
        for p in parameters:
            p.grad.mul_(longest / norm)
    return norm


class ConcatTable(nn.ModuleList):
    """Modules that all take the same input: a list of their outputs."""

    def forward(self, x):
        return [module(x) for module in self]


class ParallelTable(nn.ModuleList):
    """Modules that take one value each of a list: a list of their outputs."""

    def forward(self, values):
        return [module(x) for module, x in zip(self, values, strict=True)]


class Concat(nn.ModuleList):
    """Modules that all take the same input: their outputs side by side along a dimension."""

    def __init__(self, dim, modules=()):
        super().__init__(modules)
        self.dim = dim

    def forward(self, x):
        return torch.cat([module(x) for module in self], self.dim)


def replace_modules(module, change):
    """What a function gives for a module, with the modules in it replaced alike."""
    module = change(module)
    for name, child in module.named_children():
        setattr(module, name, replace_modules(child, change))
    return module


def keep_output(module, inputs, output):
    """A forward hook: a module keeps its last output."""
    module.output = output.detach() if torch.is_tensor(output) else [x.detach() for x in output]


def mixture(weights, experts):
    """The experts' outputs, a list or along the axis of the weights, each times its weight, added up."""
    axis = int(weights.dim() > 1)
    if not isinstance(experts, torch.Tensor):
        experts = torch.stack([*experts], dim=axis)
    weights = weights.view(*weights.shape, *[1] * (experts.dim() - weights.dim()))
    return (weights * experts).sum(axis)


def momentum_gradients(model, momentum, dampening=None, nesterov=False):
    """Make each gradient the running sum of all so far, as updateGradParameters of Torch7's dpnn does."""
    if momentum <= 0:
        return
    share = 1 - (momentum if dampening is None else dampening)
    for p in model.parameters():
        if p.requires_grad:
            grad = torch.zeros_like(p) if p.grad is None else p.grad
            if not hasattr(p, "running"):
                p.running = grad.clone()
            p.running.mul_(momentum).add_(grad, alpha=share)
            p.grad = grad + momentum * p.running if nesterov else p.running.clone()


def limit_norms(model, longest, by_input=(), but=()):
    """Shorten weights with larger norms: those into each output, in layers ``by_input`` those from each input.

    Of a table those of each column, its outputs.
    ``but``: layers whose weights are not of inputs and outputs.
    """
    for layer in model.modules():
        most = getattr(layer, "longest", longest)
        for p in layer.parameters(recurse=False):
            if p.dim() > 1 and most > 0 and not isinstance(layer, but):
                p.data.renorm_(2, 1 if isinstance(layer, (nn.Embedding, *by_input)) else 0, most)


def base_name(path, suffix):
    """The last part of a path, without a suffix, which may be said with its dot or without."""
    base, suffix = os.path.basename(path), (suffix or "").removeprefix(".")
    return base.removesuffix(f".{suffix}") if suffix else base


def extension(path):
    """What follows the last dot of a path; None without a dot."""
    return path.rpartition(".")[2] if "." in path else None


class Stopwatch:
    """The seconds in which it goes; it does from the beginning."""

    def __init__(self):
        self.before, self.started = 0.0, time.perf_counter()

    def seconds(self):
        return self.before + (0.0 if self.started is None else time.perf_counter() - self.started)

    def reset(self):
        self.before = 0.0
        if self.started is not None:
            self.started = time.perf_counter()

    def stop(self):
        self.before, self.started = self.seconds(), None

    def resume(self):
        if self.started is None:
            self.started = time.perf_counter()


def tic():
    """Begin to take the time."""
    tic.started = time.perf_counter()


def toc():
    """The seconds since ``tic``."""
    return time.perf_counter() - tic.started


def text_at(x, length=None):
    """The text whose bytes a vector has, so many or up to the first zero."""
    data = x.to(torch.uint8).cpu().numpy().tobytes()
    return data[: data.index(0) if length is None else length].decode()


def put_text(x, text, ending=b"\0"):
    """Write the bytes of a text, and what ends it, into a vector."""
    data = torch.tensor([*text.encode(), *ending], dtype=torch.uint8)
    x[: len(data)] = data.to(x.dtype)


def shell_output(command, errors=subprocess.STDOUT):
    """What a command of the shell writes, with its errors, without blanks around."""
    done = subprocess.run(command, shell=True, check=False, stdout=subprocess.PIPE, stderr=errors, text=True)
    return done.stdout.strip()


def moved_on(x, count):
    """The elements of a vector that come so many places further on."""
    if count < 0:
        raise ValueError("a place before the first element")
    return x[int(count) :]


def show_table(table):
    """An entry a line, in the order of their texts, as Lua would write them."""

    def show(value):
        if isinstance(value, list):
            return "{" + ",".join(show(item) for item in value) + "}"
        if isinstance(value, dict):
            return "{" + ",".join(f"{name(key)}={show(item)}" for key, item in value.items()) + "}"
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str) and '"' in value and "'" not in value:
            return "'" + value.replace("\n", "\\n") + "'"
        if isinstance(value, str):
            return '"' + value.replace("\n", "\\n").replace('"', '\\"') + '"'
        return f"{value:.14g}" if isinstance(value, float) else str(value)

    def name(key):
        return key if isinstance(key, str) and key.isidentifier() else f"[{show(key)}]"

    entries = vars(table) if isinstance(table, argparse.Namespace) else table
    if isinstance(entries, list):
        lines = [show(value) for value in entries]
    else:
        lines = [f"{name(key)} : {show(value)}" for key, value in entries.items() if value is not None]
    print("{\n   " + "\n   ".join(sorted(lines)) + "\n}")
