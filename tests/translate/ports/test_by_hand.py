"""Ports written by hand: they are the same as the samples, and a fault in one is found at its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from torch7py.translate.ports.compare import compare
from torch7py.translate.ports.outcome import Outcome

BY_HAND = Path(__file__).parent / "by_hand"
SAMPLES = Path(__file__).parents[3] / "lua_samples"

# With how many iterations or epochs, for a test.
ARGUMENTS = {
    "mlp_sgd": "3",
    "two_branch": "8",
    "batchnorm_classifier": "3",
    "adam_autoencoder": "12",
    "graph": "12",
    "convnet": "2",
    "dropout": "3",
    "gan": "4",
}


def original(name: str) -> Path:
    beside = BY_HAND / f"{name}.lua"
    return beside if beside.exists() else SAMPLES / f"{name}.lua"


def mapping(name: str) -> dict[str, object]:
    path = BY_HAND / f"{name}.json"
    found: dict[str, object] = json.loads(path.read_text()) if path.exists() else {}
    return found


def compared(name: str, port: Path, **options: object) -> Outcome:
    given = {"weights": mapping(name), **options}
    return compare(original(name), port, [ARGUMENTS[name]], **given)  # type: ignore[arg-type]


def line_of(path: Path, text: str) -> str:
    """The place of the only line that has a text."""
    (number,) = [n for n, line in enumerate(path.read_text().splitlines(), 1) if text in line]
    return f"{path.name}:{number}"


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_port_is_the_same(name: str) -> None:
    outcome = compared(name, BY_HAND / f"{name}.py")
    assert list(outcome.text()) == [
        f"the same: {outcome.seen()}; the largest relative error is {outcome.largest_error:.1e}"
    ]
    assert outcome.equal
    assert min(outcome.lines, outcome.losses, outcome.changes, outcome.weights) > 0
    assert outcome.largest_error < 1e-7


# The sample, what is changed in its port, in which respect the two part first, and the lines of both.
FAULTS = {
    "another rate": (
        "mlp_sgd",
        "= 0.5 / (1 + steps",
        "= 0.25 / (1 + steps",
        "weights",
        "optim.sgd(",
        "optimizer.step()",
    ),
    "the rate does not fall": ("mlp_sgd", "steps += 1", "pass", "weights", "optim.sgd(", "optimizer.step()"),
    "gradients not cleared": (
        "mlp_sgd",
        "        optimizer.zero_grad()\n",
        "",
        "gradients",
        "optim.sgd(",
        "optimizer.step()",
    ),
    "no dampening": ("mlp_sgd", "dampening=0.9", "dampening=0", "weights", "optim.sgd(", "optimizer.step()"),
    "classes the other way round": (
        "mlp_sgd",
        ">= 1.2",
        "< 1.2",
        "losses",
        "model:backward",
        "loss.backward()",
    ),
    "another activation": (
        "mlp_sgd",
        "torch.tanh(",
        "torch.relu(",
        "losses",
        "model:backward",
        "loss.backward()",
    ),
    "gradients not cleared by hand": (
        "two_branch",
        "    model.zero_grad()\n",
        "",
        "gradients",
        "model:updateParameters",
        "loss.backward()",
    ),
    "a sum for a mean": (
        "two_branch",
        "** 2).mean()",
        "** 2).sum()",
        "losses",
        "criterion:backward",
        "loss.backward()",
    ),
    "a transposed weight": (
        "graph",
        "torch.tanh(self.second(first))",
        "torch.tanh(first @ self.second.w.t() + self.second.b)",
        "losses",
        "criterion:backward",
        "loss.backward()",
    ),
    "another eps": (
        "batchnorm_classifier",
        "eps=1e-5",
        "eps=1e-3",
        "losses",
        "criterion:backward",
        "loss.backward()",
    ),
    "not in evaluation": (
        "batchnorm_classifier",
        "model.eval()\n",
        "",
        "prints",
        "print(confusion)",
        'print(f"{start}',
    ),
    "another eps of Adam": (
        "adam_autoencoder",
        "eps: float = 1e-8",
        "eps: float = 1e-3",
        "weights",
        "optim.adam(",
        "optimizer.step()",
    ),
    "no momentum": ("convnet", "momentum=0.9, ", "", "weights", "optim.sgd(", "optimizer.step()"),
    "batches not shuffled": (
        "convnet",
        "shuffle=True",
        "shuffle=False",
        "losses",
        "criterion:backward",
        "loss.backward()",
    ),
    "dropout in evaluation": (
        "dropout",
        "        model.eval()\n",
        "",
        "prints",
        "print('epoch '",
        'print(f"epoch',
    ),
    "gradients of one of two not cleared": (
        "gan",
        "    discriminator.zero_grad()\n",
        "",
        "gradients",
        "optim.sgd(ofD",
        "for_discriminator.step()",
    ),
    "the generator's step left out": (
        "gan",
        "    for_generator.step()\n",
        "",
        "weights",
        "optim.sgd(ofG",
        "",
    ),
    "more dropout": ("dropout", "Dropout(0.4)", "Dropout(0.5)", "random numbers", "", "loss = criterion"),
    "other words": (
        "dropout",
        "epoch {epoch}:",
        "Epoch {epoch}:",
        "prints",
        "print('epoch '",
        'print(f"Epoch',
    ),
    "a digit of what is printed": (
        "two_branch",
        "{loss.item()}",
        "{loss.item() * 1.001}",
        "prints",
        "print('iteration '",
        'print(f"iteration',
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_at_its_line(fault: str, tmp_path: Path) -> None:
    name, old, new, what, there, here = FAULTS[fault]
    source = BY_HAND.joinpath(f"{name}.py").read_text()
    assert source.count(old) == 1
    port = tmp_path / "port.py"
    port.write_text(source.replace(old, new))
    outcome = compared(name, port)
    assert not outcome.equal
    first = outcome.differences[0]
    wanted = (what, there and line_of(original(name), there), here and line_of(port, here))
    assert (first.what, first.original, first.port) == wanted, list(outcome.text())
    assert next(outcome.text()).startswith("they part at ")


def test_a_mask_that_the_original_never_drew_is_told(tmp_path: Path) -> None:
    port = tmp_path / "port.py"
    port.write_text(BY_HAND.joinpath("dropout.py").read_text().replace("        model.eval()\n", ""))
    last = compared("dropout", port).differences[-1]
    assert (last.what, last.port) == ("random numbers", line_of(port, "without = criterion"))
    assert last.text == "the port draws a mask of (20, 12) where the original draws none of its size"


def test_an_update_with_equal_gradients_is_called_so(tmp_path: Path) -> None:
    port = tmp_path / "port.py"
    port.write_text(BY_HAND.joinpath("dropout.py").read_text().replace("lr=0.1", "lr=0.2"))
    text = "\n".join(compared("dropout", port).text())
    assert "0.weight (nn.Linear.1.weight) after its change 1 is off by" in text
    assert "with equal gradients before" in text


def test_words_are_not_compared_if_numbers_alone_are_asked_for(tmp_path: Path) -> None:
    port = tmp_path / "port.py"
    port.write_text(BY_HAND.joinpath("dropout.py").read_text().replace("epoch {epoch}:", "({epoch}) loss ="))
    assert not compared("dropout", port).equal
    outcome = compared("dropout", port, numbers_only=True)
    assert outcome.equal
    assert outcome.lines == 3


def test_single_precision_has_a_wider_bound(tmp_path: Path) -> None:
    port = tmp_path / "port.py"
    port.write_text(
        BY_HAND.joinpath("dropout.py").read_text().replace("torch.set_default_dtype(torch.float64)", "pass")
    )
    outcome = compared("dropout", port)
    assert outcome.equal
    assert 1e-9 < outcome.largest_error < 1e-3
    assert not compared("dropout", port, tolerance=1e-12).equal


def test_without_a_map_weights_that_lie_the_other_way_have_no_partner() -> None:
    outcome = compared("graph", BY_HAND / "graph.py", weights={})
    assert not outcome.equal
    text = "\n".join(outcome.text())
    assert "nothing in the port stands for nn.Linear.1.weight" in text
    assert "nothing in the original stands for Model.sum.w" in text
