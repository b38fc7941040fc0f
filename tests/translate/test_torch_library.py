"""Tensors, storages, modules, criterions and torch's functions, in each form in which a program uses a value.

What a page gives is compared with what the program gives. The functions and methods are those of the registers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

import torch7py.ops.all  # noqa: F401  (registers the operations)
from tests.translate.shown_values import are_same, in_page, in_runtime
from tests.translate.test_every_operation import NAMES, calls_of
from tests.translate.test_lua_library import FORMS
from torch7py.bridge.errors import LuaError
from torch7py.nn.original_methods import original_methods
from torch7py.ops.registry import operations
from torch7py.translate.native.program import translate_script

# What a call uses is made before it.
MAKING = {
    "x": "local x = torch.Tensor{{4, 1, 2}, {1, 3, 0.5}, {2, 0.5, 5}}",
    "y": "local y = torch.Tensor{{1, 0.5, 2}, {2, 1, 0.25}, {3, 1, 2}}",
    "v": "local v = torch.Tensor{1.5, -2, 0.25, 3}",
    "u": "local u = torch.Tensor{1, 2, 3}",
    "r": "local r = torch.zeros(3, 3)",
    "w": "local w = torch.range(1, 12):resize(2, 2, 3)",
    "rows": "local rows = torch.LongTensor{2, 1}",
    "places": "local places = torch.LongTensor{{1, 2, 3}, {3, 1, 2}, {2, 2, 1}}",
    "mask": "local mask = torch.ByteTensor{{1, 0, 1}, {0, 1, 0}, {0, 0, 1}}",
    "long": "local long = torch.LongTensor{{4, 1, 2}, {1, 3, 5}, {2, 6, 5}}",
    "sizes": "local sizes = torch.LongStorage{3, 3}",
    "numbers": "local numbers = torch.DoubleStorage{1.5, 2, 3}",
    "m": "local m = nn.Linear(3, 2) m.weight:fill(0.5) m.bias:fill(0.25)",
    "net": "local net = nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh()) "
    "net:get(1).weight:fill(0.5) net:get(1).bias:fill(0)",
    "c": "local c = nn.MSECriterion()",
}
# Arguments of methods that need some.
ARGUMENTS = {
    "accGradParameters": "x, {0}:forward(x)",
    "add": "nn.Tanh()",
    "apply": "function(part) end",
    "backward": "x, {0}:forward(x)",
    "findModules": "'nn.Linear'",
    "forward": "x",
    "get": "1",
    "insert": "nn.Identity(), 1",
    "replace": "function(part) return part end",
    "updateGradInput": "x, {0}:forward(x)",
    "updateOutput": "x",
    "updateParameters": "0.1",
}
OF_CRITERION = {"backward": "u, u", "forward": "u, u", "updateGradInput": "u, u", "updateOutput": "u, u"}
OF_STORAGE = {"copy": "numbers", "fill": "2", "resize": "2"}
# Calls beside those of the registers.
OTHERS = """
#x
x[1]
x[1][2]
x[{1, 2}]
x[{{}, 2}]
x + 1
-x
x * u
x:apply(function(e) return e * 2 end)
x:storage():size()
x:size():totable()
torch.type(x)
torch.typename(x)
torch.isTensor(x)
torch.isTensor(sizes)
torch.isStorage(numbers)
torch.isTypeOf(m, 'nn.Module')
torch.type(sizes)
torch.type(numbers)
torch.type(m)
torch.LongTensor{1, 2}
torch.LongStorage{2, 3}
torch.DoubleStorage{2, 3}
torch.IntStorage(2):fill(0)
#sizes
#numbers
sizes[2]
m.weight
m.gradWeight
m.name
#m:parameters()
#net.modules
net:get(1).bias
nn.Linear(3, 2):size()
torch.type(net:get(1))
torch.isTypeOf(net:get(1), 'nn.Linear')
torch.isTypeOf(c, 'nn.Criterion')
nn.ClassNLLCriterion():forward(u, 2)
nn.CAddTable():forward({x, x})
paths.basename('a/b.txt', 'txt')
paths.dirname('a/b.txt')
paths.extname('a/b.txt')
paths.filep('nothing')
""".strip().split("\n")
# The texts of tensors and modules are PyTorch's in a page, and a list of one item has no second.
SHOWN = {name: form for name, form in FORMS.items() if name not in ("as text",)}
SHOWN["in a list"] = "local l = {{{call}}} print(#l, l[1])"


def _of_operations() -> Iterator[str]:
    for name in NAMES:
        calls = dict.fromkeys(calls_of(operations[name]))
        functions = [call for call in calls if call.startswith("torch.")]
        yield from [*functions[:2], *[call for call in calls if call not in functions][:1]]


def _methods(receiver: str, classes: str, arguments: dict[str, str]) -> Iterator[str]:
    names = {name for owner in classes.split() for name in original_methods()[owner]}
    for name in sorted(names):
        if not name.startswith("__"):
            yield f"{receiver}:{name}({arguments.get(name, '').format(receiver)})"


def _of_storages() -> Iterator[str]:
    for name in sorted(operations):
        if name.startswith("Storage.") and not name.removeprefix("Storage.").startswith("_"):
            method = name.removeprefix("Storage.")
            yield f"numbers:{method}({OF_STORAGE.get(method, '')})"
            yield f"sizes:{method}({OF_STORAGE.get(method, '')})"


CALLS = [
    *OTHERS,
    *_of_operations(),
    *_of_storages(),
    *_methods("m", "nn.Module", ARGUMENTS),
    *_methods("net", "nn.Container nn.Sequential", ARGUMENTS),
    *_methods("c", "nn.Criterion", OF_CRITERION),
]


def programs(call: str) -> Iterator[tuple[str, str]]:
    named = re.fullmatch(r"([a-z]\w*\.\w+)\(([^()]*)\)", call)
    names = set(re.findall(r"\w+", call))
    packages = [
        name for name in ("nn", "paths") if name in names or (name == "nn" and names & {"m", "net", "c"})
    ]
    lines = [f"require '{package}'" for package in ("torch", *packages)]
    lines += [line for name, line in MAKING.items() if name in names]
    for form, text in SHOWN.items():
        parts = {"call": call}
        if "{function}" in text:
            if named is None or not named[2]:
                continue
            parts = {"function": named[1], "arguments": named[2]}
        elif form == "none" and not call.endswith(")"):
            continue
        yield form, "\n".join([*lines, text.format(**parts), ""])


def outcome(source: str) -> tuple[str, str]:
    """What came of a program's page, and of what kind that is; nothing where the program fails or both are the same."""
    try:
        expected = in_runtime(source)
    except LuaError:
        return "", ""
    if "false\tp.lua:" in expected or "false\tbad argument" in expected:
        return "", ""  # it fails in a protected call, and a page's error says so in other words
    page = translate_script(source.encode(), "p.lua")
    if page.problems:
        return "refused", str(page.problems[0])
    try:
        given = in_page(page)
    except BaseException as error:  # noqa: BLE001  (told below)
        return "fails", f"{type(error).__name__}: {error}"
    return ("", "") if are_same(given, expected) else ("another value", f"{given!r} for {expected!r}")


CASES = [(call, form, source) for call in CALLS for form, source in programs(call)]
# An odd step that takes every form, and every call in time.
SAMPLE = 821
# What pages do not have: factorizations and draws that no program was seen to use, and the numbers of cores. In a
# protected call this is an error of the page's, as one of the program's would be.
MISSING = re.compile(
    r"\b(bhistc|geqrf|getnumcores|initialSeed|match|multinomialAlias\w*|orgqr|ormqr|pstrf|real|setnumthreads|trtrs)\("
    # sizes are no memory in a page; and what memory has besides its elements
    r"|^sizes:(?!size|totable)|^numbers:(free|retain|typeAs)"
)
# What fails in a page where its value cannot do as Lua's would.
FAILS = re.compile(
    r"has not been called|can't be cast|the (method|field) '?\w+'? of |has no attribute|nil or no value"
)


def differences(cases: list[tuple[str, str, str]]) -> list[str]:
    others = []
    for call, form, source in cases:
        kind, why = ("", "") if MISSING.search(call) else outcome(source)
        if kind and not (kind == "fails" and FAILS.search(why)):
            others.append(f"{call}, {form}: {kind}, {why}")
    return others


@pytest.mark.filterwarnings("ignore:An output with one or more elements was resized")
@pytest.mark.parametrize(
    "chosen", [CASES[::SAMPLE], pytest.param(CASES, marks=pytest.mark.slow)], ids=["some", "all"]
)
def test_a_page_gives_what_the_program_gives(chosen: list[tuple[str, str, str]]) -> None:
    assert differences(chosen) == []
