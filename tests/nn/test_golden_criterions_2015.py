"""Every golden case of the criterions there are, as of October 2015 (see torch7py/nn/quirks.py)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.golden_cases import identify, supported
from tests.inner_runtime import InnerRuntime as Runtime
from tests.nn.as_of_2015 import case_of_2015, runtime_of_2015  # noqa: F401
from tests.nn.test_golden_criterions import run

# Criterion:type left the table of this criterion's gradInput on the tensor of before, which nobody filled.
TORN_APART = "nn.CriterionTable(nn.MSECriterion())"


@pytest.mark.parametrize("recorded", supported("nn_criterions_2015"), ids=identify)
def test_criterion(runtime_of_2015: Runtime, recorded: dict[str, Any]) -> None:  # noqa: F811
    if recorded["expr"] == TORN_APART:
        recorded = {key: value for key, value in recorded.items() if not key.endswith("_float")}
    run(case_of_2015(runtime_of_2015, recorded))
