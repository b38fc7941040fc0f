"""Every golden case of the recurrent layers there are, in the interface of 2016 and later."""

from __future__ import annotations

from typing import Any

import pytest

from tests.golden_cases import identify, supported
from tests.rnn.golden import run
from torch7py.bridge.runtime import Runtime


@pytest.mark.one_runtime
@pytest.mark.parametrize("recorded", supported("rnn_modules"), ids=identify)
def test_module(runtime: Runtime, recorded: dict[str, Any]) -> None:
    run(runtime, recorded)
