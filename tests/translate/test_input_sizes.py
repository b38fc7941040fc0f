"""Sizes of inputs as a command line gives them."""

from __future__ import annotations

import pytest

from torch7py.translate.input_sizes import Shape, parse_size


def test_sizes_from_the_command_line() -> None:
    assert parse_size("20x3x32x32") == Shape((20, 3, 32, 32))
    assert parse_size("20x5:100") == Shape((20, 5), 100)
    assert parse_size("2x3, 2x4") == [Shape((2, 3)), Shape((2, 4))]
    for wrong in ("", "axb", "3x", "3,", "-1"):
        with pytest.raises(ValueError, match="is no size"):
            parse_size(wrong)
