"""Results that are computed right into the tensor named for them."""

from __future__ import annotations

import pytest
import torch

import torch7py.ops.all  # noqa: F401  (registers the operations)
from torch7py.ops import memory
from torch7py.ops.registry import Form, operations

N = memory.LARGE + 10

CASES = [
    pytest.param(operation.name, case, id=f"{operation.name}({', '.join(p.kind for p in case.parameters)})")
    for operation in operations.values()
    for case in operation.cases
    if case.takes_out
]


def arguments(case):
    def value(parameter):
        if parameter.kind in ("T", "F", "like"):
            return 0.5 + 0.4 * torch.rand(N, dtype=torch.float64)
        return 0.25 if parameter.name == "low" else 1.75

    return [value(parameter) for parameter in case.parameters]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_named_tensor_gets_what_a_new_one_would(name, case):
    given = arguments(case)
    out = torch.full((N,), 7.0, dtype=torch.float64)
    place = out.data_ptr()
    memory.write_result(out, case.function, *given)
    assert torch.equal(out, case.function(*given))
    assert out.data_ptr() == place


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_named_tensor_may_be_an_argument(name, case):
    given = arguments(case)
    first = next(value for value in given if isinstance(value, torch.Tensor))
    expected = case.function(*given)
    memory.write_result(first, case.function, *given)
    assert torch.equal(first, expected)


def test_cases_are_found():
    assert {"add", "exp", "clamp", "cdiv"} <= {
        operation.name for operation in operations.values() if any(case.takes_out for case in operation.cases)
    }
    assert all(o.form is Form.UPDATE for o in operations.values() if any(c.takes_out for c in o.cases))


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


def test_a_named_tensor_with_gaps_keeps_them():
    wide = torch.zeros(N, 2, dtype=torch.float64)
    out = wide[:, 0]
    source = torch.rand(N, dtype=torch.float64)
    memory.write_result(out, torch.exp, source)
    assert torch.equal(wide[:, 0], source.exp())
    assert not wide[:, 1].any()
