"""What the translation says of tensor methods, beside the register and beside what PyTorch computes."""

from __future__ import annotations

import operator

import pytest
import torch

from torch7py.ops.registry import Form, operations
from torch7py.translate.facts.methods import COMPARISONS

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
