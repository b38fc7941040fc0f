"""``for`` loops."""

from __future__ import annotations

from torch7py.translate import library, tree
from torch7py.translate.native import any_order, code, directories, files, initialization, masks, plain_calls
from torch7py.translate.native.analysis import pattern_calls
from torch7py.translate.native.analysis.unknown_values import undecided
from torch7py.translate.native.code import add_constant
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.iterators import iterator_head
from torch7py.translate.native.patterns import as_regex
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Call, Expression, Index, Invoke, Name, Number
from torch7py.translate.tree_queries import bare

__all__ = ["generic_for", "generic_head", "head", "numeric_for"]


def numeric_for(t: Translation, node: tree.NumericFor) -> None:
    if masks.masked(t, node):
        return
    if not t.whole(node.start) or (node.step is not None and not t.whole(node.step)):
        _over_reals(t, node)
        return
    head(t, node)
    t.loop_body(node.body)


def _over_reals(t: Translation, node: tree.NumericFor) -> None:
    """A loop over numbers that are not whole: added up turn by turn, as Lua does."""
    variable = t.scopes.of_name[node.variable]
    step = node.step
    negative = isinstance(step, tree.Unary) and step.operator == "-"
    number = step.operand if isinstance(step, tree.Unary) else step
    if variable.writes or variable.captured or not (number is None or isinstance(number, Number)):
        bounds = [node.start, node.stop] if step is None else [node.start, node.stop, step]
        args = ", ".join(t.value(bound).text for bound in bounds)
        t.emit(f"for {t.names.of(node.variable)} in {t.need('counted')}({args}):")
        t.loop_body(node.body)
        return
    name = t.names.of(node.variable)
    t.emit(f"{name} = {t.value(node.start)}")
    stop = t.value(node.stop)
    if not _stays(t, node.stop, node):
        last = t.fresh("last")
        t.emit(f"{last} = {stop}")
        stop = code.atom(last)
    t.emit(f"while {name} {'>=' if negative else '<='} {stop.at(code.ADD)}:")
    with t.indented():
        t.labels.append(None)
        t.block(node.body)
        t.labels.pop()
        added = "1" if number is None else t.value(number).text
        t.emit(f"{name} {'-' if negative else '+'}= {added}")


def _stays(t: Translation, node: Expression, loop: tree.NumericFor) -> bool:
    """Whether a bound is the same in all turns of a loop: made of numbers and of variables assigned outside."""
    for part in tree.walk(node):
        if isinstance(part, (Call, Invoke, Index)):
            return False
        if isinstance(part, Name):
            written = t.scopes.of_name[part].writes
            if any(loop.span.start <= name.span.start < loop.span.end for name in written):
                return False
    return True


def head(t: Translation, node: tree.NumericFor) -> None:
    """The line ``for i in range(...):``"""
    variable = t.scopes.of_name[node.variable]
    step = _step(t, node)
    if not t.whole(node.start) or not isinstance(step, (int, str)):
        raise Problem("T7-214", node.line, "a loop over numbers that are not whole")
    name = t.names.of(node.variable)
    unused = not variable.reads and not variable.writes and variable not in t.counting
    if unused:
        name = "_"
    first_one = isinstance(node.start, Number) and node.start.value == 1
    down = step < 0 if isinstance(step, int) else False
    zero_based = not unused and (step == 1 or isinstance(step, int)) and _only_indexes(t, variable)
    if isinstance(node.stop, Index) and t.path(node.stop) == "math.huge" and step == 1:
        t.imports.add("itertools")
        t.emit(f"for {name} in itertools.count({t.value(node.start)}):")
        return
    if unused and step == 1 and first_one:
        bounds = str(_stop(t, node, down, 0))
    else:
        shift = -1 if zero_based else 0
        start = t.expressions.whole_number(node.start, shift)
        past = -1 if down else 1
        if isinstance(step, int) or t.intervals.positive(node.step or node.start):
            stop = _stop(t, node, down, past + shift).text
        elif t.intervals.of(node.step or node.start)[1] < 0:
            stop = _stop(t, node, True, -1).text
        else:
            stop = f"{_stop(t, node, down, 0).at(code.ADD)} + (1 if {step} > 0 else -1)"
        bounds = f"{start}, {stop}" if step == 1 and start.text != "0" else f"{start}, {stop}, {step}"
        if step == 1 and start.text == "0":
            bounds = stop
    t.emit(f"for {name} in range({bounds}):")
    if zero_based:
        t.shifts[variable] = 1


def _stop(t: Translation, node: tree.NumericFor, down: bool, plus: int) -> code.Py:
    """The last number, and so much more; a loop ends before one that is not whole."""
    low = t.intervals.of(node.stop)[0]
    if t.whole(node.stop) or (not down and (low >= 0 or t.intervals.of(node.start)[0] >= 1)):
        return t.expressions.whole_number(node.stop, plus)
    function = "math.ceil" if down else "math.floor"
    return add_constant(code.atom(f"{function}({t.value(node.stop)})"), plus)


def _step(t: Translation, node: tree.NumericFor) -> int | str | None:
    """The step: an int, a text where it is positive for what can be seen, or None."""
    if node.step is None:
        return 1
    if isinstance(node.step, Number):
        return node.step.value if isinstance(node.step.value, int) and node.step.value else None
    if isinstance(node.step, tree.Unary) and isinstance(node.step.operand, Number):
        value = node.step.operand.value
        return -value if isinstance(value, int) else None
    return str(t.value(node.step)) if t.whole(node.step) else None


def _only_indexes(t: Translation, variable: Variable) -> bool:
    """Whether a loop's variable is only a place in lists and tensors, alone or with a constant added."""
    if variable.writes or not (variable.reads or variable in t.counting):
        return False
    if t.list_indices is None:
        t.list_indices = _places(t)
    return t.list_indices.issuperset(variable.reads)


def _places(t: Translation) -> set[Name]:
    """The names that stand for a place in a list or a tensor."""
    names: set[Name | None] = set()
    for node in tree.every(t.program, Index):
        kind = t.kind(node.base)
        if kind not in ("tensor", "table", "storage"):
            continue
        if kind == "table" and t.representation(node.base) != "list":
            continue
        keys = [node.key]
        if isinstance(node.key, tree.Table):
            keys = [item.value for item in node.key.fields if not isinstance(item.value, tree.Table)]
        names |= {_with_constant(key) for key in keys}
    for call in tree.every(t.program, Invoke):
        if call.method == "select" and len(call.arguments) == 2:
            names.add(_with_constant(call.arguments[1]))
    return {name for name in names if name is not None}


def _with_constant(node: Expression) -> Name | None:
    node = bare(node)
    if isinstance(node, Name):
        return node
    if isinstance(node, Binary) and node.operator in ("+", "-") and isinstance(node.right, Number):
        return _with_constant(node.left) if isinstance(node.right.value, int) else None
    return None


def generic_for(t: Translation, node: tree.GenericFor) -> None:
    source = node.values[0]
    names = [t.names.of(name) if _is_used(t, name) else "_" for name in node.names]
    if t.plain_values and not _is_of_files(t, node) and plain_calls.loop_head(t, node, names):
        t.loop_body(node.body)
        return
    if t.plainly:
        before = len(t.lines)
        try:
            known = generic_head(t, node)
        except Undecided:
            del t.lines[before:]
            known = plain_calls.loop_head(t, node, names)
        if known:
            t.loop_body(node.body)
            return
    if generic_head(t, node) or iterator_head(t, node, names):
        t.loop_body(node.body)
        initialization.clear_masked_rows(t, initialization.filled_by(t, node))
        return
    of_file = isinstance(source, Invoke) and source.method == "lines" and t.kind(source.receiver) == "file"
    if isinstance(source, Invoke) and of_file:
        files.lines(t, node, t.value(source.receiver), names[0])
        return
    if isinstance(source, Call) and t.path(source.callee) == "io.lines" and len(source.arguments) == 1:
        files.lines_of(t, node, source.arguments[0], names[0])
        return
    if directories.loop_head(t, node, names):
        t.loop_body(node.body)
        return
    if t.plainly and plain_calls.loop_head(t, node, names):
        t.loop_body(node.body)
        return
    raise Undecided("T7-215", node.line, "a loop over an iterator that is not known")


def _is_of_files(t: Translation, node: tree.GenericFor) -> bool:
    """Whether a loop goes over the lines of a file or the names in a directory."""
    source = node.values[0]
    if isinstance(source, Invoke):
        return source.method == "lines" and t.kind(source.receiver) == "file"
    path = t.path(source.callee) if isinstance(source, Call) else None
    return path == "io.lines" or path in library.LISTINGS


def generic_head(t: Translation, node: tree.GenericFor) -> bool:
    """Write the line of a loop over a table or over matches; whether it is one."""
    if len(node.values) != 1:
        return False
    if initialization.fill_head(t, node):
        return True
    source = node.values[0]
    names = [t.names.of(name) if _is_used(t, name) else "_" for name in node.names]
    path = t.path(source.callee) if isinstance(source, Call) else None
    if isinstance(source, Call) and path in ("ipairs", "pairs") and source.arguments:
        _over_table(t, node, path, source.arguments[0], names)
        return True
    pattern_call = pattern_calls.matched(t, source)
    if pattern_call is not None and pattern_call[0] == "gmatch":
        _over_matches(t, node, pattern_call[1], pattern_call[2][0], names)
        return True
    if t.kind(source) == "matches" and len(names) == 1:
        t.emit(f"for {names[0]} in {t.value(source)}:")
        return True
    return False


def _is_used(t: Translation, name: Name) -> bool:
    variable = t.scopes.of_name[name]
    return bool(variable.reads or variable.writes)


def _over_table(
    t: Translation, node: tree.GenericFor, path: str, table: Expression, names: list[str]
) -> None:
    representation = t.representation(table)
    value = t.value(table)
    if representation == "several":
        plain = t.type(table).of_keys().find().kinds <= {"number", "string"}
        if path != "pairs" or not plain or "options" in t.tables.forms(t.type(table)):
            raise Undecided("T7-306", node.line, f"{path} over tables that are lists and others")
        t.emit(f"for {', '.join([*names, '_'][:2])} in {t.need('lua_pairs')}({value}):")
        return
    fields = table.fields if isinstance(table, tree.Table) else ()
    if len(fields) == 1 and isinstance(fields[0].value, tree.Vararg):
        value = code.atom(t.rest())
    key, item = names[0], names[1] if len(names) > 1 else "_"
    variable = t.scopes.of_name[node.names[0]]
    if isinstance(table, tree.Table) and representation == "list":
        value = code.atom(f"({value.text[1:-1]})") if len(table.fields) > 1 else value
    if representation == "options":
        t.emit(f"for {key}, {item} in sorted(vars({value}).items()):")
    elif representation in ("dict", "record"):
        if path == "ipairs" and representation == "dict":
            t.emit(f"for {key}, {item} in {t.need('numbered')}({value}):")
            return
        if path == "ipairs":
            raise Undecided("T7-306", node.line, "ipairs over a table that is no list")
        if not t.type(table).has("pairs"):
            raise undecided(t, table, "T7-306", node.line, "pairs over something unknown")
        if any_order.comes_in_any_order(t, node, table):
            _in_any_order(t, value, key, item)
            return
        if len(t.type(table).of_keys().find().kinds) == 2 and t.tables.may_have_numbers(table):
            t.emit(f"for {key}, {item} in {t.need('lua_pairs')}({value}):")
            return
        order = f"sorted({value})" if key != "_" and item == "_" else f"sorted({value.at(code.ATOM)}.items())"
        if t.type(table).of_keys().kind not in ("number", "string", None):
            raise Undecided("T7-306", node.line, "pairs over a table with keys that have no order in Python")
        if item == "_":
            t.emit(f"for {key} in {order}:")
        else:
            t.emit(f"for {key}, {item} in {order}:")
    elif key == "_":
        t.emit(f"for {item} in {value}:")
    elif item == "_":
        t.emit(f"for {key} in range(1, len({value}) + 1):")
    elif _only_indexes(t, variable):
        t.shifts[variable] = 1
        t.emit(f"for {key}, {item} in enumerate({value}):")
    else:
        t.emit(f"for {key}, {item} in enumerate({value}, 1):")


def _in_any_order(t: Translation, table: code.Py, key: str, item: str) -> None:
    if item == "_":
        t.emit(f"for {key} in {table}:")
    elif key == "_":
        t.emit(f"for {item} in {table.at(code.ATOM)}.values():")
    else:
        t.emit(f"for {key}, {item} in {table.at(code.ATOM)}.items():")


def _over_matches(
    t: Translation, node: tree.GenericFor, subject: Expression, pattern: Expression, names: list[str]
) -> None:
    regex, groups = as_regex(t, pattern, in_gmatch=True)
    if groups > 1 and groups != len(names):
        raise Undecided("T7-233", node.line, "gmatch with another number of captures than names")
    if isinstance(pattern, tree.String) and pattern.value == ".":
        t.emit(f"for {names[0]} in {t.value(subject)}:")
    else:
        t.imports.add("re")
        t.emit(f"for {', '.join(names[: max(groups, 1)])} in re.findall({regex}, {t.value(subject)}):")
