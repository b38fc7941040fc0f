"""Coroutines: functions that give values in their middle and go on from there when they are asked again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import torch

from torch7py.translate.page_library.values import call_all


class Coroutine:
    """A function in a thread of its own, which runs while whoever resumes it waits."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.state = "suspended"
        self.passed: tuple[Any, ...] = ()  # what the one that goes on is handed
        self.problem: BaseException | None = None
        self.goes_on = threading.Semaphore(0)
        self.gives = threading.Semaphore(0)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.outer: Coroutine | None = None  # which resumed it
        self.grad = True

    def run(self) -> None:
        self.goes_on.acquire()
        torch.set_grad_enabled(self.grad)
        try:
            self.passed = call_all(self.function, *self.passed)
        except BaseException as problem:  # noqa: BLE001 (whoever resumes it has it)
            self.problem = problem
        self.state = "dead"
        self.gives.release()

    def resume(self, *values: Any) -> tuple[Any, ...]:
        """Go on, with ``yield`` giving these values, up to the next ``yield`` or the end: what is given there."""
        if self.state != "suspended":
            kind = "dead" if self.state == "dead" else "non-suspended"
            raise RuntimeError(f"cannot resume {kind} coroutine")
        self.outer, self.passed, self.state = CURRENT[0], values, "running"
        if self.outer is not None:
            self.outer.state = "normal"
        if not self.thread.is_alive():
            self.grad = torch.is_grad_enabled()
            self.thread.start()
        CURRENT[0] = self
        self.goes_on.release()
        self.gives.acquire()
        CURRENT[0] = self.outer
        if self.outer is not None:
            self.outer.state = "running"
        problem, self.problem = self.problem, None
        if problem is not None:
            raise problem
        return self.passed

    def give(self, *values: Any) -> tuple[Any, ...]:
        """``coroutine.yield(...)`` inside: hand values over, and wait to be resumed with others."""
        self.passed, self.state = values, "suspended"
        self.gives.release()
        self.goes_on.acquire()
        return self.passed


CURRENT: list[Coroutine | None] = [None]  # the one that runs


def wrapped(function: Any) -> Callable[..., tuple[Any, ...]]:
    """``coroutine.wrap(function)``"""
    return Coroutine(function).resume


def resumed(coroutine: Any, *values: Any) -> tuple[Any, ...]:
    """``coroutine.resume(coroutine, ...)``: whether it went well, and what it gave or what the error says."""
    try:
        return (True, *coroutine.resume(*values))
    except Exception as problem:  # noqa: BLE001
        return False, str(problem)


def yield_values(*values: Any) -> tuple[Any, ...]:
    """``coroutine.yield(...)``"""
    if CURRENT[0] is None:
        raise RuntimeError("attempt to yield across C-call boundary")
    return CURRENT[0].give(*values)


def coroutine_function_all(name: str, *args: Any) -> tuple[Any, ...]:
    """All values of ``coroutine.name(...)``."""
    result = OF_COROUTINES[name](*args)
    return result if type(result) is tuple else (result,)


def coroutine_function(name: str, *args: Any) -> Any:
    """The first value of ``coroutine.name(...)``."""
    return (*coroutine_function_all(name, *args), None)[0]


OF_COROUTINES: dict[str, Callable[..., Any]] = {
    "create": Coroutine,
    "resume": resumed,
    "status": lambda coroutine: coroutine.state,
    "wrap": wrapped,
    "yield": yield_values,
}
