"""Results that are computed right into the tensor named for them."""

from __future__ import annotations

import itertools
import re

import pytest
import torch

import torch7py.ops.all  # noqa: F401  (registers the operations)
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.ops import memory
from torch7py.ops.registry import Form, operations

SIDE = 66
N = SIDE * SIDE
assert N > memory.LARGE
WHOLE = re.compile("c?bit(and|or|xor)")  # of whole numbers only
MATRIX = re.compile("tri[lu]|renorm")

CASES = [
    pytest.param(operation.name, case, id=f"{operation.name}({', '.join(p.kind for p in case.parameters)})")
    for operation in operations.values()
    for case in operation.cases
    if case.takes_out
]


def arguments(name, case):
    def value(parameter):
        if parameter.kind in ("T", "F", "like"):
            if WHOLE.fullmatch(name):
                return torch.randint(100, (N,))
            numbers = 0.5 + 0.4 * torch.rand(N, dtype=torch.float64)
            return numbers.view(SIDE, SIDE) if MATRIX.fullmatch(name) else numbers
        if parameter.kind in ("int", "index"):
            return 0
        number = 0.25 if parameter.name == "low" else 1.75
        return int(number) if WHOLE.fullmatch(name) else number

    return [value(parameter) for parameter in case.parameters]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_named_tensor_gets_what_a_new_one_would(name, case):
    given = arguments(name, case)
    out = torch.full_like(next(value for value in given if isinstance(value, torch.Tensor)), 7)
    place = out.data_ptr()
    memory.write_result(out, case.function, *given)
    assert torch.equal(out, case.function(*given))
    assert out.data_ptr() == place


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_named_tensor_may_be_an_argument(name, case):
    given = arguments(name, case)
    first = next(value for value in given if isinstance(value, torch.Tensor))
    expected = case.function(*given)
    memory.write_result(first, case.function, *given)
    assert torch.equal(first, expected)


def test_cases_are_found():
    found = {o.name: o.form for o in operations.values() if any(case.takes_out for case in o.cases)}
    assert {"add", "exp", "clamp", "cdiv"} <= set(found)
    others = {"tril", "triu", "cumsum", "cumprod"}
    assert {name for name, form in found.items() if form is not Form.UPDATE} == others


def test_a_named_tensor_that_overlaps_an_argument():
    x = torch.arange(2 * N, dtype=torch.float64)
    expected = x[:-1] + 1
    memory.write_result(x[1:], torch.add, x[:-1], 1)
    assert torch.equal(x[1:], expected)


def test_a_transposed_argument_on_the_same_memory():
    x = torch.arange(N, dtype=torch.float64).repeat(N // 64)[: 128 * 128].view(128, 128)
    expected = x.t() + 1
    memory.write_result(x, torch.add, x.t(), 1)
    assert torch.equal(x, expected)


@pytest.fixture(scope="module")
def runtime():
    with Runtime() as made:
        yield made


@pytest.mark.parametrize(
    ("call", "function"),
    [
        ("add(OUT, SRC, 1)", lambda x: x + 1),
        ("exp(OUT, SRC)", torch.exp),
        ("round(OUT, SRC)", torch.round),
        ("clamp(OUT, SRC, 0, 0.5)", lambda x: x.clamp(0, 0.5)),
        ("cmul(OUT, SRC, SRC)", torch.square),
        ("cmax(OUT, SRC, 0.5)", lambda x: x.clamp(min=0.5)),
    ],
)
@pytest.mark.parametrize("size", [10, SIDE])
def test_calls_whose_results_lie_over_their_arguments(runtime, call, function, size):
    """One behind the other, turned, and on the same memory with gaps: one element after the other, row by row."""
    places = {
        "x:narrow(1, 2, n - 1)": ("x:narrow(1, 1, n - 1)", lambda x: (x[1:], x[:-1])),
        "x": ("x:t()", lambda x: (x, x.t())),
        "x:narrow(2, 1, n - 1)": ("x:narrow(2, 2, n - 1)", lambda x: (x[:, :-1], x[:, 1:])),
    }
    for out, (src, parts) in places.items():
        x = torch.rand(size, size, dtype=torch.float64)
        expected = x.clone()
        target, source = parts(expected)
        for row, column in itertools.product(*map(range, target.shape)):
            target[row, column] = function(source[row, column])
        runtime.globals["x"], runtime.globals["n"] = x, size
        runtime.execute(f"torch.{call.replace('OUT', out).replace('SRC', src)}")
        torch.testing.assert_close(x, expected, rtol=1e-12, atol=0)


def test_a_named_tensor_with_gaps_keeps_them():
    wide = torch.zeros(N, 2, dtype=torch.float64)
    out = wide[:, 0]
    source = torch.rand(N, dtype=torch.float64)
    memory.write_result(out, torch.exp, source)
    assert torch.equal(wide[:, 0], source.exp())
    assert not wide[:, 1].any()
