"""Inputs of other shapes, tables of more and fewer entries, other types: taken, or refused, as the original did.

``input_shapes.json.gz`` holds what each golden case's layer gave for each variant of its input, as
tests/golden/README.md says. Where this project differs, the reason stands here.
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from tests.golden_cases import GOLDEN, load, value
from tests.inner_runtime import InnerRuntime as Runtime

PROGRAM = Path(__file__).with_suffix("").with_name("input_shapes.lua").read_text()

# Layer and variant, as patterns, and why the outcome differs.
DIFFERENCES = {
    (r".*", r"(t )?\d?float"): "an input of another floating type is computed in its own type, not refused",
    (
        r".*",
        r"(t )?\d?number",
    ): "a number in the place of a tensor is refused where the original let some layers compute",
    (
        r".*",
        r"(t )?\d?empty",
    ): "layers that move no element give an empty tensor back, losses of nothing are refused",
    (r".*", r"bare"): "a tensor is no table, though Lua indexes both",
    (r"nn\.(L1Hinge|Cosine)EmbeddingCriterion.*", r"t wrapped"): "a target is no table",
    (r"nn\.SparseLinear.*", r"\dx1"): "pairs of index and value have two columns and no more",
    (
        r"nn\.Convert\(\"bf\",\"fb\"\)",
        r"1x|x1|2x",
    ): "an input has the dimensions that the layer's letters name",
    (r"nn\.MixtureTable\(\)", r"1x1"): "the gater is a vector or a matrix",
    (r"nn\.MaskedSelect\(\)", r"swapped"): "a tensor of another type serves as mask",
    (r"nn\.MaskZeroCriterion.*", r"shorter|t longer|t shorter"): "a loss needs a target for each example",
    (
        r"nn\.SpatialDepthWiseConvolution.*",
        r"narrower|wider",
    ): "the original exchanges height and width of the output",
}


def same(ours: str, theirs: str) -> bool:
    """The same text, with numbers to five digits."""
    number = r"-?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)"
    if re.sub(number, "#", ours) != re.sub(number, "#", theirs):
        return False
    pairs = zip(re.findall(number, ours), re.findall(number, theirs), strict=True)
    return all(
        a == b or abs(float(a) - float(b)) <= 1e-5 * max(1, abs(float(a)), abs(float(b))) for a, b in pairs
    )


@pytest.mark.one_lua
@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("nn_modules", 3),
        ("nn_criterions", 2),
        ("rnn_modules", 7),
        *(
            pytest.param(name, 1, marks=pytest.mark.slow)
            for name in ("nn_modules", "nn_criterions", "rnn_modules")
        ),
    ],
)
def test_inputs_of_other_shapes(name: str, step: int) -> None:
    """All layers in one runtime, so that the sweep takes seconds."""
    with gzip.open(GOLDEN / "input_shapes.json.gz", "rt") as file:
        recorded = json.load(file)[name]
    unexplained, tried = [], 0
    with Runtime(seed=1) as runtime:
        runtime.execute("require 'rnn'")
        runtime.globals["PROGRAM"] = PROGRAM
        runtime.execute("program = loadstring(PROGRAM, '@input_shapes.lua')")
        for case, expected in [*zip(load(name), recorded, strict=True)][::step]:
            runtime.globals["input"] = value(case["input"])
            runtime.globals["criterion"] = name == "nn_criterions"
            runtime.globals["target"] = value(case.get("target"))
            expr = case["expr"]
            outcomes = runtime.execute(
                f"return program(function() return {expr} end, input, criterion, target)"
            )
            for variant, theirs in expected.items():
                tried += 1
                ours = outcomes.get(variant)
                if ours is not None and same(ours, theirs):
                    continue
                known = (re.fullmatch(e, expr) and re.fullmatch(v, variant) for e, v in DIFFERENCES)
                if not any(known):
                    unexplained.append(f"{expr} {variant}: {ours}, the original {theirs}")
    assert tried > 700 / step
    assert not unexplained, "\n".join(unexplained)
