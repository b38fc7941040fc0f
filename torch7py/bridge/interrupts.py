"""Ctrl-C while Lua runs in the main thread: a thread sees the signal come and has Lua look for it.

Python acts on a signal when it next runs Python code. A program that calls operations gets there by itself; a loop that
stays in Lua does not. So from the moment that the main thread enters Lua until it leaves, a signal's number is
written to a socket as well (``signal.set_wakeup_fd``), and a thread that waits there sets a hook in the Lua engine,
as LuaJIT's own command does from its signal handler. The hook has Python look for signals (interrupts.lua). Code
that LuaJIT 2.1 has compiled looks for no hooks, but for the signal of LuaJIT's profiler: that is started with an
interval of days, and SIGPROF sent to the process brings such code back to where hooks are seen.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import Any, ClassVar

__all__ = ["Interrupts", "Target"]

_main = threading.main_thread().ident

COUNT_HOOK = 8  # LUA_MASKCOUNT
# Seconds until a hook that was not called is set again: LuaJIT does not expect that another thread sets it, and may
# overwrite it.
AGAIN = 0.1


class Target:
    """One Lua state as something to interrupt."""

    def __init__(self, engine: str, entries: Callable[[], int]) -> None:
        self.entries = entries  # how many calls into Lua have not returned
        self._library: Any = ctypes.CDLL(importlib.import_module(f"lupa.{engine}").__file__)
        self._state = ctypes.c_void_p()
        self._hook = ctypes.c_void_p()
        self.armed = False
        self.elsewhere = 0  # how many calls into it have not returned of threads that no interrupt can end

    def learn(self, thread: str) -> None:
        """Find the hook that Lua has just set, by a thread of this state, ``thread: 0x...``; and take it off again."""
        self._state = ctypes.c_void_p(int(thread.rpartition(" ")[2], 16))
        get = self._library.lua_gethook
        get.argtypes, get.restype = [ctypes.c_void_p], ctypes.c_void_p
        self._hook = ctypes.c_void_p(get(self._state))
        self._set_hook(None, 0, 0)
        if hasattr(self._library, "luaJIT_profile_start"):
            Interrupts.add(self)

    def _set_hook(self, hook: Any, mask: int, count: int) -> None:
        call = self._library.lua_sethook
        call.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
        call.restype = None
        call(self._state, hook, mask, count)

    def arm(self) -> None:
        """Have the hook called at the next instruction. From any thread."""
        if self._hook.value:
            self.armed = True
            self._set_hook(self._hook, COUNT_HOOK, 1)

    def disarm(self) -> None:
        self.armed = False
        self._set_hook(None, 0, 0)

    def start_profiler(self, mode: bytes) -> None:
        call = self._library.luaJIT_profile_start
        call.argtypes, call.restype = (
            [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p],
            None,
        )
        # It calls this with the state when a sample is due: a function in C that does nothing. One in Python would meet
        # the signal, and could not raise what its handler raises.
        nothing = ctypes.cast(self._library.lua_gettop, ctypes.c_void_p)
        call(self._state, mode, nothing, self._state)

    def stop_profiler(self) -> None:
        call = self._library.luaJIT_profile_stop
        call.argtypes, call.restype = [ctypes.c_void_p], None
        call(self._state)


class Interrupts:
    """The Lua states that the main thread is in, and the thread that watches for signals meanwhile."""

    running: ClassVar[list[Target]] = []
    _lock: ClassVar[Any] = threading.RLock()  # a collection within it may drop a runtime
    _profiled: ClassVar[Target | None] = None  # LuaJIT's profiler is for one state at a time
    _write: ClassVar[socket.socket | None] = None
    _before: ClassVar[int] = -1  # where signals' numbers went before

    @classmethod
    def add(cls, target: Target) -> None:
        """Let compiled code of a new state look for SIGPROF."""
        if not hasattr(signal, "SIGPROF"):
            return
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGPROF) == signal.SIG_DFL
        ):
            signal.signal(
                signal.SIGPROF, lambda number, frame: None
            )  # else one too many would end the process
        with cls._lock:
            target.start_profiler(b"li1000000000")
            if cls._profiled is None:
                cls._profiled = target

    @classmethod
    def remove(cls, target: Target) -> None:
        """A state is about to be closed, or its runtime dropped, which closes it too."""
        with cls._lock:
            if cls._profiled is target:
                target.stop_profiler()
                cls._profiled = None

    @classmethod
    def enter(cls, target: Target) -> bool:
        """A thread goes into Lua; whether it is the main one."""
        if threading.get_ident() != _main:
            target.elsewhere += 1
            return False
        if not cls.running:
            if cls._write is None:
                cls._start()
            assert cls._write is not None
            descriptor = cls._write.fileno()
            before = signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
            # An interrupt that comes within `leave` leaves this one set: passed on to itself it would come without end.
            if before != descriptor:
                cls._before = before
        cls.running.append(target)
        return True

    @classmethod
    def leave(cls, target: Target, main: bool) -> None:
        """What ``enter`` told of is over."""
        if not main:
            target.elsewhere -= 1
            return
        with cls._lock:
            cls.running.pop()
        if not cls.running:
            signal.set_wakeup_fd(cls._before)

    @classmethod
    def stop(cls, target: Target) -> None:
        """Have a state that another thread runs look whether it is to stop (``State.stopping``)."""
        with cls._lock:
            if cls.running and threading.get_ident() != _main:
                target.arm()  # the profiler may be that of a state which the main thread runs at this moment
            else:
                cls._interrupt(target)

    @classmethod
    def _start(cls) -> None:
        reading, cls._write = socket.socketpair()
        cls._write.setblocking(False)
        threading.Thread(target=cls._watch, args=(reading,), name="torch7py-interrupts", daemon=True).start()

    @classmethod
    def _watch(cls, reading: socket.socket) -> None:
        target = None  # the state that has not yet looked for the signal
        while True:
            reading.settimeout(None if target is None else AGAIN)
            try:
                numbers = reading.recv(64)
            except TimeoutError:
                numbers = b""
            if numbers and cls._before != -1:
                with contextlib.suppress(OSError):
                    os.write(cls._before, numbers)
            with cls._lock:
                running = cls.running[-1] if cls.running else None
                if signal.SIGINT in numbers:
                    target = running
                elif running is not target or target is None or not target.armed:
                    target = None
                if target is not None:
                    cls._interrupt(target)

    @classmethod
    def _interrupt(cls, target: Target) -> None:
        target.arm()
        if not hasattr(target._library, "luaJIT_profile_start"):
            return
        other = cls._profiled
        if other is not target:
            if other is not None:
                if other.elsewhere:
                    return  # another thread runs it at this moment
                other.stop_profiler()
            target.start_profiler(b"i1000000000")
            cls._profiled = target
            if other is not None:
                other.start_profiler(b"l")  # of its compiled code only: the profiler has another state
        os.kill(os.getpid(), signal.SIGPROF)

    @classmethod
    def _after_fork(cls) -> None:
        global _main
        _main = threading.main_thread().ident
        cls._write, cls.running, cls._lock = None, [], threading.RLock()


if hasattr(os, "register_at_fork"):
    _forget: Callable[[], None] = Interrupts._after_fork
    os.register_at_fork(after_in_child=_forget)
