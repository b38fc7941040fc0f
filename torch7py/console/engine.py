"""Evaluate what someone types, one piece of Lua after the other, as the prompt of ``th`` did."""

from __future__ import annotations

import re
import subprocess
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from torch7py.bridge.errors import LuaError, LuaSyntaxError
from torch7py.bridge.program_files import program_files
from torch7py.console import completion, diagnosis, help
from torch7py.console.completion import Completions
from torch7py.console.registers import classes_of

if TYPE_CHECKING:
    from torch7py.bridge.runtime import Runtime

__all__ = ["Console"]

State = Literal["complete", "incomplete", "invalid"]


class Console:
    """A console on a runtime. It reads and shows nothing by itself, but for what evaluation prints.

    ::

        console = Console(Runtime())
        console.evaluate("x = 1 + 1", "stdin")
        console.evaluate("x", "stdin")              # prints 2
        console.complete("x = tor", 7).names        # ["torch"]
        console.explain(error)                      # what to show below the message of a LuaError

    It sets the globals that the prompt of ``th`` had: ``who()`` lists the program's variables, ``import 'image'`` makes
    a package's fields global, ``_RESULTS`` and ``_LAST`` hold what was printed.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._sources: dict[str, str] = {}
        self._repeated: set[str] = set()  # names that have stood for several sources
        source = resources.files(__package__).joinpath("console.lua").read_text(encoding="utf-8")
        self._lua = runtime.execute_internal(source, "console.lua")
        self._state, self._evaluate = self._lua["state"], self._lua["evaluate"]
        self._keep = self._lua["keep"]
        self._read_line = self._lua["read_line"]
        self._members = self._lua["members"]
        self._kind, self._defined_at = self._lua["kind"], self._lua["defined_at"]

    def is_complete(self, text: str) -> State:
        """Whether a text can be evaluated, or could be if more lines followed."""
        if _is_command(text):
            return "complete"
        state: State = self._state(_bytes(text))
        return state

    def evaluate(self, text: str, name: str) -> None:
        """Run a text, and print the values where it ends with expressions, as ``th`` did.

        ``= x`` is the same as ``x``; a semicolon at the end keeps values from being printed, and what ``require`` and
        ``print`` return is not printed. ``?topic`` prints help, ``$ command`` runs a command of the system. ``name``
        stands for the file in errors. Raises LuaError, LuaSyntaxError, KeyboardInterrupt, and SystemExit for
        ``os.exit``.
        """
        self.remember(name, text)
        stripped = text.strip()
        if stripped.startswith("?"):
            topic = stripped[1:].strip()
            print(self.help(topic) or self._nothing_on(topic))
            return
        if stripped.startswith("$"):
            completed = subprocess.run(stripped[1:], shell=True, stdout=subprocess.PIPE, check=False)
            print(completed.stdout.decode(errors="replace"), end="", flush=True)
            self._keep(completed.stdout)
            return
        problem = self._evaluate(_bytes(text), f"={name}")
        if problem is not None:
            raise LuaSyntaxError(problem)

    def complete(self, text: str, cursor: int | None = None) -> Completions:
        """The names that may stand where the cursor is: globals, fields, methods; in a string names of files."""
        return completion.complete(text if cursor is None else text[:cursor], self.members)

    def help(self, topic: str) -> str | None:
        """Help on ``torch.add``, ``nn.Linear``, ``x:add`` or a package; without a topic on the console itself."""
        return help.text(topic, self.kind, self.definition_of)

    def remember(self, name: str, text: str) -> None:
        """Note the source behind a name in errors that is no file's; ``evaluate`` does it by itself."""
        if self._sources.get(name, text) != text:
            self._repeated.add(name)
        self._sources[name] = text

    def explain(self, error: LuaError, width: int = 100) -> list[str]:
        """The lines to show below the message of an error: that of the program with a mark, and what may be meant.

        Of a line of the program about ``width`` columns are shown.
        """

        def source_of(file: str) -> str | None:
            if file not in self._sources:
                return self._read(file)
            # A function that was called may be one of an earlier text of this name.
            frames = re.findall(rf"^\s*{re.escape(file)}:\d+:", error.traceback, re.MULTILINE)
            return None if len(frames) > 1 and file in self._repeated else self._sources[file]

        return diagnosis.explain(error.message, source_of, self, width)

    def _read(self, file: str) -> str | None:
        """The source of a file as messages name it; of a long path they have the end only."""
        path = Path(file)
        script = self.runtime.script
        if file.startswith("...") and script is not None and Path(script).is_file():
            ends = (
                file_path for file_path, _ in program_files(Path(script)) if str(file_path).endswith(file[3:])
            )
            path = next(ends, path)
        try:
            return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
        except OSError:
            return None

    def read_line(self, prompt: str = "") -> str:
        """The next line of the standard input, by the Lua that the program's own ``io.read`` reads from.

        Raises EOFError at the end. The prompt is not shown.
        """
        line = self._read_line()
        if line is None:
            raise EOFError
        return line if isinstance(line, str) else line.decode("utf-8", "surrogateescape")

    def _nothing_on(self, topic: str) -> str:
        path = completion.path_of(topic)
        owner = topic[: topic.rindex(str(path[-1]))] if path else ""
        # Classes have help before their package is required.
        known = [name.removeprefix(owner) for name in classes_of(owner[:-1])] if owner else []
        meant = diagnosis.meant(str(path[-1]), [*self.members(path[:-1]), *known]) if path else None
        return f"there is no help on {topic}" + (f"; did you mean ?{owner}{meant}?" if meant else "")

    def members(self, path: tuple[str | int, ...], methods_only: bool = False) -> list[str]:
        """The names of a value's fields, its classes' included; without a path those of the global variables."""
        names: str = self._members(methods_only, *path)
        return names.split("\n") if names else []

    def kind(self, path: tuple[str | int, ...]) -> str:
        """The type or class of the value that a path leads to, ``nil`` where there is none."""
        return self._kind(*path) or "nil"

    def definition_of(self, path: tuple[str | int, ...]) -> tuple[str, int] | None:
        """The file and line in which a Lua function of the program begins."""
        location = self._defined_at(*path)
        return None if location is None else (location[0], int(location[1]))


def _is_command(text: str) -> bool:
    return text.lstrip().startswith(("?", "$"))


def _bytes(text: str) -> bytes:
    """A text as Lua has it; what was read and is no UTF-8 is what it was."""
    return text.encode("utf-8", "surrogateescape")
