"""What the golden tests of nn as of October 2015 share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.golden_cases import Case
from tests.inner_runtime import InnerRuntime as Runtime

__all__ = ["POLYNOMIAL", "case_of_2015", "runtime_of_2015", "uses_softmax"]

# How far the polynomial that stood for exp(-x) in the softmax layers of 2015 was off, for a sum of a few terms, of
# which the largest is 1; it is not imitated. tests/nn/test_quirks.py computes it.
POLYNOMIAL = 1e-4
SOFT_MAX = ("SoftMax", "SoftMin", "CrossEntropy")


def exp_of_2015(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """exp(-x) as the eighth power of a series in x / 8, and 0 from 13 on."""
    part = x / 8
    series = 1 + part + part**2 / 2 + part**3 / 6 + part**4 / 24
    return np.where(x < 13, series**-8.0, 0)


def uses_softmax(recorded: dict[str, Any]) -> bool:
    return any(name in recorded["expr"] for name in SOFT_MAX)


def case_of_2015(runtime: Runtime, recorded: dict[str, Any]) -> Case:
    """A case, with the polynomial's error allowed where it was used, measured against a tensor's largest element."""
    if uses_softmax(recorded):
        return Case(runtime, recorded, double=POLYNOMIAL, single=POLYNOMIAL, least=1)
    return Case(runtime, recorded)


@pytest.fixture(scope="module")
def runtime_of_2015() -> Iterator[Runtime]:
    fresh = Runtime(rnn_api=2015)
    yield fresh
    fresh.close()
