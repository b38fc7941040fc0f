"""Elementwise operations on expanded tensors: place by place in their order, as the original went through them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.ops import all as all_operations  # noqa: F401  (registers them)
from torch7py.ops.registry import Form, operations

INTEGERS = ("bit", "cbit", "lshift", "rshift", "clshift", "crshift")

CASES = [
    (operation.name, [parameter.kind for parameter in case.parameters[1:]])
    for operation in operations.values()
    if operation.form in (Form.UPDATE, Form.INPLACE)
    for case in operation.cases
    if case.elementwise
]

# In turn: an expanded tensor; and, for each place in order, a tensor of that element alone.
PROGRAM = """
local name, kinds, kind = ...
local function tensor(...) return torch[kind](...) end
local others = {}
for i = 1, 3 do others[i] = tensor(2, 3, 2):copy(torch.Tensor(2, 3, 2):uniform(1, 3)) end
local function arguments(pick)
   local made, n = {}, 0
   for i, k in ipairs(kinds) do
      if k == 'like' then
         n = n + 1
         made[i] = pick(others[n])
      else
         made[i] = name == 'clamp' and i + 0.25 or 1.5
      end
   end
   return unpack(made)
end
local start = tensor(1, 3, 1):copy(torch.Tensor{1.25, 2.5, 3.75})
local once = start:clone()
local x = once:expand(2, 3, 2)
x[name](x, arguments(function(t) return t end))
local by_hand = start:clone()
for i = 1, 2 do
   for j = 1, 3 do
      for k = 1, 2 do
         local element = by_hand[{{1, 1}, {j, j}, {1, 1}}]
         element[name](element, arguments(function(t) return t[{{i, i}, {j, j}, {k, k}}]:clone() end))
      end
   end
end
return once, by_hand
"""


@pytest.fixture(scope="module")
def torch7() -> Iterator[Runtime]:
    with Runtime(seed=1) as runtime:
        runtime.execute(f"in_order = function(...) {PROGRAM} end")
        yield runtime


def run(runtime: Runtime, name: str, kinds: list[str], kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    listed = ", ".join(f"'{k}'" for k in kinds)
    answer: tuple[torch.Tensor, torch.Tensor] = runtime.execute(
        f"return in_order('{name}', {{{listed}}}, '{kind}')"
    )
    return answer


@pytest.mark.parametrize(("name", "kinds"), CASES, ids=[f"{name}-{'-'.join(kinds)}" for name, kinds in CASES])
def test_in_order(torch7: Runtime, name: str, kinds: list[str]) -> None:
    kind = "IntTensor" if name.startswith(INTEGERS) else "DoubleTensor"
    expanded, by_hand = run(torch7, name, kinds, kind)
    torch.testing.assert_close(expanded, by_hand, rtol=1e-14, atol=0, equal_nan=True)


@pytest.mark.parametrize("kind", ["FloatTensor", "IntTensor", "ByteTensor"])
@pytest.mark.parametrize("kinds", [["real"], ["like"], ["real", "like"]])
def test_types(torch7: Runtime, kind: str, kinds: list[str]) -> None:
    expanded, by_hand = run(torch7, "add", kinds, kind)
    assert torch.equal(expanded, by_hand)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x:expand(3, 4):add(1)", [5, 6, 7]),
        ("x:expand(3, 4):mul(2)", [16, 32, 48]),
        ("x:expand(3, 4):add(2, torch.range(1, 12):view(3, 4))", [21, 54, 87]),
        # the tensor itself: each place doubles
        ("x:expand(3, 4):add(x:expand(3, 4))", [16, 32, 48]),
        ("torch.add(x:expand(3, 4), x:expand(3, 4), 1)", [5, 6, 7]),
        # another tensor is the source: the last place stays
        ("torch.add(x:expand(3, 4), torch.range(1, 12):view(3, 4), 1)", [5, 9, 13]),
        ("torch.cumsum(x:expand(3, 4), torch.ones(3, 4), 2)", [4, 4, 4]),
        ("torch.mm(x:expand(3, 4), torch.ones(3, 2), torch.range(1, 8):view(2, 4))", [12, 12, 12]),
        # a dimension of one place is none; views and larger storages
        ("x:expand(3, 1):add(1)", [2, 3, 4]),
        ("x:expand(3, 4):narrow(2, 2, 3):add(1)", [4, 5, 6]),
        ("x:expand(3, 4):t():add(1)", [5, 6, 7]),
        ("x:narrow(1, 2, 1):expand(5, 2):add(1)", [1, 12, 3]),
        ("x:narrow(1, 1, 2):expand(2, 300):add(1)", [301, 302, 3]),
    ],
)
def test_by_hand(torch7: Runtime, source: str, expected: list[float]) -> None:
    torch7.execute(f"x = torch.Tensor{{{{1}}, {{2}}, {{3}}}} {source}")
    assert torch7.globals["x"].view(-1).tolist() == expected


# -- by index and mask ---------------------------------------------------------------------------------------

SIZES = (2, 3, 2)
PLACES = list(itertools.product(*map(range, SIZES)))
NUMBERS = torch.sin(torch.arange(60.0, dtype=torch.float64))


def after(torch7: Runtime, call: str, **values: torch.Tensor) -> list[float]:
    """The three elements of a tensor after a call of it expanded to SIZES."""
    for name, value in values.items():
        torch7.globals[name] = value
    torch7.execute(f"x = torch.Tensor{{1, 2, 3}}:view(1, 3, 1) x:expand(2, 3, 2):{call}")
    elements: list[float] = torch7.globals["x"].view(-1).tolist()
    return elements


@pytest.mark.parametrize("seed", range(4))
def test_masks(torch7: Runtime, seed: int) -> None:
    mask = torch.rand(SIZES, generator=torch.Generator().manual_seed(seed)) < 0.3
    filled, copied, numbers = [1.0, 2, 3], [1.0, 2, 3], iter(NUMBERS.tolist())
    for place in PLACES:
        if mask[place]:
            filled[place[1]] = 9
            copied[place[1]] = next(numbers)
    assert after(torch7, "maskedFill(m, 9)", m=mask.byte()) == filled
    assert after(torch7, "maskedCopy(m, n)", m=mask.byte(), n=NUMBERS) == copied


@pytest.mark.parametrize("dim", range(3))
def test_rows(torch7: Runtime, dim: int) -> None:
    """Row after row, and in each place after place."""
    index = [1, 0, 1] if dim != 1 else [2, 0, 2]
    sizes = [*SIZES[:dim], 3, *SIZES[dim + 1 :]]
    rows = NUMBERS[: torch.Size(sizes).numel()].view(sizes)
    copied, added, filled = [1.0, 2, 3], [1.0, 2, 3], [1.0, 2, 3]
    for n, row in enumerate(index):
        for place in itertools.product(*map(range, (*SIZES[:dim], *SIZES[dim + 1 :]))):
            element = (*place[:dim], row, *place[dim:])[1]
            line = (*place[:dim], n, *place[dim:])
            value = rows[line].item()
            copied[element], filled[element] = value, 9
            added[element] += value
    numbers = torch.tensor(index) + 1
    assert after(torch7, f"indexCopy({dim + 1}, i, r)", i=numbers, r=rows) == copied
    assert after(torch7, f"indexFill({dim + 1}, i, 9)", i=numbers) == filled
    assert after(torch7, f"indexAdd({dim + 1}, i, r)", i=numbers, r=rows) == pytest.approx(added, rel=1e-14)


@pytest.mark.parametrize("dim", range(3))
def test_scatter(torch7: Runtime, dim: int) -> None:
    sizes = [*SIZES[:dim], 2, *SIZES[dim + 1 :]]
    index = (torch.arange(torch.Size(sizes).numel()) * 5 % 7 % SIZES[dim]).view(sizes)
    source = NUMBERS[: index.numel()].view(sizes)
    put, filled = [1.0, 2, 3], [1.0, 2, 3]
    for place in itertools.product(*map(range, (*SIZES[:dim], *SIZES[dim + 1 :]))):
        for n in range(2):
            line = (*place[:dim], n, *place[dim:])
            element = (*place[:dim], int(index[line]), *place[dim:])[1]
            put[element], filled[element] = source[line].item(), 9
    assert after(torch7, f"scatter({dim + 1}, i, s)", i=index + 1, s=source) == put
    assert after(torch7, f"scatter({dim + 1}, i, 9)", i=index + 1) == filled


def test_vectors_and_errors(torch7: Runtime) -> None:
    torch7.execute("x = torch.Tensor{5} x:expand(4):indexFill(1, torch.LongTensor{3}, 7)")
    assert torch7.globals["x"].tolist() == [7]
    torch7.execute("x:expand(4)[torch.ByteTensor{0, 1, 1, 0}] = torch.Tensor{8, 9}")
    assert torch7.globals["x"].tolist() == [9]
    with pytest.raises(LuaError, match="index 5 out of range of dimension 1 of size 4"):
        torch7.execute("x:expand(4):indexFill(1, torch.LongTensor{5}, 7)")
    assert torch7.globals["x"].tolist() == [9]


@pytest.mark.parametrize("draw", ["uniform()", "normal()", "random()", "bernoulli(0.5)", "geometric(0.3)"])
def test_random_numbers(torch7: Runtime, draw: str) -> None:
    """A number is drawn for each place; the last one stays, and the stream goes on behind all of them."""
    torch7.execute(f"torch.manualSeed(7) x = torch.zeros(3, 1) x:expand(3, 4):{draw} after = torch.random()")
    torch7.execute(f"torch.manualSeed(7) y = torch.zeros(3, 4):{draw} expected = torch.random()")
    found = torch7.globals
    assert torch.equal(found["x"].view(-1), found["y"][:, 3])
    assert found["after"] == found["expected"]


MATRIX = "torch.DoubleTensor{{1, 2}, {3, 4}, {5, 6}}"
INDEX = "torch.LongTensor{{1, 1, 1, 3}, {2, 2, 2, 1}, {3, 3, 3, 2}}"
WIDE = "torch.DoubleTensor{{1, 0, 2, 1}, {0, 1, 1, 3}}"  # MATRIX * WIDE ends its rows with 7, 15, 23


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        # a copy takes the product, and the last place of each element stays
        (f"addmm({MATRIX}, {WIDE})", [8, 17, 26]),
        (f"addmm(10, 2, {MATRIX}, {WIDE})", [24, 50, 76]),
        (f"addmm(0, 1, {MATRIX}, {WIDE})", [7, 15, 23]),
        ("addbmm(10, 2, torch.ones(2, 3, 2), torch.ones(2, 2, 4))", [18, 28, 38]),
        ("index(torch.range(1, 12):view(3, 4), 1, torch.LongTensor{3, 2, 1})", [12, 8, 4]),
        ("index(torch.range(1, 12):view(3, 4), 2, torch.LongTensor{4, 1, 1, 3})", [3, 7, 11]),
        (f"gather(torch.range(1, 12):view(3, 4), 1, {INDEX})", [12, 4, 8]),
        ("cat(torch.zeros(3, 2), torch.range(1, 6):view(3, 2), 2)", [2, 4, 6]),
    ],
)
def test_products_and_copies(torch7: Runtime, call: str, expected: list[float]) -> None:
    torch7.execute(f"x = torch.Tensor{{{{1}}, {{2}}, {{3}}}} x:expand(3, 4):{call}")
    assert torch7.globals["x"].view(-1).tolist() == expected


def test_batches_of_one_matrix(torch7: Runtime) -> None:
    """Each product is added to what the last one has left, scaled each time."""
    torch7.execute(
        "x = torch.Tensor{{{1, 2}, {3, 4}}} x:expand(3, 2, 2):baddbmm(2, 1, torch.ones(3, 2, 2), torch.ones(3, 2, 2))"
    )
    by_hand = torch.tensor([[1.0, 2], [3, 4]])
    for _ in range(3):
        by_hand = 2 * by_hand + 2
    assert torch7.globals["x"].view(-1).tolist() == by_hand.view(-1).tolist()


def test_vectors_of_one_element(torch7: Runtime) -> None:
    torch7.execute(f"x = torch.Tensor{{5}} x:expand(3):addmv(2, 10, {MATRIX}, torch.Tensor{{1, 0}})")
    assert torch7.globals["x"].tolist() == [((5 * 2 + 10) * 2 + 30) * 2 + 50]
    torch7.execute(f"x:fill(5) x:expand(3):addmv(0, 10, {MATRIX}, torch.Tensor{{1, 0}})")
    assert torch7.globals["x"].tolist() == [50]
    columns = f"torch.Tensor(3, 2):t():contiguous():t():copy({MATRIX})"
    torch7.execute(f"x:fill(5) x:expand(3):addmv({columns}, torch.Tensor{{1, 1}})")
    assert torch7.globals["x"].tolist() == [5 + 3 + 7 + 11]
    with pytest.raises(LuaError, match="by columns"):
        torch7.execute(f"x:expand(3):addmv(2, 1, {columns}, torch.Tensor{{1, 1}})")
    torch7.execute(
        f"n = torch.IntTensor{{5}} "
        f"n:expand(3):addmv(2, 1, {MATRIX}:int():t():contiguous():t(), torch.IntTensor{{1, 1}})"
    )
    assert torch7.globals["n"].tolist() == [5 * 8 + 3 + 7 + 11]


def test_outer_products(torch7: Runtime) -> None:
    """A BLAS takes no matrix whose rows are one; whole numbers are added by the original's own loop."""
    torch7.execute("a, b = torch.Tensor{1, 2, 3}, torch.Tensor{1, 10, 100, 1000}")
    torch7.execute("x = torch.Tensor{{1}, {2}, {3}}")
    with pytest.raises(LuaError, match="dense rows or columns"):
        torch7.execute("x:expand(3, 4):addr(a, b)")
    assert torch7.globals["x"].view(-1).tolist() == [1, 2, 3]
    torch7.execute("n = torch.IntTensor{{1}, {2}, {3}} n:expand(3, 4):addr(2, 1, a:int(), b:int())")
    assert torch7.globals["n"].view(-1).tolist() == [16 + 1111, 32 + 2222, 48 + 3333]
    # with gaps a copy takes the product: scaled four times, and the last place stays
    torch7.execute("g = torch.Tensor{{1, 7}, {2, 8}, {3, 9}} g:narrow(2, 1, 1):expand(3, 4):addr(2, 1, a, b)")
    assert torch7.globals["g"].tolist() == [[16 + 1000, 7], [32 + 2000, 8], [48 + 3000, 9]]


def test_wrong_sizes_change_nothing(torch7: Runtime) -> None:
    torch7.execute("x = torch.Tensor{{1}, {2}, {3}}")
    with pytest.raises(LuaError, match=r"x.lua:1: .*inconsistent tensor size"):
        torch7.execute("x:expand(3, 4):add(torch.ones(5))", "@x.lua")
    with pytest.raises(LuaError, match=r"x.lua:1: .*size mismatch"):
        torch7.execute("x:expand(3, 4):addmm(torch.ones(3, 2), torch.ones(2, 5))", "@x.lua")
    assert torch7.globals["x"].view(-1).tolist() == [1, 2, 3]


def test_division_by_zero_changes_nothing(torch7: Runtime) -> None:
    torch7.execute("x = torch.IntTensor(3, 1):fill(5)")
    with pytest.raises(LuaError, match=r"x.lua:1: "):
        torch7.execute("x:expand(3, 4):div(0)", "@x.lua")
    assert torch7.globals["x"].view(-1).tolist() == [5, 5, 5]
