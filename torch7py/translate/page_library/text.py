"""Lua's functions of text: patterns, formats, numbers as text, and the bits of whole numbers.

Lua counts and takes bytes, a page has letters. What a function cuts out of a text with letters beyond ASCII is whole
letters, or an error.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from torch7py.translate.page_library.values import (
    NotInPage,
    call,
    call_all,
    index,
    text_of,
    to_number,
    type_of,
)

# Bytes and letters


def octets(text: Any) -> str:
    """A text, or a number as one, with a letter for each of its bytes."""
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise TypeError(f"a text is needed, and no {type_of(text)}")
    letters: str = text_of(text)
    return letters if letters.isascii() else letters.encode().decode("latin-1")


def in_letters(value: Any) -> Any:
    """What a function of bytes gives, in letters; a part of a letter is an error."""
    if isinstance(value, tuple):
        return tuple(map(in_letters, value))
    if isinstance(value, list):
        return list(map(in_letters, value))
    return value.encode("latin-1").decode() if isinstance(value, str) and not value.isascii() else value


def text_function_all(name: str, text: Any, *args: Any) -> tuple[Any, ...]:
    """All values that ``string.name(text, ...)`` gives."""
    if name not in TEXT_METHODS:
        raise TypeError(f"string.{name}")
    return tuple(map(in_letters, call_all(TEXT_METHODS[name], octets(text), *args)))


def text_function(name: str, text: Any, *args: Any) -> Any:
    """The first value that ``string.name(text, ...)`` gives."""
    return (*text_function_all(name, text, *args), None)[0]


def string_position(text: str, position: Any) -> int:
    """A place in a text, counted from 1, or from -1 back from the end, as one that is counted from 1."""
    at = int(float(position))
    return at if at >= 0 else len(text) + at + 1


def _text_sub(text: str, first: Any, last: Any = -1) -> str:
    end = string_position(text, -1 if last is None else last)
    return text[max(string_position(text, first), 1) - 1 : max(end, 0)]


def _text_byte(text: str, first: Any = 1, last: Any = None) -> tuple[int, ...]:
    first = 1 if first is None else first
    return tuple(map(ord, _text_sub(text, first, first if last is None else last)))


def _text_rep(text: str, count: Any, separator: Any = "") -> str:
    return octets("" if separator is None else separator).join([text] * int(float(count)))


def char(*codes: Any) -> str:
    """``string.char(...)``: the text of these bytes."""
    text: str = in_letters("".join(map(chr, bytes(int(float(code)) for code in codes))))
    return text


# Patterns: each becomes a regular expression, which matches by the same backtracking

CLASSES = {
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


def class_of(letter: str) -> str:
    """What ``%letter`` matches, as the inside of a set of a regular expression."""
    if letter.lower() not in CLASSES:
        return f"\\x{ord(letter):02x}"
    inside = CLASSES[letter.lower()]
    if letter.islower():
        return inside
    return "".join(f"\\x{code:02x}" for code in range(256) if not re.match(f"[{inside}]", chr(code)))


def one_of(pattern: str, at: int) -> tuple[str, int]:
    """What one letter of a text may be, as a regular expression, and where the pattern goes on."""
    letter = pattern[at]
    if letter == "%":
        if at + 1 == len(pattern):
            raise ValueError("malformed pattern (ends with '%')")
        return f"[{class_of(pattern[at + 1])}]", at + 2
    if letter != "[":
        return "." if letter == "." else re.escape(letter), at + 1
    result = re.compile(r"\[(\^?)(\]?(?:%.|[^\]%])*)\]", re.DOTALL).match(pattern, at)
    if result is None:
        raise ValueError("malformed pattern (missing ']')")
    inside = ""
    for part in re.finditer(r"%(.)|(.)-(.)|(.)", result[2], re.DOTALL):
        escaped, first, last, alone = part.groups()
        if escaped is not None:
            inside += class_of(escaped)
        elif alone is not None:
            inside += f"\\x{ord(alone):02x}"
        elif first <= last:
            inside += f"\\x{ord(first):02x}-\\x{ord(last):02x}"
    if not inside:
        return "." if result[1] else "(?!)", result.end()
    return f"[{result[1]}{inside}]", result.end()


def frontier(inside: str) -> str:
    """``%f[set]``: a place where letters of a set begin. Beyond both ends of a text stands the letter 0."""
    if re.fullmatch(inside, "\0", re.DOTALL):
        return f"(?<!{inside})(?<!^)(?={inside}|\\Z)"
    return f"(?<!{inside})(?={inside})"


@functools.lru_cache(512)
def compiled(pattern: str) -> tuple[re.Pattern[str], frozenset[int]]:
    """A pattern as a regular expression, and which captures are places."""
    out, at, groups, opened = "", 0, 0, list[int]()
    places = set()
    if pattern.startswith("^"):
        out, at = "\\A", 1
    while at < len(pattern):
        two = pattern[at : at + 2]
        if two[0] == "(":
            groups += 1
            if two == "()":
                places.add(groups)
            else:
                opened.append(groups)
            out += "()" if two == "()" else "("
            at += 2 if two == "()" else 1
        elif two[0] == ")":
            opened.pop()
            out, at = f"{out})", at + 1
        elif two == "$":
            out, at = f"{out}\\Z", at + 1
        elif two == "%b":
            raise NotInPage("a pattern with %b")
        elif two == "%f":
            inside, at = one_of(pattern, at + 2)
            out += frontier(inside)
        elif len(two) == 2 and two[0] == "%" and two[1].isdigit():
            if not 0 < int(two[1]) <= groups or int(two[1]) in opened:
                raise ValueError("invalid capture index")
            out, at = f"{out}(?:\\{two[1]})", at + 2
        else:
            inside, at = one_of(pattern, at)
            suffix = pattern[at : at + 1]
            if suffix and suffix in "*+-?":
                at += 1
                inside += "*?" if suffix == "-" else suffix
            out += inside
    if opened:
        raise ValueError("unfinished capture")
    return re.compile(out, re.DOTALL), frozenset(places)


def captures(result: re.Match[str], places: frozenset[int]) -> tuple[Any, ...]:
    """What a match captured, places counted from 1; without captures all that it matched."""
    if not result.re.groups:
        return (result[0],)
    return tuple(result.start(n) + 1 if n in places else result[n] for n in range(1, result.re.groups + 1))


def matches(text: str, pattern: str) -> Iterator[tuple[re.Match[str], frozenset[int]]]:
    """All matches of a pattern, one behind the other."""
    expression, places = compiled(pattern)
    at: int = 0
    while at <= len(text) and (result := expression.search(text, at)):
        yield result, places
        at = result.end() + (result.end() == result.start())
        if pattern.startswith("^"):
            return


def search(text: str, pattern: Any, start: Any) -> tuple[re.Match[str] | None, frozenset[int]]:
    """The first match behind a place, for which a ``^`` stands at that place; behind the text there is none."""
    pattern = octets(pattern)
    at = max(string_position(text, 1 if start is None else start), 1) - 1
    expression, places = compiled(pattern.removeprefix("^"))
    if at > len(text):
        return None, places
    return (expression.match if pattern.startswith("^") else expression.search)(text, at), places


def _text_find(text: str, pattern: Any, start: Any = 1, plain: Any = None) -> Any:
    if plain is not None and plain is not False:
        result = text.find(octets(pattern), max(string_position(text, 1 if start is None else start), 1) - 1)
        return (result + 1, result + len(octets(pattern))) if result >= 0 else None
    match, places = search(text, pattern, start)
    if match is None:
        return None
    return (match.start() + 1, match.end(), *(captures(match, places) if match.re.groups else ()))


def _text_match(text: str, pattern: Any, start: Any = 1) -> Any:
    match, places = search(text, pattern, start)
    return None if match is None else captures(match, places)


def _text_split(text: str, pattern: Any) -> tuple[list[str], ...]:
    """The pieces between the matches of a pattern; an empty one at either end is left out."""
    pieces: list[str] = []
    at = 0
    for match, _ in matches(text, octets(pattern)):
        if match.end() == match.start():
            raise ValueError(f"split: the pattern {pattern!r} matches nothing at all")
        if match.start() > 0 or at > 0:
            pieces.append(text[at : match.start()])
        at = match.end()
    return ([*pieces, text[at:]] if at < len(text) else pieces,)


class Matches:
    """What ``gmatch`` gives: a call gives the captures of the next match, a loop the first of each."""

    def __init__(self, text: str, pattern: str) -> None:
        # a ^ is a letter like others here
        self.matches = matches(text, f"%{pattern}" if pattern.startswith("^") else pattern)

    def __call__(self, *_: Any) -> Any:
        match = next(self.matches, None)
        return None if match is None else in_letters(captures(*match))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        result = self()
        if result is None:
            raise StopIteration
        return result[0]


def replaced(match: re.Match[str], places: frozenset[int], value: Any) -> str:
    """What stands in the place of a match: by a text with ``%1``, a table or a function."""
    written_over = captures(match, places)
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):

        def part(escape: re.Match[str]) -> str:
            if not escape[1].isdigit():
                return escape[1]
            return octets(match[0] if escape[1] == "0" else written_over[int(escape[1]) - 1])

        return re.sub(r"%(.?)", part, octets(value), flags=re.DOTALL)
    result = (
        call(value, *in_letters(written_over))
        if callable(value)
        else index(value, in_letters(written_over[0]))
    )
    return match[0] if result is None or result is False else octets(result)


def _text_gsub(text: str, pattern: Any, value: Any, count: Any = None) -> tuple[str, int]:
    out, at, done = "", 0, 0
    if not isinstance(value, (str, int, float, dict, list)) and not callable(value):
        raise TypeError(f"gsub with a {type_of(value)}")
    for match, places in matches(text, octets(pattern)):
        if count is not None and done >= count:
            break
        out += text[at : match.start()] + replaced(match, places, value)
        at, done = match.end(), done + 1
    return out + text[at:], done


def _text_format(text: str, *args: Any) -> str:
    """``string.format``: C's directives are Python's, but for those of text, and of what is no finite number."""
    values = iter(args)

    def one(directive: re.Match[str]) -> str:
        flags, width, point, digits, letter = directive.groups()
        if letter == "%":
            return "%"
        if not letter or letter not in "diuoxXceEfgGqs":
            raise ValueError(f"invalid option '{directive[0]}' to 'format'")
        value = next(values)
        if letter == "s":
            shown = octets(text_of(value))
            return f"%{'-' if '-' in flags else ''}{width}s" % (shown[: int(digits or 0)] if point else shown)
        if letter == "q":
            return quoted(octets(text_of(value)))
        number = float(to_number(value))
        if letter == "c":
            return f"%{flags}{width}s" % chr(int(number) & 255)
        if letter in "diuoxX":
            whole = int(number) & (1 << 64) - 1 if letter in "uoxX" and number < 0 else int(number)
            if point:  # C disregards the flag 0 then
                flags = flags.replace("0", "")
            if "#" in flags and (letter == "o" or whole == 0):  # which C writes otherwise
                raise TypeError(directive[0])
            return f"%{flags}{width}{point or ''}{digits or ''}{'d' if letter in 'diu' else letter}" % whole
        if not math.isfinite(number):
            flags, point, digits = flags.replace("0", ""), None, None
        return f"%{flags}{width}{point or ''}{digits or ''}{letter}" % number

    try:
        return re.sub(r"%([-+ #0]*)(\d*)(?:(\.)(\d*))?(.?)", one, text, flags=re.DOTALL)
    except StopIteration:
        raise TypeError("format with too few values") from None


def quoted(text: str) -> str:
    """A text as Lua's source has it, ``%q`` of a format."""

    def escaped(result: re.Match[str]) -> str:
        code = result[0]
        known = {'"': '\\"', "\\": "\\\\", "\n": "\\\n", "\r": "\\r"}
        digit = text[result.end() : result.end() + 1].isdigit()
        return known.get(code) or (f"\\{ord(code):03d}" if digit else f"\\{ord(code)}")

    return '"' + re.sub(r'["\\\x00-\x1f\x7f]', escaped, text) + '"'


SPACES = " \t\n\v\f\r"

TEXT_METHODS: dict[str, Callable[..., Any]] = {
    "byte": _text_byte,
    "find": _text_find,
    "format": _text_format,
    "gmatch": lambda text, pattern: Matches(text, octets(pattern)),
    "gsub": _text_gsub,
    "len": len,
    "lower": lambda text: re.sub("[A-Z]", lambda result: result[0].lower(), text),
    "match": _text_match,
    "rep": _text_rep,
    "reverse": lambda text: text[::-1],
    "split": _text_split,
    "sub": _text_sub,
    "upper": lambda text: re.sub("[a-z]", lambda result: result[0].upper(), text),
    # of Penlight's stringx, which a program has given to all texts
    "endswith": lambda text, end: text.endswith(octets(end)),
    "lstrip": lambda text, marks=None: text.lstrip(marks or SPACES),
    "rstrip": lambda text, marks=None: text.rstrip(marks or SPACES),
    "startswith": lambda text, begin: text.startswith(octets(begin)),
    "strip": lambda text, marks=None: text.strip(marks or SPACES),
}

# The bits of whole numbers, of which LuaJIT takes 32


def to_word(value: Any) -> int:
    """A number as 32 bits."""
    number = to_number(value)
    if number is None:
        raise TypeError(f"the bits of a {type_of(value)}")
    return round(number) & 0xFFFFFFFF if math.isfinite(number) else 0


def bit_function(name: str, *args: Any) -> Any:
    """``bit.name(...)``"""
    words = [to_word(value) for value in args]
    result: int = functools.reduce(BITS[name], words) if len(words) > 1 else BITS[name](words[0], 0)
    if name in ("band", "bor", "bxor") and len(words) == 1:
        result = words[0]
    result &= 0xFFFFFFFF
    return result - (1 << 32) if result & 0x80000000 else result


def signed(value: int) -> int:
    """32 bits as a number with a sign."""
    return value - (1 << 32) if value & 0x80000000 else value


BITS: dict[str, Callable[[int, int], int]] = {
    "arshift": lambda a, by: signed(a) >> (by & 31),
    "band": lambda a, b: a & b,
    "bnot": lambda a, _: ~a,
    "bor": lambda a, b: a | b,
    "bswap": lambda a, _: int.from_bytes(a.to_bytes(4, "big"), "little"),
    "bxor": lambda a, b: a ^ b,
    "lshift": lambda a, by: a << (by & 31),
    "rol": lambda a, by: a << (by & 31) | a >> (32 - (by & 31)),
    "ror": lambda a, by: a >> (by & 31) | a << (32 - (by & 31)),
    "rshift": lambda a, by: a >> (by & 31),
    "tobit": lambda a, _: a,
}
