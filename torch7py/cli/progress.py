"""``run --progress`` and ``--losses``: iterations a second, the last loss and the memory, while a program runs.

The program is left alone: its source, and that of packages in Lua, is compiled with a function around the calls of
``forward`` and of optimizers, which notes numbers and passes everything on. A thread shows what has been noted. Where
the program prints to the same terminal, the last line of it is taken out of what scrolls, and given back at the end.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import threading
from time import monotonic
from typing import IO, TYPE_CHECKING

from torch7py.bridge.source import Wrapping, wrap_calls
from torch7py.wording import counted

if TYPE_CHECKING:
    from torch7py.bridge.runtime import Runtime

__all__ = ["Progress"]

EVERY = 0.5  # seconds between two looks
OURS = "=[torch7py]"  # chunks that are none of the program's

# A loss is a number that `forward` returns; a step is a call of an optimizer, or of a method that moves parameters.
CALLS = """
(function_call name: (method_index_expression method: (identifier) @method) (#eq? @method "forward")) @loss
(function_call name: (method_index_expression method: (identifier) @method)
  (#any-of? @method "updateParameters" "accUpdateGradParameters")) @step
(function_call name: (dot_index_expression table: (identifier) @table field: (identifier) @field)
  (#eq? @table "optim") (#match? @field "^[a-z]")) @step
"""
# The functions around them may be missing: where globals are others, in a thread of the program, and where a function
# that was saved is read again.
PASS = "or function(...) return ... end"
WRAPPINGS = {
    "loss": Wrapping(
        (f"(__torch7py_loss {PASS})(", ")"),
        ("do local __torch7py = ", " if __torch7py_loss then __torch7py_loss(__torch7py) end end"),
    ),
    "step": Wrapping(
        (f"(__torch7py_step {PASS})(", ")"), ("", " if __torch7py_step then __torch7py_step() end")
    ),
}
KEPT = 1 << 16  # losses that are there at a time
FIRST = 2  # what stands before them: how many losses and steps there were

# The functions around the calls, which write into memory that Python reads: the losses go around in a part of it.
NOTE = """
local address, note, kept = ...
local type, rawset = type, rawset
local numbers
if jit then
   numbers = require('ffi').cast('double *', address)
else
   numbers = setmetatable({}, {__newindex = function(_, index, value) note(index, value) end})
end
local losses, steps = 0, 0
rawset(_G, '__torch7py_loss', function(...)
   local value = ...
   if type(value) == 'number' then
      numbers[2 + losses % kept] = value
      losses = losses + 1
      numbers[0] = losses
      if losses % (kept / 2) == 0 then note(0, losses) end   -- before one takes the place of another
   end
   return ...
end)
rawset(_G, '__torch7py_step', function(...)
   steps = steps + 1
   numbers[1] = steps
   return ...
end)
"""


def instrumented(source: str, name: str) -> str:
    """The source of a program's chunk with the functions around its calls, on the same lines."""
    return source if name.startswith(OURS) else instrumented_package(source)


def instrumented_package(source: str) -> str:
    """The same of a Lua file of a package, in which trainers may have loops of their own."""
    return wrap_calls(source, CALLS, WRAPPINGS)


class Progress:
    """What a program has done so far, and its display within a ``with`` block.

    The runtime has ``instrumented`` as its ``rewrite``, and ``instrumented_package`` as its ``rewrite_packages``.
    """

    def __init__(self, runtime: Runtime, shown: bool, losses: IO[str] | None = None) -> None:
        """``shown``: on stderr; ``losses`` is a file that takes each loss, in a column as optim.Logger writes it."""
        self.numbers = (ctypes.c_double * (FIRST + KEPT))()
        self._written = 0  # losses
        self._writing = threading.Lock()
        self.begun = monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._show, name="torch7py-progress", daemon=True)
        self._shown, self._losses = shown, losses
        terminal = shown and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._terminal = _Terminal() if terminal else None
        if losses is not None:
            losses.write("loss\t\n")
        runtime.execute_internal(f"return function(...) {NOTE} end", "progress")(
            ctypes.addressof(self.numbers), self._note, KEPT
        )
        runtime.on_exit.append(self.end)

    def _note(self, index: float, value: float) -> None:
        self.numbers[int(index)] = value
        if not index and value % (KEPT // 2) == 0:
            self._write(0)

    def _write(self, but: int) -> None:
        """Write the losses that have come, but for the last few, which another thread may be about to note."""
        if self._losses is None:
            return
        with self._writing:
            new = range(self._written, max(self._written, int(self.numbers[0]) - but))
            self._losses.writelines(f"{self.numbers[FIRST + n % KEPT]:11.4e}\t\n" for n in new)
            self._losses.flush()
            self._written = new.stop

    def __enter__(self) -> None:
        if self._terminal is not None:
            self._terminal.begin()
        if self._terminal is not None or self._losses is not None:
            self._thread.start()

    def __exit__(self, *error: object) -> None:
        self.end()

    def end(self) -> None:
        """Give the terminal back and say what it came to, once."""
        if self._over.is_set():
            return
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._terminal is not None:
            self._terminal.end()
        self._write(0)
        if self._losses is not None:
            self._losses.close()
        if not self._shown:
            return
        sys.stderr.write(f"torch7py: {self.text()}\n")
        sys.stderr.flush()

    def text(self) -> str:
        """``400 iterations in 3 s, 125.0 a second, loss 0.0874, 312 MB``"""
        losses, steps = self.numbers[:FIRST]
        last = self.numbers[FIRST + int(losses - 1) % KEPT]
        done, seconds = int(steps or losses), monotonic() - self.begun
        parts = [f"{counted(done, 'iteration')} in {_duration(seconds)}"]
        if done:
            parts.append(f"{done / seconds:.1f} a second")
        if losses:
            parts.append(f"loss {last:.4g}")
        return ", ".join([*parts, f"{_memory() >> 20} MB"])

    def _show(self) -> None:
        while not self._over.wait(EVERY):
            if self._terminal is not None:
                self._terminal.show(self.text())
            self._write(1)


class _Terminal:
    """One line of a terminal, which stays where it is while others scroll."""

    def __init__(self) -> None:
        self.shared = sys.stdout is not None and sys.stdout.isatty()  # with what the program prints
        self.rows = 0

    def begin(self) -> None:
        if self.shared:
            self._take()

    def _take(self) -> None:
        """Let all but the last line scroll."""
        self.rows = shutil.get_terminal_size().lines
        self._write(f"\n\x1b7\x1b[1;{self.rows - 1}r\x1b8\x1b[1A")

    def show(self, text: str) -> None:
        columns, rows = shutil.get_terminal_size()
        text = text[: columns - 1]
        if not self.shared:
            self._write(f"\r{text}\x1b[K")
            return
        if rows != self.rows:
            self._take()
        self._write(f"\x1b7\x1b[{rows};1H{text}\x1b[K\x1b8")

    def end(self) -> None:
        if self.shared:
            self._write(f"\x1b7\x1b[r\x1b[{self.rows};1H\x1b[K\x1b8")
        else:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        os.write(2, text.encode())


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours}:{minutes:02}:{rest:02}"
        if hours
        else f"{minutes}:{rest:02}"
        if minutes
        else f"{seconds:.1f} s"
    )


def _memory() -> int:
    """The bytes that the process has in memory, as near as the system tells."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
