"""Models whose fields do not hold what their classes have there, as a file may have them, become errors in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.every_class import layer_uses, new_runtime
from torch7py import Torch7Error
from torch7py.bridge.runtime import Runtime
from torch7py.translate.model import translate_model


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with new_runtime() as made:
        yield made


def test_a_model_without_its_tensors_is_refused_or_translated(runtime: Runtime) -> None:
    found: dict[str, Any] = {use.name: use for use in layer_uses()}
    refused = []
    for use in found.values():
        module: Any = runtime.execute(f"return {use.expr}")
        for held in (module._parameters, module._buffers):
            for name in held:
                held[name] = None
        try:
            translate_model(module)
        except Torch7Error as error:
            refused.append(str(error))
    assert len(refused) > 20
    assert not [message for message in refused if "has no attribute" in message]
