"""Lua's operators on any values: metamethods, coercions and errors as LuaJIT has them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from torch7py.lua_compat.errors import fault
from torch7py.lua_compat.numbers import EXACT, number_text, power, read_number
from torch7py.lua_compat.values import (
    Table,
    behaviour_of,
    call,
    first,
    kind_of,
    metamethod,
    truth,
)

__all__ = [
    "add",
    "concat",
    "div",
    "eq",
    "ge",
    "gt",
    "le",
    "length",
    "lt",
    "mod",
    "mul",
    "ne",
    "pow",
    "range",
    "sub",
    "tostring",
    "unm",
]

_range = range
_NUMBERS = (int, float)


# Arithmetic


def _number(value: Any) -> int | float | None:
    kind = type(value)
    if kind is int or kind is float:
        return value  # type: ignore[no-any-return]
    return read_number(value) if kind is str else None


def _arithmetic(name: str, left: Any, right: Any) -> Any:
    x, y = _number(left), _number(right)
    if x is not None and y is not None:
        return _OPERATIONS[name](x, y)
    event = "__" + name
    handler = metamethod(left, event)
    if handler is None:
        handler = metamethod(right, event)
    if handler is not None:
        return first(call(handler, left, right))
    for value in (left, right):
        if not isinstance(value, Table):
            result = behaviour_of(value).arithmetic(name, left, right)
            if result is not NotImplemented:
                return result
    wrong = left if x is None else right
    raise fault(f"attempt to perform arithmetic on a {kind_of(wrong)} value")


def add(left: Any, right: Any) -> Any:
    """``left + right``"""
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        result = left + right
        if type(result) is int and not -EXACT <= result <= EXACT:
            return float(result)
        return result
    return _arithmetic("add", left, right)


def sub(left: Any, right: Any) -> Any:
    """``left - right``"""
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        result = left - right
        if type(result) is int and not -EXACT <= result <= EXACT:
            return float(result)
        return result
    return _arithmetic("sub", left, right)


def mul(left: Any, right: Any) -> Any:
    """``left * right``"""
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        result = left * right
        if type(result) is int and (not result or not -EXACT <= result <= EXACT):
            return float(left) * float(right)  # of zeros there are two
        return result
    return _arithmetic("mul", left, right)


def div(left: Any, right: Any) -> Any:
    """``left / right``"""
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        if right:
            return left / right
        if left == 0 or left != left:
            return math.nan
        return math.inf if (left > 0) == (math.copysign(1.0, right) > 0) else -math.inf
    return _arithmetic("div", left, right)


def mod(left: Any, right: Any) -> Any:
    """``left % right``: of the sign of ``right``"""
    if type(left) is int and type(right) is int and right:
        return left % right
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        if not right:
            return math.nan
        quotient = left / right
        if not math.isfinite(quotient):
            return math.nan
        down = float(math.floor(quotient)) if quotient else quotient
        return left - down * right
    return _arithmetic("mod", left, right)


def pow(left: Any, right: Any) -> Any:
    """``left ^ right``"""
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        return power(left, right)
    return _arithmetic("pow", left, right)


def unm(value: Any) -> Any:
    """``-value``"""
    if type(value) in _NUMBERS:
        return -value if value else -float(value)
    number = _number(value)
    if number is not None:
        return unm(number)
    handler = metamethod(value, "__unm")
    if handler is not None:
        return first(call(handler, value, value))
    result = (
        NotImplemented if isinstance(value, Table) else behaviour_of(value).arithmetic("unm", value, value)
    )
    if result is NotImplemented:
        raise fault(f"attempt to perform arithmetic on a {kind_of(value)} value")
    return result


_OPERATIONS = {"add": add, "sub": sub, "mul": mul, "div": div, "mod": mod, "pow": pow}


# Comparison


def eq(left: Any, right: Any) -> bool:
    """``left == right``"""
    if left is right:
        return type(left) is not float or left == left
    kind = type(left)
    if kind in _NUMBERS:
        return type(right) in _NUMBERS and left == right
    if kind is str:
        return type(right) is str and left == right
    if left is None or right is None or kind is bool:
        return False
    if isinstance(left, Table):
        if not isinstance(right, Table):
            return False
        handler = metamethod(left, "__eq")
        if handler is None or not eq(handler, metamethod(right, "__eq")):
            return False
        return truth(first(call(handler, left, right)))
    if kind_of(left) != kind_of(right):
        return False
    return behaviour_of(left).equal(left, right)


def ne(left: Any, right: Any) -> bool:
    """``left ~= right``"""
    return not eq(left, right)


def _compare(event: str, left: Any, right: Any) -> bool:
    handler = metamethod(left, event)
    if handler is not None and eq(handler, metamethod(right, event)):
        return truth(first(call(handler, left, right)))
    if event == "__le":
        handler = metamethod(left, "__lt")
        if handler is not None and eq(handler, metamethod(right, "__lt")):
            return not truth(first(call(handler, right, left)))
    for value in (left, right):
        if not isinstance(value, Table):
            result = behaviour_of(value).arithmetic(event[2:], left, right)
            if result is not NotImplemented:
                return bool(result)
    a, b = kind_of(left), kind_of(right)
    if a == b:
        raise fault(f"attempt to compare two {a} values")
    raise fault(f"attempt to compare {a} with {b}")


def lt(left: Any, right: Any) -> bool:
    """``left < right``"""
    if (type(left) in _NUMBERS and type(right) in _NUMBERS) or (type(left) is str and type(right) is str):
        return left < right  # type: ignore[no-any-return]
    return _compare("__lt", left, right)


def le(left: Any, right: Any) -> bool:
    """``left <= right``"""
    if (type(left) in _NUMBERS and type(right) in _NUMBERS) or (type(left) is str and type(right) is str):
        return left <= right  # type: ignore[no-any-return]
    return _compare("__le", left, right)


def gt(left: Any, right: Any) -> bool:
    """``left > right``"""
    return lt(right, left)


def ge(left: Any, right: Any) -> bool:
    """``left >= right``"""
    return le(right, left)


# Strings and lengths


def length(value: Any) -> Any:
    """``#value``"""
    if isinstance(value, Table):
        if value.meta_ is not None:
            handler = value.meta_.rawget_("__len")
            if handler is not None:
                return first(call(handler, value, value))
        return len(value.array_)
    if type(value) is str:
        return len(value)
    return behaviour_of(value).length(value)


def _concat_two(left: Any, right: Any) -> Any:
    texts = []
    for value in (left, right):
        if type(value) is str:
            texts.append(value)
        elif type(value) in _NUMBERS:
            texts.append(number_text(value))
    if len(texts) == 2:
        return texts[0] + texts[1]
    handler = metamethod(left, "__concat")
    if handler is None:
        handler = metamethod(right, "__concat")
    if handler is not None:
        return first(call(handler, left, right))
    for value in (left, right):
        if not isinstance(value, Table):
            result = behaviour_of(value).arithmetic("concat", left, right)
            if result is not NotImplemented:
                return result
    wrong = left if type(left) is not str and type(left) not in _NUMBERS else right
    raise fault(f"attempt to concatenate a {kind_of(wrong)} value")


def concat(*values: Any) -> Any:
    """``a .. b .. c``, from the right"""
    parts = []
    for value in values:
        if type(value) is str:
            parts.append(value)
        elif type(value) in _NUMBERS:
            parts.append(number_text(value))
        else:
            break
    else:
        return "".join(parts)
    result = values[-1]
    for value in values[-2::-1]:
        result = _concat_two(value, result)
    return result


def tostring(value: Any) -> Any:
    """What Lua's ``tostring`` gives, ``__tostring`` asked first."""
    kind = type(value)
    if kind is str:
        return value
    if kind in _NUMBERS:
        return number_text(value)
    handler = metamethod(value, "__tostring")
    if handler is not None:
        return first(call(handler, value))
    if isinstance(value, Table):
        return f"table: 0x{id(value) & 0xFFFFFFFFFFFF:012x}"
    return behaviour_of(value).text(value)


# Loops


def range(start: Any, stop: Any, step: Any = 1) -> Iterator[Any] | _range:
    """The values of ``for i = start, stop, step``"""
    if type(start) is int and type(stop) is int and type(step) is int and step:
        return _range(start, stop + 1 if step > 0 else stop - 1, step)
    x, y, z = _number(start), _number(stop), _number(step)
    for value, what in ((x, "initial value"), (y, "limit"), (z, "step")):
        if value is None:
            raise fault(f"'for' {what} must be a number")
    assert x is not None
    assert y is not None
    assert z is not None
    if (
        x == int(x) and z == int(z) and z and math.isfinite(y)
        if math.isfinite(x) and math.isfinite(z)
        else False
    ):
        last = math.floor(y) if z > 0 else math.ceil(y)
        return _range(int(x), last + 1 if z > 0 else last - 1, int(z))
    return _steps(float(x), y, z)


def _steps(x: float, last: float, step: float) -> Iterator[float]:
    while (x <= last) if step > 0 or step == 0 else (x >= last):
        yield x
        x += step
