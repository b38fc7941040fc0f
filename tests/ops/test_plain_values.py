"""Values as text, for what processes tell each other."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.plain_values import from_text, to_text

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters())
    | st.binary()
)
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.lists(inner).map(tuple), max_leaves=20)


@given(values)
def test_a_value_comes_back(value: object) -> None:
    back = from_text(to_text(value))
    assert back == value
    assert type(back) is type(value)


def test_numbers_that_are_none() -> None:
    assert math.isnan(from_text(to_text(math.nan)))
    assert math.copysign(1, from_text(to_text(-0.0))) == -1


def test_names_that_are_not_utf_8() -> None:
    assert from_text(to_text("a\udce9")) == "a\udce9"


def test_errors_of_the_system() -> None:
    back = from_text(to_text((None, FileNotFoundError(2, "not there", "x"))))[1]
    assert isinstance(back, FileNotFoundError)
    assert (back.errno, back.strerror, back.filename) == (2, "not there", "x")


@pytest.mark.parametrize("error", [ArgumentError("bad argument"), TorchError("bad argument")])
def test_other_errors_keep_their_words(error: Exception) -> None:
    back = from_text(to_text(error))
    assert isinstance(back, TorchError)
    assert str(back) == "bad argument"


def test_other_values_are_refused() -> None:
    with pytest.raises(TorchError, match="of the type object"):
        to_text(object())
