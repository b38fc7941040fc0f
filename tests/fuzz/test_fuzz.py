"""A small part of the random calls and damaged files; ``make fuzz`` makes many more."""

from __future__ import annotations

import pytest

from tests.fuzz.calls import make_calls
from tests.fuzz.files import read_damaged


def test_random_calls() -> None:
    faults = [fault for found in make_calls(300, first=42) for fault in found]
    assert not faults


def test_damaged_files() -> None:
    faults = [fault for found in read_damaged(100, first=42) for fault in found]
    assert not faults


@pytest.mark.slow
def test_many_random_calls() -> None:
    faults = [fault for found in make_calls(20_000, first=10_000, jobs=2) for fault in found]
    assert not faults


@pytest.mark.slow
def test_many_damaged_files() -> None:
    faults = [fault for found in read_damaged(10_000, first=10_000, jobs=2) for fault in found]
    assert not faults
