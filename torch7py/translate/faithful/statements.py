"""Lua's statements as Python's, one function a kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch7py.translate import tree
from torch7py.translate.faithful.writing import FunctionWriting
from torch7py.translate.quoting import quoted
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Expression, Statement

__all__ = ["SIMPLE", "WRITERS"]


def local(writer: FunctionWriting, node: tree.Local) -> None:
    values = node.values
    if len(node.names) == 1 and len(values) == 1:
        _local_one(writer, node.names[0], values[0])
        return
    texts = fitted(writer, values, len(node.names))
    names = [writer.declare(name) for name in node.names]
    cells = [name for name in node.names if writer.page.scopes.variable(name) in writer.cells]
    if not values:
        for name, taken in zip(node.names, names, strict=True):
            if name in cells:
                writer.add(f"{taken} = lua.Cell()")
        plain = [taken for name, taken in zip(node.names, names, strict=True) if name not in cells]
        if plain:
            writer.add(" = ".join([*plain, "None"]))
        return
    extra = "".join(", _" for _ in range(len(values) - len(names)))
    writer.add(f"{', '.join(names)}{extra} = {texts}")
    for name, taken in zip(node.names, names, strict=True):
        if name in cells:
            writer.add(f"{taken} = lua.Cell({taken})")


def _local_one(writer: FunctionWriting, name: tree.Name, value: Expression) -> None:
    variable = writer.page.scopes.variable(name)
    if isinstance(value, tree.Function) and not writer.needs_cell(variable):
        # The function does not see the variable, but a name of before.
        taken = writer.declare(name)
        writer.write_function(taken, value, value.line)
        return
    text = writer.expressions.value(value)
    taken = writer.declare(name)
    if variable in writer.cells:
        writer.add(f"{taken} = lua.Cell({text})")
    else:
        writer.page.note_kind(variable, writer.expressions.kind(value))
        writer.add(f"{taken} = {text}")


def fitted(writer: FunctionWriting, values: tuple[Expression, ...], count: int) -> str:
    """The right side of an assignment to ``count`` targets (more, where there are more values)."""
    if not values:
        return ", ".join(["None"] * count)
    last = values[-1]
    open_end = isinstance(last, tree.Vararg) or (
        isinstance(last, tree.Call | tree.Invoke) and not writer.expressions.is_single(last)
    )
    missing = count - len(values) + 1
    if open_end and missing > 1:
        parts = [_operand(writer.expressions.value(v)) for v in values[:-1]]
        result = "varargs" if isinstance(last, tree.Vararg) else writer.expressions.call(last)  # type: ignore[arg-type]
        taken = f"lua.take({missing}, {result})"
        return ", ".join([*parts, f"*{taken}"]) if parts else taken
    parts = [_operand(writer.expressions.value(v)) for v in values]
    return ", ".join(parts + ["None"] * (count - len(values)))


def assign(writer: FunctionWriting, node: tree.Assign) -> None:
    if len(node.targets) == 1:
        _assign_one(writer, node.targets[0], node.values)
        return
    names = [target for target in node.targets if isinstance(target, tree.Name)]
    variables = [writer.page.scopes.variable(name) for name in names]
    if len(names) == len(node.targets) and len(set(variables)) == len(names):
        targets = [aim(writer, variable) for variable in variables]
        if not any(target.startswith("lua.") for target in targets):
            extra = "".join(", _" for _ in range(len(node.values) - len(names)))
            writer.add(f"{', '.join(targets)}{extra} = {fitted(writer, node.values, len(names))}")
            return
    _assign_several(writer, node)


def aim(writer: FunctionWriting, variable: Variable) -> str:
    """What stands left of ``=``."""
    if not variable.is_global and variable.scope is not writer.scope and not writer.is_cell(variable):
        writer.rebound.add(variable)
    return writer.read(variable)


def _assign_one(writer: FunctionWriting, target: Expression, values: tuple[Expression, ...]) -> None:
    if isinstance(target, tree.Name):
        variable = writer.page.scopes.variable(target)
        text = assigned(writer, values)
        store(writer, variable, text)
        return
    assert isinstance(target, tree.Index)
    base, key = writer.expressions.value(target.base), writer.expressions.value(target.key)
    text = assigned(writer, values)
    writer.add(f"lua.setindex({base}, {key}, {text})")


def assigned(writer: FunctionWriting, values: tuple[Expression, ...]) -> str:
    if len(values) == 1:
        return writer.expressions.value(values[0])
    return f"({', '.join(_operand(writer.expressions.value(v)) for v in values)})[0]"


def store(writer: FunctionWriting, variable: Variable, text: str) -> None:
    target = aim(writer, variable)
    if target.startswith("lua."):
        writer.add(f"lua.setindex(G, {quoted(variable.name)}, {text})")
    elif target != text:
        writer.add(f"{target} = {text}")


def _assign_several(writer: FunctionWriting, node: tree.Assign) -> None:
    """The operands of the targets first, then all values, then the assignments from right to left."""
    operands: list[tuple[str, str] | None] = []
    for target in node.targets:
        if isinstance(target, tree.Index):
            operands.append((_kept(writer, target.base, node), _kept(writer, target.key, node)))
        else:
            operands.append(None)
    count = max(len(node.targets), len(node.values))
    results = [writer.names.take(f"value_{i + 1}") for i in range(count)]
    writer.add(f"{', '.join(results)} = {fitted(writer, node.values, len(node.targets))}")
    pairs = zip(node.targets, operands, results[: len(node.targets)], strict=True)
    for target, operand, result in reversed(list(pairs)):
        if operand is not None:
            writer.add(f"lua.setindex({operand[0]}, {operand[1]}, {result})")
        else:
            assert isinstance(target, tree.Name)
            store(writer, writer.page.scopes.variable(target), result)


def _kept(writer: FunctionWriting, node: Expression, statement: tree.Assign) -> str:
    """An operand of a target as it is before the assignment."""
    if isinstance(node, tree.Number | tree.String | tree.Nil | tree.Boolean):
        return writer.expressions.value(node)
    text = writer.expressions.value(node)
    if isinstance(node, tree.Name):
        variable = writer.page.scopes.variable(node)
        written = {writer.page.scopes.variable(t) for t in statement.targets if isinstance(t, tree.Name)}
        if variable not in written and not variable.assigned_inside and not variable.is_global:
            return text
    writer._count += 1
    kept = writer.names.take(f"operand_{writer._count}")
    writer.add(f"{kept} = {text}")
    return kept


def run(writer: FunctionWriting, node: tree.Run) -> None:
    text = writer.expressions.call(node.call)
    writer.add(text)


def do(writer: FunctionWriting, node: tree.Do) -> None:
    writer.names.open()
    if node.body.opening is not None:
        writer.code.comments((node.body.opening,), writer.line)
    writer.jumps.statements(node.body)
    writer.code.comments(node.body.closing, writer.line)
    writer.names.close()


def if_(writer: FunctionWriting, node: tree.If) -> None:
    depth = writer.code.depth
    for at, (condition, block) in enumerate(node.branches):
        line = condition.line
        if at:
            mark = len(writer.code.lines)
            writer.line = line
            text = writer.expressions.condition(condition)
            if len(writer.code.lines) > mark:  # a function or a comment: it must stand inside the else
                hoisted = writer.code.lines[mark:]
                del writer.code.lines[mark:]
                writer.code.add("else:", line)
                writer.code.depth += 1
                for made in hoisted:
                    made.depth += 1
                writer.code.lines += hoisted
                writer.suite(f"if {text}:", block, line)
            else:
                writer.suite(f"elif {text}:", block, line)
        else:
            text = writer.expressions.condition(condition)
            writer.suite(f"if {text}:", block, node.line)
    if node.otherwise is not None:
        writer.suite("else:", node.otherwise, writer.line)
    writer.code.depth = depth


def while_(writer: FunctionWriting, node: tree.While) -> None:
    mark = len(writer.code.lines)
    text = writer.expressions.condition(node.condition)
    hoisted = writer.code.lines[mark:]
    del writer.code.lines[mark:]
    if not hoisted:
        writer.jumps.loop(f"while {text}:", node.body, node.line)
        return
    for made in hoisted:
        made.depth += 1

    def test() -> None:
        writer.code.lines += hoisted
        writer.add(f"if not ({text}):")
        writer.code.depth += 1
        writer.add("break")
        writer.code.depth -= 1

    writer.jumps.loop("while True:", node.body, node.line, before=test)


def repeat(writer: FunctionWriting, node: tree.Repeat) -> None:
    def test() -> None:
        writer.line = node.condition.line
        condition = node.condition
        while isinstance(condition, tree.Paren):
            condition = condition.inner
        if isinstance(condition, tree.Boolean) and not condition.value:
            return
        writer.add(f"if {writer.expressions.condition(condition)}:")
        writer.code.depth += 1
        writer.add("break")
        writer.code.depth -= 1

    writer.jumps.loop("while True:", node.body, node.line, after=test)


def numeric_for(writer: FunctionWriting, node: tree.NumericFor) -> None:
    bounds = [writer.expressions.value(node.start), writer.expressions.value(node.stop)]
    if node.step is not None:
        bounds.append(writer.expressions.value(node.step))
    variable = writer.page.scopes.variable(node.variable)
    writer.names.open()
    name = writer.declare(node.variable)
    whole = writer.expressions.kind(node.start) == "int" and (
        node.step is None or writer.expressions.kind(node.step) == "int"
    )
    if not variable.writes:
        writer.page.note_kind(variable, "int" if whole and _finite(writer, node.stop) else "number")
    header = f"for {name} in lua.range({', '.join(bounds)}):"
    writer.jumps.loop(header, node.body, node.line, before=_make_cells(writer, [node.variable]))
    writer.names.close()


def _finite(writer: FunctionWriting, node: Expression) -> bool:
    """Whether a bound is certainly no infinity: loops to infinity count in floats, which is no difference to
    a test or a sum that a double can hold."""
    return True


def _make_cells(writer: FunctionWriting, names: list[tree.Name]) -> object:
    cells = [writer.page.scopes.variable(name) for name in names]
    cells = [variable for variable in cells if variable in writer.cells]
    if not cells:
        return None

    def make() -> None:
        for variable in cells:
            name = writer.names.lookup(variable)
            writer.add(f"{name} = lua.Cell({name})")

    return make


def generic_for(writer: FunctionWriting, node: tree.GenericFor) -> None:
    count = len(node.names)
    call = node.values[0]
    iterator = None
    if len(node.values) == 1 and isinstance(call, tree.Call) and isinstance(call.callee, tree.Name):
        variable = writer.page.scopes.variable(call.callee)
        name = call.callee.name
        if variable.is_global and not variable.writes and name in ("pairs", "ipairs") and count <= 2:
            iterator = f"lua.{name}({', '.join(writer.expressions.values(call.arguments))})"
    if iterator is None:
        iterator = f"lua.iterate({', '.join([str(count), *writer.expressions.values(node.values)])})"
        padding = 0
    else:
        padding = 2 - count
    writer.names.open()
    names = [writer.declare(name) for name in node.names] + ["_"] * padding
    writer.jumps.loop(
        f"for {', '.join(names)} in {iterator}:",
        node.body,
        node.line,
        before=_make_cells(writer, list(node.names)),
    )
    writer.names.close()


def function_statement(writer: FunctionWriting, node: tree.FunctionStatement) -> None:
    target = node.target
    if isinstance(target, tree.Name):
        variable = writer.page.scopes.variable(target)
        if not variable.is_global and not writer.is_cell(variable):
            writer.write_function(aim(writer, variable), node.function, node.line)
            return
        name = writer.function_value(node.function, target.name)
        store(writer, variable, name)
        return
    assert isinstance(target, tree.Index)
    assert isinstance(target.key, tree.String)
    name = writer.function_value(node.function, target.key.value)
    writer.line = node.line
    writer.add(
        f"lua.setindex({writer.expressions.value(target.base)}, {writer.expressions.value(target.key)}, {name})"
    )


def local_function(writer: FunctionWriting, node: tree.LocalFunction) -> None:
    variable = writer.page.scopes.variable(node.name)
    taken = writer.declare(node.name)
    if variable in writer.cells:
        writer.add(f"{taken} = lua.Cell()")
        made = writer.function_value(node.function, node.name.name + "_function")
        writer.add(f"{taken}.value = {made}")
        return
    writer.write_function(taken, node.function, node.line)


def return_(writer: FunctionWriting, node: tree.Return) -> None:
    text = writer.expressions.several(node.values)
    writer.add(f"return {text}")
    only = node.values[0] if len(node.values) == 1 else None
    if isinstance(only, tree.Call | tree.Invoke):
        line = writer.code.lines[-1]
        line.mark = "~" if line.mark == "=" else "!"


def break_(writer: FunctionWriting, node: tree.Break) -> None:
    writer.jumps.break_()


def goto(writer: FunctionWriting, node: tree.Goto) -> None:
    writer.jumps.goto(node)


def _operand(text: str) -> str:
    """An item of a row of values."""
    return f"({text})" if text.startswith("lambda") or " if " in text else text


SIMPLE = (tree.Local, tree.Assign, tree.Run, tree.Return, tree.Break, tree.Goto)
WRITERS: dict[type[Statement], Callable[[FunctionWriting, Any], None]] = {
    tree.Local: local,
    tree.Assign: assign,
    tree.Run: run,
    tree.Do: do,
    tree.If: if_,
    tree.While: while_,
    tree.Repeat: repeat,
    tree.NumericFor: numeric_for,
    tree.GenericFor: generic_for,
    tree.FunctionStatement: function_statement,
    tree.LocalFunction: local_function,
    tree.Return: return_,
    tree.Break: break_,
    tree.Goto: goto,
}
