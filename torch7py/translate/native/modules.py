"""A program's own files as Python modules: what ``require`` is in a page, the names that files share, and the imports.

What a file gives is a module or a name of its module (see ``module_exports``). A global that one required file makes
once is imported from its page; one that several files assign, or that the script makes for its files, lives in the
module ``shared``.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch7py.translate import tree, tree_queries
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native import late_imports
from torch7py.translate.native.code import INDENT, Py, atom, python_name
from torch7py.translate.native.interfaces import modules as interfaces
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.module_exports import gives, keep_fields_apart, makes_table
from torch7py.translate.native.page_names import acts, bound, unresolved
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.source_files import SourceFile
from torch7py.translate.quoting import docstring
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Call, Expression, Index, Name, Statement, String

__all__ = ["Modules"]

# Functions that only ask what they are given.
_ASKING = {"assert", "print", "require", "tostring", "torch.class", "torch.type", "type"}


class Modules(interfaces.Modules):
    def __init__(self, translator: Translation) -> None:
        super().__init__(translator)
        self.t = translator
        self.current = self.project.script
        handed_on = self._handed_on()
        self.exports = {file: gives(self.t, file, file in handed_on) for file in self.project.files}
        self._tables = {g.table: file for file, g in self.exports.items() if g.table is not None}
        for variable, file in self.aliases.items():
            if self.exports[file].name in self.t.classes.names.values():
                self.t.names.chosen[variable] = self.exports[file].name
        for variable, file in self._tables.items():
            keep_fields_apart(self.t, variable, file, self.scope_of[file])
        self.late = late_imports.find_late(self.t.scopes, self) if self.project.files else set()
        self.bound: dict[SourceFile, set[str]] = {}  # the names that a page makes, which others may import
        self.placed: set[SourceFile] = set()  # files that a page imports where its file runs them
        self.late_names: dict[str, list[str]] = {}  # what the page uses of these and the late ones, by module
        for variable in self.shared:
            self.t.names.used[self.t.scopes.main].discard(self.t.names.of_variable(variable))
            self.t.names.chosen[variable] = f"shared.{python_name(variable.name)}"

    def _handed_on(self) -> set[SourceFile]:
        """The files whose tables are given to functions or put into tables: whoever has one there takes a table."""
        files: set[SourceFile | None] = set()
        given_back = {file.returned for file in self.project.files}
        for node in tree.walk(self.t.program):
            if isinstance(node, Call) and self.t.path(node.callee) not in _ASKING:
                values: Iterable[Expression] = node.arguments
            elif isinstance(node, tree.Invoke):
                values = node.arguments
            elif isinstance(node, tree.Table):
                values = (field.value for field in node.fields)
            elif isinstance(node, tree.Return):
                values = node.values
            else:
                continue
            for value in values:
                if isinstance(value, Name):
                    files.add(None if value in given_back else self.aliases.get(self.t.scopes.of_name[value]))
                elif isinstance(value, Call):
                    files.add(self.project.requires.get(value))
        return {file for file in files if file is not None}

    # What is where

    def available(self) -> set[Variable]:
        """The variables that the script's functions have without its ``main``."""
        inside = {self.project.script, *self.late}
        variables = {v for v, owner in self.owners.items() if owner not in inside}
        return variables | self.shared | {v for v, file in self.aliases.items() if file not in self.late}

    # Expressions

    def _file_behind(self, node: Expression) -> SourceFile | None:
        """The file whose module an expression is."""
        if isinstance(node, Name):
            variable = self.t.scopes.of_name[node]
            file = self._tables.get(variable) or self.aliases.get(variable)
        else:
            file = self.project.requires.get(node) if isinstance(node, Call) else None
        return None if file is None else self._passed_on(file)

    def _passed_on(self, file: SourceFile) -> SourceFile:
        """The file whose module a file gives: its own, or another's that it requires."""
        seen = [file]
        while isinstance(file.returned, Name):
            other = self.aliases.get(self.t.scopes.of_name[file.returned])
            if other is None or other in seen:
                break
            file = other
            seen.append(file)
        return file

    def field(self, node: Index) -> Py | None:
        file = self._file_behind(node.base)
        if file is None or self.exports[file].table is None:
            return None
        lua_class = self.t.types.class_named(node)
        if (
            lua_class is not None
            and lua_class.holder is not None
            and lua_class.statement not in self._top[file]
        ):
            # torch.class puts it there from another file
            return self.class_name(lua_class, node.line)
        if not isinstance(node.key, String):
            if file is self.current or self.t.kind(node.key) != "string":
                return None
            return atom(f"getattr({self._module_name(node.base, file)}, {self.t.value(node.key)})")
        name = python_name(node.key.value)
        if file is self.current:
            self._refuse_shadowed(name, node.line)
            return atom(name)
        return atom(f"{self._module_name(node.base, file)}.{name}")

    def class_name(self, lua_class: LuaClass, line: int) -> Py:
        """A class that lies in a file's table: the page of the file that makes it has its name."""
        if lua_class in self.t.classes.failed:
            raise self.t.classes.failed[lua_class]
        name = self.t.classes.names[lua_class]
        home = next(
            (f for f in self.project.files if lua_class.statement in self._top[f]), self.project.script
        )
        order = [*self.project.files, self.project.script]
        if order.index(home) > order.index(self.current):  # that page imports this one
            if not self.t.depth or home is self.project.script or self.t.scope in self._file_of:
                raise Problem("T7-251", line, f"the class {lua_class.name}, which a later file makes")
            imported = f"from {home.module} import {name}"
            if self.t.lines[-1:] != [INDENT * self.t.depth + imported]:
                self.t.emit(imported)
        return atom(name)

    def late_class_import(self, file: SourceFile, name: str) -> str | None:
        """What imports a class of this name from the page of a later file, where a file uses one."""
        order = self.project.files
        if file not in order:
            return None
        for lua_class, python in self.t.classes.names.items():
            homes = [
                later for later in order[order.index(file) + 1 :] if lua_class.statement in self._top[later]
            ]
            if python == name and homes and lua_class not in self.t.classes.failed:
                return f"from {homes[0].module} import {name}"
        return None

    def _refuse_shadowed(self, name: str, line: int) -> None:
        scope: Scope | None = self.t.scope
        while scope is not None and scope not in self._file_of:
            if any(self.t.names.of_variable(variable) == name for variable in scope.variables):
                raise Problem("T7-252", line, f"{name} of the module where a local has that name")
            scope = scope.parent

    def _module_name(self, node: Expression, file: SourceFile) -> str:
        if isinstance(node, Name):
            name = self.t.names.of(node)
            if not self._is_late(file):
                self.imports[name] = file
            return name
        return self._import(file)

    def _is_late(self, file: SourceFile) -> bool:
        """Whether the import of a file stands inside the page that is being written."""
        return file in self.late and self.current is self.project.script

    def _import(self, file: SourceFile) -> str:
        name = self._import_name(file)
        self.imports[name] = file
        return name

    def _import_name(self, file: SourceFile) -> str:
        name = file.module.rpartition(".")[2]
        if name in self._names_of_page():  # ``local settings = require('settings').read()``
            name += "_module"
        return name

    def _names_of_page(self) -> set[str]:
        """The names of the variables of the file whose page is written."""
        names, scopes = self.t.names, self.t.scopes
        return {
            names.of_variable(variable)
            for scope in [*self._file_of, *scopes.of_function.values()]
            if self.file_of(scope) is self.current
            for variable in scope.variables
            if variable not in self.aliases
        }

    def name(self, node: Name) -> None:
        file = self.aliases.get(self.t.scopes.of_name[node])
        if file is not None:
            if self.exports[file].table is None and not self.exports[file].name:
                raise Problem("T7-251", node.line, f"{file.name} gives nothing")
            if not self._is_late(file):
                self.imports[self.t.names.of(node)] = file

    def call(self, node: Call) -> Py | None:
        """``require 'x'`` in an expression."""
        file = self.project.requires.get(node)
        if file is None:
            return None
        self._refuse_again(node, file)
        if self.exports[file].table is None and not self.exports[file].name:
            raise Problem("T7-251", node.line, f"{file.name} gives nothing")
        if self._is_late(file):
            return atom(self._import_here(node, file))
        return atom(self._import(file))

    def _import_here(self, node: Call, file: SourceFile) -> str:
        """Import a late file before the statement that runs it in an expression."""
        statements = (s for s in tree.walk(self.project.script.block) if isinstance(s, Statement))
        statement = next((s for s in statements if node in tree.direct_nodes(s)), None)
        if statement is None or not tree_queries.is_first_call(statement, node):
            raise Problem(
                "T7-251", node.line, f"{file.name}, which is run after something else of a statement"
            )
        name = self._import_name(file)
        self.t.emit(self._import_line(name, file))
        return name

    def _refuse_again(self, node: Call, file: SourceFile) -> None:
        """``dofile`` runs a file each time, an import only once."""
        if isinstance(node.callee, Name) and node.callee.name == "require":
            return
        others = [call for call, other in self.project.requires.items() if other is file]
        if len(others) > 1 or self.t.scope not in self._file_of:
            raise Problem("T7-251", node.line, f"{file.name} may be run several times")

    # Statements

    def handles(self, node: Statement) -> bool:
        call = None
        if isinstance(node, tree.Run) and isinstance(node.call, Call):
            call = node.call
        elif node in self._alias_statements:
            assert isinstance(node, tree.Assignment)
            value = node.values[0]
            call = value if isinstance(value, Call) else None
        if call is not None and call in self.project.requires:
            file = self.project.requires[call]
            self._refuse_again(call, file)
            if isinstance(node, tree.Run) and self._fills_globals_of_this(file):
                self.placed.add(file)
                self.t.emit(late_imports.mark(file))
            elif not self._is_late(file):
                self.run.setdefault(file)
            elif node in self._alias_statements and isinstance(node, tree.Assignment):
                (target,) = node.targets
                assert isinstance(target, Name)
                self.t.emit(self._import_line(self.t.names.of(target), file))
            else:
                self.t.emit(late_imports.mark(file))
            return True
        if self.current is self.project.script:
            return self._chooses(node)
        return self.t.scope in self._file_of and self._of_module(node)

    def _chooses(self, node: Statement) -> bool:
        """``net = dofile 'small.lua'`` in a branch"""
        if not isinstance(node, tree.Assign) or len(node.targets) != 1 or len(node.values) != 1:
            return False
        (target,), (call,) = node.targets, node.values
        file = self.project.requires.get(call) if isinstance(call, Call) else None
        if (
            file is None
            or not isinstance(call, Call)
            or not isinstance(target, Name)
            or not self._is_late(file)
        ):
            return False
        name = self.t.names.of(target)
        has_exports = self.exports[file].table is not None or self.exports[file].name
        if not name.isidentifier() or not has_exports or self.t.scopes.of_name[target].is_global:
            return False
        self._refuse_again(call, file)
        self.t.emit(self._import_line(name, file))
        return True

    def _fills_globals_of_this(self, file: SourceFile) -> bool:
        """Whether a file that a required file runs uses what that has made by then: a table for all their functions."""
        scope = self.scope_of[self.current]
        if self.current is self.project.script or self.t.scope is not scope:
            return False
        return any(
            self.file_of(user) is file
            for variable in self.shared
            if scope in variable.writers
            for user in variable.readers
        )

    def _of_module(self, node: Statement) -> bool:
        """The statements of a required file that make it a module."""
        exports = self.exports[self.current]
        if isinstance(node, tree.Return):
            if node is not self.current.block.statements[-1] or len(node.values) > 1:
                raise Problem("T7-251", node.line, "a file that returns in its middle, or several values")
            value = self.current.returned
            named = value is not None and self.t.types.class_named(value) is not None
            elsewhere = isinstance(value, Name) and self.t.scopes.of_name[value] in self.shared
            if value is not None and not named and (elsewhere or not isinstance(value, Name)):
                self.t.emit(f"{exports.name} = {self.t.value(value)}")
            return True
        if exports.table is None:
            return False
        if isinstance(node, tree.Assignment) and makes_table(self.t, node, exports.table):
            return True
        if isinstance(node, tree.FunctionStatement):
            name = self._export_name(node.target)
            if name is not None:
                self.t.functions.define(name, node.function)
                return True
        if isinstance(node, tree.Assign) and len(node.targets) == len(node.values) == 1:
            name = self._export_name(node.targets[0])
            if name is not None:
                value = node.values[0]
                if isinstance(value, tree.Function):
                    self.t.functions.define(name, value)
                elif (text := self.t.value(value).text) != name:
                    self.t.emit(f"{name} = {text}")
                return True
        return False

    def _export_name(self, node: Expression) -> str | None:
        if not (isinstance(node, Index) and isinstance(node.base, Name) and isinstance(node.key, String)):
            return None
        mine = self._tables.get(self.t.scopes.of_name[node.base]) is self.current
        return python_name(node.key.value) if mine else None

    # Pages

    def start(self, file: SourceFile) -> None:
        """What follows is written into this file's page."""
        self.current = file
        self.imports: dict[str, SourceFile] = {}
        self.run: dict[SourceFile, None] = {}
        self.placed, self.late_names = set(), {}

    def import_lines(self, code: str, pages: dict[SourceFile, str], imported_names: set[str]) -> list[str]:
        """The imports of a page from the other ones; ``pages`` are those written before it."""
        lines = {self._import_line(name, file): None for name, file in self.imports.items()}
        for file in pages:
            if file not in self.bound:
                self.bound[file] = bound(pages[file])
        for name in sorted(unresolved(code, set(self.imports) | imported_names)) if pages else ():
            for file in reversed(list(pages)):
                if name in self.bound[file]:
                    if self._is_late(file) or file in self.placed:
                        self.late_names.setdefault(file.module, []).append(name)
                    else:
                        lines[f"from {file.module} import {name}"] = None
                    break
        if any(name in code for name in {f"shared.{python_name(v.name)}" for v in self.shared}):
            lines["import shared"] = None
        for file in self.run:
            last = file.module.rpartition(".")[2]
            imported = any(file.module in line or f" {last}" in line for line in lines)
            if not imported and file in pages and acts(pages[file]):
                lines[f"import {file.module}  # noqa: F401 (for what it does)"] = None
        return _joined(lines)

    def _import_line(self, name: str, file: SourceFile) -> str:
        """The import of what a file gives, under a name."""
        exports = self.exports[file]
        package, _, last = file.module.rpartition(".")
        if exports.table is None:
            return _imported(file.module, exports.name, name)
        if package:
            return _imported(package, last, name)
        return f"import {last}" if last == name else f"import {last} as {name}"

    def shared_page(self) -> str | None:
        """The page of the globals that several files use."""
        if not self.shared:
            return None
        names = sorted(python_name(variable.name) for variable in self.shared)
        lines = "\n".join(f"{name} = None" for name in names)
        title = docstring(f"The variables that several files of {self.project.script.name} use.")
        return f"{title}\n\n{lines}\n"


def _imported(module: str, name: str, alias: str) -> str:
    return f"from {module} import {name}" + ("" if name == alias else f" as {alias}")


def _joined(lines: Iterable[str]) -> list[str]:
    """Imports in order, with one of all that comes from a module under its own name."""
    result: list[str] = []
    names: dict[str, list[str]] = {}
    for line in lines:
        module, _, name = line.removeprefix("from ").partition(" import ")
        if line.startswith("from ") and " as " not in name:
            names.setdefault(module, []).append(name)
        else:
            result.append(line)
    result += [
        f"from {module} import {', '.join(sorted(members, key=_order))}" for module, members in names.items()
    ]
    return sorted(result, key=lambda line: (line.startswith("from"), line.lower()))


def _order(name: str) -> tuple[int, str]:
    """Where a name stands in an import: constants, classes, others."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name.lower())
