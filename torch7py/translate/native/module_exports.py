"""What a required file gives: a module with names in it, one name of its page, or nothing.

A file that ends with ``return M``, where M is a table that it only puts functions and values into, is a module whose
names those are, but where nothing is taken for known, or whoever requires it hands the table on: it is one as any
other there. What a file returns otherwise is one name of its module.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch7py.translate import tree
from torch7py.translate.native.code import python_name
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.source_files import SourceFile
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Expression, Index, Name, Statement, String

__all__ = ["ModuleExports", "gives", "keep_fields_apart", "makes_table"]


@dataclass(eq=False)
class ModuleExports:
    """What a file gives: a module (``table``: the variable of its table), a name of its page, or nothing."""

    table: Variable | None = None
    name: str = ""


def gives(t: Translation, file: SourceFile, is_handed_on: bool) -> ModuleExports:
    """What a file gives to those that require it. ``is_handed_on``: whether these give it to others as a value."""
    value = file.returned
    if value is None:
        return ModuleExports()
    if isinstance(value, Name):
        variable = t.scopes.of_name[value]
        if not (t.plain_values or is_handed_on) and _is_module_table(t, file, variable, value):
            return ModuleExports(table=variable)
        return ModuleExports(name=t.names.of(value))
    lua_class = t.types.class_named(value)
    if lua_class is not None:
        return ModuleExports(name=t.classes.names[lua_class])
    return ModuleExports(name=python_name(file.module.rpartition(".")[2]))


def _is_module_table(t: Translation, file: SourceFile, variable: Variable, returned: Name) -> bool:
    """Whether a variable only holds an empty table, into which the file's top puts names."""
    if variable in t.types.class_of_variable or (variable.captured and variable.assigned_inside):
        return False
    makers = [s for s in file.block.statements if makes_table(t, s, variable)]
    if len(makers) != 1 or len(variable.writes) != (1 if variable.is_global else 0):
        return False
    stored: set[Name] = set()
    for statement in file.block.statements:
        if isinstance(statement, tree.FunctionStatement) and not statement.method:
            targets: tuple[Expression, ...] = (statement.target,)
        elif isinstance(statement, tree.Assign):
            targets = statement.targets
        else:
            continue
        for target in targets:
            if isinstance(target, Index) and isinstance(target.base, Name) and target.dotted:
                if isinstance(target.key, String) and target.key.value.startswith("__"):
                    return False
                stored.add(target.base)
    read = {
        node.base
        for node in tree.walk(file.block)
        if isinstance(node, Index) and node.dotted and isinstance(node.base, Name)
    }
    changed = {
        target.base
        for node in tree.walk(file.block)
        for target in _targets(node)
        if isinstance(target, Index) and isinstance(target.base, Name)
    }
    uses = set(variable.reads) - {returned} - set(t.classes.torch_class_tables(variable))
    return uses <= read and uses & changed <= stored


def keep_fields_apart(t: Translation, table: Variable, file: SourceFile, scope: Scope) -> None:
    """Rename the variables of a file that have the name of a field which is something else."""
    names = t.names
    fields: dict[str, Expression | None] = {}
    for statement in file.block.statements:
        for target in _targets(statement):
            if not (isinstance(target, Index) and isinstance(target.key, String)):
                continue
            if isinstance(target.base, Name) and t.scopes.of_name[target.base] is table:
                value = statement.values[0] if isinstance(statement, tree.Assign) else None
                fields[python_name(target.key.value)] = value
    for variable in scope.variables:
        value = fields.get(names.of_variable(variable))
        if names.of_variable(variable) not in fields:
            continue
        if not (isinstance(value, Name) and t.scopes.of_name[value] is variable):
            names.chosen[variable] = names.fresh(f"{names.of_variable(variable)}_", scope)


def makes_table(t: Translation, statement: Statement, variable: Variable) -> bool:
    if not isinstance(statement, tree.Assignment) or len(statement.values) != 1:
        return False
    (value,) = statement.values
    return (
        len(statement.targets) == 1
        and isinstance(statement.targets[0], Name)
        and t.scopes.of_name[statement.targets[0]] is variable
        and isinstance(value, tree.Table)
        and not value.fields
    )


def _targets(node: tree.Node | tree.Block) -> tuple[Expression, ...]:
    if isinstance(node, tree.Assign):
        return node.targets
    return (node.target,) if isinstance(node, tree.FunctionStatement) else ()
