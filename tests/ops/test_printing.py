"""Texts of tensors and storages against what Torch7 printed (tests/golden/README.md: how that was made)."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.together import together
from torch7py.ops import state
from torch7py.ops.printing import number_to_string, storage_to_string, tensor_to_string

GOLDEN = Path(__file__).parents[1] / "golden"
INF, NAN = math.inf, math.nan
DTYPES = {
    "Double": torch.float64,
    "Float": torch.float32,
    "Half": torch.float16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
}


def printed_blocks(name: str) -> dict[str, str]:
    """Expression -> text of the golden blocks on tensors and storages, in the order they were printed."""
    text = gzip.decompress((GOLDEN / f"{name}.txt.gz").read_bytes()).decode()
    blocks = {}
    for block in text.split("### ")[1:]:
        expression, _, printed = block.partition("\n")
        if expression.startswith("torch.Generator"):
            break
        blocks[expression] = printed.removesuffix("\n")
    return blocks


class Stream:
    """Torch7's uniform and normal numbers, written here anew on numpy's Mersenne Twister."""

    def __init__(self, seed: int) -> None:
        self.words = np.random.RandomState(seed)
        self.second: float | None = None

    def uniform(self) -> float:
        return int(self.words.randint(0, 2**32, dtype=np.uint32)) / 2**32

    def normal(self) -> float:
        if self.second is not None:
            value, self.second = self.second, None
            return value
        angle, radius = 2 * math.pi * self.uniform(), math.sqrt(-2 * math.log(1 - self.uniform()))
        self.second = radius * math.sin(angle)
        return radius * math.cos(angle)

    def rand(self, *shape: int) -> torch.Tensor:
        return double([self.uniform() for _ in range(math.prod(shape))]).view(shape)

    def randn(self, *shape: int) -> torch.Tensor:
        return double([self.normal() for _ in range(math.prod(shape))]).view(shape)


def double(values: Any) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


# One line for each golden block. The random ones draw from one stream, in this order.
EXPRESSIONS: dict[str, Callable[[Stream], torch.Tensor]] = {
    "torch.Tensor()": lambda s: double([]),
    "torch.Tensor{1}": lambda s: double([1]),
    "torch.Tensor{1,2,3}": lambda s: double([1, 2, 3]),
    "torch.Tensor{1.5,2,3}": lambda s: double([1.5, 2, 3]),
    "torch.Tensor{{1,2},{3,4}}": lambda s: double([[1, 2], [3, 4]]),
    "torch.rand(5)": lambda s: s.rand(5),
    "torch.randn(3,4)": lambda s: s.randn(3, 4),
    "torch.randn(3,4)*1000": lambda s: s.randn(3, 4) * 1000,
    "torch.randn(3,4)*1e-5": lambda s: s.randn(3, 4) * 1e-5,
    "torch.randn(3,4)*1e6": lambda s: s.randn(3, 4) * 1e6,
    "torch.randn(2,2)*1e10": lambda s: s.randn(2, 2) * 1e10,
    "torch.Tensor{1e-10,1}": lambda s: double([1e-10, 1]),
    "torch.Tensor{1e10,1e-10}": lambda s: double([1e10, 1e-10]),
    "torch.Tensor{0.1,100000}": lambda s: double([0.1, 100000]),
    "torch.randn(2,3,4)": lambda s: s.randn(2, 3, 4),
    "torch.randn(2,2,2,2)": lambda s: s.randn(2, 2, 2, 2),
    "torch.randn(3,30)": lambda s: s.randn(3, 30),
    "torch.rand(4,12)*1e5": lambda s: s.rand(4, 12) * 1e5,
    "torch.Tensor{0/0,1,2}": lambda s: double([NAN, 1, 2]),
    "torch.Tensor{1/0,-1/0,1}": lambda s: double([INF, -INF, 1]),
    "torch.Tensor{{0/0,1.5}}": lambda s: double([[NAN, 1.5]]),
    "torch.FloatTensor{1.5,2}": lambda s: double([1.5, 2]),
    "torch.IntTensor{1,20,300}": lambda s: double([1, 20, 300]),
    "torch.LongTensor{{1,20},{300,-4}}": lambda s: double([[1, 20], [300, -4]]),
    "torch.ByteTensor{0,255}": lambda s: double([0, 255]),
    "torch.CharTensor{-1,100}": lambda s: double([-1, 100]),
    "torch.ShortTensor{1,2}": lambda s: double([1, 2]),
    "torch.LongStorage{1,2,3}": lambda s: double([1, 2, 3]),
    "torch.DoubleStorage{1.5,2}": lambda s: double([1.5, 2]),
    "torch.zeros(2,3)": lambda s: double([[0] * 3] * 2),
    "torch.ones(3)": lambda s: double([1] * 3),
    "torch.Tensor(2,3):fill(-7)": lambda s: double([[-7] * 3] * 2),
    "torch.Tensor{-1,-22,333}": lambda s: double([-1, -22, 333]),
    "torch.Tensor{99999,1}": lambda s: double([99999, 1]),
    "torch.Tensor{100000,1}": lambda s: double([100000, 1]),
    "torch.Tensor{123456789}": lambda s: double([123456789]),
    "torch.Tensor{0.00001}": lambda s: double([0.00001]),
    "torch.eye(3)": lambda s: double([[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    "torch.range(1,100)": lambda s: double(list(range(1, 101))),
    "torch.Tensor(1,1,3):fill(2)": lambda s: double([[[2] * 3]]),
    "torch.Tensor{1,2,3}:size()": lambda s: double([3]),
    "torch.randn(3,2):t()": lambda s: s.randn(3, 2).t(),
}


def printed_inputs() -> dict[str, torch.Tensor]:
    stream = Stream(11)
    return {expression: make(stream) for expression, make in EXPRESSIONS.items()}


BLOCKS, BLOCKS_2015 = printed_blocks("print"), printed_blocks("print_2015")
INPUTS = printed_inputs()
CASES = json.loads(gzip.decompress((GOLDEN / "print_cases.json.gz").read_bytes()))


def to_string(values: torch.Tensor, type_name: str) -> str:
    name = type_name.removeprefix("torch.").removesuffix("Tensor").removesuffix("Storage")
    convert = storage_to_string if type_name.endswith("Storage") else tensor_to_string
    return convert(values.to(DTYPES[name]), type_name)


def test_every_printed_tensor_and_storage_is_tested() -> None:
    assert list(EXPRESSIONS) == list(BLOCKS) == list(BLOCKS_2015)


@together("year", [2015, 2016])
@together("expression", EXPRESSIONS)
def test_prints_what_the_original_printed(expression: str, year: int) -> None:
    expected = (BLOCKS_2015 if year == 2015 else BLOCKS)[expression]
    type_name = expected.splitlines()[-1].removeprefix("[").split(" ")[0]
    with state.use(state.State(generation=year)):
        assert to_string(INPUTS[expression], type_name) == expected


@together("case", [pytest.param(c, id=f"{i}-{c['type']}") for i, c in enumerate(CASES)])
def test_prints_what_the_original_functions_gave(case: dict[str, Any]) -> None:
    name = case["type"].removeprefix("torch.").removesuffix("Tensor").removesuffix("Storage")
    values = torch.tensor(case["data"], dtype=DTYPES[name]).view(case["size"])
    assert to_string(values, case["type"]) == case["text"]


@pytest.mark.parametrize("digits", range(1, 10))
def test_whole_numbers_take_one_more_than_their_digits(digits: int) -> None:
    largest = 10**digits - 1
    text = tensor_to_string(torch.diag(double([-largest, 0])), "torch.DoubleTensor")
    rows = [f"{-largest} {0:>{digits + 1}}", f"{0:>{digits + 1}} {0:>{digits + 1}}"]
    assert text.splitlines()[:2] == rows


@pytest.mark.parametrize(("columns", "blocks"), [(26, 1), (27, 2), (52, 2), (53, 3)])
def test_one_digit_numbers_fill_80_characters(columns: int, blocks: int) -> None:
    """A number and its blank take 3 characters, so 26 stand in a line."""
    lines = tensor_to_string(torch.ones(1, columns), "torch.FloatTensor").splitlines()
    headings = [line for line in lines if line.startswith("Columns")]
    ranges = [f"Columns {26 * i + 1} to {min(26 * i + 26, columns)}" for i in range(blocks)]
    assert headings == (ranges if blocks > 1 else [])
    numbers = [line for line in lines if line.strip("1 ") == ""]
    assert sum(line.count("1") for line in numbers) == columns
    assert max(map(len, lines)) <= 80


def test_matrices_of_many_dimensions_come_with_the_first_index_fastest() -> None:
    sizes = (2, 3, 2, 1, 1)
    lines = tensor_to_string(torch.arange(1, 13).view(sizes), "torch.LongTensor").splitlines()
    assert lines[-1] == "[torch.LongTensor of size 2x3x2x1x1]"
    names = [line for line in lines if line.startswith("(")]
    assert names == [f"({i},{j},{k},.,.) = " for k in (1, 2) for j in (1, 2, 3) for i in (1, 2)]
    values = [int(line) for line in lines[1:-1:3]]
    assert values == [
        1 + 6 * (i - 1) + 2 * (j - 1) + (k - 1) for k in (1, 2) for j in (1, 2, 3) for i in (1, 2)
    ]


@pytest.mark.parametrize(
    ("view", "rows"),
    [
        (lambda x: x.t()[:2], [" 1  4", " 2  5"]),
        (lambda x: x[:, ::2], [" 1  3", " 4  6"]),
        (lambda x: x[:, 1], [" 2", " 5"]),
        (lambda x: x[1:, :1].expand(2, 3), [" 4  4  4", " 4  4  4"]),
        (lambda x: x[:, :3].flip(0), [" 4  5  6", " 1  2  3"]),
        (lambda x: x[:, 2:], ["    3  1000", "    6 -2000"]),
        (lambda x: x[:, :2].t().unsqueeze(0), ["(1,.,.) = ", "  1  4", "  2  5"]),
    ],
)
def test_a_view_prints_its_own_elements_and_by_them_alone(
    view: Callable[[torch.Tensor], torch.Tensor], rows: list[str]
) -> None:
    base = torch.tensor([[1, 2, 3, 1000], [4, 5, 6, -2000]])
    assert tensor_to_string(view(base), "torch.LongTensor").splitlines()[:-1] == rows


def test_a_parameter_prints_and_stays_unchanged() -> None:
    x = torch.nn.Parameter(torch.tensor([0.5, -20.0]))
    assert tensor_to_string(x, "torch.FloatTensor") == "  0.5000\n-20.0000\n[torch.FloatTensor of size 2]\n"
    assert x.tolist() == [0.5, -20.0]


def test_long_beyond_double_is_rounded() -> None:
    """2^62 + 1 has no double; 4611686018427387904 is the nearest."""
    text = storage_to_string(torch.tensor([2**62 + 1]), "torch.LongStorage")
    assert text == " 4.6117e+18\n[torch.LongStorage of size 1]\n"


def test_halves_go_away_from_zero_and_tiny_numbers_to_zero() -> None:
    text = storage_to_string(double([3725450000000000, 3725550000000000]), "torch.DoubleStorage")
    assert text.splitlines()[:2] == [" 3.7255e+15", " 3.7256e+15"]
    text = storage_to_string(double([0, 1e-200, 1.5, 0.03125, 0.09375]), "torch.DoubleStorage")
    assert text.splitlines()[:5] == [" 0.0000", " 0.0000", " 1.5000", " 0.0313", " 0.0938"]


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
def test_no_elements_no_dimension(shape: tuple[int, ...]) -> None:
    assert (
        tensor_to_string(torch.empty(shape), "torch.FloatTensor") == "[torch.FloatTensor with no dimension]\n"
    )


def test_what_torch7_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="0 dimensions"):
        tensor_to_string(torch.tensor(1.0), "torch.FloatTensor")
    with pytest.raises(ValueError, match="one vector"):
        storage_to_string(torch.ones(2, 2), "torch.FloatStorage")
    with pytest.raises(TypeError, match="bool"):
        tensor_to_string(torch.tensor([True]), "torch.ByteTensor")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-0.0, "-0"),
        (3, "3"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (1 / 3, "0.33333333333333"),
        (100000, "100000"),
        (1e14, "1e+14"),
        (99999999999999, "99999999999999"),
        (1e-5, "1e-05"),
        (0.0001, "0.0001"),
        (1e100, "1e+100"),
        (INF, "inf"),
        (-INF, "-inf"),
        (NAN, "nan"),
        (-NAN, "nan"),
    ],
)
def test_numbers_print_as_in_lua(number: float, text: str) -> None:
    assert number_to_string(number) == text
