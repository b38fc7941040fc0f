"""``compare``: a Lua program and a port of it in Python, run one after the other and compared."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch7py.bridge.errors import LuaError
from torch7py.translate.comparison.limits import Limit
from torch7py.translate.comparison.original import run_original
from torch7py.translate.ports.original import Watch
from torch7py.translate.ports.outcome import Outcome, judge
from torch7py.translate.ports.run import Port, run_port
from torch7py.translate.verify import Different
from torch7py.wording import counted, seconds

__all__ = ["compare"]

LIMIT = 600.0


def compare(
    original: str | os.PathLike[str],
    port: str | os.PathLike[str],
    arguments: Sequence[str] = (),
    *,
    weights: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
    numbers_only: bool = False,
    limit: float = LIMIT,
    give_up: Callable[[str], None] = lambda text: os._exit(1),
) -> Outcome:
    """Run a program and its port with the same arguments, first weights, random numbers and files; compare them.

    ``weights`` maps names of the port's weights to those of the original's, where order and shape do not tell.
    ``numbers_only`` compares the numbers of what is printed and not the words. Each is stopped after ``limit`` seconds;
    ``give_up`` is called with what was seen, in another thread, where it does not let itself be stopped, and must end
    the process. Both run in this process, in its main thread.

    Raises WrongMap where ``weights`` do not fit, OSError where a file cannot be read.
    """
    theirs, ours = Path(original), Path(port)
    for path in (theirs, ours):
        path.read_bytes()
    watches: list[Watch] = []

    def over(who: str) -> str:
        return f"{who} did not end within {seconds(limit)}"

    def watch() -> Watch:
        watches.append(Watch(holding))
        return watches[-1]

    holding = Limit(limit, lambda: give_up(f"{over('the original')}, and could not be stopped"))
    try:
        with holding.held():
            recording = run_original(theirs, arguments, None, None, {}, watch)
    except LuaError as error:
        return Outcome(failure=f"the original fails: {error}")
    except Different as difference:
        return Outcome(failure=str(difference))
    except KeyboardInterrupt:
        if not holding.over:
            raise
        return Outcome(failure=over("the original"))
    seen = Port()
    holding = Limit(limit, lambda: give_up(f"{over('the port')}, and could not be stopped; {_so_far(seen)}"))
    matched = run_port(ours, arguments, recording, watches[-1], weights or {}, holding, seen)
    outcome = judge(recording, watches[-1], seen, matched, tolerance, numbers_only)
    if watches[-1].stopped:
        outcome.failure = over("the original")
    elif seen.stopped:
        outcome.failure = over("the port")
    elif seen.error:
        outcome.failure = f"the port fails: {seen.error}"
    elif not (outcome.lines or outcome.losses or outcome.weights or outcome.differences):
        outcome.failure = "there is nothing to compare: no lines, no losses, no weights"
    return outcome


def _so_far(port: Port) -> str:
    lines = "".join(port.text).splitlines()
    last = f", the last one {lines[-1]!r}" if lines else ""
    printed, back = counted(len(lines), "line"), counted(port.history.backwards, "time")
    return f"so far it has printed {printed}{last}, and gone back {back}"
