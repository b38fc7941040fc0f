"""The random functions as Lua calls them, against what the original drew."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import failure, lua, plain
from torch7py.ops.mersenne import Generator

GOLDEN: dict[str, list[float]] = json.loads(
    gzip.decompress((Path(__file__).parent.parent / "golden" / "rng.json.gz").read_bytes())
)
CALLS = re.compile(r"(torch\.\w+\(.*\))x(\d+)")
METHODS = re.compile(r"(Byte|Char|Short|Int|Long|Float|Double)(\([\d,]+\):.*)")
SEEDED = re.compile(r"manualSeed\((-?\d+)\) random x3 \+ initialSeed")
WEIGHTS = "local w = torch.Tensor{0.1, 0.2, 0.3, 0.4} "


def as_lua(expression: str) -> str | None:
    """A golden expression as Lua that returns its numbers in a table; None for those of another kind."""
    if calls := CALLS.fullmatch(expression):
        return f"local t = {{}} for i = 1, {calls[2]} do t[i] = {calls[1]} end return t"
    if method := METHODS.fullmatch(expression):
        return f"return torch.{method[1]}Tensor{method[2]}:view(-1):totable()".replace(
            ":t():uniform()", ":uniform()"
        )
    if seeded := SEEDED.fullmatch(expression):
        return (
            f"torch.manualSeed({seeded[1]})"
            " return {torch.random(), torch.random(), torch.random(), torch.initialSeed()}"
        )
    if expression == "getRNGState size":
        return "return {torch.getRNGState():size(1)}"
    if expression == "state bytes":
        return "torch.randn(3) return torch.getRNGState():totable()"
    if expression == "randn(3),rand(2),randn(3)":
        return "return torch.cat({torch.randn(3), torch.rand(2), torch.randn(3)}):totable()"
    if expression.startswith("torch."):
        return f"{WEIGHTS} return {expression}:totable()"
    return None


CASES = [(expression, source) for expression in GOLDEN if (source := as_lua(expression)) is not None]


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def test_most_of_the_golden_numbers_are_used() -> None:
    assert len(CASES) > 55


@pytest.mark.parametrize(("expression", "source"), CASES, ids=[expression for expression, _ in CASES])
def test_golden(rt: Runtime, expression: str, source: str) -> None:
    if ":t():uniform()" in expression:
        source = "local x = torch.DoubleTensor(2, 3) x:t():uniform() return x:view(-1):totable()"
    assert lua(rt, f"torch.manualSeed(123) {source}") == GOLDEN[expression]


NUMBERS = [
    "uniform()",
    "uniform(2)",
    "uniform(-1, 3)",
    "normal()",
    "normal(3)",
    "normal(3, 0.5)",
    "logNormal(1, 2)",
    "cauchy()",
    "exponential(2)",
    "geometric(0.3)",
    "bernoulli()",
    "bernoulli(0.3)",
    "random()",
    "random(7)",
    "random(3, 9)",
]


@pytest.mark.parametrize("call", NUMBERS)
class TestDistributions:
    def test_a_generator_gives_the_same_numbers(self, rt: Runtime, call: str) -> None:
        """As function and as method, with a generator or with the program's own, which it leaves alone."""
        name, _, arguments = call.partition("(")
        rest = arguments if arguments == ")" else f", {arguments}"
        with_generator, with_tensor = f"{name}(g{rest}", f"{name}(torch.Tensor(3){rest}"
        source = f"""
            local g = torch.Generator()
            torch.manualSeed(g, 5) torch.manualSeed(5)
            local mine, own = torch.{call}, torch.{with_generator}
            local after = torch.random()
            torch.manualSeed(g, 6) torch.manualSeed(6)
            local x, y = torch.Tensor(3), torch.Tensor(3)
            local same = rawequal(x, x:{call}) and rawequal(y, y:{with_generator})
            torch.manualSeed(6)
            local through = torch.{with_tensor}
            return mine == own, after, same, x, y, through"""
        equal, after, same, x, y, through = lua(rt, source)
        assert equal is True
        assert same is True
        assert x.tolist() == y.tolist() == through.tolist()
        reference = Generator()
        reference.manual_seed(5)
        drawn = {"normal": 2, "logNormal": 2}.get(name, 1)
        assert after == reference.words(drawn + 1)[-1]


@pytest.mark.parametrize("name", ["rand", "randn"])
def test_new_tensors(rt: Runtime, name: str) -> None:
    source = f"""
        local g, r = torch.Generator(), torch.FloatTensor(7)
        local function again() torch.manualSeed(9) torch.manualSeed(g, 9) end
        again() local a = torch.{name}(2, 3)
        again() local b = torch.{name}(g, 2, 3)
        again() local c = torch.{name}(g, torch.LongStorage{{2, 3}})
        again() local d = torch.{name}(r, 2, 3)
        local same = rawequal(r, d) and rawequal(r, r:{name}(g, 1)) and r:size(1) == 1
        again() r:{name}(2, 3)
        return a, b, c, r, same"""
    a, b, c, r, same = lua(rt, source)
    assert a.shape == (2, 3)
    assert a.equal(b)
    assert a.equal(c)
    assert r.dtype == torch.float32
    np.testing.assert_allclose(r.numpy(), a.numpy(), rtol=1e-6)
    assert same is True


def test_randperm(rt: Runtime) -> None:
    source = """
        local g, r = torch.Generator(), torch.LongTensor()
        local function again() torch.manualSeed(9) torch.manualSeed(g, 9) end
        again() local a = torch.randperm(10)
        again() local b = torch.randperm(g, 10)
        again() local c = torch.randperm(r, 10)
        again() local d = torch.IntTensor():randperm(10)
        return a:totable(), b:totable(), c:totable(), d:totable(), rawequal(r, c), torch.typename(d)"""
    a, b, c, d, same, name = lua(rt, source)
    assert sorted(a) == list(range(1, 11))
    assert a == b == c == d
    assert (same, name) == (True, "torch.IntTensor")


def test_multinomial(rt: Runtime) -> None:
    source = f"""
        {WEIGHTS}
        local g, r = torch.Generator(), torch.LongTensor()
        local function again() torch.manualSeed(9) torch.manualSeed(g, 9) end
        again() local a = torch.multinomial(w, 3)
        again() local b = torch.multinomial(g, w, 3, false)
        again() local c = torch.multinomial(r, w, 3)
        again() local d = torch.LongTensor():multinomial(w, 3)
        local m = torch.multinomial(torch.cat(w:view(1, 4), w:view(1, 4), 1), 20, true)
        return a:totable(), b:totable(), c:totable(), d:totable(), rawequal(r, c), m:size(), m:min(), m:max()"""
    a, b, c, d, same, sizes, low, high = lua(rt, source)
    assert a == b == c == d
    assert len(set(a)) == 3
    assert same is True
    assert plain(sizes) == [2, 20]
    assert 1 <= low <= high <= 4


def test_multinomial_by_aliases(rt: Runtime) -> None:
    source = f"""
        {WEIGHTS}
        torch.manualSeed(3)
        local state = torch.multinomialAliasSetup(w)
        local out = torch.LongTensor(2000)
        local same = rawequal(out, torch.multinomialAlias(out, state))
        local kept = rawequal(state, torch.multinomialAliasSetup(torch.Tensor{{1, 0.5, 0.5}} / 2, state))
        return same, out, kept, state[1]:size(1), torch.multinomialAliasSetup_(w)"""
    same, out, kept, size, alias, stay = lua(rt, source)
    assert same is True
    counts = torch.bincount(out)[1:] / 2000
    # Five standard deviations of a share of 0.4 in 2000 draws are 0.055.
    np.testing.assert_allclose(counts.numpy(), [0.1, 0.2, 0.3, 0.4], atol=0.055)
    assert (kept, size) == (True, 3)
    # By hand: 4 * 0.1 = 0.4 stays with 0.4, the rest of the place goes to the last category, and so on.
    assert alias.dtype == torch.int64
    share = torch.zeros(4, dtype=torch.float64)
    for place in range(4):
        share[place] += stay[place] / 4
        share[alias[place] - 1] += (1 - stay[place]) / 4
    np.testing.assert_allclose(share.numpy(), [0.1, 0.2, 0.3, 0.4], atol=1e-12)


def test_alias_tables_into_given_tensors(rt: Runtime) -> None:
    source = f"""
        {WEIGHTS}
        local j, q = torch.LongTensor(), torch.Tensor(9)
        local a, b = torch.multinomialAliasSetup_(w, j, q)
        local same = rawequal(a, j) and rawequal(b, q)
        local c, d = w:multinomialAliasSetup_()
        local half = {{j}}
        torch.multinomialAliasSetup(w, half)
        local wrong = pcall(torch.multinomialAliasSetup_, w, j, torch.FloatTensor())
        return same, j, q, c, d, rawequal(half[1], j), half[2], wrong"""
    same, j, q, c, d, kept, half, wrong = lua(rt, source)
    assert (same, kept, wrong) == (True, True, False)
    assert j.equal(c)
    assert q.equal(d)
    assert half.equal(d)


def test_bernoulli_of_probabilities(rt: Runtime) -> None:
    source = """
        local p = torch.Tensor{0, 1, 0, 1}
        local x = torch.ByteTensor(2, 2):fill(7)
        return x:bernoulli(p), torch.Tensor(4):bernoulli(torch.Generator(), p:float())"""
    assert plain(lua(rt, source)) == ([[0, 1], [0, 1]], [0, 1, 0, 1])


class TestSeedsAndStates:
    def test_seed(self, rt: Runtime) -> None:
        source = """
            local s = torch.seed()
            local a, initial = torch.random(), torch.initialSeed()
            torch.manualSeed(s)
            return s == initial, a == torch.random()"""
        assert lua(rt, source) == (True, True)

    def test_state_goes_on(self, rt: Runtime) -> None:
        source = """
            torch.manualSeed(1)
            torch.normal()
            local saved, into = torch.getRNGState(), torch.ByteTensor()
            local same = rawequal(into, torch.getRNGState(into))
            local a = torch.randn(5)
            local back = rawequal(saved, torch.setRNGState(saved))
            local b = torch.randn(5)
            torch.setRNGState(into)
            return same, back, a, b, torch.randn(5)"""
        same, back, a, b, c = lua(rt, source)
        assert (same, back) == (True, True)
        assert a.tolist() == b.tolist() == c.tolist()

    def test_state_of_a_generator(self, rt: Runtime) -> None:
        source = """
            local g, h = torch.Generator(), torch.Generator()
            torch.manualSeed(g, 4)
            torch.setRNGState(h, torch.getRNGState(g))
            return torch.random(g) == torch.random(h), torch.initialSeed(h), torch.typename(g), tostring(g)"""
        assert lua(rt, source) == (True, 4, "torch.Generator", "torch.Generator")


def test_results_can_be_resized(rt: Runtime) -> None:
    source = f"""
        {WEIGHTS}
        local made = {{torch.rand(2), torch.randn(2), torch.randperm(2), torch.multinomial(w, 2),
                      torch.getRNGState(), torch.multinomialAliasSetup(w)[1], torch.multinomialAliasSetup(w)[2]}}
        local sizes = {{}}
        for i, x in ipairs(made) do sizes[i] = x:resize(10000):size(1) end
        return sizes"""
    assert lua(rt, source) == [10000] * 7


def test_what_was_drawn_from_can_be_resized(rt: Runtime) -> None:
    source = f"""
        {WEIGHTS}
        local state = torch.multinomialAliasSetup(w)
        torch.multinomialAlias(torch.LongTensor(10), state)
        torch.multinomial(w, 2)
        return w:resize(10000):size(1) + state[1]:resize(10000):size(1) + state[2]:resize(10000):size(1)"""
    assert lua(rt, source) == 30000


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("torch.random(0)", "upper bound must be strictly positive, got 0"),
        ("torch.random(5, 3)", "upper bound must be larger than lower bound"),
        ("torch.normal(0, 0)", "standard deviation must be strictly positive"),
        ("torch.exponential()", "invalid arguments for function 'exponential'"),
        ("torch.bernoulli(2)", "probability must be >= 0 and <= 1, got 2"),
        ("torch.IntTensor(3):uniform()", "torch.IntTensor has no uniform"),
        ("torch.randperm(0)", "randperm: n must be strictly positive"),
        ("torch.multinomial(torch.Tensor{1}, 2)", "cannot draw 2 of 1 categories without replacement"),
        (
            "torch.multinomialAlias(torch.LongTensor(2), {1})",
            "expected what torch.multinomialAliasSetup returned",
        ),
        ("torch.setRNGState(torch.ByteTensor(3))", "RNG state is wrong size"),
        ("torch.manualSeed()", "invalid arguments for function 'manualSeed'"),
        ("torch.rand('a')", "invalid arguments for function 'rand'"),
    ],
)
def test_errors(rt: Runtime, source: str, message: str) -> None:
    assert message in failure(rt, source)
