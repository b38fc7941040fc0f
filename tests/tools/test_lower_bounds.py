"""The oldest releases that are allowed, each with a reason. ``make test-versions`` tests with them, where they are."""

from __future__ import annotations

from tools.lower_bounds import BOUNDS, ROOT, SAMPLE, declared


def test_every_bound_has_a_reason() -> None:
    assert declared() == {name: {version} for name, (version, _) in BOUNDS.items()}
    assert all(why for _, why in BOUNDS.values())


def test_the_sample_exists() -> None:
    assert [path for path in SAMPLE if not (ROOT / path).is_file()] == []
