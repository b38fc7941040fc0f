"""What the translation says of tensor methods, beside the register and beside what PyTorch computes."""

from __future__ import annotations

import operator

import pytest
import torch

from torch7py.ops.registry import Form, operations
from torch7py.translate.facts.methods import COMPARISONS
from torch7py.translate.page_library import tensors

PYTHON = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def test_comparisons_are_the_operations_that_give_truth_values() -> None:
    registered = {
        name
        for name, operation in operations.items()
        if operation.form is Form.QUERY and all(case.returns == "Byte" for case in operation.cases)
    }
    assert COMPARISONS.keys() == registered


@pytest.mark.parametrize("name", COMPARISONS)
def test_the_operator_of_a_comparison(name: str) -> None:
    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 2.0, 2.0])
    assert torch.equal(getattr(torch, name)(x, y), PYTHON[COMPARISONS[name]](x, y))


def test_methods_that_give_their_last_argument() -> None:
    registered = {
        name: {case.gives_last for case in operation.cases} for name, operation in operations.items()
    }
    for which, names in (("always", tensors.GIVING_LAST), ("cpu", tensors.GIVING_LAST_ON_CPU)):
        assert {name for name, cases in registered.items() if which in cases} == names
