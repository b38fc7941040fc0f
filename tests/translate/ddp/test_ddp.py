"""``translate --ddp``: what becomes of a page, what is refused, and two processes beside one."""

from __future__ import annotations

import os
import re
import runpy
import socket
import sys
from pathlib import Path

import pytest
import torch

from tests import python_process
from torch7py.translate.api import to_pytorch
from torch7py.translate.ddp import NotDivided, divided, helper

SAMPLES = Path(__file__).parents[3] / "lua_samples"

# Uneven batches, the last one of one example; a mean and a sum as losses; outputs that are used later; dropout of the
# generator that all have in common; a time before the examples; numbers and a tensor that rounds carry on.
PAGE = '''"""A training."""

import sys

import torch
import torch.nn.functional as F
from torch import nn

rounds = int(sys.argv[1])


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.lookup, self.linear = nn.Embedding(5, 4), nn.Linear(4, 5)

    def forward(self, x):
        return F.log_softmax(self.linear(self.lookup(x).cumsum(0)), dim=-1)


def sequence_loss(prediction, y):
    return sum(F.nll_loss(p, t) for p, t in zip(prediction, y))


def train(tagger, steps, targets):
    prediction = tagger(torch.stack(steps))
    err = sequence_loss(prediction, targets)
    tagger.zero_grad()
    err.backward()
    torch.optim.SGD(tagger.parameters(), lr=0.1).step()
    return err.item()


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    x, y = torch.randn(22, 3), torch.randn(22, 2)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    tagger = Tagger()
    criterion = nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    best, offsets, seen = 1e9, torch.arange(5), []
    for epoch in range(1, rounds + 1):
        total = 0
        order = torch.randperm(22)
        for first in range(0, 22, 7):
            chosen = order[first : first + 7]
            outputs = model(x[chosen])
            loss = criterion(outputs, y[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() + outputs.abs().sum().item()
        scheduler.step()
        offsets = (offsets + 1) % 5
        steps = [(offsets + t) % 5 for t in range(3)]
        err = train(tagger, steps, [(step + 1) % 5 for step in steps])
        best = min(best, total)
        seen.append(epoch)
        print(f"{epoch} {total:.10f} {best:.10f} {err:.10f} {len(seen)}")


if __name__ == "__main__":
    main()
'''


def test_what_is_changed():
    page, new = PAGE.splitlines(), divided(PAGE, "page.py").splitlines()
    changed = [line.strip() for line in new if line not in page]
    assert changed == [
        "from data_parallel import processes",
        "prediction = processes.forward(tagger, torch.stack(steps), axis=1)",
        "err = processes.loss(sequence_loss, prediction, targets)",
        'best = processes.kept("best", best)',
        'offsets = processes.kept("offsets", offsets)',
        "for epoch in processes.rest(",
        "range(1, rounds + 1),",
        "x=x,",
        "y=y,",
        "model=model,",
        "tagger=tagger,",
        "criterion=criterion,",
        "optimizer=optimizer,",
        "scheduler=scheduler,",
        "seen=seen,",
        "):",
        "outputs = processes.forward(model, x[chosen])",
        "loss = processes.loss(criterion, outputs, y[chosen])",
        "total += loss.item() + processes.whole(outputs).abs().sum().item()",
        "processes.keep(best=best, offsets=offsets)",
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(divided(PAGE, "train.py"))
    (tmp_path / "plain.py").write_text(PAGE)
    (tmp_path / "data_parallel.py").write_text(helper())
    return tmp_path


def here(folder: Path, name: str, rounds: int, capsys, monkeypatch, **environment: str) -> list[str]:
    """What a page prints in this process."""
    monkeypatch.setattr(sys, "argv", [name, str(rounds)])
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "data_parallel", raising=False)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    dtype = torch.get_default_dtype()
    try:
        runpy.run_path(str(folder / name), run_name="__main__")
    finally:
        torch.set_default_dtype(dtype)
    monkeypatch.delitem(sys.modules, "data_parallel", raising=False)
    printed: list[str] = capsys.readouterr().out.splitlines()
    return printed


def numbers(lines: list[str]) -> list[list[float]]:
    return [[float(word) for word in line.split()] for line in lines]


def test_in_one_process_nothing_changes(folder, capsys, monkeypatch):
    plain = here(folder, "plain.py", 4, capsys, monkeypatch)
    assert len(plain) == 4
    assert here(folder, "train.py", 4, capsys, monkeypatch) == plain


def test_two_processes_give_the_losses_of_one_and_go_on_from_a_checkpoint(folder, capsys, monkeypatch):
    """Two processes train four rounds and save; one process goes on to eight: all losses are those of one alone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    saved = str(folder / "run.pt")
    environment = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    environment |= {"OMP_NUM_THREADS": "1", "CHECKPOINT": saved, "CHECKPOINT_SECONDS": "0"}
    ranks = [environment | {"RANK": str(rank)} for rank in range(2)]
    command = ["train.py", "4"]
    with (
        python_process.start(command, cwd=folder, env=ranks[0]) as first,
        python_process.start(command, cwd=folder, env=ranks[1]) as second,
    ):
        ended = [process.wait(timeout=120) for process in (first, second)]
    assert [process.returncode for process in ended] == [0, 0], ended
    assert ended[1].stdout == ""
    plain = numbers(here(folder, "plain.py", 8, capsys, monkeypatch))
    assert numbers(ended[0].stdout.splitlines()) == [pytest.approx(line, rel=1e-9) for line in plain[:4]]
    rest = here(folder, "train.py", 8, capsys, monkeypatch, CHECKPOINT=saved)
    assert numbers(rest) == [pytest.approx(line, rel=1e-9) for line in plain[4:]]


DIVIDED = "mlp_sgd gru_tagger two_branch".split()


@pytest.mark.parametrize("name", DIVIDED)
def test_samples(name):
    result = to_pytorch(SAMPLES / f"{name}.lua", verify=False, ddp=True)
    assert len(re.findall(r"processes\.loss\(", result.code)) == 1
    assert result.modules == {"data_parallel.py": helper()}
    assert "torchrun --nproc-per-node 2" in result.report.notes[-1]


def body(text: str) -> str:
    lines = "".join(f"    {line}\n" for line in text.strip().splitlines())
    return f"import torch\nfrom torch import nn\n\n\ndef main():\n{lines}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("print(1)", "no training to divide"),
        ("y = model(x)\ny.backward(g)", "a gradient of its own"),
        ("g = torch.autograd.grad(model(x), x)", "torch.autograd.grad takes gradients"),
        ("loss = total(x)\nloss.backward()", "not that of one model's outputs"),
        ("loss += criterion(model(x), y)\nloss.backward()", "`loss` is not computed beside its backward()"),
        (
            "optimizer = SGD([*a.parameters(), *b.parameters()])\nh = a(x)\nloss = criterion(b(h), y)\nloss.backward()",
            "`b` is given what `a` gives",
        ),
        ("model = nn.LSTM(3, 4)\nloss = criterion(model(x), y)\nloss.backward()", "and which the time"),
        (
            "loss = criterion(model(x), y)\nloss.backward()\nfile = open('log', 'w')",
            "which every process would write",
        ),
        (
            "for i in range(3):\n    loss = criterion(model(x), y)\n    loss.backward()\n    if i:\n        break",
            "in the middle of a round",
        ),
    ],
)
def test_what_is_refused(text, reason):
    with pytest.raises(NotDivided, match=re.escape(reason)) as refused:
        divided(body(text), "page.py")
    assert str(refused.value).startswith("page.py:")
    assert "--ddp" in str(refused.value)
