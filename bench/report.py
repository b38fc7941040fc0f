"""The results as a table for people and as JSON for programs."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Sequence

import torch

from bench.measure import Result
from torch7py import __version__
from torch7py.bridge.engine import engine_name

__all__ = ["HEADER", "as_json", "row", "surroundings"]

_COLUMNS = "{:<34} {:>10} {:>13} {:>7}  {:<10} {}"
HEADER = _COLUMNS.format("what", "torch7py", "plain PyTorch", "ratio", "target", "met")


def surroundings() -> dict[str, str | int]:
    """What the figures depend on besides the code."""
    return {
        "torch7py": __version__,
        "torch": str(torch.__version__),
        "lua": engine_name(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        **({"gpu": torch.cuda.get_device_name(0)} if torch.cuda.is_available() else {}),
    }


def row(result: Result) -> str:
    """A line under ``HEADER``."""
    plain = "-" if result.plain is None else f"{result.plain:.{_digits(result.plain)}f}"
    ratio = "-" if result.ratio is None else f"{result.ratio:.2f}"
    if result.for_scale:
        plain, ratio = f"({plain})", f"({ratio})"
    target = ""
    if result.target is not None:
        target = f"<= {result.target.limit:g}" + ("x" if result.target.of == "ratio" else f" {result.unit}")
    met = {None: "", True: "yes", False: "NO"}[result.met]
    ours = f"{result.ours:.{_digits(result.ours)}f}"
    return _COLUMNS.format(f"{result.what}, {result.unit}", ours, plain, ratio, target, met).rstrip()


def _digits(value: float) -> int:
    """Decimals that leave about three figures."""
    return 0 if value >= 100 else 1 if value >= 10 else 2


def as_json(results: Sequence[Result]) -> str:
    entries = [
        {
            **dataclasses.asdict(result),
            "ratio": result.ratio,
            "met": result.met,
        }
        for result in results
    ]
    return json.dumps({"surroundings": surroundings(), "results": entries}, indent=2) + "\n"
