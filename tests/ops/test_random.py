"""The random functions against what the original drew, and the streams against themselves."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from torch7py.kernels import available
from torch7py.ops import state, types
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.mersenne import Generator
from torch7py.ops.random import choose, draw, dropout_mask, fill, normal_, scalar, uniform_

GOLDEN: dict[str, list[float]] = json.loads(
    gzip.decompress((Path(__file__).parent.parent / "golden" / "rng.json.gz").read_bytes())
)
WEIGHTS = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
INTEGRAL = ("Byte", "Char", "Short", "Int", "Long")
Draw = Callable[[Generator], "torch.Tensor | list[float]"]


def seeded(seed: float = 123) -> Generator:
    generator = Generator()
    generator.manual_seed(seed)
    return generator


def tensor(name: str, *sizes: int) -> torch.Tensor:
    return torch.zeros(sizes, dtype=types.BY_NAME[name].dtype)


def repeat(n: int, one: Callable[[Generator], float]) -> Draw:
    return lambda g: [one(g) for _ in range(n)]


def transposed(g: Generator) -> torch.Tensor:
    x = tensor("Double", 2, 3)
    fill.uniform(g, x.t())
    return x.reshape(-1)


def odd_then_reseed(g: Generator) -> torch.Tensor:
    scalar.normal(g)
    g.manual_seed(123)
    return draw.normal(g, 3)


# What each expression of the original is here.
EXPRESSIONS: dict[str, Draw] = {
    "torch.rand(2000)": lambda g: draw.uniform(g, 2000),
    "torch.randn(2001)": lambda g: draw.normal(g, 2001),
    "torch.randperm(10)": lambda g: choose.randperm(g, 10),
    "torch.randperm(1000)": lambda g: choose.randperm(g, 1000),
    "torch.uniform()x10": repeat(10, scalar.uniform),
    "torch.uniform(-2,5)x10": repeat(10, lambda g: scalar.uniform(g, -2, 5)),
    "torch.normal()x10": repeat(10, scalar.normal),
    "torch.normal(3,0.5)x11": repeat(11, lambda g: scalar.normal(g, 3, 0.5)),
    "torch.bernoulli()x10": repeat(10, scalar.bernoulli),
    "torch.bernoulli(0.3)x10": repeat(10, lambda g: scalar.bernoulli(g, 0.3)),
    "torch.random()x10": repeat(10, scalar.random),
    "torch.random(100)x10": repeat(10, lambda g: scalar.random(g, 100)),
    "torch.random(5,9)x10": repeat(10, lambda g: scalar.random(g, 5, 9)),
    "torch.exponential(2)x10": repeat(10, lambda g: scalar.exponential(g, 2)),
    "torch.cauchy(1,2)x10": repeat(10, lambda g: scalar.cauchy(g, 1, 2)),
    "torch.logNormal(1,2)x10": repeat(10, lambda g: scalar.log_normal(g, 1, 2)),
    "torch.geometric(0.3)x10": repeat(10, lambda g: scalar.geometric(g, 0.3)),
    "Float(2000):uniform()": lambda g: fill.uniform(g, tensor("Float", 2000)),
    "Float(2001):normal()": lambda g: fill.normal(g, tensor("Float", 2001)),
    "Float(10):uniform(-0.3,0.3)": lambda g: fill.uniform(g, tensor("Float", 10), -0.3, 0.3),
    "Double(10):bernoulli(0.5)": lambda g: fill.bernoulli(g, tensor("Double", 10), 0.5),
    "Float(10):bernoulli(0.5)": lambda g: fill.bernoulli(g, tensor("Float", 10), 0.5),
    "Byte(10):bernoulli(0.5)": lambda g: fill.bernoulli(g, tensor("Byte", 10), 0.5),
    "Double(10):exponential(2)": lambda g: fill.exponential(g, tensor("Double", 10), 2),
    "Double(10):cauchy(1,2)": lambda g: fill.cauchy(g, tensor("Double", 10), 1, 2),
    "Double(10):logNormal(1,2)": lambda g: fill.log_normal(g, tensor("Double", 10), 1, 2),
    "Double(10):geometric(0.3)": lambda g: fill.geometric(g, tensor("Double", 10), 0.3),
    "torch.multinomial(w,8,true)": lambda g: choose.multinomial(g, WEIGHTS, 8, True),
    "torch.multinomial(w,4,false)": lambda g: choose.multinomial(g, WEIGHTS, 4, False),
    "Double(2,3):t():uniform()": transposed,
    "odd normals then reseed": odd_then_reseed,
    "randn(3),rand(2),randn(3)": lambda g: torch.cat(
        [draw.normal(g, 3), draw.uniform(g, 2), draw.normal(g, 3)]
    ),
    "nn.Dropout(0.5):forward(ones(10))": lambda g: dropout_mask(g, (10,), 0.5) / 0.5,
} | {
    f"{name}(10):random({', '.join(map(str, bounds)).replace(' ', '')})": (
        lambda g, name=name, bounds=bounds: fill.random(g, tensor(name, 10), *bounds)
    )
    for name in (*INTEGRAL, "Float", "Double")
    for bounds in ((), (100,), (5, 9))
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_draws_what_the_original_drew(expression):
    drawn = EXPRESSIONS[expression](seeded())
    values = drawn.tolist() if isinstance(drawn, torch.Tensor) else drawn
    assert values == GOLDEN[expression]


def test_every_vector_of_the_torch_package_is_tested():
    elsewhere = [e for e in GOLDEN if e.startswith(("nn.", "manualSeed", "getRNGState", "state bytes"))]
    assert set(GOLDEN) - set(elsewhere) == set(EXPRESSIONS) - {"nn.Dropout(0.5):forward(ones(10))"}


@pytest.mark.parametrize(
    ("expression", "sizes"),
    [
        ("torch.uniform(-2,5)x10", lambda g, n: draw.uniform(g, n, -2, 5)),
        ("torch.normal(3,0.5)x11", lambda g, n: draw.normal(g, n, 3, 0.5)),
        ("torch.bernoulli(0.3)x10", lambda g, n: draw.bernoulli(g, n, 0.3)),
        ("torch.random(5,9)x10", lambda g, n: draw.random(g, n, 5, 9)),
        ("torch.exponential(2)x10", lambda g, n: draw.exponential(g, n, 2)),
        ("torch.cauchy(1,2)x10", lambda g, n: draw.cauchy(g, n, 1, 2)),
        ("torch.logNormal(1,2)x10", lambda g, n: draw.log_normal(g, n, 1, 2)),
        ("torch.geometric(0.3)x10", lambda g, n: draw.geometric(g, n, 0.3)),
    ],
)
def test_numbers_drawn_at_once_are_the_numbers_drawn_one_by_one(expression, sizes):
    expected = GOLDEN[expression]
    assert sizes(seeded(), len(expected)).tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 700), st.booleans()), max_size=8))
@settings(max_examples=30, deadline=None)
def test_normals_drawn_in_pieces_are_the_stream(pieces):
    one, many = seeded(), seeded()
    parts: list[float] = []
    for n, at_once in pieces:
        parts += draw.normal(many, n).tolist() if at_once else [scalar.normal(many) for _ in range(n)]
    assert parts == draw.normal(one, len(parts)).tolist()
    assert many.get_state() == one.get_state()


class TestFill:
    def test_elements_are_set_in_logical_order(self):
        base = torch.zeros(4, 6, dtype=torch.float64)
        fill.uniform(seeded(), base[::2, 1:4].t())
        assert base[::2, 1:4].t().reshape(-1).tolist() == GOLDEN["torch.rand(2000)"][:6]
        assert base.count_nonzero() == 6

    def test_a_parameter_is_filled_and_returned(self):
        weight = torch.nn.Parameter(torch.zeros(5, dtype=torch.float64))
        assert fill.normal(seeded(), weight) is weight
        assert weight.tolist() == GOLDEN["torch.randn(2001)"][:5]

    def test_a_tensor_elsewhere_takes_as_many_words(self):
        generator = seeded()
        fill.uniform(generator, torch.empty(3, 2, device="meta"))
        assert scalar.uniform(generator) == GOLDEN["torch.rand(2000)"][6]

    def test_an_empty_tensor_takes_no_word_and_checks_nothing(self):
        generator, empty = seeded(), tensor("Double", 0)
        fill.normal(generator, empty, 0, -1)
        fill.bernoulli(generator, empty, 2)
        fill.geometric(generator, empty, 2)
        assert generator.get_state() == seeded().get_state()

    def test_a_float_tensor_rounds_its_bounds_before_the_draw(self):
        a, b = float(np.float32(0.1)), float(np.float32(0.7))
        words = seeded().words(50).tolist()
        expected = [float(np.float32(word / 2**32 * (b - a) + a)) for word in words]
        assert fill.uniform(seeded(), tensor("Float", 50), 0.1, 0.7).tolist() == expected

    @pytest.mark.parametrize("name", INTEGRAL)
    def test_negative_whole_numbers(self, name):
        words = seeded().words(200).tolist()
        values = fill.random(seeded(), tensor(name, 200), -7, 3)
        expected = torch.tensor([word % 11 - 7 for word in words]).to(values.dtype)
        assert values.equal(expected)
        if name != "Byte":
            assert values.min() == -7

    @pytest.mark.parametrize("name", ["Float", "Double"])
    def test_negative_numbers_in_a_real_tensor_are_unsigned_first(self, name):
        # As https://github.com/pytorch/pytorch/issues/6338 reports of the code that PyTorch took over.
        values = fill.random(seeded(), tensor(name, 200), -1, 9)
        assert set(values.tolist()) == {1.8446744073709552e19, *range(10)}

    def test_probabilities_by_element(self):
        generator = seeded()
        p = torch.tensor([[0.0, 1.0], [0.7, 0.7]])
        assert fill.bernoulli(generator, tensor("Int", 2, 2), p).tolist() == [[0, 1], [1, 1]]
        assert scalar.uniform(generator) == GOLDEN["torch.rand(2000)"][4]

    @pytest.mark.parametrize("name", INTEGRAL)
    def test_whole_number_tensors_have_no_real_distributions(self, name):
        with pytest.raises(TorchError, match=f"{name}Tensor has no logNormal"):
            fill.log_normal(seeded(), tensor(name, 2))

    def test_layers_draw_from_the_current_generator(self):
        with state.use(state.State(generator=seeded())):
            assert uniform_(tensor("Double", 4), -2, 5).tolist() == GOLDEN["torch.uniform(-2,5)x10"][:4]
        with state.use(state.State(generator=seeded())):
            assert normal_(tensor("Double", 4)).tolist() == GOLDEN["torch.randn(2001)"][:4]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: scalar.normal(g, 0, 0), "standard deviation must be strictly positive, got 0"),
        (lambda g: scalar.log_normal(g, 0, -1), "standard deviation must be strictly positive, got -1"),
        (lambda g: draw.normal(g, 3, 0, math.nan), "standard deviation must be strictly positive, got nan"),
        (lambda g: scalar.geometric(g, 1), "must be > 0 and < 1, got 1"),
        (lambda g: draw.geometric(g, 2, 0), "must be > 0 and < 1, got 0"),
        (lambda g: scalar.bernoulli(g, 1.5), "must be >= 0 and <= 1, got 1.5"),
        (lambda g: draw.bernoulli(g, 2, -0.1), "must be >= 0 and <= 1, got -0.1"),
        (lambda g: draw.bernoulli(g, 2, torch.tensor([0.5, 2])), "must be >= 0 and <= 1"),
        (lambda g: scalar.random(g, 0), "upper bound must be strictly positive, got 0"),
        (lambda g: draw.random(g, 2, 4, 3), "upper bound must be larger than lower bound, got 4 and 3"),
        (lambda g: scalar.random(g, -(2**63), 2**63 - 1), "all 64-bit numbers"),
        (lambda g: choose.randperm(g, 0), "n must be strictly positive, got 0"),
        (lambda g: choose.multinomial(g, WEIGHTS, 0), "cannot draw 0 samples"),
        (lambda g: choose.multinomial(g, WEIGHTS, 5), "cannot draw 5 of 4 categories without replacement"),
        (lambda g: choose.multinomial(g, WEIGHTS * 0, 1), "the sum of probabilities is not above 0"),
        (lambda g: choose.multinomial(g, WEIGHTS * math.nan, 1), "the sum of probabilities is not above 0"),
        (lambda g: choose.multinomial(g, WEIGHTS.long(), 1), "probabilities in a torch.LongTensor"),
        (lambda g: choose.multinomial(g, WEIGHTS.view(2, 2, 1), 1), "a vector or a matrix, got size 2x2x1"),
        (lambda g: choose.alias_setup(WEIGHTS.view(2, 2)), "must be a vector"),
        (lambda g: choose.alias_setup(torch.tensor([0.0, 1.0])), "every probability must be above 0"),
    ],
)
def test_a_wrong_parameter_is_said_and_takes_no_word(call, message):
    generator = seeded()
    with pytest.raises(ArgumentError, match=message):
        call(generator)
    assert scalar.random(generator) == GOLDEN["torch.random()x10"][0]


def test_probabilities_must_fit():
    with pytest.raises(TorchError, match="3 probabilities for 2 elements"):
        fill.bernoulli(seeded(), tensor("Byte", 2), torch.rand(3, generator=torch.Generator()))
    with pytest.raises(TorchError, match=r"probabilities in a torch\.IntTensor"):
        fill.bernoulli(seeded(), tensor("Byte", 2), tensor("Int", 2))


class TestLimits:
    def test_numbers_are_cut_to_whole_ones(self):
        assert scalar.random(seeded(), 5.9, 9.9) == GOLDEN["torch.random(5,9)x10"][0]

    def test_a_range_beyond_32_bits(self):
        word = GOLDEN["torch.random()x10"][0]
        assert scalar.random(seeded(), -(2**40), 2**40) == word - 2**40

    def test_what_overflows_is_infinite(self):
        assert scalar.log_normal(seeded(), 1000, 1) == math.inf
        assert draw.log_normal(seeded(), 3, 1000, 1).tolist() == [math.inf] * 3
        assert scalar.exponential(seeded(), 0) == math.inf
        assert draw.exponential(seeded(), 2, 0).tolist() == [math.inf] * 2

    def test_a_geometric_number_beyond_int_is_the_smallest_int(self):
        p = 1 - 2.0**-53
        assert scalar.geometric(seeded(), p) == -(2**31) + 1
        assert draw.geometric(seeded(), 2, p).tolist() == [-(2**31) + 1] * 2

    def test_bernoulli_includes_its_bound(self):
        u = GOLDEN["torch.rand(2000)"][0]
        for p, kept in ((u, 1), (math.nextafter(u, 0), 0)):
            assert scalar.bernoulli(seeded(), p) == kept
            assert draw.bernoulli(seeded(), 1, p).tolist() == [bool(kept)]

    def test_dropout_keeps_all_and_none(self):
        assert dropout_mask(seeded(), (2, 3), 0).equal(torch.ones(2, 3, dtype=torch.float64))
        assert dropout_mask(seeded(), (2, 3), 1, torch.float32).equal(torch.zeros(2, 3))


class TestChoose:
    @pytest.mark.parametrize("n", [1, 2, 50, 5000])
    def test_randperm_is_pytorchs(self, n):
        # PyTorch kept Torch7's algorithm; its generator takes Torch7's seed.
        expected = torch.randperm(n, generator=torch.Generator().manual_seed(123)) + 1
        assert choose.randperm(seeded(), n, torch.int64).equal(expected)

    def test_randperm_wraps_in_a_byte_tensor(self):
        expected = choose.randperm(seeded(), 300).long() % 256
        assert choose.randperm(seeded(), 300, torch.uint8).long().equal(expected)

    @given(
        st.lists(
            st.lists(st.sampled_from([0.0, 0.1, 1.0, 2.5]), min_size=4, max_size=4).filter(any),
            min_size=1,
            max_size=5,
        ),
        st.integers(1, 20),
    )
    @settings(max_examples=40, deadline=None)
    def test_multinomial_is_the_first_category_to_reach_the_draw(self, rows, n):
        samples = choose.multinomial(seeded(), torch.tensor(rows, dtype=torch.float64), n, True)
        generator = seeded()
        for row, drawn in zip(rows, samples.tolist(), strict=True):
            for category in drawn:
                u, reached = scalar.uniform(generator), 0.0
                for weight in row[: category - 1]:
                    reached += weight
                assert category == 1 or reached / sum(row) < u
                assert (reached + row[category - 1]) / sum(row) >= u

    def test_without_replacement_no_category_comes_twice(self):
        weights = torch.arange(1.0, 31).repeat(20, 1)
        samples = choose.multinomial(seeded(), weights, 30)
        assert samples.sort(1).values.equal(torch.arange(1, 31).repeat(20, 1))
        assert samples.dtype == torch.int64

    def test_a_category_without_weight_is_not_drawn(self):
        weights = torch.tensor([0.3, 0.0, 0.5, 0.0, 0.2], dtype=torch.float64)
        assert set(choose.multinomial(seeded(), weights, 3).tolist()) == {1, 3, 5}
        assert set(choose.multinomial(seeded(), weights, 500, True).tolist()) == {1, 3, 5}

    def test_multinomial_reads_a_column_in_place(self):
        matrix = torch.stack([WEIGHTS, torch.ones_like(WEIGHTS)], 1)
        drawn = choose.multinomial(seeded(), matrix[:, 0], 8, True)
        assert drawn.tolist() == GOLDEN["torch.multinomial(w,8,true)"]
        assert matrix[:, 0].equal(WEIGHTS)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_alias_samples_have_their_probabilities(self, dtype):
        p = torch.tensor([0.5, 0.05, 0.15, 0.3], dtype=dtype)
        alias, stay = choose.alias_setup(p)
        # The tables hold the distribution exactly: a place is chosen by 1 / C and kept or left.
        total = stay.double() / 4
        total.scatter_add_(0, alias - 1, (1 - stay.double()) / 4)
        assert torch.allclose(total, p.double(), atol=1e-7)
        n = 100_000
        counts = choose.alias_draw(seeded(), n, alias, stay).bincount(minlength=5)[1:].double()
        chi_square = ((counts - n * p.double()) ** 2 / (n * p.double())).sum()
        assert chi_square < 16.27  # 3 degrees of freedom: one seed in a thousand is above


@pytest.mark.skipif(not available(), reason="kernels need LuaJIT 2.1")
class TestChooseInKernels:
    """The compiled loops against those in Python, from the same words."""

    @pytest.fixture
    def in_python(self, monkeypatch):
        def call(function, *arguments):
            with monkeypatch.context() as patch:
                patch.setattr(choose, "available", lambda: False)
                return function(*arguments)

        return call

    @pytest.mark.parametrize("n", [1, 2, 100, choose.AT_ONCE + 1, choose.AT_ONCE + 2, 200_000])
    def test_randperm(self, in_python, n):
        ours, theirs = seeded(), seeded()
        assert choose.randperm(ours, n).equal(in_python(choose.randperm, theirs, n))
        assert ours.get_state() == theirs.get_state()

    @given(
        st.integers(1, 30).flatmap(
            lambda count: st.lists(
                st.lists(st.sampled_from([0.0, 0.1, 1.0, 2.5, -0.2]), min_size=count, max_size=count).filter(
                    lambda row: sum(row) > 0.05
                ),
                min_size=1,
                max_size=4,
            )
        ),
        st.booleans(),
        st.integers(1, 30),
        st.integers(0, 1000),
    )
    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_multinomial(self, in_python, rows, replacement, n, seed):
        n = n if replacement else min(n, len(rows[0]))
        weights = torch.tensor(rows, dtype=torch.float64)
        ours, theirs = seeded(seed), seeded(seed)
        drawn = choose.multinomial(ours, weights, n, replacement)
        assert drawn.equal(in_python(choose.multinomial, theirs, weights, n, replacement))
        assert ours.get_state() == theirs.get_state()

    @pytest.mark.parametrize("kind", ["even", "steep", "almost all 0", "some negative"])
    @pytest.mark.parametrize(
        ("categories", "n"), [(200, 2), (200, 150), (400, 12), (1500, 60), (20_000, 100)]
    )
    def test_few_samples_of_many_categories(self, in_python, kind, categories, n):
        """Of each row most sums are not looked at, but for 150 of 200.

        When what has any weight is drawn the rest is nan.
        """
        source = np.random.default_rng(categories)
        weights = source.uniform(size=(3, categories))
        if kind == "steep":
            weights **= 30
        elif kind == "almost all 0":
            weights[:, : -n // 2 - 1] = 0
        elif kind == "some negative":
            weights -= 0.1
        given = torch.tensor(weights)
        ours, theirs = seeded(n), seeded(n)
        drawn = choose.multinomial(ours, given, n)
        assert drawn.equal(in_python(choose.multinomial, theirs, given, n))
        assert ours.get_state() == theirs.get_state()

    @given(st.lists(st.floats(1e-3, 1), min_size=1, max_size=60), st.sampled_from(["float64", "float32"]))
    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_alias_setup(self, in_python, weights, dtype):
        p = torch.tensor(weights, dtype=getattr(torch, dtype))
        p /= p.sum()
        for ours, theirs in zip(choose.alias_setup(p), in_python(choose.alias_setup, p), strict=True):
            assert ours.equal(theirs)


def test_an_invalid_row_is_met_after_those_before_it():
    generator, other = seeded(), seeded()
    with pytest.raises(ArgumentError, match="not above 0"):
        choose.multinomial(generator, torch.tensor([[1.0, 2.0], [0.0, 0.0], [1.0, 1.0]]), 2)
    other.words(2)
    assert generator.get_state() == other.get_state()


def test_nan_has_no_alias():
    with pytest.raises(ArgumentError, match="above 0"):
        choose.alias_setup(torch.tensor([0.5, math.nan]))


class TestFillInParts:
    @pytest.mark.parametrize("size", [fill.PART, fill.PART + 1, 2 * fill.PART + 3])
    @pytest.mark.parametrize("pending", [False, True])
    @pytest.mark.parametrize(
        ("filled", "drawn", "parameters"),
        [
            (fill.uniform, draw.uniform, (-3.7, 1e5)),
            (fill.normal, draw.normal, (1.3, 0.2)),
            (fill.exponential, draw.exponential, (0.7,)),
            (fill.random, draw.random, (70_000,)),
        ],
    )
    def test_the_parts_are_one_stream(self, filled, drawn, parameters, size, pending):
        one, other = seeded(7), seeded(7)
        if pending:
            assert scalar.normal(one) == scalar.normal(other)
        x = torch.empty(size, dtype=torch.float64)
        assert filled(one, x, *parameters) is x
        assert x.equal(drawn(other, size, *parameters).double())
        assert one.get_state() == other.get_state()

    def test_a_parameter_and_a_part_of_a_tensor(self):
        parameter = torch.nn.Parameter(torch.zeros(10, 20))
        fill.normal(seeded(), parameter)
        assert parameter.detach().view(-1).equal(fill.normal(seeded(), torch.zeros(200)))
        whole = torch.zeros(5, 100, dtype=torch.float64)
        fill.uniform(seeded(), whole[2])
        assert whole[2].equal(draw.uniform(seeded(), 100))
        assert not whole[[0, 1, 3, 4]].any()
