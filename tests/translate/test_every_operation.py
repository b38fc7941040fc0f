"""Every operation of the register, in each of its forms, gives in a page what it gives in the runtime."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from random import Random

import pytest

import torch7py.ops.all  # noqa: F401  (registers the operations)
from tests.translate.running import in_page, in_runtime
from torch7py.bridge.errors import LuaError
from torch7py.ops.registry import Case, Form, Operation, operations
from torch7py.translate.native.program import Native, translate_script

SETTING = """require 'torch'
local v, u = torch.Tensor{1.5, -2, 0.25, 3}, torch.Tensor{1, 2, 3}
local x = torch.Tensor{{4, 1, 2}, {1, 3, 0.5}, {2, 0.5, 5}}
local y = torch.Tensor{{1, 0.5, 2}, {2, 1, 0.25}, {3, 1, 2}}
local r, w = torch.Tensor(3, 3), torch.range(1, 12):resize(2, 2, 3)
local rows, places = torch.LongTensor{2, 1}, torch.LongTensor{{1, 2, 3}, {3, 1, 2}, {2, 2, 1}}
local mask = torch.ByteTensor{{1, 0, 1}, {0, 1, 0}, {0, 0, 1}}
local long = torch.LongTensor{{4, 1, 2}, {1, 3, 5}, {2, 6, 5}}
local sizes = torch.LongStorage{3, 3}
"""
VALUES = {
    "T": ["x", "y", "v", "long", "w", "u"],
    "F": ["x", "v"],
    "any": ["x", "v", "u"],
    "like": ["y", "u"],
    "real": ["2", "0.5"],
    "number": ["0.5", "1"],
    "int": ["1", "2"],
    "index": ["1"],
    "bool": ["true", "false"],
    "sizes": ["3, 3", "2, 6", "sizes", "1, 3"],
    "Long": ["rows", "places"],
    "Byte": ["mask"],
    "string": ["'torch.FloatTensor'"],
}
# What draws random numbers, tells the time or keeps memory, and what makes a tensor of elements that are not set.
# ``histc`` between equal bounds, and ``cat`` of a vector and a matrix, are errors of PyTorch's.
APART = {"cat", "chunk", "free", "histc", "resize", "resizeAs", "retain", "split", "tic", "toc"}
# What pages do not have in all forms: of numbers, all results of a decomposition, the original's own order, and what no
# program was seen to use.
REFUSED_IN_PART = set("atan2 conv2 conv3 lerp pow setnumthreads sub topk xcorr2 xcorr3".split())
REFUSED = set(
    """bhistc geqrf getnumcores initialSeed match multinomialAlias multinomialAliasSetup
    multinomialAliasSetup_ multinomialAlias_ orgqr ormqr pstrf real trtrs""".split()
)


def _arguments(case: Case) -> Iterator[list[str]]:
    choices = [
        [*VALUES[p.kind], *([None] if p.optional else [])] if p.kind in VALUES else [None]
        for p in case.parameters
    ]
    if any(p.kind not in VALUES and not p.optional for p in case.parameters):
        return
    combinations = list(itertools.product(*choices))
    Random(1).shuffle(combinations)
    for combination in combinations[:12]:
        yield list(itertools.takewhile(lambda text: text is not None, combination))  # type: ignore[arg-type]


def calls_of(operation: Operation) -> Iterator[str]:
    """Calls of an operation as a method and as a function, with and without a tensor for the result."""
    name, form = operation.name, operation.form
    for arguments in itertools.chain(*map(_arguments, operation.cases)):
        if form is Form.METHOD and arguments[:1] == arguments[-1:] and len(arguments) > 1:
            continue  # a tensor that is changed by itself is an error of PyTorch's
        if name == "sub" and "sizes" in arguments:
            continue  # the original takes numbers alone
        if operation.has_method and arguments and re.fullmatch(r"[a-z]+", arguments[0]):
            yield f"{arguments[0]}:{name}({', '.join(arguments[1:])})"
        if form in (Form.UPDATE, Form.QUERY, Form.RESULT):
            yield f"r:{name}({', '.join(arguments)})"
            yield f"torch.{name}({', '.join(['r', *arguments])})"
        yield f"torch.{name}({', '.join(arguments)})"


def _statements(call: str) -> str | None:
    """A call, and what shows its results; None where the runtime refuses it."""
    kinds = "print(torch.type(t[i]), torch.isTensor(t[i]) and t[i]:dim())"
    try:
        lines = in_runtime(f"{SETTING}local t = {{{call}}} for i = 1, 3 do {kinds} end").split("\n")
    except LuaError:
        return None
    results = [line.split("\t") for line in lines if not line.startswith("nil")]
    names = ["a", "b", "c"][: len(results)]
    lines = [f"local {', '.join(names)} = {call}" if names else call]
    for name, (kind, dims) in zip(names, results, strict=True):
        if dims in ("false", "0"):
            lines.append(
                f"print(#{name})" if "Storage" in kind else f"print({name})" if dims == "false" else ""
            )
        else:
            lines.append(f"print({name}:type(), {name}:dim(), {name}:size(1))")
            lines.append(f"local e = {name}:contiguous():view(-1) for i = 1, e:size(1) do print(e[i]) end")
    return "\n".join([*lines, "print(x:sum(), v:sum(), y:sum(), places:sum(), w:sum(), long:sum(), u:sum())"])


def _words(text: str) -> list[float | str]:
    return [float(word) if re.fullmatch(r"-?(\d.*|inf|nan)", word) else word for word in text.split()]


def _same(ours: str, theirs: str) -> bool:
    """But for the sign of NaN and one unit of a double: PyTorch's linspace begins at both ends."""
    pairs = zip(_words(ours), _words(theirs), strict=True)
    return all(
        one == other or (isinstance(one, float) and one == pytest.approx(other, rel=1e-13, nan_ok=True))
        for one, other in pairs
    )


def _printed(name: str, page: Native) -> str | None:
    """What a page prints; None where nothing was known of it before, and its library has no such form."""
    try:
        return in_page(page)
    except TypeError as error:
        if name in REFUSED | REFUSED_IN_PART and re.match(rf"(the method |torch\.){name} of a ", str(error)):
            return None
        raise


def _check(name: str, most: int) -> None:
    accepted = translated = 0
    for call in dict.fromkeys(calls_of(operations[name])):
        statements = _statements(call)
        if statements is None:
            continue
        source = f"{SETTING}{statements}\n"
        page = translate_script(source.encode(), "p.lua")
        problems = [str(problem) for problem in page.problems]
        if not problems:
            printed = _printed(name, page)
            if printed is not None:
                assert _same(printed, in_runtime(source)), call
                translated += 1
        elif name not in REFUSED | REFUSED_IN_PART:
            raise AssertionError((call, problems))
        accepted += 1
        if accepted == most:
            break
    assert not accepted or bool(translated) is (name not in REFUSED)


NAMES = sorted(
    name
    for name, operation in operations.items()
    if "." not in name
    and not name.startswith("__")
    and name not in APART
    and not any(
        p.kind in ("generator", "storage", "object") for case in operation.cases for p in case.parameters
    )
)


pytestmark = pytest.mark.filterwarnings("ignore:An output with one or more elements was resized")


@pytest.mark.parametrize("name", NAMES[::18])
def test_some_operations(name: str) -> None:
    _check(name, 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_operation(name: str) -> None:
    _check(name, 12)
