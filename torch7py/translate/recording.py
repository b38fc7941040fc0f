"""A recorded run: what kinds the values of expressions have that the inference leaves open.

The program runs in a process of its own, for a limited time, with a call around each such expression that notes what
its value is (``recorder.lua``). What was seen is evidence for the inference, where a site showed one kind only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TypeAlias

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.packages.registry import packages
from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.project import Project, SourceFile
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.types import Types

__all__ = [
    "Evidence",
    "Site",
    "in_a_process",
    "instrument",
    "place_key",
    "record",
    "sites",
    "watched",
    "worth_recording",
]

ENOUGH = "__torch7py_enough"
SAW, MADE = "__torch7py_saw", "__torch7py_made"
GRACE = 20.0  # seconds that the process has beyond the limit, to start and to end


# Why a run ended early, and numbers of sites with their kinds.
Seen: TypeAlias = tuple[str, "list[tuple[int, str]]"]


@dataclass(frozen=True)
class Site:
    """An expression with a call around it: its key as ``infer`` takes it, and its bytes in its file.

    ``makes`` says that it makes a table or a module, which is marked; ``bare`` that it is an argument without brackets.
    """

    key: int
    start: int
    end: int
    makes: bool = False
    bare: bool = False


@dataclass
class Evidence:
    """What a run showed: kinds by key. ``ended`` says why the run did not go to its end; empty if it did.

    It is stopped after the limit, and before when for a third of it nothing new was seen.
    """

    kinds: dict[int, set[str]] = field(default_factory=dict)
    sites: int = 0
    ended: str = ""

    @property
    def settled(self) -> int:
        """How many of the sites showed one kind."""
        return sum(1 for seen in self.kinds.values() if len({kind.partition("@")[0] for kind in seen}) == 1)

    def __str__(self) -> str:
        text = f"a run showed the kind of {self.settled} of {self.sites} open expressions"
        return f"{text}; {self.ended}" if self.ended else text


# Codes that a kind could make unnecessary, besides those of unknown kinds (T7-3..).
_OF_KINDS = {"T7-215", "T7-241"}


def worth_recording(problems: Sequence[Problem]) -> bool:
    """Whether something is not translated because a kind is not known."""
    return any(problem.code.startswith("T7-3") or problem.code in _OF_KINDS for problem in problems)


def place_key(node: Expression) -> int:
    """The number by which evidence is kept."""
    return node.place.start * 1_000_003 + node.place.end


# Which expressions


def sites(project: Project, types: Types) -> dict[SourceFile, list[Site]]:
    """The expressions of each file whose kind is open, where a call can stand around them."""
    found = {}
    made = {types.of(node) for node in tree.walk(project.program) if isinstance(node, tree.Table)}
    for file in (*project.files, project.script):
        shift = _start(project, file)
        makers = _makers(file.block, types)
        bare = {
            call.arguments[0]
            for call in tree.walk(file.block)
            if isinstance(call, (Call, Invoke)) and len(call.arguments) == 1 and _is_bare(call)
        }
        wanted = dict.fromkeys(node for node in _single(file.block) if _is_open(node, types, made)) | makers
        found[file] = [
            Site(
                place_key(node),
                node.place.start - shift,
                node.place.end - shift,
                node in makers,
                node in bare,
            )
            for node in wanted
            if node.place.start < node.place.end  # it stands in the text
        ]
    return found


def _makers(block: Block, types: Types) -> dict[Expression, None]:
    """What makes tables and modules; each gives one value, wherever it stands."""
    layers = {layer.call for found in types.by_node.values() for layer in found.find().layers}
    return {
        node: None
        for node in tree.walk(block)
        if isinstance(node, tree.Table) or (isinstance(node, Call) and node in layers)
    }


def _is_bare(call: Call | Invoke) -> bool:
    """``f{...}``: the argument ends where the call does."""
    return call.arguments[0].place.end == call.place.end


def _start(project: Project, file: SourceFile) -> int:
    """Where the places of a file begin."""
    if file.function is not None:
        return file.function.place.start
    ends = [each.function.place.end + 1 for each in project.files if each.function is not None]
    return max(ends, default=0)


def _is_open(node: Expression, types: Types, made: set[Type]) -> bool:
    """Whether more could be known: the kind, a tensor's rank, where a table or a module was made.

    ``made`` are the types of the tables whose constructors are known.
    """
    if _is_library(node, types):
        return False
    found = types.of(node).find()
    if found.classes or len(found.kinds) > 1:
        return False
    if found.kind in ("module", "criterion"):
        return not found.layers
    if found.kind == "table":
        return found not in made
    return found.kind is None or (found.kind == "tensor" and not found.ranks)


def _is_library(node: Expression, types: Types) -> bool:
    """Whether an expression is a name of a package, or of Lua's own."""
    path = types.path(node)
    return path is not None and (path.partition(".")[0] in packages or path in _BUILT_IN)


_BUILT_IN = frozenset(
    "arg require print pairs ipairs type tostring tonumber string table math io os _G".split()
)


def _single(block: Block) -> Iterator[Expression]:
    """The names, indexings and calls of a block that stand where one value is wanted, in whatever order."""
    for statement in block.statements:
        yield from _of_statement(statement)


def _of_statement(node: Statement) -> Iterator[Expression]:
    if isinstance(node, tree.Local):
        yield from _list(node.values, len(node.names))
    elif isinstance(node, tree.Assign):
        for target in node.targets:
            yield from _inside(target)
        yield from _list(node.values, len(node.targets))
    elif isinstance(node, tree.Run):
        yield from _inside(node.call)
    elif isinstance(node, tree.Return):
        yield from _list(node.values)
    elif isinstance(node, tree.GenericFor):
        yield from _list(node.values)
        yield from _single(node.body)
    elif isinstance(node, tree.NumericFor):
        for bound in (node.start, node.stop, node.step):
            if bound is not None:
                yield from _value(bound)
        yield from _single(node.body)
    elif isinstance(node, tree.If):
        for condition, body in node.branches:
            yield from _value(condition)
            yield from _single(body)
        if node.otherwise is not None:
            yield from _single(node.otherwise)
    elif isinstance(node, (tree.While, tree.Repeat)):
        yield from _value(node.condition)
        yield from _single(node.body)
    elif isinstance(node, tree.Do):
        yield from _single(node.body)
    elif isinstance(node, (tree.FunctionStatement, tree.LocalFunction)):
        yield from _single(node.function.body)


def _list(values: Sequence[Expression], wanted: int | None = None) -> Iterator[Expression]:
    """A list of expressions; of the last one all values count, unless so many are wanted."""
    for number, value in enumerate(values, 1):
        open_end = number == len(values) and wanted != number
        yield from _inside(value) if open_end and isinstance(value, (Call, Invoke)) else _value(value)


def _value(node: Expression) -> Iterator[Expression]:
    if isinstance(node, (Name, Index, Call, Invoke)):
        yield node
    yield from _inside(node)


def _inside(node: Expression) -> Iterator[Expression]:
    """What is in an expression, without itself."""
    if isinstance(node, Index):
        yield from _value(node.base)
        yield from _value(node.key)
    elif isinstance(node, Call):
        yield from _value(node.callee)
        yield from _list(node.arguments)
    elif isinstance(node, Invoke):
        yield from _value(node.receiver)
        yield from _list(node.arguments)
    elif isinstance(node, tree.Function):
        yield from _single(node.body)
    elif isinstance(node, tree.Table):
        positional = [item.value for item in node.fields if item.key is None]
        for item in node.fields:
            if item.key is not None:
                yield from _value(item.key)
                yield from _value(item.value)
        yield from _list(positional)
    elif isinstance(node, tree.Binary):
        yield from _value(node.left)
        yield from _value(node.right)
    elif isinstance(node, tree.Unary):
        yield from _value(node.operand)
    elif isinstance(node, tree.Paren):
        yield from _value(node.inner)


def instrument(source: bytes, places: Sequence[Site], numbers: Sequence[int]) -> bytes:
    """The source with a call around each site. Lines stay; numbers are what the calls are given."""
    insertions = []
    for site, number in zip(places, numbers, strict=True):
        function = MADE if site.makes else SAW
        insertions.append((site.start, 1, -site.end, f"{'(' * site.bare}{function}({number}, "))
        insertions.append((site.end, 0, -site.start, ")" + ")" * site.bare))
    out, at = [], 0
    for position, _, _, text in sorted(insertions):
        out += [source[at:position], text.encode()]
        at = position
    return b"".join([*out, source[at:]])


# The run


def record(
    path: Path,
    project: Project,
    types: Types,
    arguments: Sequence[str] = (),
    limit: float = 10.0,
    watch: Callable[[str, dict[str, str], float, Sequence[str]], Seen] | None = None,
) -> Evidence:
    """Run a program for at most ``limit`` seconds and note the kinds of what the inference left open.

    ``watch`` runs it: ``in_a_process`` or, where it may share this one, ``watched``.
    """
    watch = in_a_process if watch is None else watch
    keys: list[int] = []
    rewritten: dict[str, str] = {}
    functions: dict[tuple[str, int, int], list[int]] = {}
    evidence = Evidence()
    for file, found in sites(project, types).items():
        where = file.path
        source = file.source
        numbers = range(len(keys), len(keys) + len(found))
        rewritten[str(where.resolve())] = instrument(source, found, numbers).decode("latin1")
        keys += [site.key for site in found]
        evidence.sites += sum(not site.makes for site in found)
        shift = _start(project, file)
        for statement, function in _functions(file.block):
            place = statement.place
            last = source.count(b"\n", 0, place.end - shift) + 1
            functions.setdefault((str(where.resolve()), place.line, last), []).append(place_key(function))
    if not evidence.sites:
        return evidence
    evidence.ended, seen = watch(str(path), rewritten, limit, arguments)
    for number, kinds in seen:
        evidence.kinds[keys[number]] = {_with_keys(kind, keys, functions) for kind in kinds.split()}
    return evidence


def _with_keys(kind: str, keys: list[int], functions: dict[tuple[str, int, int], list[int]]) -> str:
    """A kind with the key of the expression that made the value, where there is one and it is known."""
    name, *rest = kind.split("@", 3)
    if name == "function" and len(rest) == 3:
        file = str(Path(rest[2].removeprefix("@")).resolve())
        found = functions.get((file, int(rest[0]), int(rest[1])), [])
        return f"function@{found[0] if len(found) == 1 else ''}@"
    if name in ("table", "module", "criterion", "object") and rest and rest[0]:
        return f"{name}@{keys[int(rest[0])]}@{rest[1]}"
    return kind


def _functions(block: Block) -> Iterator[tuple[tree.Node, tree.Function]]:
    """The functions of a block, with what stands where they begin and end."""
    named = {}
    for node in tree.walk(block):
        if isinstance(node, (tree.FunctionStatement, tree.LocalFunction)):
            named[node.function] = node
        elif isinstance(node, tree.Function):
            yield named.get(node, node), node


def in_a_process(path: str, files: dict[str, str], limit: float, arguments: Sequence[str]) -> Seen:
    """Run a program in a process of its own; what ``watched`` gives."""
    with tempfile.TemporaryDirectory() as folder:
        order, answer = Path(folder, "order.json"), Path(folder, "answer.json")
        order.write_text(json.dumps([path, files, limit, [str(argument) for argument in arguments]]))
        command = [sys.executable, "-m", __name__, str(order), str(answer)]
        try:
            subprocess.run(command, capture_output=True, timeout=limit + GRACE, check=False)
        except subprocess.TimeoutExpired:
            return f"it was stopped after {limit + GRACE:.0f} seconds", []
        if not answer.exists():
            return "its process failed", []
        ended, kinds = json.loads(answer.read_text())
        return ended, kinds


def watched(path: str, files: dict[str, str], limit: float, arguments: Sequence[str]) -> Seen:
    """Run a program from other sources (by path) and note kinds; why it ended early, and sites with their kinds."""

    def rewrite(source: str, name: str) -> str:
        if not name.startswith("@"):
            return source
        return files.get(str(Path(os.fsdecode(name[1:].encode("latin1"))).resolve()), source)

    seen = _watched(path, rewrite, limit, arguments, None)
    if "--cuda-as cpu" in seen[0]:  # it asks for a graphics card
        seen = _watched(path, rewrite, limit, arguments, "cpu")
    return seen


def _watched(
    path: str,
    rewrite: Callable[[str, str], str],
    limit: float,
    arguments: Sequence[str],
    cuda_as: str | None,
) -> Seen:
    recorder = resources.files("torch7py.translate").joinpath("recorder.lua").read_text()
    ended = ""
    with Runtime(rewrite=rewrite, cuda_as=cuda_as) as runtime:
        collect = runtime.evaluate(
            f"return (function(...) {recorder}\nend)({limit}, {limit / 3})", "=recorder"
        )
        try:
            code = runtime.run(path, arguments)
            ended = f"it ended with exit code {code}" if code else ""
        except LuaError as error:
            ended = "it was stopped" if ENOUGH in str(error) else str(error)
        found = list(collect())
    return ended, list(zip(map(int, found[::2]), found[1::2], strict=True))


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(watched(*json.loads(Path(sys.argv[1]).read_text()))))
