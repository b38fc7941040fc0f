"""Writes torch7py/nn/own_methods.txt: which methods each class of the original has itself, and which return nothing.

::

    python tools/own_methods.py [--check] nn=PATH dpnn=PATH rnn=PATH nngraph=PATH nnx=PATH

Each path is a checkout of the package. Its Lua files are parsed, not run: those that ``init.lua`` loads. ``--check``
writes nothing and fails when the file is another.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from torch7py.nn.registry import layers
from torch7py.translate import tree
from torch7py.translate.parse import parse
from torch7py.translate.tree_queries import returns_of

__all__ = ["Classes", "written"]

FILE = Path(__file__).parents[1] / "torch7py" / "nn" / "own_methods.txt"
PACKAGES = (
    "bridge.runtime",
    "nn.all",
    "rnn.all",
    "rnn.dpnn.all",
    "packages.nngraph.all",
    "packages.contrib.nnx.all",
)  # of classes
# Lua's own operators, which each class has a function for, are not inherited.
OPERATORS = {
    f"__{name}"
    for name in "len index newindex call tostring eq lt le add sub mul div mod pow unm concat gc".split()
}
LOADING = {"require", "include", "torch.include"}
HEAD = """\
# Which methods each class of the original defines itself; all others it inherits. A class that a package finds there
# already has the methods that the package adds to it. A star: the method returns nothing. Written by
# tools/own_methods.py from {sources}.
"""


def dotted(expression: tree.Expression) -> str | None:
    """``a.b.c`` as text; None for anything else."""
    if isinstance(expression, tree.Name):
        return expression.name
    if isinstance(expression, tree.Index) and isinstance(expression.key, tree.String):
        base = dotted(expression.base)
        return None if base is None else f"{base}.{expression.key.value}"
    return None


def texts(call: tree.Expression, functions: set[str]) -> list[str]:
    """The strings that a call of one of these functions is given."""
    if not isinstance(call, tree.Call) or dotted(call.callee) not in functions:
        return []
    return [part.value for part in call.arguments if isinstance(part, tree.String)]


def loaded(root: Path, package: str) -> Iterator[tree.Block]:
    """The files that the package consists of, in the order in which they are loaded."""
    todo, seen = [root / "init.lua"], set()
    while todo:
        path = todo.pop(0)
        if path in seen or not path.exists():
            continue
        seen.add(path)
        block = parse(path.read_bytes(), str(path))
        yield block
        for call in tree.every(block, tree.Call):
            names = texts(call, LOADING)
            if names:
                name = names[-1].removeprefix(f"{package}.").removesuffix(".lua")
                todo.append(root / f"{name}.lua")


def outermost(block: tree.Block) -> list[Any]:
    """The assignments, definitions and calls of a file that stand in no function, in the order of the source."""
    functions = tree.every(block, tree.Function)
    kinds = (tree.Local, tree.Assign, tree.FunctionStatement, tree.Run)
    return [
        statement
        for statement in tree.those(block, *kinds)
        if not any(
            function.span.start <= statement.span.start
            and statement.span.end <= function.span.end
            and function is not getattr(statement, "function", None)
            for function in functions
        )
    ]


def assigned(statement: Any) -> list[tuple[tree.Expression, tree.Expression]]:
    """What a statement gives values to, with the values."""
    if isinstance(statement, tree.FunctionStatement):
        return [(statement.target, statement.function)]
    if isinstance(statement, tree.Run):
        return []
    targets = statement.names if isinstance(statement, tree.Local) else statement.targets
    return [*zip(targets, statement.values, strict=False)]


class Classes:
    """The classes of packages with their methods: ``function C:m()``, ``C.m = function``, ``C.m = D.m``, and what a
    function assigns to a class that it is given, ``D.decorate(C)``."""

    def __init__(self) -> None:
        self.methods: dict[str, dict[str, bool]] = {}  # by class and method, whether it returns something
        self.decorators: dict[str, dict[str, bool]] = {}

    def read(self, block: tree.Block) -> None:
        """Take what a file adds."""
        classes: dict[str, str] = {}  # a local's name -> the class in it
        for statement in outermost(block):
            if isinstance(statement, tree.Run):
                self._call(statement.call, classes)
            for target, value in assigned(statement):
                name, source = dotted(target), dotted(value)
                if name is None:
                    continue
                made = texts(value, {"torch.class"})[:1]
                for class_name in made:
                    self.methods.setdefault(class_name, {})
                made = made or texts(value, {"torch.getmetatable"})
                if made or (isinstance(target, tree.Name) and source is not None):
                    classes[name] = made[0] if made else str(source)
                    continue
                owner, _, method = name.rpartition(".")
                owner = classes.get(owner, owner)
                if owner and (isinstance(value, tree.Function) or self._is_method(source)):
                    self.methods.setdefault(owner, {})[method] = self._answers(value, classes)
                if isinstance(value, tree.Function) and value.parameters:
                    self.decorators[f"{owner}.{method}"] = fields_given(value)

    def _call(self, call: tree.Expression, classes: dict[str, str]) -> None:
        for made in texts(call, {"torch.class"})[:1]:
            self.methods.setdefault(made, {})
        if isinstance(call, tree.Call) and call.arguments:
            given = dotted(call.arguments[0]) or ""
            methods = self.decorators.get(dotted(call.callee) or "", {})
            self.methods.setdefault(classes.get(given, given), {}).update(methods)

    def _answers(self, value: tree.Expression, classes: dict[str, str]) -> bool:
        """Whether what is assigned as a method returns something."""
        if isinstance(value, tree.Function):
            return answers(value)
        owner, _, method = (dotted(value) or "").rpartition(".")
        return self.methods.get(classes.get(owner, owner), {}).get(method, True)

    def _is_method(self, name: str | None) -> bool:
        """Whether a dotted name can mean a method: some class, which may be a parent, has one of its last word."""
        _, dot, method = (name or "").rpartition(".")
        return bool(dot) and any(method in known for known in self.methods.values())


def answers(function: tree.Function) -> bool:
    """Whether a function returns something, anywhere; one that does nothing but fail says nothing about that."""
    statements = function.body.statements
    only = statements[0] if len(statements) == 1 else None
    fails = (
        isinstance(only, tree.Run)
        and isinstance(only.call, tree.Call)
        and dotted(only.call.callee) == "error"
    )
    return fails or any(statement.values for statement in returns_of(function))


def fields_given(function: tree.Function) -> dict[str, bool]:
    """The fields that a function gives to its first argument, and whether they return something."""
    first = function.parameters[0].name
    given = [
        ((dotted(target) or "").rpartition("."), value)
        for statement in tree.those(function.body, tree.Assign, tree.FunctionStatement)
        for target, value in assigned(statement)
    ]
    return {
        field: not isinstance(value, tree.Function) or answers(value)
        for (base, _, field), value in given
        if base == first
    }


def written(checkouts: dict[str, Path]) -> str:
    """The file for these checkouts."""
    for name in PACKAGES:
        importlib.import_module(f"torch7py.{name}")
    sources = ", ".join(f"{package} {commit(root)}" for package, root in checkouts.items())
    lines = [HEAD.format(sources=sources).rstrip()]
    classes, before = Classes(), dict[str, dict[str, bool]]()
    for package, root in checkouts.items():
        for block in loaded(root, package):
            classes.read(block)
        lines.append(f"[{package}]")
        for name, methods in sorted(classes.methods.items()):
            new = dict(methods.items() - before.get(name, {}).items())
            words = [method + "*" * (not new[method]) for method in sorted(new.keys() - OPERATORS)]
            if name in layers and (words or name not in before):
                lines.append(" ".join([name, *words]))
        before = {name: dict(methods) for name, methods in classes.methods.items()}
    return "\n".join(lines) + "\n"


def commit(root: Path) -> str:
    command = ["git", "-C", str(root), "rev-parse", "--short=7", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@click.command(help=__doc__.split("\n\n", 2)[2].replace("``", ""))
@click.option("--check", is_flag=True, help="Write nothing, and fail when the file is another.")
@click.argument("checkouts", metavar="PACKAGE=PATH...", nargs=-1, required=True)
def main(check: bool, checkouts: tuple[str, ...]) -> None:
    text = written({name: Path(path) for name, _, path in (each.partition("=") for each in checkouts)})
    if not check:
        FILE.write_text(text, "ascii")
    elif text != FILE.read_text("ascii"):
        sys.exit(f"{FILE} is not what these checkouts have")


if __name__ == "__main__":
    main()
