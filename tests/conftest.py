"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import torch

if TYPE_CHECKING:
    from torch7py.bridge.runtime import Runtime


def pytest_configure() -> None:
    # The workers of a parallel run share the cores, and one thread gives one order of summation.
    torch.set_num_threads(1)


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """A fresh runtime, closed after the test."""
    from torch7py.bridge.runtime import Runtime

    fresh = Runtime()
    yield fresh
    fresh.close()


@pytest.fixture(scope="session")
def lua_name() -> str:
    """The Lua that the tests run on: ``luajit21`` unless the environment says otherwise."""
    return os.environ.get("TORCH7PY_LUA", "luajit21")
