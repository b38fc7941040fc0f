"""Which State is current, where."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable

import pytest
import torch

from torch7py.ops import state, types


def in_a_thread(function: Callable[[], state.State]) -> state.State:
    found: list[state.State] = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def test_a_new_state_is_torch7_as_it_starts():
    fresh = state.State()
    assert fresh.default_type is types.DOUBLE
    assert fresh.device == torch.device("cpu")
    assert fresh.generation is None
    assert fresh.packages == {}
    assert fresh.generator.initial_seed() != state.State().generator.initial_seed()


def test_the_process_has_one_state_of_its_own():
    own = contextvars.Context().run(state.current)
    assert contextvars.Context().run(state.current) is own
    assert in_a_thread(state.current) is own


def test_use_is_nested_and_undone_by_an_error():
    before = state.current()
    outer, inner = state.State(), state.State()
    with state.use(outer) as given:
        assert given is outer is state.current()
        with state.use(inner):
            assert state.current() is inner
        assert state.current() is outer
        with pytest.raises(KeyError), state.use(inner):
            raise KeyError
        assert state.current() is outer
    assert state.current() is before


def test_a_thread_uses_the_state_it_is_given():
    mine = state.State()

    def work():
        with state.use(mine):
            return state.current()

    own = in_a_thread(state.current)
    with state.use(state.State()):
        assert in_a_thread(state.current) is own
        assert in_a_thread(work) is mine


def test_torch_functions_leave_pytorchs_default_alone():
    with state.use(state.State(default_type=types.FLOAT)):
        assert torch.get_default_dtype() == torch.float32
        assert torch.zeros(1).dtype == torch.float32
