"""What Lua's operations do to values of whatever kind, for pages in which not every kind is known.

A page has numbers, text, truth values and None; tensors; modules; functions; and lists, dicts and objects, which are
Lua's tables. The functions here look at what they are given when the page runs, and take all of these. Places and
dimensions count from 1, as the program counts them. What a value cannot do as Lua's would is an error: a list that is
given a name, a field of a layer of PyTorch.
"""

from __future__ import annotations

import copy
import inspect
import io
import itertools
import keyword
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

# Tables and objects


def attribute(value: Any, name: Any) -> str:
    """The attribute that a field of an object is. What has no such fields is an error."""
    owner = value if inspect.isclass(value) else type(value)
    plain = isinstance(value, (bool, int, float, str, list, tuple, torch.Tensor))
    if value is None or plain or inspect.isroutine(value) or owner.__module__.startswith("torch."):
        raise TypeError(f"the field {name!r} of {'nil' if value is None else owner.__name__}")
    if not isinstance(name, str):
        raise TypeError(f"an object of {owner.__name__} has names for fields, and not {name!r}")
    name = name[1:] if name.startswith("__") else name
    return f"{name}_" if keyword.iskeyword(name) else name


def places_in(x: torch.Tensor, key: Any) -> Any:
    """Places in a tensor, counted from 1, or a mask, as an index of PyTorch."""
    if isinstance(key, torch.Tensor):
        return key.bool()
    if not isinstance(key, (list, dict)):
        return place_in(x, 0, key)
    found: list[int | slice] = []
    for dim, part in enumerate(items_of(key)):
        ends = items_of(part) if isinstance(part, (list, dict)) else [part]
        if ends:
            first, last = place_in(x, dim, ends[0]), place_in(x, dim, ends[-1])
            if first > last:
                raise IndexError(f"from place {first + 1} to place {last + 1}")
            found.append(slice(first, last + 1) if isinstance(part, (list, dict)) else first)
        else:
            found.append(slice(None))
    return tuple(found)


def place_in(x: torch.Tensor, dim: int, place: Any) -> int:
    """A place along a dimension, counted from 1, or from -1 back from the end."""
    at = int(place) - 1 if place > 0 else int(place) + x.shape[dim]
    if isinstance(place, bool) or place == 0 or not 0 <= at < x.shape[dim]:
        raise IndexError(f"place {place} of {x.shape[dim]}")
    return at


def items_of(table: Any) -> list[Any]:
    """The items 1, 2, 3, ... of a table, up to the first that is missing."""
    if isinstance(table, dict):
        return [table[place] for place in range(1, length(table) + 1)]
    if not isinstance(table, (list, tuple)):
        raise TypeError(f"a table is needed, and no {type(table).__name__}")
    return list(table)


def index(table: Any, key: Any) -> Any:
    """``table[key]``: what is not there is None, and one element of a tensor is a number."""
    if isinstance(table, dict):
        return None if isinstance(key, (list, dict)) else table.get(key)  # no list is a key of a dict
    if isinstance(table, (list, tuple)):
        is_place = isinstance(key, (int, float)) and 1 <= key <= len(table) and key == int(key)
        return table[int(key) - 1] if is_place else None
    if isinstance(table, torch.Tensor):
        part = table[places_in(table, key)]
        return part.item() if part.dim() == 0 else part
    found = getattr(table, attribute(table, key), None)
    return found.__func__ if inspect.ismethod(found) else found


def store(table: Any, key: Any, value: Any) -> None:
    """``table[key] = value``: behind the last item of a list it is one more, and None takes the last one away."""
    if isinstance(table, dict):
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
    elif isinstance(table, list):
        place = int(key) if isinstance(key, (int, float)) and key == int(key) else 0
        if value is None and 0 < place == len(table):
            table.pop()
        elif value is not None and place == len(table) + 1:
            table.append(value)
        elif value is not None and 1 <= place <= len(table):
            table[place - 1] = value
        elif value is not None or 1 <= place <= len(table):
            raise TypeError(f"a list of {len(table)} items cannot have {value!r:.40} at {key!r}")
    elif isinstance(table, torch.Tensor):
        places = places_in(table, key)
        table[places] = value.reshape(table[places].shape) if isinstance(value, torch.Tensor) else value
    else:
        setattr(table, attribute(table, key), value)


def length(value: Any) -> Any:
    """``#value``: the items of a table, the bytes of a text, the sizes of a tensor."""
    if isinstance(value, dict):
        count = next(place for place in itertools.count() if value.get(place + 1) is None)
        if any(isinstance(key, (int, float)) and key > count for key in value):
            raise TypeError("the length of a table with holes")  # in Lua it hangs on how the table was made
        return count
    if isinstance(value, torch.Tensor):
        return value.shape
    return len(value.encode()) if isinstance(value, str) else len(value)


def pairs(table: Any) -> Iterator[tuple[Any, Any]]:
    """``pairs(table)``: places first, then names in their order."""
    if isinstance(table, (list, tuple)):
        yield from enumerate(list(table), 1)
        return
    entries = (
        table if isinstance(table, dict) else {key: v for key, v in vars(table).items() if v is not None}
    )
    if isinstance(table, nn.Module) or not all(isinstance(key, (int, float, str)) for key in entries):
        raise TypeError("pairs over keys that have no order")
    yield from sorted(entries.items(), key=lambda entry: (isinstance(entry[0], str), entry[0]))


def ipairs(table: Any) -> Iterator[tuple[int, Any]]:
    """``ipairs(table)``: the places 1, 2, 3, ... up to the first that is empty."""
    for place in itertools.count(1):
        value = index(table, place)
        if value is None:
            return
        yield place, value


def iterate(function: Any, state: Any = None, first: Any = None, *, names: int) -> Iterator[Any]:
    """The turns of ``for a, b in function, state, first``: its values, for so many names, until the first is None."""
    if not callable(function):  # pairs and ipairs give what can be gone through
        for values in function:
            yield values[0] if names == 1 else (*values, *[None] * names)[:names]
        return
    while True:
        values = (*call_all(function, state, first), *[None] * names)[:names]
        if values[0] is None:
            return
        first = values[0]
        yield values[0] if names == 1 else values


# Calls


def call_all(function: Any, *given: Any) -> tuple[Any, ...]:
    """All values that ``function(...)`` gives: it drops what it does not take, and what it is not given is None."""
    if not callable(function):
        raise TypeError(f"a call of {function!r:.60}")
    arguments: list[Any] = list(given)
    if inspect.isfunction(function) or inspect.ismethod(function) or inspect.isclass(function):
        parameters = inspect.signature(function).parameters.values()
        if not any(each.kind is each.VAR_POSITIONAL for each in parameters):
            needed = sum(each.default is each.empty for each in parameters)
            arguments = [*given[: len(parameters)], *[None] * (needed - len(given))]
    found = function(*arguments)
    return found if type(found) is tuple else (found,)


def call(function: Any, *given: Any) -> Any:
    """The first value that ``function(...)`` gives."""
    return (*call_all(function, *given), None)[0]


def method_all(value: Any, name: str, *given: Any) -> tuple[Any, ...]:
    """All values that ``value:name(...)`` gives."""
    if isinstance(value, torch.Tensor):
        found = tensor_method(value, name, *given)
    elif isinstance(value, dict):
        return call_all(value.get(name), value, *given)
    elif isinstance(value, str):
        found = text_method(value, name, *given)
    elif isinstance(value, torch.Size) and name in STORAGE_METHODS:
        found = STORAGE_METHODS[name](value)
    elif isinstance(value, io.IOBase):
        found = file_method(value, name, *given)
    elif isinstance(value, nn.Module) and (
        name in MODULE_METHODS or type(value).__module__.startswith("torch.")
    ):
        if name not in MODULE_METHODS:
            raise TypeError(f"the method {name} of {type(value).__name__}")
        found = MODULE_METHODS[name](value, *given)
    else:
        return call_all(getattr(value, attribute(value, name)), *given)
    return found if type(found) is tuple else (found,)


def method(value: Any, name: str, *given: Any) -> Any:
    """The first value that ``value:name(...)`` gives."""
    return (*method_all(value, name, *given), None)[0]


def first_of(values: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    """So many values of a call; those that it does not give are None."""
    return (*values, *[None] * count)[:count]


# Numbers, text and truth


def number_of(value: Any) -> Any:
    """An operand of arithmetic: a text is the number that it says."""
    if isinstance(value, str):
        text = value.strip().lower()
        if "_" in text:  # which Python allows in numbers
            raise TypeError("arithmetic on a string")
        return int(text, 16) if text.startswith("0x") else int(text) if text.isdigit() else float(text)
    if value is None or isinstance(value, (bool, list, dict, tuple)) or inspect.isroutine(value):
        raise TypeError(f"arithmetic on a {type_of(value)}")
    return value


def add(a: Any, b: Any) -> Any:
    """``a + b``: of tensors element by element, in the shape of the first."""
    return number_of(a) + like(a, number_of(b))


def subtract(a: Any, b: Any) -> Any:
    """``a - b``"""
    return number_of(a) - like(a, number_of(b))


def multiply(a: Any, b: Any) -> Any:
    """``a * b``: of two vectors their dot product, of matrices the product of matrices."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        product = a @ b
        return product.item() if product.dim() == 0 else product
    return number_of(a) * number_of(b)


def divide(a: Any, b: Any) -> Any:
    """``a / b``, which is infinite or not a number where b is 0."""
    a, b = number_of(a), number_of(b)
    if isinstance(b, torch.Tensor):
        raise TypeError("a tensor behind /")
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and b == 0:
        return a * math.copysign(math.inf, b)
    return a / b


def modulo(a: Any, b: Any) -> Any:
    """``a % b``"""
    a, b = number_of(a), number_of(b)
    if isinstance(a, torch.Tensor) or isinstance(b, torch.Tensor):
        raise TypeError("% of a tensor")
    quotient = a / b if b else math.nan
    return a - math.floor(quotient) * b if math.isfinite(quotient) else math.nan


def power(a: Any, b: Any) -> Any:
    """``a ^ b``, which is infinite or not a number where Python has an error."""
    a, b = number_of(a), number_of(b)
    if isinstance(a, torch.Tensor) or isinstance(b, torch.Tensor):
        raise TypeError("^ of a tensor")
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
    return "function" if inspect.isroutine(value) else "table"


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


def insert(table: Any, *given: Any) -> None:
    """``table.insert(table, place, value)``: without a place at the end."""
    count = len(items_of(table))
    place, value = (count + 1, *given) if len(given) == 1 else given[:2]
    if isinstance(table, list):
        if not 1 <= place <= count + 1 or value is None:
            raise TypeError(f"a list of {count} items cannot have {value!r:.40} at {place!r}")
        table.insert(int(place) - 1, value)
        return
    for above in range(count, int(place) - 1, -1):
        table[above + 1] = table[above]
    store(table, int(place), value)


def remove(table: Any, place: float | None = None) -> Any:
    """``table.remove(table, place)``: the item, or None where there is none; without a place the last one."""
    count = len(items_of(table))
    at = count if place is None else int(place)
    if not 1 <= at <= count:
        return None
    if isinstance(table, list):
        return table.pop(at - 1)
    taken = table[at]
    for below in range(at, count):
        table[below] = table[below + 1]
    del table[count]
    return taken


def unpack(table: Any, first: int = 1, last: int | None = None) -> list[Any]:
    """``unpack(table, first, last)``"""
    end = len(items_of(table)) if last is None else int(last)
    return [index(table, place) for place in range(int(first), end + 1)]


# Methods of text and of files


def text_method(text: str, name: str, *given: Any) -> Any:
    """``text:name(...)`` for the methods that need no patterns."""
    if name == "sub":
        first, last = int(given[0]), int((*given, -1)[1])
        first = max(first if first >= 0 else len(text) + first + 1, 1)
        last = last if last >= 0 else len(text) + last + 1
        return text[first - 1 : max(last, 0)]
    if name == "rep":
        return text * max(int(given[0]), 0)
    if name == "byte":
        code = text_method(text, "sub", given[0] if given else 1, given[0] if given else 1).encode()
        return code[0] if code else None
    if name in TEXT_METHODS:
        return TEXT_METHODS[name](text)
    raise TypeError(f"the method {name} of a text")


TEXT_METHODS: dict[str, Callable[[str], Any]] = {
    "len": length,
    "lower": str.lower,
    "reverse": lambda text: text[::-1],
    "upper": str.upper,
}


# Of sizes, which are a storage in Lua.
STORAGE_METHODS: dict[str, Callable[..., Any]] = {"size": len, "totable": list}


def file_method(file: Any, name: str, *given: Any) -> Any:
    """``file:name(...)`` of an open file."""
    if name == "write":
        file.write("".join(text_of(value) for value in given))
        return file
    if name == "read":
        wanted = given[0] if given else "*l"
        if wanted in ("*a", "*all"):
            return file.read()
        if wanted in ("*l", "*line"):
            line = file.readline()
            return line.removesuffix("\n") if line else None
        if isinstance(wanted, (int, float)):
            return file.read(int(wanted)) or None
    if name == "lines":
        return ((line.removesuffix("\n"),) for line in file)
    if name in ("close", "flush"):
        return getattr(file, name)()
    raise TypeError(f"the method {name} of a file with {given!r}")


# Methods of modules and tensors


def as_type(value: Any, name: str) -> Any:
    """A module or a tensor as what Torch7 calls a type; ``cuda`` is single precision on the GPU."""
    dtypes = {
        "byte": torch.uint8,
        "char": torch.int8,
        "short": torch.int16,
        "int": torch.int32,
        "long": torch.int64,
        "half": torch.float16,
        "float": torch.float32,
        "double": torch.float64,
        "cuda": torch.float32,
    }
    kind = name.removeprefix("torch.").removesuffix("Tensor").lower()
    kind = {"cudadouble": "double"}.get(kind, kind)
    moved = value.to(dtypes[kind.removeprefix("cuda") or "cuda"])
    if kind.startswith("cuda"):
        return moved.cuda()
    return moved.cpu()


def _forward(module: nn.Module, *given: Any) -> Any:
    return module(*given)


MODULE_METHODS: dict[str, Callable[..., Any]] = {
    "add": lambda module, part: module.append(part),
    "clone": copy.deepcopy,
    "cuda": lambda module: as_type(module, "cuda"),
    "double": lambda module: as_type(module, "double"),
    "evaluate": lambda module: module.eval(),
    "float": lambda module: as_type(module, "float"),
    "forward": _forward,
    "get": lambda module, place: module[int(place) - 1],
    "size": len,
    "training": lambda module: module.train(),
    "type": as_type,
    "updateOutput": _forward,
}

# Methods of tensors: what changes a tensor in Torch7 changes it here, and returns it


def whole(value: Any) -> Any:
    """A number of Lua's that is whole as an int, for sizes and places; others as they are."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def sizes_in(given: tuple[Any, ...]) -> list[int]:
    """Sizes that are given one by one, or as one table or storage of them."""
    values = items_of(given[0]) if len(given) == 1 and not isinstance(given[0], (int, float)) else given
    return [int(size) for size in values]


def like(x: Any, other: Any) -> Any:
    """A tensor's elements in the shape of another one, as Torch7 takes them; numbers as they are."""
    both = isinstance(x, torch.Tensor) and isinstance(other, torch.Tensor)
    return other.reshape(x.shape) if both and other.shape != x.shape else other


def tensor_method(x: torch.Tensor, name: str, *given: Any) -> Any:
    """``x:name(...)``"""
    if name in ELEMENTWISE and not given:
        return getattr(x, f"{name}_")()
    if name not in TENSOR_METHODS:
        raise TypeError(f"the method {name} of a tensor")
    return TENSOR_METHODS[name](x, *(whole(value) for value in given))


def function(name: str, x: Any, *given: Any) -> Any:
    """``torch.name(x, ...)``: of a number a number, of a tensor a new one."""
    if isinstance(x, torch.Tensor):
        return tensor_method(x.clone() if name in ELEMENTWISE or name in IN_PLACE else x, name, *given)
    if not isinstance(x, (int, float)) or isinstance(x, bool) or name not in OF_NUMBERS:
        raise TypeError(f"torch.{name} of a {type_of(x)}")
    return OF_NUMBERS[name](x, *given)


def _add(x: torch.Tensor, *given: Any) -> torch.Tensor:
    if len(given) == 1:
        return x.add_(like(x, given[0]))
    scale, other = given
    return x.add_(like(x, other), alpha=scale)


def _scaled(name: str) -> Callable[..., torch.Tensor]:
    """``addcmul`` or ``addcdiv``, before whose tensors a factor may stand."""

    def compute(x: torch.Tensor, *given: Any) -> torch.Tensor:
        scale, first, second = given if len(given) == 3 else (1, *given)
        changed: torch.Tensor = getattr(x, name)(like(x, first), like(x, second), value=scale)
        return changed

    return compute


def _with(name: str) -> Callable[..., torch.Tensor]:
    """A method of one operand, taken in the tensor's shape."""
    return lambda x, other: getattr(x, name)(like(x, other))


def _random(x: torch.Tensor, *given: int) -> torch.Tensor:
    if len(given) == 2:
        return x.random_(given[0], given[1] + 1)
    return x.random_(1, given[0] + 1) if given else x.random_()


def _apply(x: torch.Tensor, function: Any) -> torch.Tensor:
    old = x.flatten().tolist()
    new = [call(function, value) for value in old]
    kept = [before if after is None else after for before, after in zip(old, new, strict=True)]
    return x.copy_(torch.tensor(kept, dtype=x.dtype).reshape(x.shape))


def _reduced(name: str) -> Callable[..., Any]:
    """Of all elements a number; along a dimension a tensor with one element there."""

    def compute(x: torch.Tensor, *given: Any) -> Any:
        found = getattr(x, name)(dim=given[0] - 1, keepdim=True) if given else getattr(x, name)()
        return found if given else found.item()

    return compute


def _extreme(name: str) -> Callable[..., Any]:
    """Of all elements the largest or smallest; along a dimension both values and places."""

    def compute(x: torch.Tensor, *given: Any) -> Any:
        if not given:
            return getattr(x, name)().item()
        found = getattr(x, name)(dim=given[0] - 1, keepdim=True)
        return found.values, found.indices + 1

    return compute


def _truth(name: str) -> Callable[..., bool]:
    """Whether all or any elements of a mask are set."""

    def compute(x: torch.Tensor) -> bool:
        if x.dtype not in (torch.bool, torch.uint8):
            raise TypeError(f"{name} of a tensor that is no mask")
        return bool(getattr(x.bool(), name)().item())

    return compute


def _select(x: torch.Tensor, dim: int, place: int) -> Any:
    part = x.select(dim - 1, place - 1)
    return part.item() if part.dim() == 0 else part


def _sub(x: torch.Tensor, *ends: int) -> torch.Tensor:
    for dim, (first, last) in enumerate(zip(ends[::2], ends[1::2], strict=True)):
        size = x.shape[dim]
        start = first - 1 if first >= 0 else size + first
        x = x.narrow(dim, start, (last if last >= 0 else size + last + 1) - start)
    return x


def _squeeze(x: torch.Tensor, *dims: int) -> torch.Tensor:
    squeezed = x.squeeze(*(dim - 1 for dim in dims))
    return squeezed.reshape(1) if squeezed.dim() == 0 else squeezed


def _sort(x: torch.Tensor, dim: Any = None, descending: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    found = x.sort(-1 if dim is None else dim - 1, descending=descending)
    return found.values, found.indices + 1


def _topk(
    x: torch.Tensor, count: int = 1, dim: Any = None, largest: bool = False, _ordered: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    found = x.topk(count, -1 if dim is None else dim - 1, largest=bool(largest))
    return found.values, found.indices + 1


def _type(x: torch.Tensor, name: str | None = None) -> Any:
    if name is not None:
        return as_type(x, name)
    return x.type().replace("cuda.Float", "Cuda").replace("cuda.", "Cuda")


def _split(x: torch.Tensor, size: int, dim: int = 1) -> list[torch.Tensor]:
    return list(x.split(size, dim - 1))


def _places(indices: torch.Tensor) -> torch.Tensor:
    """Places counted from 1 as PyTorch's."""
    return indices.long() - 1


OF_NUMBERS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "ceil": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "pow": power,
    "sin": math.sin,
    "tan": math.tan,
    "tanh": math.tanh,
}
IN_PLACE = frozenset(
    """add addcdiv addcmul apply bernoulli cdiv clamp cmul copy cpow csub div fill indexAdd indexCopy indexFill
    maskedFill mul normal pow random uniform""".split()
)
ELEMENTWISE = frozenset(
    """abs acos asin atan ceil cos cosh exp floor log log1p neg round rsqrt sigmoid sign sin sinh sqrt tan tanh trunc
    zero""".split()
)
TENSOR_METHODS: dict[str, Callable[..., Any]] = {
    # the elements of the tensor itself
    "add": _add,
    "addcdiv": _scaled("addcdiv_"),
    "addcmul": _scaled("addcmul_"),
    "apply": _apply,
    "bernoulli": lambda x, *p: x.bernoulli_(*p),
    "cdiv": _with("div_"),
    "clamp": lambda x, low, high: x.clamp_(low, high),
    "cmul": _with("mul_"),
    "copy": _with("copy_"),
    "cpow": _with("pow_"),
    "csub": lambda x, *given: x.sub_(like(x, given[-1]), alpha=given[0] if len(given) > 1 else 1),
    "div": _with("div_"),
    "fill": lambda x, value: x.fill_(value),
    "indexAdd": lambda x, dim, places, other: x.index_add_(dim - 1, _places(places), other),
    "indexCopy": lambda x, dim, places, other: x.index_copy_(dim - 1, _places(places), other),
    "indexFill": lambda x, dim, places, value: x.index_fill_(dim - 1, _places(places), value),
    "maskedFill": lambda x, mask, value: x.masked_fill_(mask.bool(), value),
    "mul": _with("mul_"),
    "normal": lambda x, *given: x.normal_(*given),
    "pow": _with("pow_"),
    "random": _random,
    "uniform": lambda x, *given: x.uniform_(*given),
    # what all elements give
    "all": _truth("all"),
    "any": _truth("any"),
    "dist": lambda x, other, *p: torch.dist(x, other, *p).item(),
    "dot": lambda x, other: torch.dot(x.flatten(), other.flatten()).item(),
    "max": _extreme("max"),
    "mean": _reduced("mean"),
    "min": _extreme("min"),
    "norm": lambda x, *p: torch.linalg.vector_norm(x, *p).item(),
    "prod": _reduced("prod"),
    "std": _reduced("std"),
    "sum": _reduced("sum"),
    "totable": lambda x: x.tolist(),
    "var": _reduced("var"),
    # sizes
    "dim": lambda x: x.dim() if x.numel() else 0,
    "isContiguous": lambda x: x.is_contiguous(),
    "isSameSizeAs": lambda x, other: x.shape == other.shape,
    "nDimension": lambda x: x.dim() if x.numel() else 0,
    "nElement": lambda x: x.numel(),
    "numel": lambda x: x.numel(),
    "size": lambda x, *dim: x.shape[dim[0] - 1] if dim else x.shape,
    "stride": lambda x, *dim: x.stride(dim[0] - 1) if dim else list(x.stride()),
    # views, and the tensor itself in other sizes
    "expand": lambda x, *sizes: x.expand(sizes_in(sizes)),
    "expandAs": lambda x, other: x.expand(other.shape),
    "narrow": lambda x, dim, first, size: x.narrow(dim - 1, first - 1, size),
    "permute": lambda x, *dims: x.permute([dim - 1 for dim in dims]),
    "resize": lambda x, *sizes: x.resize_(sizes_in(sizes)),
    "resizeAs": lambda x, other: x.resize_(other.shape),
    "select": _select,
    "split": _split,
    "squeeze": _squeeze,
    "sub": _sub,
    "t": lambda x: x.t(),
    "transpose": lambda x, first, second: x.transpose(first - 1, second - 1),
    "view": lambda x, *sizes: x.view(sizes_in(sizes)),
    "viewAs": lambda x, other: x.view(other.shape),
    # new tensors
    "byte": lambda x: as_type(x, "byte"),
    "char": lambda x: as_type(x, "char"),
    "cuda": lambda x: as_type(x, "cuda"),
    "double": lambda x: as_type(x, "double"),
    "eq": _with("eq"),
    "float": lambda x: as_type(x, "float"),
    "ge": _with("ge"),
    "gt": _with("gt"),
    "half": lambda x: as_type(x, "half"),
    "int": lambda x: as_type(x, "int"),
    "le": _with("le"),
    "long": lambda x: as_type(x, "long"),
    "lt": _with("lt"),
    "ne": _with("ne"),
    "short": lambda x: as_type(x, "short"),
    "clone": lambda x: x.clone(),
    "contiguous": lambda x: x.contiguous(),
    "cumsum": lambda x, dim=1: x.cumsum(dim - 1),
    "gather": lambda x, dim, places: x.gather(dim - 1, _places(places)),
    "index": lambda x, dim, places: x.index_select(dim - 1, _places(places)),
    "maskedSelect": lambda x, mask: x.masked_select(mask.bool()),
    "new": lambda x, *sizes: x.new_empty(sizes_in(sizes) if sizes else [0]),
    "nonzero": lambda x: x.nonzero() + 1,
    "repeatTensor": lambda x, *sizes: x.repeat(sizes_in(sizes)),
    "reshape": lambda x, *sizes: x.reshape(sizes_in(sizes)).clone(),
    "sort": _sort,
    "topk": _topk,
    "type": _type,
    "typeAs": lambda x, other: x.to(other),
}
