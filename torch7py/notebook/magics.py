"""``%load_ext torch7py``: cells and lines of Lua in a notebook of Python.

::

    %%lua                     a cell of Lua
    %lua x = torch.ones(3)    a line of Lua
    %lua_push a b             Python's variables as Lua's globals
    %lua_pull x model         the other way round
    %lua_reset                a new, empty runtime

All cells share one runtime, which ``torch7py.notebook.magics.session()`` gives to Python.
"""

from __future__ import annotations

import re
from typing import Any

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class
from IPython.display import publish_display_data

from torch7py.notebook.session import Session, picture_of_module
from torch7py.ops.errors import Torch7Error
from torch7py.ops.screen import Bundle

__all__ = ["LuaMagics", "load", "session", "unload"]

_session: Session | None = None


def session() -> Session:
    """The program that the cells of this notebook are."""
    global _session
    if _session is None:
        _session = Session(_show)
    return _session


def _show(bundle: Bundle) -> None:
    publish_display_data(dict(bundle))


@magics_class
class LuaMagics(Magics):
    """The magics for Lua."""

    @line_cell_magic
    def lua(self, line: str, cell: str | None = None) -> None:
        """Run Lua: a cell, or what stands on the line. What it ends with is printed, as in th."""
        if cell is not None and line.strip():
            raise UsageError("%%lua takes nothing on its line; the program begins on the next one")
        number = self._cell_number()
        # The magic's own line is the first of the cell as it is numbered on the page.
        text = line if cell is None else f"\n{cell}"
        session().run(text, f"cell {number}")

    @line_magic
    def lua_push(self, line: str) -> None:
        """Make variables of Python, by their names, globals of Lua."""
        namespace = self._variables()
        for name in _names(line, "%lua_push"):
            if name not in namespace:
                raise UsageError(f"%lua_push: there is no variable {name} in Python")
            try:
                session().runtime.globals[name] = namespace[name]
            except (TypeError, Torch7Error) as error:
                raise UsageError(f"%lua_push: {name}: {error}") from None

    @line_magic
    def lua_pull(self, line: str) -> None:
        """Make globals of Lua, by their names, variables of Python."""
        names = _names(line, "%lua_pull")
        values = {name: session().runtime.globals.get(name) for name in names}
        missing = [name for name, value in values.items() if value is None]
        if missing:
            raise UsageError(f"%lua_pull: there is no global {missing[0]} in Lua")
        self._variables().update(values)

    @line_magic
    def lua_reset(self, line: str) -> None:
        """Begin with a new, empty runtime."""
        session().restart()

    def _cell_number(self) -> int:
        """The number of the cell that runs, as it stands beside it."""
        assert self.shell is not None
        # Whether ``execution_count`` is this one's or already the next one's depends on IPython's version.
        history = self.shell.history_manager
        return len(history.input_hist_parsed) - 1 if history is not None else self.shell.execution_count

    def _variables(self) -> dict[str, Any]:
        assert self.shell is not None
        namespace: dict[str, Any] = self.shell.user_ns
        return namespace


def _names(line: str, magic: str) -> list[str]:
    names = line.replace(",", " ").split()
    if not names:
        raise UsageError(f"{magic}: names of variables are missing")
    for name in names:
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise UsageError(f"{magic}: {name!r} is no name")
    return names


@context_matcher(identifier="torch7py")  # type: ignore[untyped-decorator]
def match(context: CompletionContext) -> SimpleMatcherResult:
    """Completion in cells and lines of Lua."""
    text = _lua_before_cursor(context)
    if text is None:
        return _matches([], "", False)
    start, names = session().console.complete(text)
    return _matches(names, text[start:], True)


def _matches(names: list[str], fragment: str, alone: bool) -> SimpleMatcherResult:
    """Names in the place of what is typed; ``alone``: without what others offer."""
    return {
        "completions": [SimpleCompletion(text=name, type="lua") for name in names],
        "matched_fragment": fragment,
        "suppress": alone,
        "do_not_suppress": set(),
        "ordered": alone,
    }


def _lua_before_cursor(context: CompletionContext) -> str | None:
    lines = context.full_text.split("\n")
    before = "\n".join([*lines[: context.cursor_line], lines[context.cursor_line][: context.cursor_position]])
    if before.lstrip().startswith("%%lua\n"):
        return before.split("\n", 1)[1]
    line = re.match(r"\s*%lua (.*)$", before.rpartition("\n")[2])
    return line[1] if line else None


# -- the extension -----------------------------------------------------------------------------------------


def load(shell: InteractiveShell) -> None:
    shell.register_magics(LuaMagics)
    shell.Completer.custom_matchers.append(match)
    formatter = _html_formatter(shell)
    formatter.for_type_by_name("torch7py.nn.object", "TorchObject", picture_of_module)


def unload(shell: InteractiveShell) -> None:
    if match in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.remove(match)
    _html_formatter(shell).pop("torch7py.nn.object.TorchObject", None)


def _html_formatter(shell: InteractiveShell) -> Any:
    assert shell.display_formatter is not None
    return shell.display_formatter.formatters["text/html"]
