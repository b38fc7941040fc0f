"""torch.Timer, tic and toc, threads."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import failure, lua
from torch7py.ops.timer import Timer, Times


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[Times]:
    """What the clocks show; the last entry is the time now."""
    shown = [Times(100.0, 10.0, 1.0)]
    monkeypatch.setattr(Times, "now", classmethod(lambda cls: shown[-1]))
    return shown


class TestTimer:
    def test_counts_from_the_start(self, clock: list[Times]) -> None:
        timer = Timer(started=clock[-1])
        clock.append(Times(102.0, 10.5, 1.25))
        assert timer.time() == Times(2.0, 0.5, 0.25)

    def test_does_not_count_while_stopped(self, clock: list[Times]) -> None:
        timer = Timer(started=clock[-1])
        clock.append(Times(101.0, 10.0, 1.0))
        timer.stop()
        clock.append(Times(105.0, 10.0, 1.0))
        assert timer.time().real == 1
        timer.stop()
        timer.resume()
        clock.append(Times(108.0, 10.0, 1.0))
        timer.resume()
        assert timer.time().real == 4

    def test_reset(self, clock: list[Times]) -> None:
        timer = Timer(started=clock[-1])
        clock.append(Times(101.0, 10.0, 1.0))
        timer.reset()
        clock.append(Times(103.0, 10.0, 1.0))
        assert timer.time().real == 2
        timer.stop()
        timer.reset()
        clock.append(Times(109.0, 10.0, 1.0))
        assert timer.time().real == 0
        assert timer.started is None

    def test_runs_by_itself(self) -> None:
        timer = Timer()
        before = time.time()
        while timer.time().real <= 0:
            assert time.time() - before < 5


def test_in_lua(rt: Runtime) -> None:
    source = """
        local t = torch.Timer()
        local before = tostring(t)
        local same = rawequal(t, t:stop()) and rawequal(t, t:reset()) and rawequal(t, t:resume())
        local times = t:stop():time()
        return before, same, tostring(t), type(t), torch.typename(t),
               type(times.real), type(times.user), type(times.sys)
    """
    assert lua(rt, source) == (
        "torch.Timer [status: running]",
        True,
        "torch.Timer [status: stopped]",
        "userdata",
        "torch.Timer",
        "number",
        "number",
        "number",
    )


def test_a_timer_is_no_generator(rt: Runtime) -> None:
    message = "an object of another class where a torch.Generator is expected"
    assert message in failure(rt, "torch.uniform(torch.Timer())")
    message = "an object of another class where a torch.Timer is expected"
    assert message in failure(rt, "torch.Timer().time(torch.Generator())")


def test_tic_and_toc(rt: Runtime) -> None:
    before = time.time()
    started, passed = lua(rt, "local t = torch.tic() return t, torch.toc(t - 60)")
    assert before <= started <= time.time()
    assert 60 <= passed < 90


def test_threads(rt: Runtime) -> None:
    before = torch.get_num_threads()
    try:
        assert lua(rt, "torch.setnumthreads(2) return torch.getnumthreads()") == 2
        assert torch.get_num_threads() == 2
        assert lua(rt, "torch.setnumthreads(0) return torch.getnumthreads()") == 2
    finally:
        torch.set_num_threads(before)
    assert lua(rt, "return torch.getnumcores()") == os.cpu_count()
