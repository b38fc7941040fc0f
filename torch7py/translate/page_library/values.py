"""Tables, calls, numbers and truth."""

from __future__ import annotations

import inspect
import io
import itertools
import keyword
import math
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

# Tables and objects


class Storage(torch.Tensor):
    """A vector that is all of the memory that tensors lie in: its length is a number."""

    def __format__(self, form: str) -> str:
        return format(self.item() if self.dim() == 0 else self.as_subclass(torch.Tensor), form)


def attribute(value: Any, name: Any) -> str:
    """The attribute that a field of an object is. What has no such fields is an error."""
    owner = value if inspect.isclass(value) else type(value)
    plain = isinstance(value, (bool, int, float, str, list, tuple, torch.Tensor))
    if value is None or plain or inspect.isroutine(value) or owner.__module__.startswith("torch."):
        raise TypeError(f"the field {name!r} of {'nil' if value is None else owner.__name__}")
    if not isinstance(name, str):
        raise NotInPage(f"an object of {owner.__name__} has names for fields, and not {name!r}")
    if owner.__module__ == "argparse":
        return name  # an option, whose name is Lua's
    name = name[1:] if name.startswith("__") else name
    if isinstance(value, nn.Module) and hasattr(nn.Module, name):
        return f"{name}_"
    return f"{name}_" if keyword.iskeyword(name) else name


def places_in(x: torch.Tensor, key: Any) -> Any:
    """Places in a tensor, counted from 1, or a mask, as an index of PyTorch."""
    if isinstance(key, torch.Tensor):
        return key.bool()
    if not isinstance(key, (list, dict)):
        return index_along(x, 0, key)
    result: list[int | slice] = []
    for dim, part in enumerate(items_of(key)):
        ends = items_of(part) if isinstance(part, (list, dict)) else [part]
        if ends:
            first, last = index_along(x, dim, ends[0]), index_along(x, dim, ends[-1])
            if first > last:
                raise IndexError(f"from place {first + 1} to place {last + 1}")
            result.append(slice(first, last + 1) if isinstance(part, (list, dict)) else first)
        else:
            result.append(slice(None))
    return tuple(result)


def index_along(x: torch.Tensor, dim: int, position: Any) -> int:
    """A place along a dimension, counted from 1, or from -1 back from the end."""
    at = int(position) - 1 if position > 0 else int(position) + x.shape[dim]
    if isinstance(position, bool) or position == 0 or not 0 <= at < x.shape[dim]:
        raise IndexError(f"place {position} of {x.shape[dim]}")
    return at


def items_of(table: Any) -> list[Any]:
    """The items 1, 2, 3, ... of a table, up to the first that is missing."""
    if isinstance(table, dict):
        return [table[position] for position in range(1, length(table) + 1)]
    if not isinstance(table, (list, tuple, nn.ModuleList)):
        raise TypeError(f"a table is needed, and no {type(table).__name__}")
    return list(table)


def listed(value: Any) -> Any:
    """A table of items alone as a list; other values as they are."""
    is_list = isinstance(value, dict) and value and all(i in value for i in range(1, len(value) + 1))
    return items_of(value) if is_list else value


def index(table: Any, key: Any) -> Any:
    """``table[key]``: what is not there is None, and one element of a tensor is a number."""
    if isinstance(table, dict):
        return None if isinstance(key, (list, dict)) else table.get(key)  # no list is a key of a dict
    if isinstance(table, (list, tuple, nn.ModuleList)):
        in_range = isinstance(key, (int, float)) and 1 <= key <= len(table) and key == int(key)
        return table[int(key) - 1] if in_range else None
    if isinstance(table, torch.Tensor):
        if isinstance(key, str):
            if hasattr(table, key):
                raise TypeError(f"{key} of a tensor as a value")
            return None  # where a table would have a field of that name
        part = table[places_in(table, key)]
        return part.item() if part.dim() == 0 else part
    if isinstance(table, nn.Module) and not hasattr(table, "updateOutput"):
        return field_of_layer(table, key)
    items = getattr(type(table), "__getitem__", None)
    if not isinstance(key, str) and inspect.isfunction(items):  # of a class of the program's
        return call(items, table, key)
    result = getattr(table, attribute(table, key), None)
    if key == "new" and result is None and inspect.isclass(table):
        return table  # which makes objects as it does
    if key in ("weight", "gradWeight") and result is not None and getattr(table, "_is_turned", False):
        return weight_in_torch7(result)
    return result.__func__ if inspect.ismethod(result) else result


def global_function(functions: dict[str, Any], name: Any) -> Any:
    """``_G[name]`` of these functions of a program; of other globals nothing is known."""
    if name not in functions:
        raise TypeError(f"the global {name!r}, which is no function of the program")
    return functions[name]


def weight_in_torch7(weight: torch.Tensor) -> torch.Tensor:
    """The same numbers as Torch7 has them, of a weight with its last two dimensions turned about."""
    return weight.detach().mT.flatten(1)


# What Torch7 calls the layers of which a page has PyTorch's modules and classes of its own, by the names of these; None
# where one has several names. And whether their weights lie as they do in Torch7.
LAYERS: dict[str, tuple[str | None, bool]] = {
    "OnDevice": ("nn.GPU", True),
    "Copied": ("nn.Copy", False),
    "Padded": ("nn.Padding", False),
}
# Layers of PyTorch's of which this holds in every page.
ALIKE = (nn.Linear, nn.Embedding, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
# The sizes of what goes over pictures: an attribute, and the place in it.
SIZES = {
    f"{begin}{end}": (kept, place)
    for begin, kept in (("k", "kernel_size"), ("d", "stride"), ("pad", "padding"))
    for end, place in (("W", 1), ("H", 0))
}
# And the numbers of planes.
COUNTS_OF_PLANES = {"nInputPlane": "in_channels", "nOutputPlane": "out_channels"}


def field_of_layer(layer: nn.Module, name: Any) -> Any:
    """A field of a layer that a page has a module of PyTorch's for, or a class around one.

    It is a weight or its gradient, or what the program has given the layer.
    """
    known = LAYERS.get(type(layer).__name__)
    if name in ("weight", "bias", "gradWeight", "gradBias"):
        inside = list(layer.children())
        held = inside[0] if len(inside) == 1 and not isinstance(layer, ALIKE) and known is None else layer
        if isinstance(held, ALIKE) or (known is not None and known[1]):
            weight = getattr(held, name.removeprefix("grad").lower(), None)
            if weight is None or name in ("weight", "bias"):
                return weight if weight is None else weight.data
            weight.grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
            return weight.grad
    elif name in COUNTS_OF_PLANES and hasattr(layer, COUNTS_OF_PLANES[name]):
        return getattr(layer, COUNTS_OF_PLANES[name])
    elif name in SIZES and hasattr(layer, "kernel_size"):
        kept, place = SIZES[name]
        size = getattr(layer, kept)
        return size[place] if isinstance(size, tuple) else size
    elif type(layer).__module__.startswith("torch."):
        if name in ("forwardnodes", "backwardnodes"):
            return None  # which is no graph
        if name in vars(layer) and name != "training" and name not in getattr(layer, "__constants__", ()):
            return vars(layer)[name]
    elif name not in ("backwardnodes", "forwardnodes", "gradInput", "modules", "output", "train") or hasattr(
        layer, name
    ):
        return getattr(layer, attribute(layer, name), None)
    raise NotInPage(f"the field {name!r} of {type(layer).__name__}")


# What Torch7's layers and criterions compute by, in fields that a program may set.
SETTINGS = frozenset(
    "K affine alpha beta ceil_mode count_include_pad dH dT dW dilationH dilationW dim dimension eps index"
    " inplace k kH kT kW lambda length margin maxNorm max_val min_val mode momentum nInputDims negval norm normType"
    " numInputDims p pad padH padW padding paddingValue power scale sigma size sizeAverage squeeze stochasticInference"
    " th threshold v v1 v2 val value weights".split()
)
# Methods of Torch7's modules that PyTorch's never call.
METHODS = frozenset(
    """accGradParameters accUpdateGradParameters backward evaluate forward getParameters parameters training
    updateGradInput updateOutput updateParameters zeroGradParameters""".split()
)
# Fields that they have in other words.
OF_MODULES = frozenset("bias gradBias gradInput gradWeight modules output train weight".split())


def store(table: Any, key: Any, value: Any) -> None:
    """``table[key] = value``: behind the last item of a list it is one more, and None takes the last one away."""
    if isinstance(table, dict):
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
    elif isinstance(table, (list, nn.ModuleList)):
        position = int(key) if isinstance(key, (int, float)) and key == int(key) else 0
        if value is None and 0 < position == len(table):
            table.pop(position - 1)
        elif value is not None and position == len(table) + 1:
            table.append(value)
        elif value is not None and 1 <= position <= len(table):
            table[position - 1] = value
        elif value is not None or 1 <= position <= len(table):
            raise NotInPage(f"a list of {len(table)} items cannot have {value!r:.40} at {key!r}")
    elif isinstance(table, torch.Tensor):
        places = places_in(table, key)
        table[places] = value.reshape(table[places].shape) if isinstance(value, torch.Tensor) else value
    else:
        if isinstance(table, nn.Module) and not hasattr(table, "NAME"):
            own = type(table).__module__.startswith("torch.")
            if key in METHODS or (own and (key in SETTINGS or hasattr(nn.Module, key) or key in OF_MODULES)):
                raise NotInPage(f"{key} of {type(table).__name__} is set")
            if own:
                object.__setattr__(table, key, value)  # a module that is kept there is no part of this
                return
        setattr(table, attribute(table, key), value)


def length(value: Any) -> Any:
    """``#value``: the items of a table, the bytes of a text, the sizes of a tensor."""
    if isinstance(value, dict):
        border = getattr(value, "border", None)  # of a table of the library's
        count = border() if border else next(i for i in itertools.count() if value.get(i + 1) is None)
        if len(value) > count and any(
            isinstance(key, (int, float)) and key > count for key, _ in value.items()
        ):
            raise NotInPage("the length of a table with holes")  # in Lua it hangs on how the table was made
        return count
    if isinstance(value, torch.Tensor) and not isinstance(value, Storage):
        return value.shape
    if isinstance(value, nn.Module) and getattr(value, "modules_", None) is not None:
        return len(items_of(value.modules_))
    return len(value.encode()) if isinstance(value, str) else len(value)


def pairs(table: Any, *_: Any) -> Iterator[tuple[Any, Any]]:
    """``pairs(table)``: places first, then names in their order, then other keys as they came in."""
    if isinstance(table, (list, tuple, nn.ModuleList)):
        yield from enumerate(list(table), 1)
        return
    entries = (
        table if isinstance(table, dict) else {key: v for key, v in vars(table).items() if v is not None}
    )
    if isinstance(table, (nn.Module, Package)):
        raise NotInPage("pairs over a layer or a package")
    keys = [key for key, _ in entries.items()]
    numbers = sorted(key for key in keys if isinstance(key, (int, float)) and not isinstance(key, bool))
    names = sorted(key for key in keys if isinstance(key, str))
    others = [key for key in keys if isinstance(key, bool) or not isinstance(key, (int, float, str))]
    for key in (*numbers, *names, *others):
        if entries.get(key) is not None:
            yield key, entries[key]


def ipairs(table: Any, *_: Any) -> Iterator[tuple[int, Any]]:
    """``ipairs(table)``: the places 1, 2, 3, ... up to the first that is empty."""
    for position in itertools.count(1):
        value = index(table, position)
        if value is None:
            return
        yield position, value


def iterate(function: Any, state: Any = None, first: Any = None, *, names: int) -> Iterator[Any]:
    """The turns of ``for a, b in function, state, first``: its values, for so many names, until the first is None."""
    if not callable(function):  # pairs and ipairs give what can be gone through
        for entry in function:
            values = entry if isinstance(entry, tuple) else (entry,)
            yield values[0] if names == 1 else (*values, *[None] * names)[:names]
        return
    while True:
        values = (*call_all(function, state, first), *[None] * names)[:names]
        if values[0] is None:
            return
        first = values[0]
        yield values[0] if names == 1 else values


# Calls


def call_all(function: Any, *args: Any) -> tuple[Any, ...]:
    """All values that ``function(...)`` gives: it drops what it does not take, and what it is not given is None."""
    if not callable(function):
        raise TypeError(f"a call of {function!r:.60}")
    if hasattr(type(function), "called_by_lua"):  # a module that is an object
        return (function.called_by_lua(*args),)
    arguments: list[Any] = list(args)
    if inspect.isfunction(function) or inspect.ismethod(function) or inspect.isclass(function):
        parameters = [
            parameter
            for parameter in inspect.signature(function).parameters.values()
            if parameter.kind is not parameter.KEYWORD_ONLY
        ]
        if not any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
            needed = sum(parameter.default is parameter.empty for parameter in parameters)
            arguments = [*args[: len(parameters)], *[None] * (needed - len(args))]
    result = function(*arguments)
    return result if type(result) is tuple else (result,)


def call(function: Any, *args: Any) -> Any:
    """The first value that ``function(...)`` gives."""
    return (*call_all(function, *args), None)[0]


# What stands for Torch7's constructors where they are values, each one thing.
CONSTRUCTORS: dict[str, Callable[..., Any]] = {}


def constructor(name: str, makers: dict[int, Callable[..., Any]]) -> Callable[..., Any]:
    """A constructor as a value: what it makes of each number of arguments, as far as a page knows."""

    def made(*args: Any) -> Any:
        while args and args[-1] is None:
            args = args[:-1]
        if len(args) not in makers:
            raise NotInPage(f"{len(args)} arguments of {name}, called by another name")
        return makers[len(args)](*args)

    return CONSTRUCTORS.setdefault(name, made)


def factory(kind: Any) -> Callable[[], Any]:
    """``torch.factory(name)``, which makes an object of the class without calling its constructor."""
    return lambda: kind.__new__(kind)


class Package:
    """A package of Lua's as a value, such as nn: what a page has of it, and what the program puts there."""

    type_in_lua = "table"

    def __getattr__(self, name: str) -> Any:
        raise NotInPage(f"{name} of a package that is a value")


PACKAGES: dict[str, Package] = {}


def package(name: str, entries: dict[str, Any]) -> Package:
    """The package of a name, one thing wherever it is named. ``entries``: what the page that asks has of it."""
    one = PACKAGES.setdefault(name, Package())
    vars(one).update({key: value for key, value in entries.items() if key not in vars(one)})
    return one


def required(name: Any, packages: dict[str, Any]) -> Any:
    """``require(name)`` of a name that the program computes: one of the packages that the page has."""
    if name not in packages:
        raise NotInPage(f"the package or file {name!r}")
    return packages[name]


def count(first: Any, last: Any, step: Any = 1) -> Iterator[Any]:
    """The numbers of ``for i = first, last, step``."""
    at, end, by = number_of(first), number_of(last), number_of(step)
    while at <= end if by > 0 else at >= end:
        yield at
        at += by


def truth(value: Any) -> bool:
    """Whether a value counts as true: all but nil and false do."""
    return value is not None and value is not False


def first_of(values: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    """So many values of a call; those that it does not give are None."""
    return (*values, *[None] * count)[:count]


def handed_on(values: tuple[Any, ...]) -> Any:
    """All values of a call that a function has at its end: one by itself, others as a tuple."""
    return values[0] if len(values) == 1 else values


def values_from(which: Any, *values: Any) -> tuple[Any, ...]:
    """``select(which, ...)``: the values from a place on, or how many there are."""
    if which == "#":
        return (len(values),)
    if not -len(values) <= which or which == 0:
        raise IndexError(f"value {which} of {len(values)}")
    return values[int(which) - 1 if which > 0 else int(which) :]


def value_from(which: Any, *values: Any) -> Any:
    """The first value of ``select(which, ...)``."""
    return (*values_from(which, *values), None)[0]


def no_values(_: Any) -> tuple[Any, ...]:
    """The values of a call that gives none, which a page has as None."""
    return ()


def sole(values: tuple[Any, ...]) -> Any:
    """The value of a call at the end of a list, where the page takes one: more are an error here."""
    if len(values) > 1:
        raise NotInPage(f"{len(values)} values of a call at the end of a list")
    return values[0] if values else None


# Numbers, text and truth


def like(x: Any, other: Any) -> Any:
    """A tensor's elements in the shape of another one, as Torch7 takes them; numbers as they are."""
    both = isinstance(x, torch.Tensor) and isinstance(other, torch.Tensor)
    return other.reshape(x.shape) if both and other.shape != x.shape else other


def to_number(value: Any, base: Any = 10) -> Any:
    """``tonumber(value, base)``: None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = str(text_of(value)).strip(" \t\n\v\f\r").lower()
    if base not in (None, 10):
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[: int(base)]
        text = text.removeprefix("0x") if base == 16 else text
        if not re.fullmatch(f"-?[{digits}]+", text):
            return None
        number = int(text, int(base))  # of 64 bits without a sign, as C's strtoul reads it
        return float(number % 2**64) if number < 0 else number
    if not isinstance(value, str):
        return value
    if re.fullmatch(r"[+-]?(0x[0-9a-f]+|0b[01]+)", text):
        return int(text, 0)
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(inf|nan|infinity)", text):
        return float(text)
    return float.fromhex(text) if re.fullmatch(r"[+-]?0x[0-9a-f]*\.?[0-9a-f]*(p[+-]?\d+)?", text) else None


def number_of(value: Any) -> Any:
    """An operand of arithmetic: a text is the number that it says."""
    number = to_number(value) if isinstance(value, str) else value
    if number is None or isinstance(number, (bool, list, dict, tuple)) or inspect.isroutine(number):
        raise TypeError(f"arithmetic on a {type_of(value)}")
    return number


def operands(a: Any, b: Any) -> tuple[Any, Any]:
    """Operands of arithmetic: truth values of a tensor are 0 and 1, and beside whole elements a number is cut off."""
    both = [x.byte() if getattr(x, "dtype", None) == torch.bool else x for x in map(number_of, (a, b))]
    if any(isinstance(x, torch.Tensor) and not x.is_floating_point() for x in both):
        both = [int(x) if isinstance(x, float) else x for x in both]
    return both[0], both[1]


def add(a: Any, b: Any) -> Any:
    """``a + b``: of tensors element by element, in the shape of the first."""
    a, b = operands(a, b)
    return a + like(a, b)


def subtract(a: Any, b: Any) -> Any:
    """``a - b``"""
    a, b = operands(a, b)
    return a - like(a, b)


def multiply(a: Any, b: Any) -> Any:
    """``a * b``: of two vectors their dot product, of matrices the product of matrices."""
    a, b = operands(a, b)
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        product = a @ b
        return product.item() if product.dim() == 0 else product
    return a * b


def divide(a: Any, b: Any) -> Any:
    """``a / b``, which is infinite or not a number where b is 0."""
    a, b = operands(a, b)
    if isinstance(b, torch.Tensor):
        raise TypeError("a tensor behind /")
    if isinstance(a, torch.Tensor) and not a.is_floating_point():
        return a.div(b, rounding_mode="trunc")
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and b == 0:
        return a * math.copysign(math.inf, b)
    return a / b


def modulo(a: Any, b: Any) -> Any:
    """``a % b``"""
    a, b = number_of(a), number_of(b)
    if isinstance(a, torch.Tensor) or isinstance(b, torch.Tensor):
        raise NotInPage("% of a tensor")
    quotient = a / b if b else math.nan
    return a - math.floor(quotient) * b if math.isfinite(quotient) else math.nan


def power(a: Any, b: Any) -> Any:
    """``a ^ b``, which is infinite or not a number where Python has an error."""
    a, b = number_of(a), number_of(b)
    if isinstance(a, torch.Tensor) or isinstance(b, torch.Tensor):
        raise NotInPage("^ of a tensor")
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:
        return math.nan if a else math.inf


def equal(a: Any, b: Any) -> bool:
    """``a == b``: a table, a tensor or an object is only equal to itself."""
    if isinstance(a, (int, float, str)) and isinstance(b, (int, float, str)):
        return a == b and isinstance(a, bool) == isinstance(b, bool)
    return a is b


def text_of(value: Any) -> Any:
    """``tostring(value)`` of a number, a text, None or a truth value."""
    if isinstance(value, torch.Tensor) and value.dim() == 0:  # of a criterion, which gives numbers in Torch7
        value = value.item()
    if value is None or isinstance(value, bool):
        return "nil" if value is None else str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value:.14g}"
    return value if isinstance(value, str) else str(value)


def type_of(value: Any) -> str:
    """``type(value)``: modules and objects are tables, tensors userdata."""
    if value is None or isinstance(value, bool):
        return "nil" if value is None else "boolean"
    if isinstance(value, (int, float, str)):
        return "string" if isinstance(value, str) else "number"
    if isinstance(value, (torch.Tensor, torch.Size, io.IOBase)):
        return "userdata"
    return "function" if inspect.isroutine(value) else getattr(type(value), "type_in_lua", "table")


def is_a(value: Any, name: str) -> bool:
    """``torch.type(value) == name`` for the types of Lua itself: an object of a class of Torch7 is no table then."""
    if name == "table":
        return isinstance(value, (list, dict, tuple)) and not isinstance(value, torch.Size)
    return type_of(value) == name


def concatenate(table: Any, separator: str = "", first: int = 1, last: int | None = None) -> str:
    """``table.concat(table, separator, first, last)``"""
    items = items_of(table)[int(first) - 1 : None if last is None else int(last)]
    if not all(isinstance(item, (int, float, str)) for item in items):
        raise TypeError("table.concat of something else than text and numbers")
    return separator.join(text_of(item) for item in items)


def insert(table: Any, *args: Any) -> None:
    """``table.insert(table, place, value)``: without a place at the end."""
    count = len(items_of(table))
    position, value = (count + 1, *args) if len(args) == 1 else args[:2]
    if isinstance(table, list):
        if not 1 <= position <= count + 1 or value is None:
            raise NotInPage(f"a list of {count} items cannot have {value!r:.40} at {position!r}")
        table.insert(int(position) - 1, value)
        return
    for above in range(count, int(position) - 1, -1):
        table[above + 1] = table[above]
    store(table, int(position), value)


def remove(table: Any, position: float | None = None) -> Any:
    """``table.remove(table, place)``: the item, or None where there is none; without a place the last one."""
    count = len(items_of(table))
    at = count if position is None else int(position)
    if not 1 <= at <= count:
        return None
    if isinstance(table, list):
        return table.pop(at - 1)
    taken = table[at]
    for below in range(at, count):
        table[below] = table[below + 1]
    del table[count]
    return taken


def sort_table(quicksort: Callable[..., None], table: Any, before: Any = None) -> None:
    """``table.sort(table, before)`` by Lua's quicksort, which the page has."""

    def less(one: Any, other: Any) -> bool:
        kinds = {type_of(one), type_of(other)}
        if kinds in ({"number"}, {"string"}):
            return bool(one < other)
        raise TypeError(f"a comparison of {one!r:.40} with {other!r:.40}")

    items = list(items_of(table))
    quicksort(items, less if before is None else lambda one, other: truth(call(before, one, other)))
    for place, item in enumerate(items, 1):
        store(table, place, item)


def unpack(table: Any, first: int = 1, last: int | None = None) -> tuple[Any, ...]:
    """``unpack(table, first, last)``"""
    end = len(items_of(table)) if last is None else int(last)
    return tuple(index(table, position) for position in range(int(first), end + 1))


def math_function_all(name: str, *args: Any) -> tuple[Any, ...]:
    """All values of ``math.name(...)`` of numbers, or of texts that say some."""
    numbers = [float(number_of(value)) for value in args]
    if name in ("max", "min") and any(math.isnan(number) for number in numbers):
        raise TypeError(f"math.{name} of what is no number")
    result = OF_NUMBERS[name](*numbers)
    every = result if isinstance(result, tuple) else (result,)
    return tuple(int(x) if x and math.isfinite(x) and x == int(x) else x for x in every)


def math_function(name: str, *args: Any) -> Any:
    """The first value of ``math.name(...)``."""
    return math_function_all(name, *args)[0]


def print_values(*values: Any) -> None:
    """``print(...)``"""
    plain = (bool, int, float)
    is_scalar = [isinstance(value, torch.Tensor) and value.dim() == 0 for value in values]
    texts = [
        text_of(value) if alone or value is None or isinstance(value, plain) else value
        for value, alone in zip(values, is_scalar, strict=True)
    ]
    print(*texts, sep="\t")  # tensors and tables by what is in them, objects by their own texts


def write_values(*values: Any) -> Any:
    """``io.write(...)``, which gives the file."""
    print(*map(text_of, values), sep="", end="")
    return sys.stdout


def table_of(*values: Any) -> list[Any]:
    """``{...}`` with all values of a call: a list of them, without what is None at its end."""
    count = max((position for position, value in enumerate(values, 1) if value is not None), default=0)
    if any(value is None for value in values[:count]):
        raise NotInPage("a list with nil in it")
    return list(values[:count])


class NotInPage(BaseException):
    """What Lua could do there, and the page cannot: no ``pcall`` takes that for an error of the program's own."""


class RaisedValue(Exception):
    """An error that is no text: what ``error`` was given."""


def error(message: Any = None, *_: Any) -> Any:
    """``error(message)``, where a value is wanted."""
    if isinstance(message, (str, int, float)):
        raise RuntimeError(text_of(message))
    raise RaisedValue(message)


def pcall(function: Any, *args: Any) -> tuple[Any, ...]:
    """``pcall(function, ...)``: whether it goes well, and its values or what the error says."""
    try:
        return (True, *call_all(function, *args))
    except RaisedValue as raised:
        return False, raised.args[0]
    except Exception as problem:  # noqa: BLE001
        return False, str(problem)


OF_NUMBERS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "ceil": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "frexp": math.frexp,
    "fmod": math.fmod,
    "ldexp": lambda a, exponent: math.ldexp(a, int(exponent)),
    "max": lambda *numbers: max(numbers),
    "min": lambda *numbers: min(numbers),
    "modf": lambda number: math.modf(number)[::-1],
    "pow": power,
    "sin": math.sin,
    "tan": math.tan,
    "tanh": math.tanh,
}
