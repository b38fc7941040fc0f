"""Writes docs/support.md: which of upstream's names this project has, from what a runtime really has.

::

    python tools/support.py [--check]

The names, with how often 91 projects use them, are in the ``names.txt`` of each package's folder, those of packages
that are not here in docs/inventory; what is restricted and why something is missing stands beside the code
(``torch7py.ops.support``); docs/upstream.json is what ``tools/upstream.py --record`` wrote. ``--check`` writes nothing
and fails when the page is stale.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import click

from torch7py.packages.discovery import built_in_module, built_in_modules
from torch7py.packages.registry import packages

ROOT = Path(__file__).parents[1]
INVENTORY = ROOT / "docs" / "inventory"
RESULTS = ROOT / "docs" / "upstream.json"
PAGE = ROOT / "docs" / "support.md"

# What a name can be, as Lua that answers with a function of the name. `a.b.c` is looked up without metatables'
# help, so that a class that only a parent has does not count.
FIELD = "function(n) return field(%r .. '.' .. n) end"
CLASS = "function(n) return torch.getmetatable(%r .. '.' .. n) ~= nil or field(%r .. '.' .. n) end"
METHOD = "function(n) return method(%r, n) end"
PRELUDE = """
    local function field(path)
        local at = _G
        for part in path:gmatch('[^.]+') do
            if type(at) ~= 'table' then return false end
            local inner = at[part]
            if inner == nil and at == _G then inner = package.loaded[part] end
            at = inner
        end
        return at ~= nil
    end
    local function method(class, name)
        local mt = torch.getmetatable(class)
        return mt ~= nil and mt[name] ~= nil
    end
    return %s
"""


Name = tuple[str, int, str]  # name, number of uses, and what else its line says


@dataclass(frozen=True)
class Section:
    """One list of names: a chapter of a package's ``names.txt``.

    ``lua`` makes the function that answers whether a name is there, ``key`` a name's full name, as in notes.
    """

    title: str
    package: str
    lua: str
    key: str

    def names(self) -> list[Name]:
        return chapters(self.package.partition(".")[0])[self.title]


def names_in(file: Path) -> dict[str, list[Name]]:
    """The names in a file, by the headings above them; those above all headings are under "".

    A line has the name, its uses, the files and the projects that use it, and perhaps a remark, separated by tabs.
    """
    lists: dict[str, list[Name]] = {}
    heading = ""
    for line in file.read_text().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line and not line.startswith("#"):
            name, uses, _, _, *rest = line.split("\t")
            lists.setdefault(heading, []).append((name, int(uses), rest[0] if rest else ""))
    return lists


@cache
def chapters(root: str) -> dict[str, list[Name]]:
    """The lists of names of the packages whose names begin with ``root``; that without a heading has the package's."""
    module = built_in_module(root)
    lists = names_in(INVENTORY / f"{root}.txt" if module is None else _folder(module) / "names.txt")
    return {heading or root: names for heading, names in lists.items()}


def _folder(module: str) -> Path:
    return ROOT.joinpath(*module.split("."))


def _fields(title: str, package: str, table: str) -> Section:
    return Section(title, package, FIELD % table, f"{table}.{{}}")


def _classes(title: str, package: str, prefix: str) -> Section:
    return Section(title, package, CLASS % (prefix, prefix), f"{prefix}.{{}}")


def _methods_of_some(title: str, package: str, classes: str, key: str) -> Section:
    """Methods that at least one of the classes in this chapter of the package must have."""
    names = ", ".join(repr(f"nn.{name}") for name, _, _ in chapters(package)[classes])
    lua = f"""function(n)
        for _, class in ipairs {{{names}}} do
            if method(class, n) then return true end
        end
        return false
    end"""
    return Section(title, package, lua, key)


def _methods(title: str, package: str, cls: str, of: str | None = None) -> Section:
    return Section(title, package, METHOD % cls, f"{of or cls}:{{}}")


def _mixed(package: str, prefix: str, renamed: str = "") -> Section:
    """Names of several sorts: ``Class:method``, ``package.field`` and fields of the package without its name."""
    lua = f"""function(n)
        local class, m = n:match('^(.*):(.*)$')
        if class then
            class = ({{{renamed}}})[class] or class
            return method({prefix!r} .. '.' .. class, m) or method(class, m)
                or field({prefix!r} .. '.' .. class .. '.' .. m)
        end
        if n:find('.', 1, true) then return field(n) end
        return field({prefix!r} .. '.' .. n) or pcall(require, {prefix!r} .. '.' .. n)
    end"""
    return Section(package, package, lua, "{}" if prefix == "_" else f"{prefix}.{{}}")


def _named(package: str) -> Section:
    """Names in full, of classes and fields."""
    lua = "function(n) return torch.getmetatable(n) ~= nil or field(n) end"
    return Section(package, package, lua, "{}")


def _returned(package: str) -> Section:
    """Fields of what ``require`` returns."""
    lua = f"""function(n)
        local ok, t = pcall(require, {package!r})
        return ok and t[n] ~= nil
    end"""
    return Section(package, package, lua, f"{package}.{{}}")


FEW = "Packages that few projects use"
ABOUT_PACKAGES = (
    "The number says how many of the 91 projects require the package by its name; at most two do where there is none.",
    "Packages of other wheels are found too ([how](adding_a_package.md)).",
)
ABOUT_FEW = (
    "At most six of the 91 projects use each of these. They are in `torch7py/packages/contrib`, by the same rules as",
    "the others: what is not supported is an error, and a runtime is asked for every name below.",
)
CONTRIB = "torch7py.packages.contrib."

# The chapters whose names are asked for otherwise than as fields of what `require` returns, or that stand together.
SPECIAL: tuple[tuple[str, tuple[Section, ...]], ...] = (
    (
        "torch",
        (
            _fields("Functions", "torch", "torch"),
            _methods("Methods of tensors", "torch", "torch.DoubleTensor", "torch.Tensor"),
            Section(
                "Metamethods of tensors",
                "torch",
                "function(n) return n == '__call(viaclass)' and torch.Tensor() ~= nil or "
                "method('torch.DoubleTensor', n) end",
                "torch.Tensor:{}",
            ),
            _methods("Methods of storages", "torch", "torch.ByteStorage", "torch.Storage"),
            *(
                _methods(f"Methods of torch.{name}", "torch", f"torch.{name}")
                for name in ("File", "DiskFile", "MemoryFile", "CmdLine", "Timer", "Tester")
            ),
        ),
    ),
    (
        "nn",
        (
            _classes("Layers", "nn", "nn"),
            _classes("Criterions", "nn", "nn"),
            _methods("Methods of nn.Module", "nn", "nn.Module"),
            _methods("Methods of nn.Container", "nn", "nn.Container"),
            _methods("Methods of nn.Criterion", "nn", "nn.Criterion"),
            _fields("Functions", "nn", "nn"),
            _fields("Functions of nn.utils", "nn", "nn"),
        ),
    ),
    (
        "rnn and dpnn",
        (
            _classes("Classes of rnn", "rnn", "nn"),
            _fields("Functions of rnn", "rnn", "rnn"),
            _methods_of_some("Methods of rnn's layers", "rnn", "Classes of rnn", "rnn:{}"),
            _classes("Classes of dpnn", "dpnn", "nn"),
            _methods("Methods of modules that dpnn adds", "dpnn", "nn.Sequential", "dpnn"),
        ),
    ),
    (
        "nngraph and graph",
        (
            _mixed("nngraph", "nngraph", "gModule = 'nn.gModule', Node = 'nngraph.Node'"),
            _mixed("graph", "graph"),
        ),
    ),
    (
        "optim",
        (
            _fields("Functions", "optim", "optim"),
            _methods(
                "Methods of optim.ConfusionMatrix",
                "optim",
                "optim.ConfusionMatrix",
            ),
            _methods("Methods of optim.Logger", "optim", "optim.Logger"),
        ),
    ),
    (
        "paths, sys, xlua, trepl",
        (
            _fields("paths", "paths", "paths"),
            _fields("sys", "sys", "sys"),
            Section(
                "xlua",
                "xlua",
                "function(n) return field(n:find('.', 1, true) and n or 'xlua.' .. n) or field(n) end",
                "xlua.{}",
            ),
            Section(
                "trepl",
                "trepl",
                "function(n) return field(n) or package.preload[n] ~= nil or (n:find('^trepl%.') and "
                "pcall(require, n)) end",
                "trepl.{}",
            ),
        ),
    ),
    (
        "cutorch, cunn, cudnn",
        (
            _fields("cutorch", "cutorch", "cutorch"),
            _classes("cunn", "cunn", "nn"),
            _classes("Classes of cudnn", "cudnn", "cudnn"),
            _fields("Functions of cudnn", "cudnn", "cudnn"),
        ),
    ),
    (
        "Other packages",
        (
            _fields("image", "image", "image"),
            _fields("gnuplot", "gnuplot", "gnuplot"),
            _mixed("tds", "tds"),
            _mixed("threads", "threads"),
            _mixed("hdf5", "hdf5"),
            _mixed("torchx", "_"),
            Section("argcheck", "argcheck", "function(n) return pcall(require, n) end", "{}"),
            _fields("autograd", "autograd", "autograd"),
            _fields("torchnet", "torchnet", "tnt"),
        ),
    ),
    (
        FEW,
        (
            _classes("nnx", "nnx", "nn"),
            _mixed("dataload", "dataload"),
            _mixed("graphicsmagick", "graphicsmagick"),
            _classes("stn", "stn", "nn"),
            _named("fbnn"),
            _named("fbcunn"),
            _classes("inn", "inn", "inn"),
            _mixed("unsup", "unsup"),
            _classes("ccn2", "ccn2", "ccn2"),
            _fields("cephes", "cephes", "cephes"),
            _fields("randomkit", "randomkit", "randomkit"),
        ),
    ),
)

BY_CLASS = INVENTORY / "lib_class_specific_methods.txt"


@cache
def sections() -> tuple[tuple[str, list[Section]], ...]:
    """The page's parts: the chapters that are asked for in forms of their own, and those of all other packages."""
    parts = [(part, list(listed)) for part, listed in SPECIAL]
    special = {(s.package, s.title) for _, listed in parts for s in listed}
    by_title = dict(parts)
    for module in built_in_modules():
        if _folder(module).joinpath("names.txt").exists():
            root = _root(module)
            part = by_title[FEW if module.startswith(CONTRIB) else "Other packages"]
            part += [_returned(title) for title in chapters(root) if (root, title) not in special]
    return tuple(parts)


def _root(module: str) -> str:
    """The first part of the names of the packages that a folder registers."""
    return next(p.name.partition(".")[0] for p in packages.values() if p.module == module)


@dataclass
class Row:
    name: str
    uses: int
    state: str  # yes, restricted or no
    note: str = ""


@dataclass
class Table:
    title: str
    rows: list[Row] = field(default_factory=list)
    remark: str = ""


def collect() -> list[tuple[str, list[Table]]]:
    """The page's tables, by asking a runtime for each name."""
    from torch7py.bridge.errors import LuaError
    from torch7py.bridge.runtime import Runtime
    from torch7py.ops.support import notes
    from torch7py.packages.missing_packages import advice

    parts = []
    used: set[str] = set()
    with Runtime(cuda_as="cpu") as runtime:

        def has(package: str) -> bool:
            try:
                runtime.evaluate(f"require {package!r}")
            except LuaError:
                return False
            return True

        def table(section: Section) -> Table:
            there = has(section.package)
            ask: Callable[[str], Any] = (
                runtime.evaluate(PRELUDE % section.lua) if there else lambda name: False
            )
            made = []
            for name, uses, _ in section.names():
                full = section.key.format(name)
                used.add(full)
                there_is = bool(ask(name))  # which may load the package, and with it what notes there are
                note = notes.get(full)
                found = there_is and (note is None or note.supported)
                state = "no" if not found else "restricted" if note else "yes"
                made.append(Row(name, uses, state, note.text if note else ""))
            missing = f"The package {section.package} is not a part of torch7py: {advice(section.package)}"
            return Table(section.title, made, "" if there else missing)

        for section in (section for _, listed in sections() for section in listed):
            table(section)  # what there is to say of a name may come with another package's classes
        for part, listed in sections():
            parts.append((part, [table(section) for section in listed]))
        parts.append(("Methods of single classes", [Table("By method", _by_class(runtime, notes, used))]))
    strange = sorted(set(notes) - used)
    if strange:
        raise click.ClickException(f"notes on names that no inventory has: {', '.join(strange)}")
    return parts


def _by_class(runtime: Any, notes: dict[str, Any], used: set[str]) -> list[Row]:
    """Methods that only some classes have: supported where all of the classes that there are have them.

    Where a method is there to be an error, the class has a note on it (``Class:method``).
    """
    runtime.evaluate(
        "require('nn').hessian.enable()"
    )  # its methods are there from then on, as in the original
    method = runtime.evaluate(PRELUDE % "method")
    exists = runtime.evaluate(PRELUDE % "function(n) return torch.getmetatable(n) ~= nil end")
    known = {
        section.key.format(name)
        for _, part in sections()
        for section in part
        for name, _, _ in section.names()
    }
    made = []
    for name, uses, classes in names_in(BY_CLASS)[""]:
        listed = [cls for cls in classes.split(",") if cls in known]  # long lists are cut off in a name
        full = {cls: f"{cls}:{name}" for cls in listed}
        used |= set(full.values())
        refused = {cls for cls in listed if full[cls] in notes and not notes[full[cls]].supported}
        lacking = [cls for cls in listed if not exists(cls) or not method(cls, name) or cls in refused]
        state = "yes" if not lacking else "no" if lacking == listed else "restricted"
        made.append(Row(name, uses, state, f"not in {', '.join(lacking)}" if lacking else ""))
    return made


def render(parts: list[tuple[str, list[Table]]], results: dict[str, Any]) -> str:
    lines = [
        "# What is supported",
        "",
        "<!-- Written by `make support`; a test fails when it is stale. -->",
        "",
        "The number after a name says how often 91 projects use the name. Packages for a GPU are there with",
        "`--device cuda` or `--cuda-as cpu`.",
        "",
        "| package | names | supported | restricted | not |",
        "|---|---:|---:|---:|---:|",
    ]
    for part, tables in parts:
        states = [row.state for table in tables for row in table.rows]
        counts = " | ".join(str(states.count(state)) for state in ("yes", "restricted", "no"))
        lines.append(f"| [{part}](#{_anchor(part)}) | {len(states)} | {counts} |")
    lines += ["", *_tests(results)]
    lines += ["", "## Packages", "", *ABOUT_PACKAGES, "", *_package_table(contrib=False)]
    for part, tables in parts:
        lines += ["", f"## {part}"]
        if part == FEW:
            lines += ["", *ABOUT_FEW, "", *_package_table(contrib=True)]
        for table in tables:
            lines += ["", f"### {table.title}", "", *_table(table)]
    return "\n".join([*lines, "", *_elsewhere()]) + "\n"


def _package_table(contrib: bool) -> list[str]:
    rows = [
        (-(package.projects or 0), package.name, _description(package.module))
        for package in packages.values()
        if package.module.startswith(CONTRIB) == contrib and not _is_part(package.name)
    ]
    lines = ["| package | projects | what it is |", "|---|---:|---|"]
    return lines + [f"| `{name}` | {-count or ''} | {what} |" for count, name, what in sorted(rows)]


def _is_part(name: str) -> bool:
    """Whether a package is a part of another, as pl.List is of pl."""
    root, dot, _ = name.partition(".")
    return bool(dot) and root in packages


def _description(module: str) -> str:
    """What the docstring of a package's folder says after the package's name."""
    doc = importlib.import_module(module).__doc__ or ""
    text = " ".join(doc.partition("\n\n")[0].split()).partition(": ")[2]
    return text.removesuffix(".").replace("``", "`")


def _elsewhere() -> list[str]:
    """Packages that are not here, and what to do about each."""
    from torch7py.packages.missing_packages import ELSEWHERE

    lines = [
        "## Packages that are not here",
        "",
        "`require` of one of these says the same. A program that asks for them by `pcall` goes on without.",
        "",
        "| package | what it is | what to do |",
        "|---|---|---|",
    ]
    return lines + [f"| `{name}` | {what} | {todo} |" for name, (what, todo) in ELSEWHERE.items()]


def _anchor(title: str) -> str:
    return title.lower().replace(",", "").replace(" ", "-")


def _table(table: Table) -> list[str]:
    supported = [row for row in table.rows if row.state == "yes"]
    lines = [table.remark or f"{len(supported)} of {len(table.rows)} as in the original."]
    if supported:
        lines += ["", *_wrapped([f"`{row.name}` {row.uses}" for row in supported])]
    others = [row for row in table.rows if row.state == "restricted" or (row.state == "no" and row.note)]
    if others:
        lines += ["", "| name | uses | | |", "|---|---:|---|---|"]
        lines += [f"| `{row.name}` | {row.uses} | {row.state} | {row.note} |" for row in others]
    missing = [row for row in table.rows if row.state == "no" and not row.note]
    if missing:
        lines += ["", "Not supported:", "", *_wrapped([f"`{row.name}` {row.uses}" for row in missing])]
    return lines


def _wrapped(words: list[str], width: int = 110) -> list[str]:
    lines, line = [], ""
    for word in words:
        text = f"{line}, {word}" if line else word
        if line and len(text) > width:
            lines.append(line + ",")
            text = word
        line = text
    return [*lines, line + "."]


def _tests(results: dict[str, Any]) -> list[str]:
    """What of upstream's own test suites passes."""
    if not results:
        return []
    lines = [
        "## Upstream's own tests",
        "",
        "Run unchanged by `tools/upstream.py`, those of packages for a GPU with `--cuda-as cpu`.",
        "",
        "| package | commit | tests | passed |",
        "|---|---|---:|---:|",
    ]
    lines += [f"| {name} | {r['commit']} | {r['tests']} | {r['passed']} |" for name, r in results.items()]
    bad = {
        (name, row["suite"], row["outcome"], row["reason"]): ", ".join(
            f"`{other['test']}`" for other in r["not"] if _alike(row, other)
        )
        for name, r in results.items()
        for row in r["not"]
    }
    if bad:
        lines += [
            "",
            "Those that do not pass:",
            "",
            "| package | test | outcome | why |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {name} | {suite}: {tests} | {outcome} | {reason} |"
            for (name, suite, outcome, reason), tests in bad.items()
        ]
    notes = [f"- {name}: {note}" for name, r in results.items() for note in r.get("notes", [])]
    return [*lines, "", "Of those that pass, or do not, by chance:", "", *notes] if notes else lines


def _alike(row: dict[str, str], other: dict[str, str]) -> bool:
    return all(row[key] == other[key] for key in ("suite", "outcome", "reason"))


def _native_forms() -> list[str]:
    """Which layers and criterions have a native PyTorch form, and why the others have none."""
    import torch7py.nn.all
    import torch7py.rnn.all  # noqa: F401
    from torch7py.nn.registry import layers
    from torch7py.translate.layers import criterions, natives, reasons, structures

    ours = ("torch7py.nn.", "torch7py.rnn.")
    names = sorted({cls.torch7_name for cls in layers.values() if cls.__module__.startswith(ours)})
    forms = {*natives, *structures, *criterions}
    count = sum(name in forms for name in names)
    lines = [
        "## Native PyTorch",
        "",
        f"{count} of {len(names)} classes of nn, rnn and dpnn have a native form, into which models are translated.",
        "A form may be refused for some arguments; the error says why. The others:",
        "",
        "| class | why it has no native form |",
        "|---|---|",
    ]
    return lines + [f"| `{name}` | {reasons[name]} |" for name in names if name not in forms]


def page() -> str:
    """The text that docs/support.md must have."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return render(collect(), results) + "\n" + "\n".join(_native_forms()) + "\n"


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail when the page is stale.")
def main(check: bool) -> None:
    """Write docs/support.md."""
    text = page()
    if not check:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        sys.exit("docs/support.md is stale: run `make support`")


if __name__ == "__main__":
    main()
