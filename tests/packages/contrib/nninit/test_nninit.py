"""nninit, by what its documentation promises."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


def lua(text: str) -> Any:
    with Runtime() as runtime:
        return runtime.execute("require 'nn'; torch.manualSeed(5)\n" + text)


def values(text: str) -> np.ndarray:
    return np.array(lua(text))


class TestNninit:
    def test_what_is_filled(self):
        got = values("""
            local nninit = require 'nninit'
            local layer = nn.Linear(3, 4)
               :init('weight', nninit.constant, 2)
               :init({'weight', {{1, 2}, {}}}, nninit.mulConstant, 5)
               :init({'bias', {{2}}}, nninit.copy, torch.Tensor {7})
               :init(function(m) return m.weight:select(2, 3) end, nninit.addConstant, -1)
               :init('gradBias', function(m, tensor, a, b) tensor:fill(a + b + m.weight:size(1)) end, 10, 20)
            assert(torch.type(layer) == 'nn.Linear' and layer.bias[2] == 7 and layer.gradBias[1] == 34)
            return layer.weight:view(-1):totable()
        """)
        assert got.reshape(4, 3).tolist() == [[10, 10, 9], [10, 10, 9], [2, 2, 1], [2, 2, 1]]

    @pytest.mark.parametrize(
        ("made", "into", "out"),
        [
            ("nn.Linear(300, 200)", 300, 200),
            ("nn.SpatialConvolution(40, 50, 3, 5)", 40 * 15, 50 * 15),
            ("nn.TemporalConvolution(60, 80, 5)", 300, 80),
            ("nn.VolumetricConvolution(20, 40, 2, 3, 4)", 20 * 24, 40 * 24),
        ],
    )
    def test_deviations(self, made, into, out):
        def draw(how: str, options: str) -> np.ndarray:
            return values(f"""
                local nninit = require 'nninit'
                return {made}:init('weight', nninit.{how}, {options}).weight:view(-1):totable()
            """)

        glorot, he = math.sqrt(2 / (into + out)), math.sqrt(1 / into)
        for how, options, deviation, uniform in [
            ("xavier", "nil", glorot, True),
            ("xavier", "{dist = 'normal', gain = 1.5}", 1.5 * glorot, False),
            ("kaiming", "{gain = 'relu'}", math.sqrt(2) * he, False),
            (
                "kaiming",
                "{dist = 'uniform', gain = {'lrelu', leakiness = 0.5}}",
                math.sqrt(1.6) * he,
                True,
            ),
            ("kaiming", "{gain = 'sigmoid'}", he, False),
        ]:
            got = draw(how, options)
            assert got.std() == pytest.approx(deviation, rel=0.03)
            highest = np.max(abs(got)) / deviation
            assert 1.7 < highest <= math.sqrt(3) if uniform else highest > 3

    def test_added_draws_are_the_default_types(self):
        got = values("""
            local nninit = require 'nninit'
            local layer = nn.Linear(50, 60):init('weight', nninit.constant, 3)
            torch.manualSeed(8)
            layer:init('weight', nninit.addNormal, 1, 0.1):init('weight', nninit.addUniform, 0, 1)
            torch.manualSeed(8)
            local wanted = torch.Tensor(60, 50):normal(1, 0.1) + 3
            wanted:add(torch.Tensor(60, 50):uniform(0, 1))
            return {(layer.weight - wanted):abs():max(), (layer.weight:mean())}
        """)
        assert got[0] == 0
        assert got[1] == pytest.approx(4.5, abs=0.05)

    @pytest.mark.parametrize(
        ("layer", "rows", "columns"),
        [("Linear(4, 6)", 6, 4), ("Linear(6, 4)", 4, 6), ("SpatialConvolution(2, 4, 3, 2)", 4, 12)],
    )
    def test_orthogonal(self, layer, rows, columns):
        weight = values(f"""
            local nninit = require 'nninit'
            return nn.{layer}:init('weight', nninit.orthogonal, {{gain = 2}})
               .weight:view(-1):totable()
        """).reshape(rows, columns)
        small = weight.T @ weight if rows > columns else weight @ weight.T
        assert np.allclose(small, 4 * np.eye(4), atol=1e-12)

    def test_layers_that_hand_their_input_on(self):
        assert lua("""
            local nninit = require 'nninit'
            local x = torch.randn(2, 5)
            local same = nn.Linear(5, 5):init('weight', nninit.eye):init('bias', nninit.constant, 0)
            local picture = torch.randn(1, 6, 6)
            local middle = nn.SpatialConvolution(1, 1, 3, 3):init('weight', nninit.eye):init('bias', nninit.constant, 0)
            local steps = torch.randn(7, 1)
            local centre = nn.TemporalConvolution(1, 2, 3):init('weight', nninit.eye):init('bias', nninit.constant, 0)
            local solid = torch.randn(1, 4, 5, 6)
            local core = nn.VolumetricConvolution(1, 1, 1, 3, 3):init('weight', nninit.eye)
               :init('bias', nninit.constant, 0)
            return same:forward(x):equal(x)
               and middle:forward(picture):equal(picture:sub(1, 1, 2, 5, 2, 5))
               and centre:forward(steps)[{{}, 2}]:equal(steps:sub(2, 6):view(-1))
               and core:forward(solid):equal(solid[{{}, {}, {2, 4}, {2, 5}}])
        """)

    def test_sparse(self):
        got = values("""
            local nninit = require 'nninit'
            return nn.Linear(10, 7):init('weight', nninit.constant, 1):init('weight', nninit.sparse, 0.25)
               .weight:view(-1):totable()
        """)
        assert (got == 0).sum() == 17
        assert (got == 1).sum() == 53

    @pytest.mark.parametrize(
        ("call", "says"),
        [
            ("init(5, nninit.constant, 1)", "init: the name of a field"),
            ("init('weight', nninit.nothing, 1)", "a function that fills"),
            ("init('bias', nninit.eye)", "only for the field 'weight'"),
            ("init('bias', nninit.orthogonal)", "2 dimensions"),
            ("init('weight', nninit.kaiming, {gain = 'lrelu'})", "leakiness"),
        ],
    )
    def test_refusals(self, call, says):
        with pytest.raises(LuaError, match=says):
            lua(f"local nninit = require 'nninit'; nn.Linear(2, 2):{call}")

    def test_a_layer_that_has_no_inputs_to_count(self):
        with pytest.raises(LuaError, match=r"nn\.LookupTable"):
            lua("local nninit = require 'nninit'; nn.LookupTable(2, 2):init('weight', nninit.xavier)")
