"""The prompt on a terminal, by prompt_toolkit: editing, completion, history, and colours."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import has_completions
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from torch7py.bridge import output
from torch7py.console.completion import KEYWORDS
from torch7py.console.engine import Console

if TYPE_CHECKING:
    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output

__all__ = ["reader"]

STYLE = Style.from_dict(
    {
        "prompt": "ansibrightblack",
        "keyword": "bold",
        "string": "ansigreen",
        "number": "ansicyan",
        "comment": "ansibrightblack",
    }
)
_TOKENS = re.compile(
    r"(?P<comment>--.*)|(?P<string>\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])*'?)"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<number>0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?)"
)


class _Completer(Completer):
    def __init__(self, console: Console) -> None:
        self.console = console

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        completions = self.console.complete(document.text, document.cursor_position)
        for name in completions.names:
            yield Completion(name, completions.start - document.cursor_position)


class _LuaLexer(Lexer):
    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        lines = document.lines

        def of_line(number: int) -> StyleAndTextTuples:
            line, at = lines[number], 0
            styled: StyleAndTextTuples = []
            for match in _TOKENS.finditer(line):
                kind = match.lastgroup
                if kind == "word":
                    kind = "keyword" if match[0] in KEYWORDS else None
                styled += [("", line[at : match.start()]), (f"class:{kind}" if kind else "", match[0])]
                at = match.end()
            return [*styled, ("", line[at:])]

        return of_line


def _keys(console: Console) -> KeyBindings:
    """Enter ends a piece of Lua that is complete, and begins a line in one that is not; Tab completes or indents."""
    keys = KeyBindings()

    @keys.add("enter", filter=~has_completions)
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if console.is_complete(buffer.text) == "incomplete":
            buffer.newline(copy_margin=True)
        else:
            buffer.validate_and_handle()

    @keys.add("enter", filter=has_completions)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.complete_state = None  # what is chosen stays

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=True)

    @keys.add("tab", filter=~has_completions)
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if not buffer.document.current_line_before_cursor.strip():
            buffer.insert_text("  ")
            return
        start, names = console.complete(buffer.text, buffer.cursor_position)
        common = _common_beginning(names)[buffer.cursor_position - start :]
        if common:
            buffer.insert_text(common)
        elif len(names) > 1:
            buffer.start_completion()

    return keys


def _common_beginning(names: list[str]) -> str:
    if not names:
        return ""
    first, last = min(names), max(names)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(letter for letter, _ in same)


def reader(
    console: Console, history: Path | None, input: Input | None = None, output_to: Output | None = None
) -> Callable[[], str]:
    """The function that reads a piece of Lua."""
    session: PromptSession[str] = PromptSession(
        completer=_Completer(console),
        complete_while_typing=False,
        history=FileHistory(str(history)) if history is not None else InMemoryHistory(),
        key_bindings=_keys(console),
        lexer=_LuaLexer(),
        multiline=True,
        style=STYLE,
        color_depth=None if output.takes_colors(sys.stdout) else ColorDepth.DEPTH_1_BIT,
        prompt_continuation=lambda width, number, is_soft: "" if is_soft else [("class:prompt", "..> ")],
        input=input,
        output=output_to,
    )

    def read() -> str:
        _begin_line(session.output)
        return session.prompt([("class:prompt", "th> ")])

    return read


def _begin_line(terminal: Output) -> None:
    """Go to the beginning of a line: the next one, where something was printed without an end of its line."""
    columns = terminal.get_size().columns
    terminal.write_raw(" " * columns + "\r")  # as many blanks as a line has go on to the next one
    terminal.flush()
