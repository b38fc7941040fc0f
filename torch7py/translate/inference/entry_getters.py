"""Functions that give an entry of a table by its name, or a default: ``getopt(options, 'size', 10)``.

What such a function gives is of as many kinds as all tables hold that it is ever asked for. A call that names the entry
gives that one entry.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.kinds import Entry, Type, unify
from torch7py.translate.scopes import Scopes, Variable
from torch7py.translate.tree import Expression, Index, Name
from torch7py.translate.tree_queries import bare, returns_of

__all__ = ["EntryGetters", "learn"]


class EntryGetters:
    def __init__(self, scopes: Scopes) -> None:
        self.scopes = scopes
        self._places: dict[tree.Function, tuple[int, int, int | None] | None] = {}

    def entry(self, function: tree.Function, arguments: tuple[Expression, ...], first: int) -> Entry | None:
        """The entry that a call of a function gives; ``first``: how many parameters come before the arguments."""
        places = self.places(function)
        if places is None or first or len(arguments) <= max(places[:2]):
            return None
        table, name, default = places
        key = arguments[name]
        last = arguments[default] if default is not None and default < len(arguments) else None
        return Entry(arguments[table], key, last) if isinstance(key, tree.String) else None

    def places(self, function: tree.Function) -> tuple[int, int, int | None] | None:
        """The places of the parameters that are the table, the name and the default."""
        if function not in self._places:
            self._places[function] = self._of(function)
        return self._places[function]

    def _of(self, function: tree.Function) -> tuple[int, int, int | None] | None:
        if not 2 <= len(function.parameters) <= 3 or function.vararg:
            return None
        variables = [self.scopes.of_name[parameter] for parameter in function.parameters]
        values = [value for node in returns_of(function) for value in self._values(function, node)]
        indices = [value for value in values if isinstance(value, Index)]
        if not indices or not all(isinstance(node, (Index, Name, tree.Nil)) for node in values):
            return None
        pairs = {(self._variable(node.base), self._variable(node.key)) for node in indices}
        others = {self._variable(node) for node in values if isinstance(node, Name)}
        if len(pairs) != 1:
            return None
        ((table, key),) = pairs
        if table not in variables or key not in variables or table is key:
            return None
        rest = [variable for variable in variables if variable not in (table, key)]
        if not others <= set(rest) or any(variable.writes for variable in (*rest, key)):
            return None
        if not all(self._is_emptied(function, name) for name in table.writes):
            return None
        default = variables.index(rest[0]) if rest else None
        return variables.index(table), variables.index(key), default

    def _values(self, function: tree.Function, node: tree.Return) -> list[Expression]:
        """What a return gives; of a variable of the function what that is given, of ``a or b`` both."""
        if len(node.values) != 1:
            return [tree.Vararg(node.span)]  # which is no entry
        values: list[Expression] = []
        waiting, seen = [node.values[0]], set[Variable]()
        while waiting:
            value = bare(waiting.pop())
            variable = self._variable(value)
            is_local = variable is not None and variable.kind == "local"
            if isinstance(value, tree.Binary) and value.operator == "or":
                waiting += [value.left, value.right]
            elif is_local and variable is not None:
                if variable not in seen:
                    seen.add(variable)
                    waiting += self._assigned(function, variable)
            else:
                values.append(value)
        return values

    def _assigned(self, function: tree.Function, variable: Variable) -> list[Expression]:
        """What a variable is given where it is one of as many as there are values, else what is no entry."""
        assigned: list[Expression] = []
        for node in tree.every(function.body, tree.Assignment):
            for place, target in enumerate(node.targets):
                if self._variable(target) is variable and node.values:
                    alike = len(node.targets) == len(node.values)
                    assigned.append(node.values[place] if alike else tree.Vararg(node.span))
        return assigned

    def _is_emptied(self, function: tree.Function, name: Name) -> bool:
        """``table = {}``, ``table = table or {}``: a table that is not there has no entry."""
        for node in tree.those(function.body, tree.Assign):
            if isinstance(node, tree.Assign) and node.targets == (name,) and len(node.values) == 1:
                value = bare(node.values[0])
                if isinstance(value, tree.Binary) and value.operator == "or":
                    same = self._variable(bare(value.left)) is self.scopes.of_name[name]
                    value = bare(value.right) if same else value
                return isinstance(value, tree.Table) and not value.fields
        return False

    def _variable(self, node: Expression) -> Variable | None:
        return self.scopes.of_name.get(node) if isinstance(node, Name) else None


def learn(table: Type, name: str, default: Type | None, result: Type) -> bool:
    """Learn what a call gives."""
    news = default is not None and default.kind is not None and unify(result, default)
    if table.kind != "table":
        return news
    if name in table.find().fields:
        return unify(result, table.of_field(name)) or news
    if not table.find().fields and table.find().element is not None and table.has("dict"):
        return unify(result, table.of_elements()) or news
    return news
