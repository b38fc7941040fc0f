"""Writes docs/operations.md: the operations of the torch package, how each is called and what it does.

::

    python tools/operations.py [--check]

All of it comes from the register (``torch7py.ops.registry``). ``--check`` writes nothing and fails when the page is
stale.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from torch7py.ops import all as all_operations  # noqa: F401  (registers them)
from torch7py.ops.registry import Case, Form, Operation, Parameter, operations

PAGE = Path(__file__).parents[1] / "docs" / "operations.md"
HEAD = """# The torch package

Written by `make support`; a test fails when it is stale.

`x` stands for the tensor (or other object) that a method is called on. What stands in brackets may be left out; `out`
takes the result in the place of a new tensor, is resized and returned. `[gen,]` is a torch.Generator, without which the
program's own draws. Dimensions and places count from 1, and `sizes...` are numbers or one LongStorage. Operands of an
elementwise operation need as many elements, not the same sizes, and nothing is broadcast. Wrong types, sizes and counts
are errors that name the forms which would fit. Restrictions stand in [support.md](support.md).
"""


def of_torch() -> list[Operation]:
    """The operations of the torch package by name: others' are registered when a program requires them."""
    owners = {name: name.partition(".")[0] for name in operations}
    found = (operations[name] for name, owner in owners.items() if owner in (name, "torch", "Storage"))
    return sorted(found, key=lambda operation: operation.name.lower())


def listed(parameters: tuple[Parameter, ...]) -> str:
    """The parameters of a call as they are written, those that may be left out in brackets."""
    text = ""
    for parameter in reversed(parameters):
        name = {"generator": "gen", "sizes": f"{parameter.name}..."}.get(parameter.kind, parameter.name)
        if not parameter.optional:
            text = f"{name}{'' if text.startswith('[, ') else ', ' if text else ''}{text}"
        elif text and not text.startswith("[, "):
            text = f"[{name},] {text}"
        else:
            text = f"[, {name}]{text}"
    return text.replace("[, ", "[", 1) if text.startswith("[, ") else text


def after(name: str, parameters: tuple[Parameter, ...]) -> str:
    """Parameters behind one that may be left out."""
    rest = listed(parameters)
    return f"[{name},] {rest}" if rest else f"[{name}]"


def calls(operation: Operation, case: Case) -> list[str]:
    """How one case is called: as a function and as a method."""
    name, form, parameters = operation.name, operation.form, case.parameters
    owner, _, method = name.rpartition(".")
    if method == "new":
        return [f"{owner}({listed(parameters)})"]
    if owner:
        return [f"x:{method}({listed(parameters[1:])})"]
    if name.startswith("__"):
        return []
    outs = "out" if case.outs == 1 else ", ".join(f"out{n + 1}" for n in range(case.outs))
    plain, with_outs = f"torch.{name}({listed(parameters)})", f"torch.{name}({after(outs, parameters)})"
    of_tensor = f"x:{name}({listed(parameters[1:])})"
    if form is Form.UPDATE:
        if not parameters or parameters[0].kind not in ("T", "F"):
            return [plain] if case.returns == "value" else [with_outs, f"x:{name}({listed(parameters)})"]
        return [with_outs, f"x:{name}({after(parameters[0].name, parameters[1:])})"]
    if form is Form.INPLACE:
        return [plain] if case.returns == "value" else [of_tensor]
    if form is Form.RESULT:
        return [with_outs, f"x:{name}({listed(parameters)})"]
    if form is Form.QUERY:
        with_outs = plain if case.returns in ("value", "number") else with_outs
        if parameters[0].kind == "list":
            return [with_outs, f"x:{name}({listed(parameters)})"]
        return [with_outs, of_tensor] if parameters[0].kind != "generator" else [with_outs]
    if form is Form.METHOD:
        return [plain, of_tensor] if parameters[0].kind != "list" else [plain]
    return [with_outs if form is Form.SOLVE else plain]


def entry(operation: Operation) -> str:
    """One item of the page."""
    seen: dict[str, None] = {}
    for case in operation.cases:
        seen.update(dict.fromkeys(calls(operation, case)))
    words = " ".join(prose(text, bool(seen) and not n) for n, text in enumerate(operation.about))
    words = re.sub("``(.+?)``", r"`\1`", words)
    return f"- {', '.join(f'`{call}`' for call in seen)}: {words}" if seen else f"- {words}"


def prose(text: str, called: bool) -> str:
    """What a docstring says, on one line; where the calls stand before it, without the one that it begins with."""
    line = " ".join(text.split())
    line = re.sub("^``[^`]+``: ", "", line) if called else line
    return line if line.endswith(".") else f"{line}."


def page() -> str:
    """The text that docs/operations.md must have."""
    groups: dict[str, list[Operation]] = {
        "Functions and methods of tensors": [],
        "Operators and constructors": [],
    }
    for operation in of_torch():
        owner = operation.name.rpartition(".")[0]
        title = (
            f"Methods of {'storages' if owner == 'Storage' else owner}"
            if owner
            else list(groups)[operation.name.startswith("__")]
        )
        groups.setdefault(title, []).append(operation)
    parts = [HEAD]
    for title, members in groups.items():
        parts.append(f"## {title}\n\n" + "\n".join(entry(operation) for operation in members) + "\n")
    return "\n".join(parts)


@click.command(help=__doc__.split("\n\n", 2)[2].replace("``", ""))
@click.option("--check", is_flag=True)
def main(check: bool) -> None:
    """Write docs/operations.md."""
    text = page()
    if not check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit("docs/operations.md is stale: run `make support`")


if __name__ == "__main__":
    main()
