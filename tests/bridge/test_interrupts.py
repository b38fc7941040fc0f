"""Ctrl-C ends what runs in Lua, wherever it is, and the runtime goes on after it."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch

from torch7py.bridge.interrupts import Interrupts
from torch7py.bridge.runtime import Runtime

PROGRAMS = {
    "compiled loop": "while true do n = (n or 0) + 1 end",
    "local loop": "local n = 0 while true do n = n + 1 end",
    "tensors of Lua's own": "while true do local x = torch.Tensor(3) end",
    "operations": "local x = torch.randn(200, 200) while true do x:mm(x, x):div(100) end",
    "writing": "while true do io.write('') end",
    "layers": "require 'nn' local m, x = nn.Linear(5, 5), torch.randn(5, 5) while true do m:forward(x) end",
    "pcall": "while true do pcall(function() local n = 0 while true do n = n + 1 end end) end",
    "pcall around operations": "while true do pcall(function() torch.randn(100, 100):norm() end) end",
    "xpcall": "while true do xpcall(function() while true do end end, function(e) return e end) end",
    "coroutine.wrap": "coroutine.wrap(function() while true do pcall(function() while true do end end) end end)()",
    "coroutine.resume": "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
    "a layer in Lua": """require 'nn'
        local Endless = torch.class('nn.Endless', 'nn.Module')
        function Endless:updateOutput(x) while true do end end
        local m = nn.Sequential():add(nn.Endless())
        while true do pcall(m.forward, m, torch.Tensor(1)) end""",
    "a hook of the program": "debug.sethook(function() end, '', 100) while true do end",
}


@pytest.fixture(scope="module")
def runtimes() -> Iterator[list[Runtime]]:
    """Several, of which one at a time is profiled by LuaJIT."""
    several = [Runtime(), Runtime()]
    for runtime in several:
        runtime.execute("require 'nn'")  # which takes longer than a program runs here
    yield several
    for runtime in several:
        runtime.close()


@pytest.fixture(autouse=True)
def _heeds_interrupts() -> Iterator[None]:
    """Python's own handler, in this process and those it starts.

    What a shell without job control starts in the background ignores the signal, and so does all that it starts.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def signalled() -> Iterator[None]:
    """SIGINT comes while the block computes: after 0.1 s of this process's time, on however busy a machine."""
    begun = time.process_time()
    over = threading.Event()

    def send() -> None:
        while time.process_time() - begun < 0.1:
            if over.wait(0.01):
                return
        os.kill(os.getpid(), signal.SIGINT)

    sender = threading.Thread(target=send)
    stuck = threading.Timer(120, os._exit, (9,))  # no exception could end it
    sender.start()
    stuck.start()
    try:
        yield
    finally:
        over.set()
        stuck.cancel()
        sender.join()


def interrupted(run: Any) -> str:
    """The message of the KeyboardInterrupt that ends ``run``."""
    with pytest.raises(KeyboardInterrupt) as caught, signalled():
        run()
    return str(caught.value)


@pytest.mark.few_on_plain_lua(3)
@pytest.mark.parametrize("name", PROGRAMS)
def test_ctrl_c_ends_a_program(name: str, runtimes: list[Runtime], lua_name: str) -> None:
    if lua_name == "luajit20":
        pytest.skip("LuaJIT 2.0 has no way out of compiled loops")
    for runtime in runtimes:
        assert "program" in interrupted(lambda runtime=runtime: runtime.execute(PROGRAMS[name], "=program"))
        assert runtime.execute("debug.sethook() return 7") == 7
        assert runtime.execute("require 'nn' return nn.Linear(1, 1):forward(torch.ones(1)):dim()") == 1


def test_a_runtime_within_another(runtimes: list[Runtime]) -> None:
    outer, inner = runtimes
    outer.globals["f"] = lambda: inner.execute(
        "while true do pcall(function() while true do end end) end", "=inner"
    )
    assert "inner" in interrupted(lambda: outer.execute("while true do pcall(f) end"))
    assert (outer.execute("return 7"), inner.execute("return 8")) == (7, 8)
    del outer.globals["f"]


def test_a_function_that_python_calls(runtimes: list[Runtime]) -> None:
    loop = runtimes[0].execute("return function() while true do end end", "=program")
    assert "program:1" in interrupted(loop)


def test_a_handler_of_the_users_own(runtimes: list[Runtime]) -> None:
    """A signal's handler runs at once, and may decide not to end anything."""
    flag = torch.zeros(1, dtype=torch.float64)
    signal.signal(signal.SIGINT, lambda number, frame: flag.fill_(1))
    wait = runtimes[0].execute("return function(flag) while flag[1] == 0 do end return 'ended by itself' end")
    with signalled():
        assert wait(flag) == "ended by itself"


def test_where_signals_numbers_go_is_as_before(runtimes: list[Runtime]) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing)
    try:
        interrupted(lambda: runtimes[0].execute("while true do end"))
        assert os.read(reading, 1)[0] == signal.SIGINT
    finally:
        assert signal.set_wakeup_fd(before) == writing
        os.close(reading)
        os.close(writing)
    assert not Interrupts.running


def test_another_thread_than_the_main_one(runtimes: list[Runtime]) -> None:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(runtimes[0].execute("return 7")))
    thread.start()
    thread.join()
    assert found == [7]


@pytest.mark.one_lua
def test_a_child_by_fork(runtimes: list[Runtime]) -> None:
    program = """
import os, signal, torch7py
runtime = torch7py.Runtime()
runtime.execute("x = 1")
child = os.fork()
if child:
    assert os.waitpid(child, 0)[1] == 0
    assert runtime.execute("return x") == 1
else:
    import threading
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        runtime.execute("while true do end")
    except KeyboardInterrupt:
        os._exit(0)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_runtime_that_was_dropped_is_profiled_no_more(runtimes: list[Runtime]) -> None:
    """Its Lua state is gone, though nobody has closed it: the next signal must not reach for it."""
    dropped = Runtime()
    interrupted(partial(dropped.execute, "while true do end", "=program"))
    target = dropped.target
    del dropped
    gc.collect()
    assert Interrupts._profiled is not target
    interrupted(lambda: runtimes[0].execute("while true do end", "=program"))


def test_an_interrupt_within_the_end_of_a_run_does_not_come_for_ever(
    runtimes: list[Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Interrupts.enter(runtimes[0].target)
    Interrupts.running.pop()  # an exception here, and the rest of `leave` does not run
    interrupted: list[object] = []
    monkeypatch.setattr(Interrupts, "_interrupt", interrupted.append)
    with pytest.raises(KeyboardInterrupt), signalled():
        runtimes[0].execute("while true do torch.randn(1000):norm() end")
    time.sleep(0.05)
    assert len(interrupted) <= 1


def test_an_interrupt_comes_at_any_time(runtimes: list[Runtime]) -> None:
    """Also where the loop is being compiled at that moment, or garbage collected."""

    def send(seconds: float) -> None:
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGINT)

    def run(runtime: Runtime, sender: threading.Thread) -> None:
        sender.start()
        runtime.execute("while true do end")

    stuck = threading.Timer(120, os._exit, (9,))
    stuck.start()
    # All threads live to the end: Python drops what is raised while it tells a WeakSet that one of them is gone.
    senders = [threading.Thread(target=send, args=(number % 25 / 10000,)) for number in range(100)]
    for number, sender in enumerate(senders):
        with pytest.raises(KeyboardInterrupt):
            run(runtimes[number % 2], sender)
        sender.join()
    stuck.cancel()
