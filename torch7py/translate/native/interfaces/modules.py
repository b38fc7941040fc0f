"""What other parts of the writer ask about the files of a program: which page each global is a name of."""

from __future__ import annotations

from abc import abstractmethod

from torch7py.translate import tree
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.native.code import Py
from torch7py.translate.native.source_files import SourceFile
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Call, Index, Name, Statement

__all__ = ["Modules"]


class Modules:
    """Where globals live, and what variables stand for required files."""

    def __init__(self, known: Known) -> None:
        self.known, self.project = known, known.project
        self.shared: set[Variable] = set()  # globals that several files use
        self.scope_of = {
            file: known.scopes.of_function[file.function]
            for file in self.project.files
            if file.function is not None
        }
        self.scope_of[self.project.script] = known.scopes.main
        self._file_of = {scope: file for file, scope in self.scope_of.items()}
        self.owners: dict[Variable, SourceFile] = {}  # globals that live in one file
        self.aliases: dict[Variable, SourceFile] = {}  # variables for what a required file gives
        self._alias_statements: set[Statement] = set()
        self._top: dict[SourceFile, set[Statement]] = {
            file: set(file.block.statements) for file in self.scope_of
        }
        if self.project.files:
            self._find_globals()
            self._find_aliases()

    def file_of(self, scope: Scope) -> SourceFile:
        while scope not in self._file_of:
            assert scope.parent is not None
            scope = scope.parent
        return self._file_of[scope]

    def at_module_level(self, variable: Variable) -> bool:
        """Whether a variable is a name of a required file's page, or of ``shared``."""
        if variable in self.shared or variable in self.aliases:
            return True
        owner = self.owners.get(variable)
        if owner is None and variable.scope in self._file_of:
            owner = self._file_of[variable.scope]
        return owner is not None and owner is not self.project.script

    def _find_globals(self) -> None:
        for variable in self.known.scopes.globals.values():
            if not variable.writes or variable in self.known.types.packages:
                continue
            writers = {self.file_of(scope) for scope in variable.writers}
            everyone = writers | {self.file_of(scope) for scope in variable.readers}
            if len(everyone) == 1:
                self.owners[variable] = next(iter(everyone))
                continue
            owner = next(iter(writers))
            once = len(variable.writes) == 1 and self._is_bound_at_top(owner, variable)
            if once and owner is not self.project.script and not self._used_before(owner, everyone):
                self.owners[variable] = owner
            else:
                self.shared.add(variable)

    def _used_before(self, owner: SourceFile, users: set[SourceFile]) -> bool:
        """Whether a file's globals are used in files that it requires itself: those cannot import it."""
        order = self.project.files
        return any(user in order and order.index(user) < order.index(owner) for user in users)

    def _is_bound_at_top(self, file: SourceFile, variable: Variable) -> bool:
        (name,) = variable.writes
        for statement in self._top[file]:
            if isinstance(statement, tree.FunctionStatement) and statement.target is name:
                return True
            if isinstance(statement, tree.Assign) and name in statement.targets:
                return True
        return False

    def _find_aliases(self) -> None:
        of_name = self.known.scopes.of_name
        for node in tree.walk(self.project.program):
            if not isinstance(node, tree.Assignment) or len(node.values) != 1:
                continue
            value = node.values[0]
            if not isinstance(value, Call) or value not in self.project.requires or len(node.targets) != 1:
                continue
            if isinstance(node.targets[0], Name):
                variable = of_name[node.targets[0]]
                if len(variable.writes) == (1 if variable.is_global else 0):
                    self.aliases[variable] = self.project.requires[value]
                    self._alias_statements.add(node)
                    self.shared.discard(variable)
                    self.owners.pop(variable, None)

    @abstractmethod
    def class_name(self, lua_class: LuaClass, line: int) -> Py:
        """A class, which may be another file's."""

    @abstractmethod
    def late_class_import(self, file: SourceFile, name: str) -> str | None:
        """What imports a class of this name from the page of a later file, where a file uses one."""

    @abstractmethod
    def field(self, node: Index) -> Py | None:
        """``M.name`` of a module."""

    @abstractmethod
    def name(self, node: Name) -> None:
        """A variable is read: if it is what a file gives, the page imports it."""

    @abstractmethod
    def call(self, node: Call) -> Py | None:
        """``require`` of a file of the program's own."""
