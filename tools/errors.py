"""Writes docs/errors.md: what messages mean, and what to do about them.

::

    python tools/errors.py [--check]

The messages of ``EXAMPLES`` are those that their programs end with here, and the codes are those that have a page in
docs/codes. ``--check`` writes nothing and fails when the page is stale.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import click

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "errors.md"
HEAD = """# Errors

<!-- Written by `make support`; a test fails when it is stale. -->

An error of a program is one line with the Lua file and line; the command shows that line of the program and a name
that may have been meant ([terminal.md](terminal.md#errors)), and with `--traceback` the calls that led to it. Which
error it is in Python, and with which code commands end, stands in [value_conversion.md](value_conversion.md#errors).
Code 70 is a fault of torch7py: please report it with what `--traceback` shows.

## Of programs

"""
CODES = """
## Of the translation

Each place without a translation, or with a plain call in the page, has a code;
[translator.md](translator.md#native-statements-plain-calls-and-what-is-refused) says what becomes of them.

| code | what |
|---|---|
"""

# Programs, and what to do about the message that each ends with.
EXAMPLES = {
    "require 'nn'; nn.SpatialFovea()": "The name is misspelt, its package was not required (`require 'nngraph'` before"
    " `nn.gModule`), or torch7py does not have it: [support.md](support.md) says so, and why.",
    "torch.rand(3):svd()": "The same of a method. This one is a function alone, in Torch7 too: `torch.svd(x)`.",
    "print(opt.rate)": "Nothing was assigned to this variable: its name is misspelt, or the file that sets it was"
    " not run.",
    "torch.zeros(2, 'wide')": "The arguments fit no form of the function, and the forms follow."
    " [operations.md](operations.md) has all of them, and so has `?torch.zeros` at the prompt.",
    "torch.zeros(2, 3):add(torch.zeros(2))": "Operands need as many elements, as in Torch7; nothing is broadcast."
    " `expand` or `expandAs` does that.",
    "require 'nn'; nn.Sequential():add(nn.Linear(2, 3)):add(nn.Linear(4, 3)):forward(torch.zeros(2))": "The sizes do"
    " not fit. The place in the model stands behind it: here the second module of a Sequential.",
    "require 'nn'; nn.ClassNLLCriterion():forward(torch.zeros(2), 3)": "Classes count from 1. Data that count from 0,"
    " from a file of Python say, need `:add(1)`.",
    "require 'cutorch'": "The program wants a GPU: [devices.md](devices.md).",
    "require 'lmdb'": "torch7py does not have the package. The advice is of its own for each"
    " ([the list](support.md#packages-that-are-not-here)).",
    "require 'mymodule'": "A Lua file of the project is not found. Run the program from the folder from which it was"
    " run, or name the one of the file: `LUA_PATH='lib/?.lua;;' torch7py run train.lua`.",
    "require('ffi').load('THNN')": "The program calls a library in C by the FFI. Torch7's own are not there; what it"
    " computes by them must be written with tensors.",
    "io.open('page.t7', 'w'):write('<html>'):close(); torch.load('page.t7')": "The file is damaged, or no binary `.t7`"
    " file; `torch7py inspect` says what it looks like, such as a web page in the place of a download. One that was"
    " saved as text needs `torch.load(name, 'ascii')`.",
}


def message(runtime: Runtime, program: str) -> str:
    """What a program ends with: the first line, and of a package that is missing the last too."""
    try:
        runtime.execute(program, "@program.lua")
    except LuaError as error:
        first, *more = error.message.removeprefix("program.lua:1: ").splitlines()
        return f"{first} ... {more[-1].strip()}" if more else first
    raise AssertionError(f"no error: {program}")


def row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def page() -> str:
    """The text that docs/errors.md must have."""
    rows = [row("a program", "its message", "what to do"), "|---|---|---|\n"]
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, Runtime() as runtime:
        os.chdir(folder)
        try:
            rows += [row(f"`{p}`", f"`{message(runtime, p)}`", what) for p, what in EXAMPLES.items()]
        finally:
            os.chdir(before)
    codes = []
    for path in sorted(DOCS.glob("codes/*.md")):
        code, _, title = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").partition(": ")
        codes.append(row(f"[{code}](codes/{path.name})", title))
    return HEAD + "".join(rows) + CODES + "".join(codes)


@click.command(help=__doc__.split("\n\n", 2)[2].replace("``", ""))
@click.option("--check", is_flag=True)
def main(check: bool) -> None:
    """Write docs/errors.md."""
    text = page()
    if not check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit("docs/errors.md is stale: run `make support`")


if __name__ == "__main__":
    main()
