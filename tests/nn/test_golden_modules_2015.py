"""Every golden case of the layers there are, as of October 2015 (see torch7py/nn/quirks.py)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.golden_cases import identify, supported
from tests.inner_runtime import InnerRuntime as Runtime
from tests.nn.as_of_2015 import case_of_2015, runtime_of_2015  # noqa: F401
from tests.nn.test_golden_modules import run


@pytest.mark.parametrize("recorded", supported("nn_modules_2015"), ids=identify)
def test_module(runtime_of_2015: Runtime, recorded: dict[str, Any]) -> None:  # noqa: F811
    run(case_of_2015(runtime_of_2015, recorded))
