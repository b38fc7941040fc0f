"""No text of a program, a model or a file's name becomes code in a page.

Every place at which text comes in gets texts that would be code if they were written into a page as they are: they
close quotes, begin lines, use the braces of f-strings. None of their words may be a name in the page's tree, and where
the program prints the text it is printed as it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

import torch7py
from tests.together import together
from torch7py import nn, translate
from torch7py.translate import page_library
from torch7py.translate.checked_code import ForeignCode, checked_tree, run_page
from torch7py.translate.layers.writer import identifier as value_name
from torch7py.translate.native.code import attribute_name
from torch7py.translate.native.code import python_name as native_name
from torch7py.translate.native.program import modules_of, translate_script
from torch7py.translate.quoting import comment, decoded, docstring, f_string, identifier, is_name, quoted, raw

pytestmark = pytest.mark.whole  # they found faults

BOOM = "boom_7()"
CALLS = [
    f'"+{BOOM}+"',
    f"'+{BOOM}+'",
    f'"""+{BOOM}+"""',
    f"'''+{BOOM}+'''",
    f'"\n{BOOM}\n"',
    f'"""\n{BOOM}\n"""',
    f"\n{BOOM}\n",
    f"\r{BOOM}",
    f"\r\n{BOOM}\r\n",
    f"\x0c{BOOM}",
    f"\x0b{BOOM}",
    f"\x1c{BOOM}",
    f"\x00{BOOM}",
    f"\\\n{BOOM}",
    f'\\"+{BOOM}+"',
    f'\\\\"+{BOOM}+"',
    f"{{{BOOM}}}",
    f"{{{{{BOOM}}}}}",
    f"}}{{{BOOM}",
    f"{{0.__class__}}{{{BOOM}!r:>{{{BOOM}}}}}",
    f"%s %d %(a)s %%{BOOM}",
    f"\\N{{DIGIT ONE}}\\x22+{BOOM}+\\x22",
    f"\x020\x03+{BOOM}+\x040\x05",
    f"*/ --]] ]==] {BOOM}",
    f"=1, **{BOOM}",
    f"x = {BOOM}",
    f"x; {BOOM}",
    f"x)\n    {BOOM}\n(",
    f"[{BOOM}]",
    f'\xff\xfe"+{BOOM}+"',
    "\\",
    "a\"b'c\"\"\"d'''e",
    'ends with "',
    'ends with """',
    "ends with \\\\\\",
]
WIDE = [
    f"\u2028{BOOM}",
    f"\u2029{BOOM}",
    f"\x85{BOOM}",
    f"\u202e{BOOM}\u2066",
    f'\u00e9"+{BOOM}+"\u65e5',
    "\uff42oom_7()",
]
PAYLOADS = CALLS + [text.encode().decode("latin1") for text in WIDE]  # a character a byte


def lua(text: str) -> str:
    """A text of bytes as a literal of Lua."""
    return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\{ord(c):03d}" for c in text) + '"'


def is_free_of_payloads(code: str, modules: Collection[str] = ()) -> bool:
    """Whether nothing in a page calls what the payloads call; a text may well have become a name, with less in it."""
    called = {
        node.func for node in ast.walk(checked_tree(code, "page", modules)) if isinstance(node, ast.Call)
    }
    return not any(getattr(name, "id", getattr(name, "attr", "")) == "boom_7" for name in called)


# Statements of Lua by what a text is in them; TEXT is a literal, NUMBER different in each.
STATEMENTS = {
    "a string": "print(TEXT)",
    "a local": "local textNUMBER = TEXT print(textNUMBER)",
    "a global": "textNUMBER = TEXT print(textNUMBER)",
    "a concatenation": "local n = NUMBER print('a' .. n .. TEXT .. n)",
    "a long concatenation": "local t = {a = 'x'} print(t.a .. TEXT .. \"q\" .. t['a'])",
    "a comparison": "local s = 'a' if s == TEXT then print(1) end",
    "a format": "print(string.format(TEXT, NUMBER, NUMBER, NUMBER))",
    "a format's string": "print(string.format('%s|%5.2f|%10s', TEXT, NUMBER, TEXT))",
    "a format with a method": "print(('%s ' .. (TEXT):gsub('%%', '%%%%') .. ' %d'):format('x', NUMBER))",
    "find": "print(('abc'):find(TEXT))",
    "find plain": "print(('abc'):find(TEXT, 1, true))",
    "match": "print(('abc'):match(TEXT))",
    "gsub's pattern": "print((('abc'):gsub(TEXT, 'x')))",
    "gsub's replacement": "print((('abc'):gsub('b', TEXT)))",
    "gsub's template": "print((('abc'):gsub('(b)', '%1' .. TEXT)))",
    "gsub's template in one": "print((('abc'):gsub('(b)', TEMPLATE)))",
    "gmatch": "for w in ('a b'):gmatch(TEXT) do print(w) end",
    "split": "for _, w in ipairs(stringx.split('a b', TEXT)) do print(w) end",
    "rep": "print((TEXT):rep(2), #TEXT, (TEXT):upper(), (TEXT):sub(1, 3), (TEXT):byte(1))",
    "an error": "print(pcall(function() error(TEXT) end))",
    "an assertion": "print(pcall(function() assert(false, TEXT) end))",
    "a key": "local t = {} t[TEXT] = NUMBER print(t[TEXT])",
    "a key of a constructor": (
        "local t = {[TEXT] = NUMBER, b = 2} print(t[TEXT]) for k, v in pairs(t) do print(v) end"
    ),
    "a key of a record": "local t = {a = 1, [TEXT] = 2} print(t.a)",
    "a key of strings": "local t = {x = TEXT, y = {TEXT, TEXT}} print(t.x, #t.y, t.y[1])",
    "a field read": "local t = {a = 1} print(t[TEXT])",
    "a file": "local f = io.open(TEXT) print(f)",
    "a file's mode": "local f = io.open('a', TEXT) if f then f:close() end",
    "a file's mode in a block": "local f = io.open('a', TEXT) print(1) f:write('x') f:close()",
    "what is written": "io.write(TEXT)",
    "a file's lines": "for line in io.lines(TEXT) do print(line) end",
    "reading": "print(io.read(TEXT))",
    "a file that is loaded": "local m = torch.load(TEXT) print(m)",
    "a mode of loading": "local m = torch.load('a', TEXT) print(m)",
    "a file that is saved": "torch.save(TEXT, torch.ones(1))",
    "a disk file": "local f = torch.DiskFile('a', TEXT) f:close()",
    "a package": "local p = require(TEXT) print(p)",
    "a package by itself": "require(TEXT)",
    "a package perhaps": "local ok, p = pcall(require, TEXT) print(ok)",
    "a file that is run": "dofile(TEXT)",
    "a chunk": "print(loadstring(TEXT))",
    "a command": "os.execute(TEXT)",
    "a command read": "local p = io.popen(TEXT) print(p:read('*a'))",
    "a variable of the surroundings": "print(os.getenv(TEXT))",
    "a date": "print(os.date(TEXT))",
    "removing": "os.remove(TEXT)",
    "a path": "print(paths.concat('a', TEXT))",
    "a directory": "paths.mkdir(TEXT)",
    "an option's name": "local c = torch.CmdLine() c:option(TEXT, 1, 'h') local o = c:parse({}) print(o)",
    "an option's name with a dash": (
        "local c = torch.CmdLine() c:option('-' .. TEXT, 1, 'h') local o = c:parse({})"
    ),
    "an option named": "local c = torch.CmdLine() c:option(DASHED, 1, 'h') local o = c:parse({}) print(o)",
    "an option's default": (
        "local c = torch.CmdLine() c:option('-a', TEXT, 'h') local o = c:parse({}) print(o.a)"
    ),
    "an option's help": "local c = torch.CmdLine() c:option('-a', 1, TEXT) local o = c:parse({}) print(o.a)",
    "a switch's help": (
        "local c = torch.CmdLine() c:option('-a', false, TEXT) local o = c:parse({}) print(o.a)"
    ),
    "an argument": "local c = torch.CmdLine() c:argument(TEXT, TEXT) local o = c:parse({'x'}) print(o)",
    "a text of the help": "local c = torch.CmdLine() c:text(TEXT) local o = c:parse({})",
    "lapp": "local opt = lapp(TEXT)",
    "lapp's option": "local opt = lapp('  --a (default ' .. TEXT .. ') help')",
    "lapp's default": "local opt = lapp(LAPP)",
    "a class": "local C = torch.class(TEXT) function C:__init() end print(torch.typename(C()))",
    "a class with a parent": (
        "local C, parent = torch.class(TEXT, 'nn.Module') function C:updateOutput(x) return x end"
    ),
    "a parent": "local C, parent = torch.class('CNUMBER', TEXT) function C:__init() end",
    "a class of nn": "local C = torch.class('nn.' .. TEXT, 'nn.Module')",
    "a type asked for": "print(torch.type(1) == TEXT, torch.isTypeOf(torch.ones(1), TEXT))",
    "a tensor's type": "print(torch.ones(1):type(TEXT))",
    "the default type": "torch.setdefaulttensortype(TEXT)",
    "a factory": "print(torch.factory(TEXT))",
    "a field of an object": "local m = nn.Linear(1, 1) m[TEXT] = TEXT print(m[TEXT])",
    "a method by its name": "local m = nn.Linear(1, 1) print(m[TEXT](m, 1))",
    "a layer by its name": "local m = nn[TEXT](1, 1)",
    "an activation's mode": (
        "local m = nn.Sequential():add(nn.WeightNorm(nn.Linear(1, 1), "
        "TEXT)):add(nn.SpatialUpSamplingBilinear(TEXT))"
    ),
    "an optimizer": "local m = optim[TEXT]",
    "a logger": "local l = optim.Logger(TEXT) l:setNames{TEXT, 'b'} l:style{TEXT, '-'}",
    "a logger's entry": "local l = optim.Logger('a') l:add{[TEXT] = 1}",
    "a confusion matrix": "local c = optim.ConfusionMatrix({TEXT, 'b'}) print(c)",
    "a node": (
        "local a = nn.Identity()() local b = nn.Linear(2, 2)(a):annotate{name = TEXT, description = "
        "TEXT} local g = nn.gModule({a}, {b}) print(g:forward(torch.ones(2)):size(1))"
    ),
    "a checked argument": (
        "local f = argcheck{{name = TEXT, type = 'number', help = TEXT, default = 1}, call = "
        "function(x) return x end} print(f())"
    ),
    "a documented function": (
        "local f = argcheck{doc = TEXT, {name = 'x', type = 'number'}, call = function(x) return x end} "
        "print(f(1))"
    ),
    "documentation": "argcheck.doc(TEXT)",
    "JSON": "print(cjson.decode(TEXT)) print(cjson.encode(TEXT))",
    "a picture": "local i = image.load(TEXT, 3, TEXT) image.save(TEXT, i)",
    "a picture's mode": "local i = image.scale(torch.ones(3, 4, 4), 2, 2, TEXT) print(i:size())",
    "a convolution's mode": "print(torch.conv2(torch.ones(3, 3), torch.ones(2, 2), TEXT))",
    "an HDF5 file": "local f = hdf5.open(TEXT, TEXT) f:write(TEXT, torch.ones(1)) print(f:read(TEXT):all())",
    "a color": "print(c[TEXT]('x'), sys.COLORS[TEXT])",
    "eigenvalues": "print(torch.symeig(torch.ones(2, 2), TEXT, TEXT))",
    "tostring": "print(tostring(TEXT), tonumber(TEXT), type(TEXT))",
    "a return": "local function f() return TEXT end print(f())",
    "a default": "local function f(x) x = x or TEXT return x end print(f())",
    "collected garbage": "collectgarbage(TEXT)",
    "a global by its name": "_G[TEXT] = 1 print(_G[TEXT], rawget(_G, TEXT))",
    "a metatable": (
        "setmetatable({}, {[TEXT] = function() return 1 end, __index = function(t, k) return k .. TEXT end})"
    ),
    "an exit": "if false then os.exit(TEXT) end",
    "a tester": "local t = torch.Tester() t:add(function() t:assert(true, TEXT) end, TEXT) t:run()",
    "a table of functions": "local t = {[TEXT] = function() return 1 end} print(t[TEXT]())",
    "tds": "local h = tds.Hash() h[TEXT] = TEXT print(h[TEXT])",
    "an unknown function": "print(whatever(TEXT))",
    "a comment behind": "print(1) --COMMENT",
    "a comment before": "--COMMENT\nprint(1)",
    "a comment in a table": "local t = {1, --COMMENT\n 2}\nprint(#t)",
    "a long comment": "--[==[LONG]==] print(1)",
    "a comment in a function": (
        "local function fNUMBER()\n --COMMENT\n return 1 --COMMENT\n end print(fNUMBER())"
    ),
    "a comment on a criterion": (
        "local c = nn.MSECriterion() --COMMENT\nprint(c:forward(torch.ones(1), torch.ones(1)))"
    ),
    "a comment on a layer": (
        "local m = nn.Sequential()\nm:add(nn.Linear(1, 1)) --COMMENT\nprint(m:forward(torch.ones(1)):size(1))"
    ),
}
HEAD = (
    "require 'torch' require 'nn' require 'nngraph' require 'optim' require 'image' "
    "local argcheck = require 'argcheck' "
    "local cjson = require 'cjson' local hdf5 = require 'hdf5' local lapp = require 'pl.lapp' "
    "local stringx = require 'pl.stringx' local tds = require 'tds' local paths = require 'paths' "
    "local c = require 'trepl.colorize'\n"
)


def statement(pattern: str, text: str, number: int) -> str:
    line = text.replace("\n", " ").replace("\r", " ")
    found = pattern.replace("TEXT", lua(text)).replace("NUMBER", str(number)).replace("COMMENT", line)
    found = found.replace("LONG", text.replace("]==]", "")).replace("TEMPLATE", lua("%1" + text))
    return found.replace("DASHED", lua("-" + text)).replace("LAPP", lua(f"  --a (default '{text}') {text}"))


def pages(program: str, file: str = "file.lua") -> list[str]:
    source = program.encode("latin1")
    native = translate_script(source, file)
    others = [
        text for page, text in native.modules.items() if page != page_library.FILE
    ]  # which is always the same
    return [native.code, *others]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("place", STATEMENTS)
def test_a_text_in_a_program_stays_one(place: str) -> None:
    blocks = [f"do\n{statement(STATEMENTS[place], text, n)}\nend" for n, text in enumerate(PAYLOADS, 1)]
    for page in pages(HEAD + "\n".join(blocks)):
        assert is_free_of_payloads(page)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("place", list(STATEMENTS)[::-1])
def test_a_text_at_the_level_of_a_page_stays_one(place: str) -> None:
    """Alone, a statement is often written otherwise: as a constant, a class or a function of the page."""
    for n, text in enumerate(PAYLOADS[n] for n in (0, 2, 4, 16, 30)):
        source = (HEAD + statement(STATEMENTS[place], text, n)).encode("latin1")
        assert is_free_of_payloads(translate_script(source, "file.lua").code)


@pytest.mark.parametrize("comment", ["--", "-- ", "--[==[\n", "#!"])
def test_a_comment_at_the_top_becomes_a_docstring_and_no_code(comment: str) -> None:
    for text in PAYLOADS:
        end = "\n]==]" if "[==[" in comment else ""
        line = text.replace("]==]", "") if end else text.replace("\n", " ").replace("\r", " ")
        for page in pages(f"{comment}{line}{end}\nprint(1)"):
            assert is_free_of_payloads(page)


FILES = [text for text in map(decoded, PAYLOADS) if "\0" not in text and "/" not in text]


def test_a_name_of_a_file_stays_one(tmp_path: Path) -> None:
    tmp_path.joinpath("part.lua").write_text("return 1")
    for text in FILES[::3]:
        path = tmp_path / f"{text}.lua"
        path.write_text("require 'nn' local p = require 'part'\nprint(nn.Linear(1, 1), whatever.x, p)")
        page = torch7py.to_pytorch(path, verify=False)
        modules = modules_of(page.modules)
        assert all(is_free_of_payloads(code, modules) for code in [page.code, *page.modules.values()])


def test_a_name_of_a_required_file_stays_one(tmp_path: Path) -> None:
    for text in FILES[::2]:
        tmp_path.joinpath(f"{text}.lua").write_text("local M = {} function M.f() return 1 end return M")
        program = (
            f"local m = require({lua(text.encode().decode('latin1'))})\nprint(m.f())\nlocal n = dofile(TEXT)"
        )
        program = program.replace("TEXT", lua(f"{text}.lua".encode().decode("latin1")))
        path = tmp_path / "main.lua"
        path.write_bytes(program.encode("latin1"))
        page = torch7py.to_pytorch(path, verify=False)
        modules = modules_of(page.modules)
        assert all(is_free_of_payloads(code, modules) for code in [page.code, *page.modules.values()])


def test_a_name_of_a_file_with_a_model_stays_one(tmp_path: Path) -> None:
    for text in FILES:
        path = tmp_path / f"{text}.t7"
        torch7py.save(nn.Linear(2, 2), path)
        assert is_free_of_payloads(torch7py.to_pytorch(path).code)


def test_a_text_in_a_model_stays_one(tmp_path: Path) -> None:
    """Keys of tables with models, and fields of layers, some of them arguments of their constructors."""
    for text in PAYLOADS:
        model = nn.Sequential().add(nn.Linear(2, 2)).add(nn.Tanh())
        model.set_field(text, text)
        model.set_field("name", text)
        for child in model.child_list():
            child.set_field("label", text)
            child.set_field(text, text)
        path = tmp_path / "models.t7"
        torch7py.save({text: model, f"{text}2": {text: nn.MSECriterion()}, "other": nn.Linear(1, 1)}, path)
        assert is_free_of_payloads(torch7py.to_pytorch(path).code)


# Python's literals that a page has for texts in these statements are the texts.
PRINTED = ["a string", "a local", "a global", "a concatenation", "a return", "a default", "tostring"]


@pytest.mark.parametrize("place", PRINTED)
def test_a_text_that_a_page_prints_is_as_it_was(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = [f"do\n{statement(STATEMENTS[place], text, n)}\nend" for n, text in enumerate(PAYLOADS, 1)]
    native = translate_script("\n".join(blocks).encode("latin1"), "file.lua")
    assert not native.problems
    namespace: dict[str, Any] = {"__name__": "page"}
    run_page(native.code, "file.py", namespace)
    namespace["main"]()
    written = capsys.readouterr().out
    for text in PAYLOADS:
        assert decoded(text) in written


# What the writer of texts itself gives


@together("text", [*PAYLOADS, *WIDE])
def test_a_literal_says_the_text(text: str) -> None:
    assert ast.literal_eval(quoted(text)) == ast.literal_eval(raw(text)) == text
    assert ast.literal_eval(quoted(text, ascii_only=True)) == text
    assert quoted(text, ascii_only=True).isascii()
    assert len(quoted(text).splitlines()) == 1


@together("text", [*PAYLOADS, *WIDE])
def test_a_comment_is_one_line_and_a_docstring_one_text(text: str) -> None:
    assert ast.dump(ast.parse(f"{comment(text)}\nx")) == ast.dump(ast.parse("x"))
    assert len(comment(text).splitlines()) == 1
    (only,) = ast.parse(docstring(text)).body
    assert isinstance(only, ast.Expr)
    assert isinstance(only.value, ast.Constant)
    # three quotes are written as others, and tabulators as spaces
    assert only.value.value == text.replace('"' * 3, "'" * 3).expandtabs()


@together("expression", ["x", "d['a']", 'd["a"]', 'd["it\'s"]', "{'a': x}['a']", "d['#']", "str(x)!s"])
@together("text", [*PAYLOADS, *WIDE])
def test_an_f_string_says_its_texts_and_values(text: str, expression: str) -> None:
    names = {"x": "1", "d": {"a": "1", "it's": "1", "#": "1"}}
    written = f_string([text, (expression, ""), text, text, (expression, ">3")])
    assert eval(written, names) == f"{text}1{text}{text}  1"


@together("text", [*PAYLOADS, *WIDE, "", "class", "1a", "__class__", "\u00bdx", "\uff42"])
def test_what_is_made_a_name_is_one(text: str) -> None:
    assert identifier(text).isascii()
    assert identifier(text).isidentifier()
    for made in (native_name, attribute_name):
        assert is_name(made(text))
    assert value_name(text) == "" or is_name(value_name(text))


# What stands in a page that the translator would not write is found


@pytest.mark.parametrize(
    "page",
    [
        "import shutil",
        "import os.path as p\np.os.system('x')",
        "from os import system",
        "import os\nos.execv('a', [])",
        "import os as o\no.fork()",
        "import sys\nsys.modules",
        "import torch\ntorch.hub.load('a', 'b')",
        "import torch\ntorch.utils.cpp_extension.load('a', [])",
        "import torch\ntorch._C",
        "from torch import hub",
        "from torch.utils import cpp_extension",
        "import importlib",
        "from . import x",
        "eval('1')",
        "exec('1')",
        "compile('1', '', 'exec')",
        "__import__('os')",
        "f'{__import__(1)}'",
        "x = globals()",
        "breakpoint()",
        "().__class__.__bases__",
        "getattr((), '__class__')",
        "print.__self__",
        "def __getattr__(name): pass",
        "class __class__: pass",
        "f(__class__=1)",
        "x = 1\n  y",
        "x = '\0'",
    ],
)
def test_what_the_translator_does_not_write_is_an_error(page: str) -> None:
    with pytest.raises(ForeignCode):
        checked_tree(page, "page.py")


@pytest.mark.parametrize(
    "name", ["eval", "exec", "compile", "__import__", "globals", "breakpoint", "delattr", "exit"]
)
def test_a_function_of_python_is_none_of_lua(name: str) -> None:
    """A global that nobody has made is nil, whatever Python has under its name."""
    for use in (f"{name}('x')", f"print({name})", f"local f = {name} f('x')", f"pcall({name}, 'x')"):
        native = translate_script(use.encode(), "file.lua")
        used = {node.id for node in ast.walk(ast.parse(native.code)) if isinstance(node, ast.Name)}
        assert native.problems or name not in used


# The sources of the translator

SOURCES = sorted(Path(translate.__file__).parent.rglob("*.py"))
WRITER = "quoting.py"  # which alone puts quotes around texts
# What a page makes of texts when it runs.
PAGES_TEXTS = (("page_library", "text.py"), ("helpers", "programs.py"))


def texts_of(node: ast.AST) -> list[str | None]:
    """What an expression puts together, None for each text that is not written out; empty for other expressions."""
    if isinstance(node, ast.JoinedStr):
        return [part for value in node.values for part in texts_of(value) or [None]]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = texts_of(node.left), texts_of(node.right)
        return [*(left or [None]), *(right or [None])] if left or right else []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return filled(node.left, "%s")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "format":
            return filled(node.func.value, "{}")
        if node.func.attr == "join":
            between = texts_of(node.func.value)
            return [None, *between, None] if between else []
    return []


def filled(pattern: ast.AST, mark: str) -> list[str | None]:
    if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str):
        return []
    first, *rest = pattern.value.split(mark)
    return [first, *(part for text in rest for part in (None, text))]


def is_by_hand(texts: list[str | None]) -> bool:
    """Whether a text that is put into others stands within quotes, or behind ``#``."""
    before, quote = "", ""
    for number, text in enumerate(texts):
        if text is None:
            behind = next((text for text in texts[number + 1 :] if text), "")
            if quote or behind[:1] == '"' or re.search(r"(^|\s)#[ -]*\Z", before):
                return True
            before += "x"
            continue
        for char in text:
            if char == quote:
                quote = ""
            elif not quote and (char == '"' or (char == "'" and not before[-1:].isalnum())):
                quote = char
            before += char
            if char == "\n" and quote == "'":
                quote = ""
    return False


def by_hand(source: str) -> Iterator[int]:
    """The lines on which a text gets quotes, or is put behind ``#``."""
    for node in ast.walk(ast.parse(source)):
        if is_by_hand(texts_of(node)):
            yield node.lineno  # type: ignore[attr-defined]


@together("path", SOURCES, ids=lambda path: path.relative_to(SOURCES[0].parent).as_posix())
def test_no_text_gets_quotes_by_hand(path: Path) -> None:
    if path.name != WRITER and path.parts[-2:] not in PAGES_TEXTS:
        assert list(by_hand(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        """f'"{x}"'""",
        """f"'{x}"\n""",
        """f"# {x}\"""",
        """f"x  # {x}\"""",
        """'"' + x""",
        """"'" + x""",
        """f'\"\"\"{x}'""",
        """'"%s"' % x""",
        """'"{}"'.format(x)""",
        """'", "'.join(x)""",
        """f'"what {x} says"'""",
        """f"g('{x} and more')\"""",
    ],
)
def test_quotes_by_hand_are_found(source: str) -> None:
    assert list(by_hand(source))


def test_nothing_runs_before_it_has_been_looked_at() -> None:
    """Only these run a page, of which one takes the statements of a checked tree, or the port that a user names."""
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("exec", "eval", "compile")
            ):
                found.add((path.name, node.func.id))
    assert found == {
        ("checked_code.py", "exec"),
        ("checked_code.py", "compile"),
        ("page.py", "exec"),
        ("page.py", "compile"),
        ("run.py", "exec"),
        ("run.py", "compile"),
    }
