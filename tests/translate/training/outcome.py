"""What becomes of a program: whether its page is wholly native, and does what the program does."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from torch7py.bridge.errors import LuaError
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify import Different
from torch7py.translate.verify_script import verify_script

__all__ = ["FAILURES", "Outcome", "outcome"]

# From the worst: the program itself fails, the translator fails, the page does something else, it is not native, it has
# lost a comment.
FAILURES = ["invalid", "crash", "different", "refused", "plain calls", "lost"]
# What a translator that is at fault raises.
FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    RecursionError,
    TypeError,
    ValueError,
)

NOTE = re.compile(r"\bnote \d+\b")


@dataclass(frozen=True)
class Outcome:
    kind: str  # one of FAILURES, or "equal"
    reason: str = ""
    code: str = ""


def outcome(source: str) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "program.lua")
        path.write_text(source)
        before = os.getcwd()
        os.chdir(folder)
        try:
            return _outcome(source, path)
        finally:
            os.chdir(before)


def _outcome(source: str, path: Path) -> Outcome:
    try:
        page = translate_script(source.encode(), path.name)
    except FAULTS as error:
        return Outcome("crash", f"{type(error).__name__}: {error}")
    if page.problems:
        return Outcome("refused", "\n".join(map(str, page.problems)), page.code)
    try:
        verify_script(page, path)
    except LuaError as error:
        return Outcome("invalid", str(error), page.code)
    except Different as difference:
        return Outcome("different", str(difference), page.code)
    if page.native < page.statements:
        return Outcome("plain calls", "\n".join(map(str, page.reasons)) or "in part", page.code)
    lost = sorted(set(NOTE.findall(source)) - set(NOTE.findall(page.code)))
    return Outcome("lost", ", ".join(lost), page.code) if lost else Outcome("equal", "", page.code)
