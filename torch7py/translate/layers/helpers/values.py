"""What Lua does with numbers, text and tables at the edges, where Python has an error or another value."""

from __future__ import annotations

from torch7py.translate.layers.helpers.register import helper

helper(
    "lua_divide",
    '''
def lua_divide(a, b):
    """a / b, which in Lua is infinite or not a number where b is 0."""
    return a / b if b else a * math.copysign(math.inf, b)
''',
)

helper(
    "lua_modulo",
    '''
def lua_modulo(a, b):
    """a % b as Lua computes it, which is not a number where b is 0."""
    quotient = a / b if b else math.nan
    return a - math.floor(quotient) * b if math.isfinite(quotient) else math.nan
''',
)

helper(
    "lua_power",
    '''
def lua_power(a, b):
    """a^b, which in Lua is infinite or not a number where Python has an error."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:
        return math.nan if a else math.inf
''',
)

helper(
    "lua_floor",
    '''
def lua_floor(x):
    """x rounded down; what is infinite or not a number stays that."""
    return math.floor(x) if math.isfinite(x) else x
''',
)

helper(
    "lua_ceil",
    '''
def lua_ceil(x):
    """x rounded up; what is infinite or not a number stays that."""
    return math.ceil(x) if math.isfinite(x) else x
''',
)

helper(
    "lua_sub",
    '''
def lua_sub(text, first, last=-1):
    """The characters from the first place to the last, counted from 1 or, where negative, back from the end."""
    first = max(first if first >= 0 else len(text) + first + 1, 1)
    last = last if last >= 0 else len(text) + last + 1
    return text[int(first) - 1 : max(int(last), 0)]
''',
)

helper(
    "lua_item",
    '''
def lua_item(items, place):
    """The item of a list at a place counted from 1, or None where there is none."""
    return items[int(place) - 1] if 1 <= place <= len(items) and place == int(place) else None
''',
)

helper(
    "lua_text",
    '''
def lua_text(value):
    """A number, None or a truth value as Lua writes it."""
    if value is None or isinstance(value, bool):
        return {None: "nil", True: "true", False: "false"}[value]
    return f"{value:.14g}" if isinstance(value, (int, float)) else value
''',
)
