"""The generator: its words, its seeds and its saved form."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from torch7py.ops.errors import ArgumentError
from torch7py.ops.mersenne import STATE_SIZE, Generator, to_long
from torch7py.ops.random import draw, scalar

GOLDEN: dict[str, list[float]] = json.loads(
    gzip.decompress((Path(__file__).parent.parent / "golden" / "rng.json.gz").read_bytes())
)


def seeded(seed: float = 123) -> Generator:
    generator = Generator()
    generator.manual_seed(seed)
    return generator


def pythons(seed: int) -> random.Random:
    """Python's own Mersenne Twister under Torch7's initialisation."""
    block = [seed & 0xFFFFFFFF]
    for i in range(1, 624):
        block.append((1812433253 * (block[-1] ^ block[-1] >> 30) + i) & 0xFFFFFFFF)
    twister = random.Random()
    twister.setstate((3, (*block, 624), None))
    return twister


def pytorchs_words(state: bytes, n: int) -> list[int]:
    """The next words of a PyTorch generator that was given Torch7's state; n is even."""
    generator = torch.Generator()
    generator.set_state(torch.tensor(list(state + bytes(8)), dtype=torch.uint8))
    values = torch.empty(n // 2, dtype=torch.int64).random_(-(2**63), None, generator=generator)
    return [half for v in values.tolist() for half in (v >> 32 & 0xFFFFFFFF, v & 0xFFFFFFFF)]


@pytest.mark.parametrize("seed", [0, 1, -1, 2**31, 2**32, 2**32 + 5, 1e12])
def test_seeds(seed):
    generator = seeded(seed)
    drawn = [generator.word(), generator.word(), generator.word(), generator.initial_seed()]
    assert drawn == GOLDEN[f"manualSeed({seed:.0f}) random x3 + initialSeed"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1.9, 1),
        (-1.9, -1),
        (2.0**53, 2**53),
        (1e19, -(2**63)),
        (-1e300, -(2**63)),
        (float("nan"), -(2**63)),
        (float("inf"), -(2**63)),
    ],
)
def test_a_number_is_cut_to_a_long(number, expected):
    assert to_long(number) == expected


def test_seeding_from_entropy_can_be_repeated():
    generator = Generator()
    seed = generator.seed()
    words = generator.words(5).tolist()
    assert generator.initial_seed() == seed == float(seed)
    generator.manual_seed(seed)
    assert generator.words(5).tolist() == words
    assert Generator().words(5).tolist() != Generator().words(5).tolist()


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(-40, 1500), max_size=10))
@settings(max_examples=60, deadline=None)
def test_words_drawn_in_any_pieces_are_the_stream(seed, pieces):
    generator, reference = seeded(seed), pythons(seed)
    for n in pieces:
        # A negative size stands for so many single words.
        words = generator.words(n).tolist() if n >= 0 else [generator.word() for _ in range(-n)]
        assert words == [reference.getrandbits(32) for _ in range(abs(n))]


@given(st.lists(st.integers(-40, 1500), max_size=6))
@settings(max_examples=40, deadline=None)
def test_a_state_goes_on_where_it_was_taken(pieces):
    generator = seeded()
    for n in pieces:
        if n >= 0:
            generator.words(n)
        else:
            draw.normal(generator, 1)
            for _ in range(-n):
                generator.word()
    saved = generator.get_state()
    other = Generator()
    other.set_state(saved)
    assert other.get_state() == saved
    assert other.initial_seed() == 123
    twin = generator.copy()
    expected = draw.normal(generator, 701).tolist()
    assert draw.normal(other, 701).tolist() == expected
    assert draw.normal(twin, 701).tolist() == expected
    assert other.get_state() == generator.get_state()


def test_the_saved_form_is_the_originals():
    generator = seeded()
    draw.normal(generator, 3)
    assert GOLDEN["getRNGState size"] == [STATE_SIZE]
    assert list(generator.get_state()) == GOLDEN["state bytes"]


def test_the_originals_state_goes_on_within_a_normal_pair():
    generator = Generator()
    generator.set_state(bytes(map(int, GOLDEN["state bytes"])))
    assert draw.normal(generator, 1998).tolist() == GOLDEN["torch.randn(2001)"][3:]


@pytest.mark.parametrize("drawn", [0, 1, 2, 3, 622, 623, 624, 625, 1000])
def test_pytorch_takes_the_state(drawn):
    generator = seeded()
    for _ in range(drawn):
        generator.word()
    state = generator.get_state()
    assert pytorchs_words(state, 1400) == generator.words(1400).tolist()
    fresh = torch.Generator().manual_seed(123).get_state().numpy().tobytes()
    if drawn == 0:
        assert fresh[:5016] == state[:5016]


def test_a_copy_is_independent():
    generator = seeded()
    scalar.normal(generator)
    twin = generator.copy()
    scalar.normal(twin)
    twin.words(1000)
    assert scalar.normal(generator) == GOLDEN["torch.randn(2001)"][1]


def test_words_belong_to_the_caller():
    generator = seeded()
    generator.word()
    generator.words(5)[:] = 0
    generator.words(1000)[:] = 0
    assert generator.words(3).tolist() == seeded().words(1009)[1006:].tolist()


def corrupted(offset: int, *values: int) -> bytes:
    state = bytearray(seeded().get_state())
    state[offset : offset + len(values)] = values
    return bytes(state)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (b"", "wrong size: 0 bytes, expected 5048"),
        (bytes(5056), "wrong size: 5056 bytes"),
        (bytes(5048), "invalid RNG state"),
        (corrupted(8, 0), "invalid RNG state"),
        (corrupted(8, 7), "invalid RNG state"),
        (corrupted(12, 0), "invalid RNG state"),
        (corrupted(16, 0, 3), "invalid RNG state"),
        (corrupted(24 + 4, 1), "invalid RNG state"),
    ],
)
def test_a_wrong_state_is_refused_and_changes_nothing(state, message):
    generator = seeded()
    with pytest.raises(ArgumentError, match=message):
        generator.set_state(state)
    assert generator.get_state() == seeded().get_state()


def test_no_global_generator_is_touched():
    before = torch.get_rng_state(), np.random.get_state()
    generator = seeded(7)
    draw.normal(generator, 1000)
    generator.seed()
    after = torch.get_rng_state(), np.random.get_state()
    assert before[0].equal(after[0])
    assert all(np.array_equal(x, y) for x, y in zip(before[1], after[1], strict=True))
