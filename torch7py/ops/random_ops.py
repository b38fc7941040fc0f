"""The random functions of the torch package: ``torch.uniform``, ``x:uniform``, ``torch.rand``, seeds and states.

Each takes an optional torch.Generator first; the default is the program's. The numbers are drawn in ``ops/random``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from torch7py.ops import memory, state, types
from torch7py.ops.create import creation
from torch7py.ops.errors import ArgumentError
from torch7py.ops.mersenne import Generator
from torch7py.ops.one_writer import agreed
from torch7py.ops.random import check, choose, fill, scalar
from torch7py.ops.registry import Form, operation, operations, torch_class
from torch7py.ops.support import restricted

__all__: list[str] = []

T = torch.Tensor

torch_class("torch.Generator")(Generator)
operation(
    "torch.Generator.new",
    "",
    Form.FUNCTION,
    returns="object",
    about="A stream of random words of its own, seeded by the system: a Mersenne Twister (Matsumoto, Nishimura, 1998).",
)(Generator)


def _or_default(generator: Generator | None) -> Generator:
    return state.current().generator if generator is None else generator


# -- distributions -----------------------------------------------------------------------------------------


def _distribution(
    name: str, parameters: str, number: Callable[..., float], elements: Callable[..., T], about: str = ""
) -> None:
    """``torch.name([gen,] ...)`` gives a number, ``x:name([gen,] ...)`` fills x."""

    def draw(generator: Generator | None, *arguments: float) -> float:
        return number(_or_default(generator), *arguments)

    def draw_all(x: T, generator: Generator | None, *arguments: float) -> None:
        check.not_half(x, name)
        elements(_or_default(generator), x, *arguments)

    form = None if name in operations else Form.INPLACE
    operation(name, f"generator:generator=None {parameters}", form, returns="value", about=about)(draw)
    operation(name, f"x:T generator:generator=None {parameters}", inplace=draw_all)(_never)


def _never(*arguments: Any) -> Any:
    raise AssertionError("this operation changes its first argument")


_distribution(
    "uniform",
    "a:number=0 b:number=1",
    scalar.uniform,
    fill.uniform,
    "Numbers from ``a`` to below ``b``, all as likely.",
)
_distribution(
    "normal",
    "mean:number=0 stdv:number=1",
    scalar.normal,
    fill.normal,
    "Normal numbers, two of two uniform ones (Box and Muller, 1958); the second one is kept for the next call. "
    "``stdv`` must be above 0.",
)
_distribution(
    "logNormal",
    "mean:number=1 stdv:number=2",
    scalar.log_normal,
    fill.log_normal,
    "The exponential of a normal number of this mean and standard deviation.",
)
_distribution(
    "cauchy",
    "median:number=0 sigma:number=1",
    scalar.cauchy,
    fill.cauchy,
    "Numbers of the Cauchy distribution: ``median + sigma * tan(pi * (u - 0.5))`` of a uniform u.",
)
_distribution(
    "exponential",
    "rate:number",
    scalar.exponential,
    fill.exponential,
    "Numbers of the exponential distribution: ``-log(1 - u) / rate`` of a uniform u.",
)
_distribution(
    "geometric",
    "p:number",
    scalar.geometric,
    fill.geometric,
    "Whole numbers from 1, i with probability ``(1 - p) * p^(i - 1)``. ``p`` must be between 0 and 1.",
)
_distribution(
    "bernoulli",
    "p:number=0.5",
    scalar.bernoulli,
    fill.bernoulli,
    "1 with probability ``p``, else 0. ``p`` may be a tensor of probabilities, one for each element.",
)
_distribution(
    "random",
    "a:number b:number",
    scalar.random,
    fill.random,
    "Whole numbers from ``a`` to ``b``, or from 1 to ``b``, both included; without bounds from 0 to 2^32 - 1, or as "
    "far as the tensor's type holds every whole number.",
)
_distribution("random", "b:number", scalar.random, fill.random)
_distribution("random", "", scalar.random, fill.random)


def _bernoulli_by_element(x: T, generator: Generator | None, p: T) -> None:
    check.not_half(x, "bernoulli")
    fill.bernoulli(_or_default(generator), x, p)


operation("bernoulli", "x:T generator:generator=None p:any", inplace=_bernoulli_by_element)(_never)

# -- new tensors -------------------------------------------------------------------------------------------


@creation("rand", "generator:generator=None sizes:sizes")
def _rand(out: T, generator: Generator | None, sizes: tuple[int, ...]) -> None:
    """``torch.rand([out,] [gen,] sizes...)``: uniform numbers from [0, 1)."""
    check.not_half(out, "uniform")
    memory.resize(out, sizes)
    fill.uniform(_or_default(generator), out)


@creation("randn", "generator:generator=None sizes:sizes")
def _randn(out: T, generator: Generator | None, sizes: tuple[int, ...]) -> None:
    """``torch.randn([out,] [gen,] sizes...)``: normal numbers."""
    check.not_half(out, "normal")
    memory.resize(out, sizes)
    fill.normal(_or_default(generator), out)


@creation("randperm", "generator:generator=None n:number")
def _randperm(out: T, generator: Generator | None, n: float) -> None:
    """``torch.randperm([out,] [gen,] n)``: the numbers 1 to n in random order."""
    memory.write(out, choose.randperm(_or_default(generator), n, out.dtype))


@operation("multinomial", "generator:generator=None p:any n:number replacement:bool=False", Form.QUERY)
def _multinomial(generator: Generator | None, p: T, n: float, replacement: bool) -> T:
    """``torch.multinomial([indices,] [gen,] p, n [, replacement])``: n categories by probability."""
    return choose.multinomial(_or_default(generator), p, n, replacement)


@operation("multinomialAliasSetup", "p:any state:list=None", Form.FUNCTION, returns="object")
def _alias_setup(p: T, tables: list[Any] | None) -> list[Any]:
    """``torch.multinomialAliasSetup(p [, state])``: the two tables for multinomialAlias, in a Lua table.

    The categories in the first are counted from 1, in cutorch's from 0.
    """
    if tables is None:
        return list(_alias_setup_raw(p, None, None))
    tables[:2] = _alias_setup_raw(p, *[*tables, None, None][:2])
    return tables


@operation("multinomialAlias", "out:Long generator:generator=None state:list", Form.FUNCTION, returns="view")
def _alias_draw(out: T, generator: Generator | None, tables: list[Any]) -> T:
    """``torch.multinomialAlias(out, state)``: fills a LongTensor with categories."""
    if len(tables) != 2 or not all(isinstance(table, T) for table in tables):
        raise ArgumentError("multinomialAlias: expected what torch.multinomialAliasSetup returned")
    alias = tables[0] + 1 if types.of(tables[0]).is_cuda else tables[0]
    memory.copy(out, choose.alias_draw(_or_default(generator), out.numel(), alias, tables[1]))
    return out


for _name in ("torch.multinomialAlias", "torch.multinomialAlias_", "torch.Tensor:multinomialAlias_"):
    restricted(_name, "an alias that is the first category counts; the original took it for none")


@operation("multinomialAliasSetup_", "p:any alias:Long=None stay:any=None", Form.METHOD, returns="multi")
def _alias_setup_raw(p: T, alias: T | None, stay: T | None) -> tuple[T, T]:
    """``torch.multinomialAliasSetup_(p [, alias, stay])``: the two tables, in tensors passed for them."""
    tables = choose.alias_setup(p)
    if stay is not None and stay.dtype != p.dtype:
        raise ArgumentError("multinomialAliasSetup_: the probabilities of staying are of another type than p")
    first, second = (
        torch.empty(0, dtype=t.dtype, device=t.device) if g is None else g
        for t, g in zip(tables, (alias, stay), strict=True)
    )
    memory.write(first, tables[0] - 1 if types.of(p).is_cuda else tables[0])
    memory.write(second, tables[1])
    return first, second


@operation(
    "multinomialAlias_",
    "out:Long generator:generator=None alias:Long stay:any",
    Form.METHOD,
    returns="view",
)
def _alias_draw_raw(out: T, generator: Generator | None, alias: T, stay: T) -> T:
    """``torch.multinomialAlias_(out, alias, stay)``: ``multinomialAlias`` with the two tables apart."""
    return _alias_draw(out, generator, [alias, stay])


# -- seeds and states --------------------------------------------------------------------------------------


@operation("manualSeed", "generator:generator=None seed:number", Form.FUNCTION, returns="value")
def _manual_seed(generator: Generator | None, seed: float) -> None:
    """``torch.manualSeed([gen,] seed)``: begin the stream that belongs to this seed."""
    _or_default(generator).manual_seed(seed)


def _seed(generator: Generator | None) -> int:
    seeded = _or_default(generator)
    seeded.manual_seed(agreed("torch.seed", seeded.seed()))
    return seeded.initial_seed()


operation(
    "seed",
    "generator:generator=None",
    Form.FUNCTION,
    returns="value",
    about="Seed the generator with a number that the system gives, and return that.",
)(_seed)
operation(
    "initialSeed",
    "generator:generator=None",
    Form.FUNCTION,
    returns="value",
    about="The number that the generator was last seeded with.",
)(lambda g: _or_default(g).initial_seed())


@operation("getRNGState", "generator:generator=None", Form.FUNCTION)
def _get_state(generator: Generator | None) -> T:
    """``torch.getRNGState([gen])``: the generator in a ByteTensor of 5048."""
    return torch.tensor(list(_or_default(generator).get_state()), dtype=torch.uint8)


@operation("getRNGState", "generator:generator=None out:Byte", returns="view")
def _get_state_into(generator: Generator | None, out: T) -> T:
    """``torch.getRNGState([gen,] out)``: the state in an existing ByteTensor."""
    memory.write(out, _get_state(generator))
    return out


@operation("setRNGState", "generator:generator=None saved:Byte", Form.FUNCTION, returns="view")
def _set_state(generator: Generator | None, saved: T) -> T:
    """``torch.setRNGState([gen,] saved)``: go on where the saved generator was."""
    _or_default(generator).set_state(bytes(saved.cpu().flatten().tolist()))
    return saved
