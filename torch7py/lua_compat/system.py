"""The os and io libraries. Strings are bytes, one a character; names of files are decoded as Python does it."""

from __future__ import annotations

import errno
import locale
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import IO, Any

from torch7py.lua_compat.arguments import MISSING, a_number, a_string, a_table, an_int, bad_argument
from torch7py.lua_compat.errors import fail
from torch7py.lua_compat.numbers import read_number
from torch7py.lua_compat.values import Behaviour, Library, Table, behaviours

__all__ = ["Exit", "files", "system", "write_text"]


class Exit(BaseException):
    """``os.exit``: passes every pcall."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def _name(text: str) -> str:
    return os.fsdecode(text.encode("latin1"))


def _failure(error: OSError, name: str | None = None) -> tuple[None, str, int]:
    reason = os.strerror(error.errno) if error.errno else str(error)
    return None, f"{name}: {reason}" if name is not None else reason, error.errno or 0


def write_text(text: str, stream: Any = None) -> None:
    """Write bytes (one a character) to a text stream, stdout by default."""
    stream = stream or sys.stdout
    if text.isascii():
        stream.write(text)
        return
    raw = getattr(stream, "buffer", None)
    if raw is None:
        stream.write(text.encode("latin1").decode("utf-8", "surrogateescape"))
        return
    stream.flush()
    raw.write(text.encode("latin1"))
    raw.flush()


# os


def clock(*_: Any) -> float:
    return time.process_time()


def date(form: Any = None, at: Any = None, *_: Any) -> Any:
    text = "%c" if form is None else a_string(form, 1, "date")
    moment = time.time() if at is None else a_number(at, 2, "date")
    utc = text.startswith("!")
    text = text[utc:]
    parts = time.gmtime(moment) if utc else time.localtime(moment)
    if text.startswith("*t"):
        return Table(
            None,
            {
                "year": parts.tm_year,
                "month": parts.tm_mon,
                "day": parts.tm_mday,
                "hour": parts.tm_hour,
                "min": parts.tm_min,
                "sec": parts.tm_sec,
                "wday": (parts.tm_wday + 1) % 7 + 1,
                "yday": parts.tm_yday,
                "isdst": parts.tm_isdst > 0,
            },
        )
    return time.strftime(text, parts)


def now(t: Any = None, *_: Any) -> int:
    if t is None:
        return int(time.time())
    table = a_table(t, 1, "time")
    values = []
    for key, default in (
        ("year", None),
        ("month", None),
        ("day", None),
        ("hour", 12),
        ("min", 0),
        ("sec", 0),
    ):
        value = table.rawget_(key)
        if value is None:
            if default is None:
                raise fail(f"field '{key}' missing in date table")
            value = default
        values.append(int(a_number(value, 1, "time")))
    isdst = table.rawget_("isdst")
    summer = -1 if isdst is None else int(isdst is True)
    return int(time.mktime((*values, 0, 0, summer)))  # type: ignore[arg-type]


def difftime(a: Any = MISSING, b: Any = 0, *_: Any) -> float:
    return a_number(a, 1, "difftime") - a_number(b, 2, "difftime")


def execute(command: Any = None, *_: Any) -> Any:
    if command is None:
        return True
    sys.stdout.flush()
    code = subprocess.run(_name(a_string(command, 1, "execute")), shell=True).returncode
    if code < 0:
        return None, "signal", -code
    return (True if code == 0 else None), "exit", code


def leave(code: Any = None, *_: Any) -> Any:
    if code is None or code is True:
        raise Exit(0)
    raise Exit(1 if code is False else an_int(code, 1, "exit"))


def getenv(name: Any = MISSING, *_: Any) -> str | None:
    value = os.environ.get(_name(a_string(name, 1, "getenv")))
    return None if value is None else os.fsencode(value).decode("latin1")


def remove(name: Any = MISSING, *_: Any) -> Any:
    text = a_string(name, 1, "remove")
    path = _name(text)
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.remove(path)
    except OSError as error:
        return _failure(error, text)
    return True


def rename(old: Any = MISSING, new: Any = MISSING, *_: Any) -> Any:
    text = a_string(old, 1, "rename")
    try:
        os.rename(_name(text), _name(a_string(new, 2, "rename")))
    except OSError as error:
        return _failure(error, text)
    return True


def tmpname(*_: Any) -> str:
    number, name = tempfile.mkstemp(prefix="lua_")
    os.close(number)
    return os.fsencode(name).decode("latin1")


def setlocale(name: Any = None, *_: Any) -> str | None:
    if name is None or name in ("", "C", "POSIX"):
        return "C" if name else locale.setlocale(locale.LC_NUMERIC)
    return None


system = Library(
    {
        "clock": clock,
        "date": date,
        "difftime": difftime,
        "execute": execute,
        "exit": leave,
        "getenv": getenv,
        "remove": remove,
        "rename": rename,
        "setlocale": setlocale,
        "time": now,
        "tmpname": tmpname,
    }
)


# io


class File:
    """An open file. ``process`` is the command behind a pipe."""

    def __init__(self, stream: IO[bytes] | None, text: str = "", process: Any = None) -> None:
        self.stream = stream  # None for the standard streams, which are found by name at each use
        self.text = text
        self.process = process
        self.closed = False

    @property
    def raw(self) -> Any:
        if self.closed:
            raise fail("attempt to use a closed file")
        if self.stream is not None:
            return self.stream
        return getattr(sys, self.text).buffer

    def write(self, *values: Any) -> Any:
        parts = [a_string(value, i + 1, "write") for i, value in enumerate(values)]
        if self.stream is None and not self.closed:
            write_text("".join(parts), getattr(sys, self.text))
            return self
        try:
            self.raw.write("".join(parts).encode("latin1"))
        except OSError as error:
            return _failure(error)
        except ValueError:
            return None, os.strerror(errno.EBADF), errno.EBADF
        return self

    def read(self, *formats: Any) -> Any:
        raw = self.raw
        results = []
        for i, form in enumerate(formats or ("*l",)):
            try:
                value = _read(raw, form, i + 1)
            except ValueError:
                return None, os.strerror(errno.EBADF), errno.EBADF
            results.append(value)
            if value is None:
                break
        return results[0] if len(results) == 1 else tuple(results)

    def lines(self, *formats: Any) -> Callable[..., Any]:
        return lambda *_: self.read(*formats)

    def close(self, *_: Any) -> Any:
        raw = self.raw
        if self.stream is None:
            return None, "cannot close standard file"
        raw.close()
        self.closed = True
        if self.process is not None:
            code = self.process.wait()
            return (True if code == 0 else None), "exit" if code >= 0 else "signal", abs(code)
        return True

    def __del__(self) -> None:
        if self.stream is not None and not self.closed:
            self.close()

    def flush(self, *_: Any) -> Any:
        if self.stream is None:
            getattr(sys, self.text).flush()
        else:
            self.raw.flush()
        return True

    def seek(self, whence: Any = None, offset: Any = None, *_: Any) -> Any:
        start = {None: 1, "set": 0, "cur": 1, "end": 2}.get(whence)
        if start is None:
            raise bad_argument(1, "seek", f"invalid option '{whence}'")
        try:
            return self.raw.seek(0 if offset is None else an_int(offset, 2, "seek"), start)
        except OSError as error:
            return _failure(error)

    def setvbuf(self, *_: Any) -> bool:
        return True


def _read(raw: Any, form: Any, number: int) -> Any:
    if type(form) in (int, float):
        count = int(form)
        data = raw.read(count)
        if count == 0:
            return "" if raw.peek(1) else None
        return data.decode("latin1") if data else None
    kind = a_string(form, number, "read").lstrip("*")[:1]
    if kind == "a":
        return raw.read().decode("latin1")
    if kind in ("l", "L"):
        line = raw.readline()
        if not line:
            return None
        text = line.decode("latin1")
        return text.removesuffix("\n") if kind == "l" else text
    if kind == "n":
        return _read_number(raw)
    raise bad_argument(number, "read", "invalid format")


def _read_number(raw: Any) -> Any:
    data = b""
    while (char := raw.peek(1)[:1]) and char in b" \t\r\n\f\v":
        raw.read(1)
    while (char := raw.peek(1)[:1]) and char in b"+-0123456789abcdefABCDEFxXpP.":
        data += raw.read(1)
    return read_number(data.decode("latin1"))


stdin, stdout, stderr = File(None, "stdin"), File(None, "stdout"), File(None, "stderr")
_default = {"input": stdin, "output": stdout}


def reset() -> None:
    _default.update(input=stdin, output=stdout)


def open_file(name: Any = MISSING, mode: Any = None, *_: Any) -> Any:
    text = a_string(name, 1, "open")
    wanted = "r" if mode is None else a_string(mode, 2, "open")
    if not re.fullmatch(r"[rwa]\+?b?", wanted):
        raise bad_argument(2, "open", "invalid mode")
    try:
        return File(open(_name(text), wanted.replace("b", "") + "b"))
    except OSError as error:
        return _failure(error, text)


def popen(command: Any = MISSING, mode: Any = None, *_: Any) -> Any:
    wanted = "r" if mode is None else a_string(mode, 2, "popen")
    sys.stdout.flush()
    reads = wanted.startswith("r")
    process = subprocess.Popen(
        _name(a_string(command, 1, "popen")),
        shell=True,
        stdout=subprocess.PIPE if reads else None,
        stdin=None if reads else subprocess.PIPE,
    )
    stream = process.stdout if reads else process.stdin
    return File(stream, process=process)


def lines(name: Any = None, *formats: Any) -> Any:
    if name is None:
        return _default["input"].lines()
    opened = open_file(name)
    if type(opened) is tuple:
        raise fail(str(opened[1]))

    def following(*_: Any) -> Any:
        if opened.closed:
            raise fail("file is already closed")
        value = opened.read(*formats)
        if value is None:
            opened.close()
        return value

    return following


def read(*formats: Any) -> Any:
    return _default["input"].read(*formats)


def write(*values: Any) -> Any:
    return _default["output"].write(*values)


def flush(*_: Any) -> Any:
    return _default["output"].flush()


def close(file: Any = None, *_: Any) -> Any:
    return (_default["output"] if file is None else file).close()


def _redirect(which: str, mode: str) -> Callable[..., Any]:
    def set_default(file: Any = None, *_: Any) -> Any:
        if isinstance(file, File):
            _default[which] = file
        elif file is not None:
            opened = open_file(file, mode)
            if type(opened) is tuple:
                raise fail(str(opened[1]))
            _default[which] = opened
        return _default[which]

    return set_default


def file_type(value: Any = MISSING, *_: Any) -> str | None:
    if not isinstance(value, File):
        return None
    return "closed file" if value.closed else "file"


def tmpfile(*_: Any) -> File:
    return File(tempfile.TemporaryFile())


files = Library(
    {
        "close": close,
        "flush": flush,
        "input": _redirect("input", "r"),
        "lines": lines,
        "open": open_file,
        "output": _redirect("output", "w"),
        "popen": popen,
        "read": read,
        "stderr": stderr,
        "stdin": stdin,
        "stdout": stdout,
        "tmpfile": tmpfile,
        "type": file_type,
        "write": write,
    }
)

_METHODS = ("close", "flush", "lines", "read", "seek", "setvbuf", "write")


class Files(Behaviour):
    def index(self, value: Any, key: Any) -> Any:
        return getattr(File, key) if key in _METHODS else None

    def text(self, value: Any) -> str:
        return "file (closed)" if value.closed else f"file (0x{id(value):x})"


behaviours[File] = Files()
