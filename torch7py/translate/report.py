"""What a translation, or a check, found out about a file: the one definition behind text and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch7py.translate.native.problem import Problem
from torch7py.wording import counted

__all__ = [
    "Entry",
    "NameUse",
    "Report",
    "Verification",
    "by_package",
    "entries_of",
    "merged",
    "percent",
    "summary",
]


@dataclass(frozen=True)
class Entry:
    """A place without a translation: a code with a page in ``docs/codes``, ``file.lua:line``, and the reason."""

    code: str
    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.code}: {self.reason}"


@dataclass(frozen=True)
class NameUse:
    """A name of a package: ``state`` is yes, restricted, no or own (``availability.py``), ``note`` says why.

    ``native`` is why a layer has no form in plain PyTorch, empty where it has one or is none.
    """

    name: str
    state: str
    note: str
    places: list[str]
    native: str = ""

    def __str__(self) -> str:
        shown = _shortened(self.places, 3)
        words = {"no": "not supported", "restricted": "restricted"}.get(self.state, "no native form")
        because = self.note or self.native
        return f"{self.name}: {words}{because and ': '}{because} ({shown})"


@dataclass(frozen=True)
class Verification:
    """The comparison of a translation with its original: the largest relative error, or where they part.

    ``not_run``: what of each page the run did not come to, ``lines 41-60, 71 of train.py``.
    """

    equal: bool
    largest_error: float | None = None
    difference: str = ""
    not_run: list[str] = field(default_factory=list)


@dataclass
class Report:
    """A file: of a program the statements that are native, in plain calls and not translated; of a model its layers.

    ``error`` is why the file could not be read at all. ``verified`` says
    whether translation and original do the same (None when they were not run), ``notes`` how that was found,
    ``failure`` why a verification could not be. ``reasons`` are the codes of statements in ``plain_calls``,
    for want of a native form.
    ``open_methods`` counts calls of methods on something whose kind is not known, whose support is not known either.
    """

    file: str
    kind: str = "program"
    statements: int = 0
    native: int = 0
    plain_calls: int = 0
    problems: list[Entry] = field(default_factory=list)
    reasons: list[Entry] = field(default_factory=list)
    layers: list[dict[str, str]] = field(default_factory=list)
    names: list[NameUse] = field(default_factory=list)
    open_methods: int = 0
    verified: Verification | None = None
    notes: list[str] = field(default_factory=list)
    failure: str = ""
    error: str = ""

    @property
    def not_translated(self) -> int:
        return self.statements - self.native - self.plain_calls

    @property
    def missing(self) -> list[NameUse]:
        """The names that are used and that this project does not have."""
        return [use for use in self.names if use.state == "no"]

    @property
    def complete(self) -> bool:
        """Whether everything is there and translated."""
        return not (self.error or self.problems or self.missing)

    def shares(self) -> str:
        """``12 of 13 statements native (92 %), 1 in plain calls``"""
        share = percent(self.native, self.statements)
        text = f"{self.native} of {counted(self.statements, 'statement')} native ({share} %)"
        if self.plain_calls:
            text += f", {self.plain_calls} in plain calls ({percent(self.plain_calls, self.statements)} %)"
        if self.not_translated:
            text += f", {self.not_translated} not translated"
        return text

    def lines(self) -> Iterator[str]:
        """The report as text."""
        if self.error:
            yield self.error
            return
        yield f"{self.file}: {self.shares()}"
        yield from (f"  {entry}" for entry in self.problems)
        yield from (f"  {entry} (plain calls)" for entry in self.reasons)
        others = [use for use in self.names if use.state in ("no", "restricted") or use.native]
        yield from (f"  {use}" for use in by_package(others))
        if self.names:
            fine = len(self.names) - len(others)
            yield f"  {counted(len(self.names), 'name')} of packages, {fine} of them without restriction"

    def line(self) -> str:
        """The report in one line."""
        if self.error:
            return self.error
        text = f"{self.file}: {self.shares()}"
        if self.missing:
            text += f"; not supported: {_shortened([use.name for use in by_package(self.missing)], 4)}"
        return text

    def summary_lines(self) -> Iterator[str]:
        """The report of many files together: shares, how often each code, and each missing name."""
        yield f"{self.file}: {self.shares()}"
        codes: dict[str, list[Entry]] = {}
        for entry in (*self.problems, *self.reasons):
            codes.setdefault(entry.code, []).append(entry)
        for code, entries in sorted(codes.items(), key=lambda item: (-len(item[1]), item[0])):
            first = entries[0]
            times = counted(len(entries), "time")
            yield f"  {code}: {times}, first {first.place}: {first.reason}"
        yield from (f"  {use}" for use in by_package(self.missing))

    def as_json(self) -> dict[str, Any]:
        """The report for ``json.dumps``."""
        data = asdict(self)
        data["not_translated"] = self.not_translated
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """The report of which ``as_json`` gave this."""
        report = cls(**{name: value for name, value in data.items() if name != "not_translated"})
        report.problems = [Entry(**entry) for entry in data["problems"]]
        report.reasons = [Entry(**entry) for entry in data["reasons"]]
        report.names = [NameUse(**use) for use in data["names"]]
        report.verified = None if data["verified"] is None else Verification(**data["verified"])
        return report


def _shortened(items: Sequence[str], most: int) -> str:
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")


def percent(part: int, whole: int) -> str:
    """A share in whole per cent, 100 only where it is all."""
    if part == whole:
        return "100"
    return str(min(99, round(100 * part / whole)))


def entries_of(problems: Sequence[Problem], file: str, others: Mapping[str, Path]) -> list[Entry]:
    """Problems of a script; ``others``: where the files are that it requires, by the names that problems have."""
    return [Entry(p.code, f"{others[p.file] if p.file else file}:{p.line}", p.reason) for p in problems]


def summary(reports: Sequence[Report]) -> Report:
    """All files of a directory as one."""
    whole = Report(counted(len(reports), "file"))
    for report in reports:
        whole.statements += report.statements
        whole.native += report.native
        whole.plain_calls += report.plain_calls
        whole.problems += report.problems
        whole.reasons += report.reasons
        whole.open_methods += report.open_methods
    whole.names = merged([use for report in reports for use in report.names])
    return whole


def by_package(uses: Sequence[NameUse]) -> list[NameUse]:
    """The names without those of packages that are missing as a whole, which stand there themselves."""
    missing = {use.name for use in uses if use.state == "no"}
    return [use for use in uses if use.name.partition(".")[0] not in missing - {use.name}]


def merged(uses: Sequence[NameUse]) -> list[NameUse]:
    """Each name once, with all its places."""
    names: dict[str, NameUse] = {}
    for use in uses:
        before = names.get(use.name)
        places = [*(before.places if before else []), *use.places]
        names[use.name] = NameUse(use.name, use.state, use.note, places, use.native)
    return [names[name] for name in sorted(names)]
