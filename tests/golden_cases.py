"""The golden cases of layers: which of them can run, how they run, how numbers are compared.

A case is a Lua expression with what the original gave for it (see tests/golden/README.md). It runs here in a
runtime, through Lua, as it ran there.
"""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import torch

from torch7py.bridge.runtime import Runtime
from torch7py.nn.registry import layers
from torch7py.ops import types

GOLDEN = Path(__file__).parent / "golden"


@cache
def load(name: str) -> list[dict[str, Any]]:
    """All cases of one file."""
    with gzip.open(GOLDEN / f"{name}.json.gz", "rt") as file:
        cases: list[dict[str, Any]] = json.load(file)
    return cases


def modules_of_every_class() -> list[dict[str, Any]]:
    """A module of each recorded class that is no criterion: its ``class``, and as texts ``expr`` and ``input``."""
    recorded: Any = load("override_counts")
    return [case for case in recorded["cases"] if not case["target"]]


def supported(name: str, skip: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """The cases of a file whose classes are all registered. ``skip`` names expressions and says why."""
    import torch7py.nn.all
    import torch7py.rnn.all  # noqa: F401

    found = []
    for case in load(name):
        used = {f"nn.{n}" for n in re.findall(r"\bnn\.(\w+)", case["expr"] + case["input_expr"])}
        if used - {"nn.tables"} <= set(layers) and case["expr"] not in (skip or {}):
            found.append(case)
    return found


def identify(case: dict[str, Any]) -> str:
    return f"{case['expr']} on {case['input_expr']}"


def value(recorded: Any) -> Any:
    """A recorded value as tensors, lists and numbers."""
    if isinstance(recorded, dict) and "tensor" in recorded:
        dtype = types.BY_NAME[recorded["tensor"]].dtype
        data = torch.tensor(
            [float(item) for item in recorded["data"]], dtype=torch.float64
        )  # "nan" is a text
        return data.to(dtype).reshape(recorded["size"] or [0])
    if isinstance(recorded, dict):
        return [value(item) for item in recorded["list"]]
    return recorded


def to_float(item: Any) -> Any:
    """An input for a module in float: floating tensors converted, indices left."""
    if isinstance(item, list):
        return [to_float(part) for part in item]
    return item.float() if isinstance(item, torch.Tensor) and item.is_floating_point() else item


# An element that is small because large terms cancelled is off by the rounding of those terms, which differs from one
# processor's BLAS to the next. 1e-5 of a tenth of the largest is 8 units in the last place of the largest.
LEAST_SINGLE = 0.1


def assert_close(ours: Any, recorded: Any, tolerance: float, what: str, least: float = 1e-3) -> None:
    """Equal within a relative tolerance.

    Elements below ``least`` of their tensor's largest are measured against that.
    """
    expected = value(recorded) if isinstance(recorded, dict) else recorded
    if isinstance(expected, list):
        assert isinstance(ours, list), what
        assert len(ours) == len(expected), what
        for number, (one, other) in enumerate(zip(ours, expected, strict=True), 1):
            assert_close(one, other, tolerance, f"{what}[{number}]", least)
        return
    if not isinstance(expected, torch.Tensor):
        assert abs(ours - expected) <= tolerance * max(abs(expected), 1e-3), (
            f"{what}: {ours} is not {expected}"
        )
        return
    assert isinstance(ours, torch.Tensor), f"{what}: {type(ours).__name__} where a tensor was expected"
    if expected.numel() == 0 and ours.numel() == 0:
        return
    assert tuple(ours.shape) == tuple(expected.shape), (
        f"{what}: {tuple(ours.shape)} is not {tuple(expected.shape)}"
    )
    got, wanted = ours.detach().double(), expected.double()
    assert torch.equal(got.isnan(), wanted.isnan()), f"{what}: NaN in other places"
    got, wanted = got.nan_to_num(nan=0), wanted.nan_to_num(nan=0)
    floor = max(wanted.abs().max().item() * least, 1e-300)
    error = ((got - wanted).abs() / wanted.abs().clamp(min=floor)).max().item()
    assert error <= tolerance, f"{what}: off by {error:.3g}"


class Case:
    """One golden case running in a runtime.

    ``double`` and ``single`` are the relative tolerances, ``least`` is that of ``assert_close``, ``vanishing`` the
    number of a parameter whose gradient is 0 but for rounding.
    """

    vanishing: int | None = None

    def __init__(
        self,
        runtime: Runtime,
        case: dict[str, Any],
        packages: str = "rnn",
        *,
        double: float = 1e-11,
        single: float = 1e-5,
        least: float = 1e-3,
    ) -> None:
        self.runtime = runtime
        self.case = case
        self.double, self.single, self.least = double, single, least
        runtime.execute(f"require '{packages}'")

    def seed(self, offset: int) -> None:
        number = self.case["seed"] + offset
        self.runtime.execute(f"torch.manualSeed({number}) math.randomseed({number})")

    def make(self) -> None:
        """The module, as the global ``m``."""
        self.seed(0)
        self.runtime.execute(f"m = {self.case['expr']}")

    def close(self, ours: Any, key: str, what: str) -> None:
        """Check a value against what is recorded under a key."""
        if key.endswith("_float"):
            assert_close(ours, self.case[key], self.single, what, max(self.least, LEAST_SINGLE))
        else:
            assert_close(ours, self.case[key], self.double, what, self.least)

    def give(self, **values: Any) -> None:
        for name, item in values.items():
            self.runtime.globals[name] = item

    def get(self, expression: str) -> Any:
        return self.runtime.execute(f"return {expression}")
