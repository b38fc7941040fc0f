"""``tostring`` of modules as the original printed them (tests/golden/print.txt.gz and print_2015.txt.gz)."""

from __future__ import annotations

import gzip
import re

import pytest

import torch7py.nn.all  # noqa: F401
from tests.golden_cases import GOLDEN
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.nn.registry import layers


def blocks(name: str) -> list[tuple[str, str]]:
    """The blocks on modules whose classes are all registered: expression, text."""
    with gzip.open(GOLDEN / f"{name}.txt.gz", "rt") as file:
        parts = re.split(r"^### ", file.read(), flags=re.MULTILINE)[1:]
    found = []
    for part in parts:
        expression, text = part.split("\n", 1)
        classes = {f"nn.{name}" for name in re.findall(r"\bnn\.(\w+)", expression)}
        if expression.startswith("nn.") and classes <= set(layers):
            found.append((expression, text.rstrip("\n")))
    return found


def test_there_are_blocks() -> None:
    assert len(blocks("print")) == len(blocks("print_2015")) >= 10


@pytest.mark.parametrize(("expression", "text"), blocks("print"))
def test_text(runtime: Runtime, expression: str, text: str) -> None:
    assert runtime.execute(f"require 'nn' return tostring({expression})") == text


@pytest.mark.parametrize(("expression", "text"), blocks("print_2015"))
def test_text_of_2015(expression: str, text: str) -> None:
    with Runtime(rnn_api=2015) as runtime:
        assert runtime.execute(f"require 'nn' return tostring({expression})") == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("nn.ELU(2^-7)", "nn.ELU (alpha:0.007813)"),
        ("nn.SpatialDropout(2^-7)", "nn.SpatialDropout(0.007813)"),
        ("nn.RReLU(2^-7, 0.5)", "nn.RReLU (l:0.007813, u:0.500000)"),
        ("nn.WhiteNoise(2^-7, 2^-7)", "nn.WhiteNoise mean: 0.007813, std: 0.007813"),
        ("nn.Dropout(0.25)", "nn.Dropout(0.3, busy)"),
        ("nn.GRU(2, 3, nil, 0.125)", "nn.GRU(2 -> 3, 0.13)"),
    ],
)
def test_what_lies_just_between_two_texts_goes_away_from_zero(expression: str, text: str) -> None:
    """What the original printed."""
    with Runtime() as runtime:
        assert runtime.execute(f"require 'rnn' return tostring({expression})") == text
