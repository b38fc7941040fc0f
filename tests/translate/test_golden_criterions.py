"""Every criterion's native form: losses and gradients equal to ours and to what the original gave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.golden_cases import Case, identify, supported, value
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.translate.layers import NotNative
from torch7py.translate.model import translate_criterion
from torch7py.translate.verify import like, relative_error, run_criterion, verify_criterion

TOLERANCE = 1e-10

# Cases without a native form, with words of the reason that is given.
WITHOUT = {"nn.CriterionTable(nn.MSECriterion())": "has no native form"}


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    shared = Runtime()
    yield shared
    shared.close()


@pytest.mark.parametrize("recorded", supported("nn_criterions"), ids=identify)
def test_native_form(runtime: Runtime, recorded: dict[str, Any]) -> None:
    case = Case(runtime, recorded)
    case.make()
    criterion = case.get("m")
    if recorded["expr"] in WITHOUT:
        with pytest.raises(NotNative, match=WITHOUT[recorded["expr"]]):
            translate_criterion(criterion)
        return
    input, target = value(recorded["input"]), value(recorded.get("target"))
    source = translate_criterion(criterion)
    assert verify_criterion(criterion, source, input, target, TOLERANCE).errors
    loss, gradients = run_criterion(source.code, source.functions[0], input, target)
    assert relative_error(loss, recorded["output"]) <= TOLERANCE
    expected = like(gradients, value(recorded["gradInput"]))
    assert relative_error(gradients, expected) <= TOLERANCE
