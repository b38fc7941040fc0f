"""Lua patterns. Each becomes a regular expression, ``%b`` excepted, which has a matcher of its own.

Both match by backtracking in the same order, so what they find is the same.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any, Protocol

from torch7py.lua_compat.errors import fail

__all__ = ["Found", "Pattern", "compiled"]

_CLASSES = {
    "a": "A-Za-z",
    "c": "\\x00-\\x1f\\x7f",
    "d": "0-9",
    "g": "!-~",
    "l": "a-z",
    "p": "!-/:-@\\[-`{-~",
    "s": "\\t-\\r ",
    "u": "A-Z",
    "w": "0-9A-Za-z",
    "x": "0-9A-Fa-f",
    "z": "\\x00",
}
_COMPLEMENT: dict[str, str] = {}
for _letter, _body in list(_CLASSES.items()):
    _inside = re.compile(f"[{_body}]")
    _COMPLEMENT[_letter] = "".join(f"\\x{code:02x}" for code in range(256) if not _inside.match(chr(code)))


class Found(Protocol):
    """A match: where it starts and ends (from 0), and the captures as Lua has them."""

    start: int
    end: int
    captures: tuple[Any, ...]


class _Match:
    __slots__ = ("captures", "end", "start")

    def __init__(self, start: int, end: int, captures: tuple[Any, ...]) -> None:
        self.start = start
        self.end = end
        self.captures = captures


class Pattern:
    """A compiled pattern."""

    def __init__(self, text: str) -> None:
        self.anchored = text.startswith("^")
        body = text[1:] if self.anchored else text
        self.items, self.positions = _Reader(body).read()
        self._regex: re.Pattern[str] | None = None
        if not any(item[0] == "balance" for item in self.items):
            self._regex = re.compile("".join(_to_regex(item) for item in self.items), re.DOTALL)

    def find(self, text: str, at: int = 0) -> Found | None:
        """The first match that starts at ``at`` or later; there alone if the pattern begins with ``^``."""
        if self._regex is not None:
            found = self._regex.match(text, at) if self.anchored else self._regex.search(text, at)
            return None if found is None else self._found(found)
        for start in (at,) if self.anchored else range(at, len(text) + 1):
            match = _Matcher(self, text).match(start)
            if match is not None:
                return match
        return None

    def _found(self, found: re.Match[str]) -> _Match:
        captures: tuple[Any, ...] = found.groups()
        if self.positions:
            captures = tuple(
                found.start(i + 1) + 1 if i in self.positions else value for i, value in enumerate(captures)
            )
        return _Match(found.start(), found.end(), captures)

    def all(self, text: str, limit: int | None = None) -> Iterator[Found]:
        """The matches one after the other, as gsub and gmatch see them."""
        at, count = 0, 0
        while at <= len(text) and (limit is None or count < limit):
            match = self.find(text, at)
            if match is None:
                return
            count += 1
            yield match
            at = match.end if match.end > match.start else match.end + 1
            if self.anchored:
                return


@functools.lru_cache(512)
def compiled(text: str) -> Pattern:
    return Pattern(text)


# A pattern's items: ("open", number, is_position), ("close", number), ("char", set, suffix), ("balance", x, y),
# ("frontier", set), ("back", number), ("end",). A set is the body of a regular expression that matches one character.


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.items: list[tuple[Any, ...]] = []
        self.open: list[int] = []
        self.count = 0
        self.positions: set[int] = set()

    def read(self) -> tuple[list[tuple[Any, ...]], set[int]]:
        text = self.text
        while self.at < len(text):
            char = text[self.at]
            if char == "(":
                self.at += 1
                position = text[self.at : self.at + 1] == ")"
                self.items.append(("open", self.count, position))
                if position:
                    self.positions.add(self.count)
                    self.items.append(("close", self.count))
                    self.at += 1
                else:
                    self.open.append(self.count)
                self.count += 1
                if self.count > 32:
                    raise fail("too many captures")
            elif char == ")":
                if not self.open:
                    raise fail("invalid pattern capture")
                self.items.append(("close", self.open.pop()))
                self.at += 1
            elif char == "$" and self.at == len(text) - 1:
                self.items.append(("end",))
                self.at += 1
            elif char == "%" and text[self.at + 1 : self.at + 2] == "b":
                if self.at + 3 >= len(text):
                    raise fail("unbalanced pattern")
                self.items.append(("balance", text[self.at + 2], text[self.at + 3]))
                self.at += 4
            elif char == "%" and text[self.at + 1 : self.at + 2] == "f":
                self.at += 2
                if text[self.at : self.at + 1] != "[":
                    raise fail("missing '[' after '%f' in pattern")
                self.items.append(("frontier", self.single()))
            elif char == "%" and text[self.at + 1 : self.at + 2].isdigit():
                number = int(text[self.at + 1]) - 1
                if number < 0 or number >= self.count or number in self.open:
                    raise fail("invalid capture index")
                self.items.append(("back", number))
                self.at += 2
            else:
                body = self.single()
                suffix = text[self.at : self.at + 1]
                if suffix and suffix in "*+-?":
                    self.at += 1
                else:
                    suffix = ""
                self.items.append(("char", body, suffix))
        if self.open:
            raise fail("unfinished capture")
        return self.items, self.positions

    def single(self) -> str:
        """What one character may be, as a regular expression."""
        char = self.text[self.at]
        self.at += 1
        if char == "%":
            if self.at >= len(self.text):
                raise fail("malformed pattern (ends with '%')")
            self.at += 1
            return f"[{_class_body(self.text[self.at - 1])}]"
        if char == "[":
            return self.set()
        return "." if char == "." else re.escape(char)

    def set(self) -> str:
        text = self.text
        negated = text[self.at : self.at + 1] == "^"
        self.at += negated
        parts = []
        first = True
        while True:
            if self.at >= len(text):
                raise fail("malformed pattern (missing ']')")
            char = text[self.at]
            self.at += 1
            if char == "]" and not first:
                break
            first = False
            if char == "%":
                if self.at >= len(text):
                    raise fail("malformed pattern (missing ']')")
                parts.append(_class_body(text[self.at]))
                self.at += 1
            elif text[self.at : self.at + 1] == "-" and text[self.at + 1 : self.at + 2] not in ("", "]"):
                last = text[self.at + 1]
                self.at += 2
                if char <= last:
                    parts.append(f"{_literal(char)}-{_literal(last)}")
            else:
                parts.append(_literal(char))
        body = "".join(parts)
        if not body:
            return "." if negated else "(?!)"
        return f"[{'^' if negated else ''}{body}]"


def _literal(char: str) -> str:
    return f"\\x{ord(char):02x}"


def _class_body(letter: str) -> str:
    if letter in _CLASSES:
        return _CLASSES[letter]
    if letter.isalpha() and letter.lower() in _CLASSES:
        return _COMPLEMENT[letter.lower()]
    return _literal(letter)


def _to_regex(item: tuple[Any, ...]) -> str:
    kind = item[0]
    if kind == "open":
        return "("
    if kind == "close":
        return ")"
    if kind == "char":
        suffix = "*?" if item[2] == "-" else item[2]
        return f"{item[1]}{suffix}"
    if kind == "frontier":
        # Beyond both ends of the text stands the character of code 0.
        zero = re.fullmatch(item[1], "\0", re.DOTALL) is not None
        before = f"(?<!{item[1]})" if not zero else f"(?<!{item[1]})(?<!^)"
        after = f"(?={item[1]}|$(?![\\s\\S]))" if zero else f"(?={item[1]})"
        return before + after
    if kind == "back":
        return f"(?:\\{item[1] + 1})"
    return "\\Z"


class _Matcher:
    """Matches by items, for patterns with ``%b``."""

    def __init__(self, pattern: Pattern, text: str) -> None:
        self.items = pattern.items
        self.text = text
        self.starts: dict[int, int] = {}
        self.ends: dict[int, int | None] = {}

    def match(self, start: int) -> _Match | None:
        end = self.rest(0, start)
        if end is None:
            return None
        captures = []
        for number in sorted(self.starts):
            first, last = self.starts[number], self.ends[number]
            captures.append(first + 1 if last is None else self.text[first:last])
        return _Match(start, end, tuple(captures))

    def rest(self, number: int, at: int) -> int | None:
        """Where a match of the items from ``number`` on ends, if the text at ``at`` has one."""
        if number == len(self.items):
            return at
        item = self.items[number]
        kind, text = item[0], self.text
        if kind == "open":
            before = self.starts.get(item[1])
            self.starts[item[1]] = at
            end = self.rest(number + 1, at)
            if end is None:
                if before is None:
                    del self.starts[item[1]]
                else:
                    self.starts[item[1]] = before
            return end
        if kind == "close":
            is_position = ("open", item[1], True) in self.items
            self.ends[item[1]] = None if is_position else at
            return self.rest(number + 1, at)
        if kind == "balance":
            end = self.balance(item[1], item[2], at)
            return None if end is None else self.rest(number + 1, end)
        if kind == "char":
            return self.repeat(number, item, at)
        if kind == "end":
            return self.rest(number + 1, at) if at == len(text) else None
        if kind == "back":
            captured = text[self.starts[item[1]] : self.ends[item[1]]]
            return self.rest(number + 1, at + len(captured)) if text.startswith(captured, at) else None
        preceding = text[at - 1] if at else "\0"
        after = text[at] if at < len(text) else "\0"
        inside = re.compile(item[1], re.DOTALL).fullmatch
        return self.rest(number + 1, at) if inside(after) and not inside(preceding) else None

    def repeat(self, number: int, item: tuple[Any, ...], at: int) -> int | None:
        matches = re.compile(item[1], re.DOTALL).match
        text, suffix = self.text, item[2]
        least = 0 if suffix in ("*", "-", "?") and suffix else 1
        most = 1 if suffix in ("", "?") else len(text)
        if suffix == "-":
            while True:
                end = self.rest(number + 1, at)
                if end is not None or not (at < len(text) and matches(text, at)):
                    return end
                at += 1
        count = 0
        while count < most and at + count < len(text) and matches(text, at + count):
            count += 1
        while count >= least:
            end = self.rest(number + 1, at + count)
            if end is not None:
                return end
            count -= 1
        return None

    def balance(self, opener: str, closer: str, at: int) -> int | None:
        text = self.text
        if at >= len(text) or text[at] != opener:
            return None
        depth = 1
        for position in range(at + 1, len(text)):
            if text[position] == closer:
                depth -= 1
                if depth == 0:
                    return position + 1
            elif text[position] == opener:
                depth += 1
        return None
