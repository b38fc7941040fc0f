"""The page of HTML about a translation: programs beside their pages, what the codes mean, and what was verified."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch7py.html.markup import Content, Markup, join, tag
from torch7py.html.page import page
from torch7py.show.code_lines import CodeLines, lua_lines, numbered, python_lines
from torch7py.show.codes import page_of
from torch7py.show.translated_models import models_section
from torch7py.translate.report import Report, by_package, percent
from torch7py.translate.side_by_side import (
    ADDED,
    NATIVE,
    NOTHING,
    PLAIN_CALLS,
    REFUSED,
    Row,
    Sides,
    Subject,
)
from torch7py.wording import counted, untranslated

__all__ = ["one_page", "project_page"]

# What each state is called, and what it means.
STATES = {
    NATIVE: ("idiomatic", "plain PyTorch and Python"),
    PLAIN_CALLS: ("plain calls", "on functions that look at a value when the page runs"),
    REFUSED: ("refused", "no translation yet: the page raises an error there"),
    NOTHING: ("no line of its own", "a part of another line, or not needed in Python"),
    ADDED: ("Python alone", "imports, helpers and the frame of the page"),
}
TONES = {
    "verified": "good",
    "differs": "bad",
    "failed": "bad",
}  # of the states of pieces; others are a warning
FOLDED = 40  # lines of output from which they are folded at first
UNVERIFIED = "not verified: "  # begins a note about a model
LONG = 14  # lines of Python alone from which they are


# -- pages -------------------------------------------------------------------------------------------------


def one_page(subject: Subject, pictures: Mapping[str, Content] | None = None) -> str:
    """The page about one program, or about the models of one file, whose ``pictures`` are by their names."""
    head = tag(
        "header",
        tag("h1", Path(subject.source).name, " → ", Path(subject.page).name),
        tag("p", f"Translated from {subject.source} by torch7py."),
        class_="top",
    )
    return page(
        f"{Path(subject.source).name} in PyTorch",
        tag("main", head, _subject(subject, "p1", pictures or {}), _end(), class_="wrap"),
    )


def project_page(name: str, subjects: Sequence[Subject], whole: Report, summary: Sequence[str]) -> str:
    """The page about a directory: a table of its programs and models, and then each of them, folded."""
    rows = [
        tag(
            "tr",
            tag(
                "td",
                tag("a", subject.source, href=f"#p{number}"),
                _small("" if subject.failure else subject.page),
            ),
            tag("td", _statements(subject)),
            tag(
                "td",
                tag("b", subject.state or "not verified", class_=_tone(subject.state)),
                _small(_error(subject)),
            ),
        )
        for number, subject in enumerate(subjects, 1)
    ]
    heads = [tag("th", text) for text in ("file and page", "translated", "state")]
    table = tag("table", tag("thead", tag("tr", heads)), tag("tbody", rows), class_="files")
    bodies = [
        tag(
            "details",
            tag(
                "summary",
                tag("h2", subject.source, " ", tag("small", subject.state, class_=_tone(subject.state))),
            ),
            _subject(subject, f"p{number}", {}),
            class_="piece",
            open=len(subjects) == 1,
        )
        for number, subject in enumerate(subjects, 1)
    ]
    states = [subject.state for subject in subjects]
    numbers: list[tuple[str, Content]] = [("files", f"{len(subjects):,}")]
    numbers += _shares(whole)
    numbers += [(state, f"{states.count(state):,}") for state in dict.fromkeys(sorted(states)) if state]
    head = tag("header", tag("h1", name, " in PyTorch"), tag("p", "Translated by torch7py."), class_="top")
    body = tag(
        "main",
        head,
        _numbers(numbers),
        tag("div", table, class_="scroll"),
        tag("div", tag("h3", "In all"), [tag("p", line, class_="mono") for line in summary], class_="panel"),
        bodies,
        _end(),
        class_="wrap",
    )
    return page(f"{name} in PyTorch", body)


def _end() -> Markup:
    return tag("footer", "Made by torch7py translate --html.", class_="end")


def _small(text: str) -> Markup | None:
    """What stands below the other text of a cell."""
    return tag("small", text) if text else None


def _tone(state: str) -> str:
    return TONES.get(state, "warn")


def _statements(subject: Subject) -> str:
    report = subject.report
    if subject.failure:
        return ""
    if report.kind == "model":
        return counted(len(report.layers), "layer")
    return f"{percent(report.native, report.statements)} % of {report.statements:,}"


def _error(subject: Subject) -> str:
    verified = subject.report.verified
    if verified is None or verified.largest_error is None:
        return ""
    return f"error {verified.largest_error:.1e}"


# -- one program, or file of models ------------------------------------------------------------------------


def _subject(subject: Subject, anchor: str, pictures: Mapping[str, Content]) -> Markup:
    if subject.failure:
        return tag("section", tag("p", subject.failure, class_="notice"), id=anchor)
    report = subject.report
    numbers: list[tuple[str, Content]] = []
    if report.kind == "program":
        numbers += _shares(report)
    else:
        numbers.append(("layers in the page", f"{len(report.layers):,}"))
    if report.verified is not None and report.verified.largest_error is not None:
        numbers.append(("largest relative error", f"{report.verified.largest_error:.1e}"))
    for compared, count in (("lines of output", subject.lines), ("tensors of weights", subject.tensors)):
        if count:
            numbers.append((f"{compared} compared", f"{count:,}"))
    return tag(
        "section",
        _numbers(numbers),
        _verdict(subject),
        _codes(report),
        _files(subject, anchor),
        [_sides(sides, f"{anchor}-{number}", subject) for number, sides in enumerate(subject.sides, 1)],
        _printed(subject),
        models_section(subject, pictures),
        id=anchor,
    )


def _files(subject: Subject, anchor: str) -> Markup | None:
    """Links to the files of a program that has several."""
    if len(subject.sides) < 2:
        return None
    links = [
        tag("a", sides.file, href=f"#{anchor}-{number}") for number, sides in enumerate(subject.sides, 1)
    ]
    return tag("ul", [tag("li", link) for link in links], class_="contents")


def _shares(report: Report) -> list[tuple[str, Content]]:
    def share(number: int) -> Content:
        return (
            join(f"{number:,}", tag("small", f"{percent(number, report.statements)} %"))
            if report.statements
            else "0"
        )

    return [
        ("statements", f"{report.statements:,}"),
        ("idiomatic", share(report.native)),
        ("in plain calls", share(report.plain_calls)),
        ("refused", share(report.not_translated)),
    ]


def _numbers(entries: Sequence[tuple[str, Content]]) -> Markup:
    return tag(
        "dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in entries], class_="numbers"
    )


def _verdict(subject: Subject) -> list[Content]:
    """What was verified, with which arguments, and what was not reached."""
    report = subject.report
    said: list[Content] = []
    arguments = " ".join(subject.arguments)
    with_what: Content = join(" with ", tag("code", arguments)) if arguments else " without arguments"
    ran = join(": both ran", with_what, ", from the same weights and random numbers")
    if report.kind == "model":
        with_what, ran = None, join(": both ran on the same input, in double precision, forward and back")
    unknown = [note.removeprefix(UNVERIFIED) for note in report.notes if note.startswith(UNVERIFIED)]
    if report.verified is None:
        count = len(report.problems)
        lost = untranslated(count)
        why = report.failure or (lost if count else "; ".join(unknown) or "it was not asked for")
        said.append(tag("p", f"Not verified: {why}.", class_="notice warn"))
    elif report.verified.equal:
        said.append(tag("p", tag("b", "Verified"), ran, ".", class_="notice good"))
        if report.verified.not_run:
            places = tag("ul", [tag("li", place) for place in report.verified.not_run])
            said.append(
                tag(
                    "div",
                    "Not reached with these arguments, and so not verified:",
                    places,
                    class_="notice warn",
                )
            )
        if unknown:
            said.append(tag("p", "Not verified: ", "; ".join(unknown), ".", class_="notice warn"))
    else:
        said.append(
            tag("p", tag("b", "Not the same"), with_what, f": {report.verified.difference}", class_="notice")
        )
    notes = [note for note in report.notes if not note.startswith(("verified", UNVERIFIED))]  # said above
    if notes:
        said.append(
            tag("div", tag("h3", "Notes"), tag("ul", [tag("li", note) for note in notes]), class_="panel")
        )
    missing = by_package([use for use in report.names if use.state in ("no", "restricted")])
    if missing:
        items = [
            tag(
                "li",
                tag("code", use.name),
                f": {'not supported' if use.state == 'no' else 'restricted'}",
                f": {use.note}" if use.note else "",
            )
            for use in missing
        ]
        said.append(tag("div", tag("h3", "Names of packages"), tag("ul", items), class_="panel"))
    return said


def _codes(report: Report) -> Markup | None:
    """Each code that was given, what it means, and where."""
    uses: dict[str, list[tuple[str, str]]] = {}
    for entry in (*report.problems, *report.reasons):
        uses.setdefault(entry.code, []).append((entry.place, entry.reason))
    if not uses:
        return None
    items = []
    for code, places in sorted(uses.items()):
        listed = tag("ul", [tag("li", tag("code", location), f": {reason}") for location, reason in places])
        explained = page_of(code)
        title = explained[0] if explained else places[0][1]
        items.append(
            tag(
                "details",
                tag("summary", tag("b", code), f" {title} ", tag("small", f"{len(places)}×")),
                _explained(code),
                tag("p", tag("b", "Where.")),
                listed,
                class_="code",
            )
        )
    return tag("div", tag("h3", "Codes"), items, class_="panel")


def _explained(code: str) -> list[Markup]:
    explained = page_of(code)
    return [tag("p", _marked_up(text)) for text in explained[1]] if explained else []


def _marked_up(text: str) -> Markup:
    """Bold words and code of Markdown."""
    pieces: list[Content] = []
    for part in re.split(r"(`[^`]+`|\*\*[^*]+\*\*)", text):
        if part.startswith("`") and len(part) > 1:
            pieces.append(tag("code", part[1:-1]))
        elif part.startswith("**") and len(part) > 3:
            pieces.append(tag("b", part[2:-2]))
        else:
            pieces.append(part)
    return join(pieces)


# -- both sides --------------------------------------------------------------------------------------------


def _sides(sides: Sides, anchor: str, subject: Subject) -> Markup:
    present = {row.state for row in sides.rows}
    legend = [
        tag("span", tag("b", STATES[state][0]), f": {STATES[state][1]}", class_=f"s-{state}")
        for state in STATES
        if state in present
    ]
    if sides.not_run:
        legend.append(tag("span", tag("b", "hatched"), ": did not run, so not verified", class_="s-missed"))
    errors: dict[str, float] = {}
    for printed in subject.printed:
        errors[printed.place] = max(printed.error, errors.get(printed.place, 0.0))
    lua = lua_lines(sides.lua)
    python = python_lines(sides.python)
    return tag(
        "section",
        tag("h2", sides.file, tag("small", f" → {sides.page}")),
        tag("div", legend, class_="legend"),
        tag(
            "div",
            tag("div", tag("div", "Lua"), tag("div", "Python"), class_="pair heads"),
            [_row(row, sides, lua, python, anchor, errors) for row in sides.rows],
            class_="pairs",
        ),
        id=anchor,
    )


def _row(
    row: Row, sides: Sides, lua: CodeLines, python: CodeLines, anchor: str, errors: dict[str, float]
) -> Markup:
    left = [numbered(number, lua) for number in range(row.first, row.last + 1) if row.first]
    right: list[Content] = []
    before = 0
    for number in row.page:
        if before and number > before + 1:
            right.append(tag("span", class_="gap"))
        missed = sides.did_not_run(number)
        right.append(numbered(number, python, "missed" if missed else None))
        before = number
    notes: list[Content] = [
        tag("details", tag("summary", tag("b", code), f" {reason}"), _explained(code), class_="code")
        for code, reason in row.reasons
    ]
    places = [f"{sides.file}:{line}" for line in range(row.first, row.last + 1)]
    errors_here = [errors[location] for location in places if location in errors]
    if errors_here:
        exact = "the same text" if max(errors_here) == 0 else f"within {max(errors_here):.1e}"
        notes.append(tag("p", f"prints {exact}", class_="aside"))
    label = tag("span", STATES[row.state][0], class_="state") if row.reasons else None
    if row.state == ADDED and len(row.page) > LONG:
        return _more(row, sides, right)
    return tag(
        "div",
        tag("pre", left),
        tag("pre", right),
        tag("div", label, notes, class_="why") if notes or label else None,
        class_=f"pair s-{row.state}",
        id=f"{anchor}-{row.first}" if row.first else None,
    )


def _more(row: Row, sides: Sides, lines: Sequence[Content]) -> Markup:
    """Many lines that are Python's own, folded."""
    names = [
        match[1]
        for number in row.page
        if (match := re.match(r"(?:def|class) (\w+)", sides.python[number - 1]))
    ]
    what = f": {', '.join(names)}" if names else ""
    summary = tag("summary", f"{len(row.page)} lines of Python alone{what}")
    return tag(
        "div",
        tag("details", summary, tag("pre"), tag("pre", lines), class_="more"),
        class_=f"pair s-{row.state}",
    )


# -- what both print ---------------------------------------------------------------------------------------


def _printed(subject: Subject) -> Markup | None:
    if not subject.printed:
        return None
    rows: list[Content] = []
    before = 0
    for line in subject.printed:
        if before and line.number > before + 1:
            rows.append(tag("tr", tag("td", f"… {line.number - before - 1:,} more lines", colspan=4)))
        before = line.number
        same = line.original == line.translation
        texts = (
            [tag("td", tag("code", line.original), colspan=2)]
            if same
            else [tag("td", tag("code", line.original)), tag("td", tag("code", line.translation))]
        )
        error = (
            "the same" if same else ("words differ" if line.error == float("inf") else f"{line.error:.1e}")
        )
        rows.append(tag("tr", tag("td", line.place, class_="mono"), texts, tag("td", error)))
    heads = [tag("th", text) for text in ("printed at", "the original", "the page", "relative error")]
    table = tag("table", tag("thead", tag("tr", heads)), tag("tbody", rows), class_="files")
    return tag(
        "details",
        tag("summary", tag("h2", "What both print")),
        tag("div", table, class_="scroll"),
        class_="piece",
        open=len(subject.printed) <= FOLDED,
    )
