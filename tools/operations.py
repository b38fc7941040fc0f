"""Writes docs/operations.md: the operations of the torch package, how each is called and what it does.

::

    python tools/operations.py [--check]

All of it comes from the register (``torch7py.ops.registry``). ``--check`` writes nothing and fails when the page is
stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from torch7py.ops import all as all_operations  # noqa: F401  (registers them)
from torch7py.ops.descriptions import calls_of, words_of
from torch7py.ops.registry import Operation, operations

PAGE = Path(__file__).parents[1] / "docs" / "operations.md"
HEAD = """# The torch package

<!-- Written by `make support`; a test fails when it is stale. -->

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


def entry(operation: Operation) -> str:
    """One item of the page."""
    calls = ", ".join(f"`{call}`" for call in calls_of(operation))
    return f"- {calls}: {words_of(operation)}" if calls else f"- {words_of(operation)}"


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
