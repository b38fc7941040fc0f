"""What Lua does with numbers, text and tables at the edges, where Python has an error or another value."""

from __future__ import annotations

import inspect
import math
import os
import re

import torch
from torch import nn


def without_none(value):
    """What a function gives of which None stands for no value."""
    return () if value is None else (value,)


def tensor_type(x):
    """What Torch7 calls the type of x: a CudaTensor holds single precision."""
    return x.type().replace("cuda.Float", "Cuda").replace("cuda.", "Cuda")


def as_type(x, name):
    """A tensor or a module as what Torch7 calls this type; torch.CudaTensor holds single precision."""
    kind = name.removeprefix("torch.").removesuffix("Tensor")
    dtypes = {"Half": torch.float16, "Double": torch.float64}
    x = x.to(dtypes.get(kind.removeprefix("Cuda"), torch.float32))
    return x.cuda() if kind.startswith("Cuda") else x.cpu()


def lua_divide(a, b):
    """a / b, which in Lua is infinite or not a number where b is 0."""
    return a / b if b else a * math.copysign(math.inf, b)


def lua_modulo(a, b):
    """a % b as Lua computes it, which is not a number where b is 0."""
    quotient = a / b if b else math.nan
    return a - math.floor(quotient) * b if math.isfinite(quotient) else math.nan


def lua_power(a, b):
    """a^b, which in Lua is infinite or not a number where Python has an error."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:
        return math.nan if a else math.inf


def lua_floor(x):
    """x rounded down; what is infinite or not a number stays that."""
    return math.floor(x) if math.isfinite(x) else x


def lua_ceil(x):
    """x rounded up; what is infinite or not a number stays that."""
    return math.ceil(x) if math.isfinite(x) else x


def lua_round(x):
    """x to the nearest whole number, halves away from zero; what is infinite or not a number stays that."""
    if not math.isfinite(x):
        return x
    whole = math.trunc(x)
    return whole + math.trunc(2 * (x - whole))


def lua_sub(text, first, last=-1):
    """The characters from the first place to the last, counted from 1 or, where negative, back from the end."""
    first = max(first if first >= 0 else len(text) + first + 1, 1)
    last = last if last >= 0 else len(text) + last + 1
    return text[int(first) - 1 : max(int(last), 0)]


def lua_item(items, place):
    """The item of a list at a place counted from 1, or None where there is none."""
    return items[int(place) - 1] if 1 <= place <= len(items) and place == int(place) else None


def lua_dim(x):
    """The number of dimensions, which is 0 of a tensor without elements."""
    return x.dim() if x.numel() else 0


def lua_put(items, place, value):
    """Put a value at a place of a list, counted from 1; behind the last item it is one more. None ends a list."""
    if value is None and place >= len(items):
        del items[int(place) - 1 :]
    elif place == len(items) + 1:
        items.append(value)
    elif value is not None and 1 <= place <= len(items):
        items[int(place) - 1] = value
    else:
        raise IndexError(f"place {place} of a list of {len(items)}: {value}")


def lua_store(table, key, value):
    """Set an entry of a dict; None takes it out."""
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


def lua_sort(items, before, low=0, high=None):
    """Sort a list by Lua's own quicksort, so that equal items end up in the same order."""
    high = len(items) - 1 if high is None else high
    if low >= high:
        return

    def swap(i, j):
        items[i], items[j] = items[j], items[i]

    if before(items[high], items[low]):
        swap(low, high)
    middle = (low + high) // 2
    if high - low > 1:
        if before(items[middle], items[low]):
            swap(middle, low)
        elif before(items[high], items[middle]):
            swap(middle, high)
    if high - low < 3:
        return
    swap(middle, high - 1)
    pivot, i, j = items[high - 1], low, high - 1
    while True:
        while before(items[i := i + 1], pivot):
            if i >= high:
                raise RuntimeError("invalid order function for sorting")
        while before(pivot, items[j := j - 1]):
            if j <= low:
                raise RuntimeError("invalid order function for sorting")
        if j < i:
            break
        swap(i, j)
    swap(high - 1, i)
    lua_sort(items, before, low, i - 1)
    lua_sort(items, before, i + 1, high)


def lua_true(value):
    """Whether a value of any kind is true in Lua: all are but nil and false."""
    return value is not None and value is not False


def lua_type(value):
    """What type(value) is in Lua, where models and objects are tables and tensors userdata."""
    if value is None or isinstance(value, bool):
        return "nil" if value is None else "boolean"
    if isinstance(value, (int, float, str)):
        return "string" if isinstance(value, str) else "number"
    if isinstance(value, (torch.Tensor, torch.Size)):
        return "userdata"
    return "function" if inspect.isroutine(value) else "table"


def lua_text(value):
    """A number, None or a truth value as Lua writes it."""
    if value is None or isinstance(value, bool):
        return {None: "nil", True: "true", False: "false"}[value]
    return f"{value:.14g}" if isinstance(value, (int, float)) else value


def lua_equal(a, b):
    """Whether two values of any kinds are equal in Lua, where a table or a tensor is only equal to itself."""
    if isinstance(a, (int, float, str)) and isinstance(b, (int, float, str)):
        return a == b and isinstance(a, bool) == isinstance(b, bool)
    return a is b


def lua_pairs(table):
    """The keys of a dict or the places in a list, from 1, each with its value."""
    if isinstance(table, dict):
        return sorted(table.items(), key=lambda entry: (isinstance(entry[0], str), entry[0]))
    return enumerate(table, 1)


def element(x):
    """A part of a tensor; where nothing but one element is left of it, that as a number."""
    return x.item() if x.dim() == 0 else x


class ComputedItems(dict):
    """A dict that computes what it does not have, by a function of itself and the key."""

    item = staticmethod(lambda table, key: None)

    def with_items(self, item):
        self.item = item
        return self

    def __missing__(self, key):
        return self.item(self, key)

    def get(self, key, default=None):
        value = self[key]
        return default if value is None else value


def fail(message):
    """Raise an error where a value is wanted."""
    raise RuntimeError(message)


def numbered(table):
    """The keys 1, 2, 3, ... of a table, up to the first that is missing, each with its value."""
    key = 1
    while table.get(key) is not None:
        yield key, table[key]
        key += 1


def border(table):
    """The length of a table in Lua: the last of the keys 1, 2, 3, ... before one is missing."""
    key = 1
    while table.get(key) is not None:
        key += 1
    return key - 1


def remove_item(table, place=None):
    """Take one of the items 1, 2, 3, ... of a table, the last if it is not said which: those behind it move up."""
    last = border(table)
    place = last if place is None else place
    if not 1 <= place <= last:
        return None
    removed = table[place]
    for key in range(place, last):
        table[key] = table[key + 1]
    del table[last]
    return removed


def entry_text(entry):
    """A text or a number as table.concat takes it."""
    if isinstance(entry, bool) or not isinstance(entry, (int, float, str)):
        raise TypeError(f"a {type(entry).__name__} in table.concat")
    return entry if isinstance(entry, str) else f"{entry:.14g}"


def read_literal(text, kind=None):
    """The value that a text says in Lua: a number, a text, a table of such. Nothing is None."""
    tokens = re.findall(r"\"[^\"]*\"|'[^']*'|[\w.+-]+|\S", text)
    words = {"true": True, "false": False, "nil": None}

    def value():
        token = tokens.pop(0)
        if token == "{":
            return table()
        if token in words:
            return words[token]
        if token[0] in "\"'":
            return token[1:-1]
        return int(token) if re.fullmatch(r"-?\d+", token) else float(token)

    def table():
        entries, place = {}, 1
        while tokens[0] != "}":
            if tokens[0] == "[":
                tokens.pop(0)
                key = value()
                assert tokens.pop(0) + tokens.pop(0) == "]=", text
            elif tokens[1] == "=":
                key = tokens.pop(0)
                tokens.pop(0)
            else:
                key, place = place, place + 1
            entries[key] = value()
            if tokens[0] in ",;":
                tokens.pop(0)
        tokens.pop(0)
        is_list = list(entries) == list(range(1, len(entries) + 1))
        return list(entries.values()) if is_list else entries

    found = value() if tokens else None
    if tokens or (kind is list and isinstance(found, dict)):
        raise ValueError(f"not a value, or not a list: {text}")
    if kind is dict and isinstance(found, list):
        return dict(enumerate(found, 1))
    return found


def counted(start, stop, step=1):
    """The numbers from start to stop, which need not be whole: the step is added turn by turn, as in Lua."""
    while start <= stop if step >= 0 else start >= stop:
        yield start
        start += step


def join_along(tensors, dim):
    """Tensors one behind the other; a dimension that they do not have is a new one."""
    return torch.stack(tensors, dim) if tensors[0].dim() == dim else torch.cat(tensors, dim)


def split_at(text, mark):
    """The pieces of a text between marks; an empty text has none."""
    if text in ("", mark):
        return [""] if text else []
    return text.split(mark)


def pieces(found, inner=False):
    """Pieces of a text without an empty one at the end, and as ``inner`` none at the beginning."""
    if found[-1] == "":
        found.pop()
    return found[1:] if found == [""] or (inner and found[:1] == [""]) else found


def clear_padding(model):
    """Set the vectors of padding items to zeros, as nn.LookupTableMaskZero does whenever it looks up."""
    for layer in model.modules():
        if isinstance(layer, nn.Embedding) and layer.padding_idx is not None:
            layer.weight.data[layer.padding_idx] = 0


def turns(function):
    """What a function gives at each turn of a loop, until its first value is None."""
    while (values := function())[0] is not None:
        yield values


def lua_format(pattern, *values):
    """As Lua's string.format: %d takes any whole number, and %s writes as Lua does."""
    letters = re.findall(r"%[-+ #0]*\d*(?:\.\d*)?([a-zA-Z%])", pattern)
    given = []
    for letter, value in zip([letter for letter in letters if letter != "%"], values):
        given.append(lua_text(value) if letter == "s" else int(value) if letter in "dixXc" else value)
    return pattern % tuple(given)


def names_in(directory, wanted=None):
    """The names in a directory, with those of itself and the one above, for which a function says true."""
    names = [".", "..", *sorted(os.listdir(directory))] if os.path.isdir(directory) else []
    return [name for name in names if wanted is None or wanted(name)]
