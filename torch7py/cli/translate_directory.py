"""``torch7py translate DIR``: a project with all its programs and models."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from torch7py.cli.failure import Failure, Refusal
from torch7py.wording import counted

__all__ = ["Inequality", "translate_directory", "write_text"]


class Inequality(Failure):
    """The translation does not compute what the original does."""

    exit_code = 2


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    from torch7py.ops.atomic_file import replacing

    try:
        with replacing(path) as temporary:
            Path(temporary).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None


def translate_directory(
    directory: Path,
    out: Path,
    arguments: Sequence[str],
    options: Mapping[str, Any],
    force: bool,
    models: bool,
    jobs: int,
    limit: float,
    report: Path | None,
    page: Path | None,
) -> None:
    """Translate each program and model, say a line of each as it is ready, and a summary."""
    from torch7py.translate.report import summary
    from torch7py.translate.whole_project import pieces_of, readme, requirements, translate_pieces

    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not force:
        raise Refusal(f"{out} is there already; --force writes into it")
    pieces = pieces_of(directory, out, models)
    if not pieces:
        raise Refusal(f"{directory}: no Lua files in it")
    terminal = sys.stderr.isatty()
    ready = translate_pieces(pieces, directory, arguments, options, jobs, limit, beside=page is not None)
    with click.progressbar(
        ready, length=len(pieces), file=sys.stderr, label=f"{len(pieces)} files", hidden=not terminal
    ) as bar:
        for piece in bar:
            if terminal:
                click.echo("\r\x1b[K", nl=False, err=True)  # the line of the bar is free for what is said
            if not piece.skipped:
                click.echo(piece.line())
    done = [piece for piece in pieces if not piece.skipped]
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "README.md", readme(directory, out, pieces))
    write_text(out / "requirements.txt", "".join(f"{name}\n" for name in requirements(out)))
    whole = summary([piece.report for piece in done if piece.kind == "program" and not piece.failure])
    if report is not None:
        data = {
            "directory": str(directory),
            "files": [
                {"page": str(piece.page), "state": piece.state, **piece.report.as_json()} for piece in done
            ],
            "failures": [piece.failure for piece in done if piece.failure],
            "summary": whole.as_json(),
        }
        write_text(report, json.dumps(data, indent=2) + "\n")
    if page is not None:
        from torch7py.show.translation import project_page

        name = directory.resolve().name
        subjects = [piece.as_subject(directory, out) for piece in done]
        write_text(
            page,
            project_page(name, subjects, whole, list(whole.summary_lines())),
        )
    click.echo("")
    for line in whole.summary_lines():
        click.echo(line)
    states = [piece.state for piece in done]
    counts = [f"{states.count(state)} {state}" for state in dict.fromkeys(sorted(states))]
    pages, files = counted(sum(piece.pages for piece in done), "page"), counted(len(done), "file")
    click.echo(f"{pages} in {out}, of {files}: {', '.join(counts)}" if done else "no pages")
    different = states.count("differs")
    if different:
        does = "does" if different == 1 else "do"
        raise Inequality(f"{directory}: {different} of {files} {does} not compute the same in PyTorch")
    unfinished = states.count("failed") + states.count("incomplete")
    if unfinished:
        has = "has" if unfinished == 1 else "have"
        raise Failure(f"{directory}: {unfinished} of {files} {has} no page, or one that is not complete")
