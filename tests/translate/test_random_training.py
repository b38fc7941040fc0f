"""Random training programs are translated wholly natively, verified, and keep their comments."""

from __future__ import annotations

from random import Random

import pytest

from tests.translate.training.choices import Choices
from tests.translate.training.outcome import outcome
from tests.translate.training.program import program
from tests.translate.training.tasks import CRITERIONS


@pytest.mark.sampled(2)
@pytest.mark.parametrize("seed", [1, 2, 5, 6, 9, 10, 11, 12, 13, 14, 16, 21])
def test_equal(seed: int) -> None:
    found = outcome(program(Choices(seed)))
    assert (found.kind, found.reason) == ("equal", "")


@pytest.mark.whole
@pytest.mark.parametrize("criterion", range(len(CRITERIONS)), ids=[c.text[:40] for c in CRITERIONS])
def test_every_criterion(criterion: int) -> None:
    found = outcome(program(Choices(given={"criterion": criterion})))
    assert (found.kind, found.reason) == ("equal", "")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [Random().randrange(10**9) for _ in range(1000)])
def test_equal_at_length(seed: int) -> None:
    test_equal(seed)


def test_a_program_is_the_same_each_time() -> None:
    assert program(Choices(7)) == program(Choices(7))


def test_choices_not_given_are_the_simplest() -> None:
    choices = Choices(given={"criterion": 1})
    assert "ClassNLLCriterion" in program(choices)
    assert {value for name, value in choices.made.items() if name != "criterion"} == {0}
