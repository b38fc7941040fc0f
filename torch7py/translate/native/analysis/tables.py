"""What a Lua table becomes: a list, a dict (also for records), or the options of argparse."""

from __future__ import annotations

import math

from torch7py.translate import tree, tree_queries
from torch7py.translate.kind_rules import HELD
from torch7py.translate.kinds import Type
from torch7py.translate.native.analysis.appending import Appends
from torch7py.translate.native.analysis.intervals import KNOWN
from torch7py.translate.native.analysis.program_facts import Known, WholeNumbers
from torch7py.translate.native.analysis.table_uses import TableUses
from torch7py.translate.native.problem import Undecided
from torch7py.translate.observed import has_field
from torch7py.translate.tree import Expression, Index, Name
from torch7py.translate.tree_queries import same_expression

__all__ = ["Tables"]


class Tables:
    """Decides by all uses of a table in the program.

    A list must grow by ``table.insert``, ``t[#t + 1]``, or by ``t[i] = v`` in the first loop over 1, 2, ... after it
    was made empty, which is an append; or by ``t[1] = a``, ``t[2] = b`` behind that. A table that is filled in
    another way keeps its numbers as keys of a dict.
    """

    def __init__(self, translator: Known) -> None:
        self.t = translator
        self.uses = TableUses(translator)
        self._appends = Appends(self.uses)
        self._known: dict[Type, str] = {}

    def filled_to(self, name: Name, length: Expression) -> bool:
        """Whether a list has this many items: it is filled by one loop over 1, ..., length, with one item a turn."""
        table_type = self.t.type(name)
        makers = self.uses.constructors.get(table_type, [])
        if len(makers) != 1 or makers[0].fields:
            return False
        filling: list[tree.Node] = []
        for node in tree.every(self.t.program, tree.Call):
            inserts = self.t.path(node.callee) == "table.insert" and node.arguments
            if inserts and self.t.type(node.arguments[0]) is table_type:
                filling.append(node)
        filling += [target for target in self._appends.appended if self.t.type(target.base) is table_type]
        around = self.t.surroundings.chain(filling[0]) if len(filling) == 1 else []
        if len(around) < 2:
            return False
        loop = around[-2]
        if (
            not isinstance(loop, tree.NumericFor)
            or loop.step is not None
            or any(isinstance(n, tree.Break) for n in tree.walk(loop.body))
        ):
            return False
        first = isinstance(loop.start, tree.Number) and loop.start.value == 1
        return first and same_expression(loop.stop, length)

    def is_filled_to(self, table_type: Type, length: Expression) -> bool:
        """Whether a loop to the same end puts an item at the end of a list each turn."""
        filling: list[Expression] = [t for t in self._appends.appended if self.t.type(t.base) is table_type]
        filling += [first for _, first in self.uses.filled_by if self.t.type(first) is table_type]
        loops = [s for node in filling for s in self.t.surroundings.chain(node)]
        return any(isinstance(s, tree.NumericFor) and same_expression(s.stop, length) for s in loops)

    def appends(self, target: Index) -> bool:
        return target in self._appends.appended and self.t.representation(target.base) == "list"

    def perhaps_appends(self, target: Index) -> bool:
        """Whether a store is an append where it is at the end of its list."""
        return target in self._appends.perhaps and self.t.representation(target.base) == "list"

    def items(self, table: Expression) -> list[Expression] | None:
        """What is in a list, where each item is put at its end by a statement of its own."""
        table_type = self.t.type(table).find()
        items = sorted(self.uses.values.get(table_type, []), key=lambda item: item.span.start)
        inserted = [
            call
            for call in tree.every(self.t.program, tree.Call)
            if len(call.arguments) > 2
            and call.arguments[-1] in items
            and self.t.path(call.callee) == "table.insert"
        ]
        return items if not inserted and self._appends.exactly(table_type) == len(items) else None

    def is_changed(self, table: Expression) -> bool:
        """Whether the program puts something into a table, or takes something out of it."""
        return any(
            bool(self.uses.stores.get(table_type)) or table_type.has("append") or self._shrinks(table_type)
            for table_type in self.t.types.tables_of(self.t.type(table))
        )

    # Representations

    def representation(self, table_type: Type) -> str:
        table_type = table_type.find()
        known = self._known.get(table_type)
        if known is None:
            self._known[table_type] = "several"  # while it is being looked at
            known = self._known[table_type] = (
                self._of_sink(table_type) if table_type.sources else self._decide(table_type)
            )
            if self.t.objects and known == "record" and not self.uses.constructors.get(table_type):
                known = self._known[table_type] = "several"  # nothing tells what a caller gives
        return known

    def forms(self, table_type: Type) -> set[str]:
        """What the tables are that something of several kinds is given."""
        if any(table.has_too_many_sources for table in self.t.types.tables_of(table_type)):
            return {"list", "dict", "options"}  # anything
        return {
            self.representation(table) for table in self.t.types.tables_of(table_type) if not table.sources
        } | {
            self._decide(table)
            for table in self.t.types.tables_of(table_type)
            if table.sources and self.uses.constructors.get(table)
        }

    def of_modules(self, table_type: Type) -> bool:
        """Whether there may be layers in such a table: PyTorch has its own lists of them."""
        inside = [
            e
            for table in self.t.types.tables_of(table_type)
            for e in (table.element, *table.fields.values())
            if e
        ]
        return any(not {"module", "criterion"}.isdisjoint(item.find().kinds) for item in inside)

    def only_by_places(self, table_type: Type) -> bool:
        """Whether nothing goes through a table's items or asks for their number: all are taken by their places."""
        found = table_type.find()
        of_all = [node.operand for node in tree.every(self.t.program, tree.Unary) if node.operator == "#"]
        for call in tree.every(self.t.program, tree.Call):
            path = self.t.path(call.callee) or ""
            if path in ("ipairs", "pairs", "unpack", "select", "next") or path.startswith("table."):
                of_all += call.arguments
        return not any(found in self.t.types.tables_of(self.t.type(node)) for node in of_all)

    def _of_sink(self, sink: Type) -> str:
        """What something of several kinds is where it is a table: "several", where not all of these are alike."""
        if all(source.find().kinds and "table" not in source.find().kinds for source in sink.sources):
            return self._decide(sink)  # no table is given: only the text speaks of one
        forms = self.forms(sink)
        if forms == {"dict", "record"}:  # both are dicts
            return "dict"
        return forms.pop() if len(forms) == 1 else "several"

    def refuse_call_site_table(self, table: Expression) -> None:
        """A table that is known only by what is given here is not changed: that would not be known of there."""
        if self.t.kind(table) == "table" and self.t.type(table).find().sources:
            raise Undecided("T7-306", table.line, "a change of a table that may be of several kinds")

    def may_have_numbers(self, table: Expression) -> bool:
        """Whether keys of a dict may be numbers, and the others are texts; it is not made with nil among its items."""
        kinds = self.t.type(table).of_keys().find().kinds
        if kinds and not ("number" in kinds and kinds <= {"number", "string"}):
            return False
        constructors = [
            constructors
            for table_type in self.t.types.tables_of(self.t.type(table))
            for constructors in self.uses.constructors.get(table_type, [])
        ]
        return not any(
            isinstance(item.value, tree.Nil) for constructor in constructors for item in constructor.fields
        )

    def values_of(self, table: Expression) -> list[Expression]:
        """What is put into a table under numbers."""
        return [
            v
            for table_type in self.t.types.tables_of(self.t.type(table))
            for v in self.uses.values.get(table_type, [])
        ]

    def values_of_entry(self, entry: Index) -> list[Expression]:
        """What is put under a key of tables: nil, which takes an entry away, is not among it."""
        named = [
            field.value
            for table_type in self.t.types.tables_of(self.t.type(entry.base))
            for table in self.uses.constructors.get(table_type, [])
            for field in table.fields
            if isinstance(field.key, tree.String)
            and (not isinstance(entry.key, tree.String) or field.key.value == entry.key.value)
        ]
        return [v for v in (*self.values_of(entry.base), *named) if not isinstance(v, tree.Nil)]

    def begins_at_zero(self, table_type: Type) -> bool:
        """Whether a table is made with an entry 0, and else has those of a loop over 1, 2, ..."""
        constructors = self.uses.constructors.get(table_type.find(), [])
        stores = self.uses.stores.get(table_type.find(), [])
        if not constructors or any(len(table.fields) != 1 for table in constructors):
            return False
        keys = [table.fields[0].key for table in constructors]
        return all(isinstance(key, tree.Number) and key.value == 0 for key in keys) and all(
            self._counts_up(target.key) or (isinstance(target.key, tree.Number) and target.key.value == 0)
            for _, target in stores
        )

    def _counts_up(self, key: Expression) -> bool:
        """Whether a key is the variable of a loop over 1, 2, ..."""
        if not isinstance(key, Name):
            return False
        loop = self.uses.loop_of.get(self.t.scopes.of_name[key])
        return (
            isinstance(loop, tree.NumericFor)
            and isinstance(loop.start, tree.Number)
            and loop.start.value == 1
            and loop.step is None
        )

    def _decide(self, table_type: Type) -> str:
        if table_type.has("options"):
            return "options"
        if table_type.has("losses") or table_type.has("steps") or table_type.has(HELD):
            return "list"
        if table_type.has("metatable"):
            return "record" if table_type.fields and not table_type.has("array") else "dict"
        if table_type.fields and not table_type.has("array"):
            return "record"
        if table_type.has("sparse") or table_type.has("removed") or table_type.has("dict"):
            return "dict"
        if table_type.has("record"):
            return "dict" if table_type.has("array") else "record"
        if table_type.key is not None and table_type.of_keys().kind not in ("number", None):
            return "dict"
        constructors = self.uses.constructors.get(table_type, [])
        filled = (
            table_type.has("append")
            or any(table.fields for table in constructors)
            or _is_json_array(table_type)
        )
        stores = [target for _, target in self.uses.stores.get(table_type, [])]
        filling = self._appends.appended | self._appends.perhaps
        grows = table_type.has("append") or not filling.isdisjoint(stores)
        longest = max((len(table.fields) for table in constructors), default=0)
        least = {target: self.t.intervals.of(target.key)[0] for target in stores}
        if any(KNOWN < least[target] < 1 for target in stores if not self._is_at_end(target)):
            return "dict"  # a place before the first
        if filled and not grows and any(least[target] > longest + 1 for target in stores):
            return "dict"  # with a gap behind the end of all lists of this kind
        for _, target in self.uses.stores.get(table_type, []):
            if target in filling:
                filled = True
        for _, target in self.uses.stores.get(table_type, []):
            if target not in filling and not filled and not tree_queries.is_last(target):
                return "dict"
        if any(self._may_go_beyond(table_type, target) for target in stores):
            return "dict"
        computed = any(isinstance(t.key, tree.Binary) and t not in filling for t in stores)
        if computed and table_type.has("pairs") and not table_type.has("array"):
            return "dict"  # there may be gaps, and nothing goes by the length
        return "list" if filled or table_type.has("array") else "dict"

    def _is_at_end(self, target: Index) -> bool:
        """Whether a store is right behind the last item, or ``t[#t] = x``, which is at it."""
        return target in self._appends.appended or tree_queries.is_last(target)

    def _may_go_beyond(self, table_type: Type, target: Index) -> bool:
        """Whether a loop stores at other positions than those that were filled: ``for k = i, j do t[k] = x``."""
        loop = (
            self.uses.loop_of.get(self.t.scopes.of_name[target.key]) if isinstance(target.key, Name) else None
        )
        if target in self._appends.appended or not isinstance(loop, tree.NumericFor):
            return False
        step = 1 if loop.step is None else self.t.intervals.of(loop.step)[1]
        first, last = (loop.stop, loop.start) if step < 0 else (loop.start, loop.stop)
        if (isinstance(first, tree.Number) and step > 0) or any(
            isinstance(node, tree.Unary) and node.operator == "#" for node in tree.walk(last)
        ):
            return False
        filling = [
            around
            for _, other in self.uses.stores.get(table_type, [])
            if other in self._appends.appended
            and isinstance(other.key, Name)
            and (around := self.uses.loop_of.get(self.t.scopes.of_name[other.key])) is not None
        ]
        stops = [around.stop for around in filling if isinstance(around, tree.NumericFor)]
        return (bool(stops) or step < 0) and not any(same_expression(last, stop) for stop in stops)

    def assigned_values(self, table_type: Type, name: str | None) -> list[Expression]:
        """What a field of tables is given, or (no name) all that is put under numbers; empty where not known."""
        table_type = table_type.find()
        if table_type.has("loaded"):
            return []
        for statement, target in self.uses.stores.get(table_type, []):
            at = statement.targets.index(target)
            several = at >= len(statement.values) - 1 and len(statement.targets) > len(statement.values)
            if several and isinstance(statement.values[-1], (tree.Call, tree.Invoke, tree.Vararg)):
                return []
        if name is None:
            return self.uses.values.get(table_type, [])
        by_key = [
            statement.values[statement.targets.index(target)]
            for statement, target in self.uses.stores.get(table_type, [])
            if not isinstance(target.key, tree.String)
            and statement.targets.index(target) < len(statement.values)
        ]
        return [*self._field_values(table_type, name), *by_key]

    def has_key(self, node: Index) -> bool:
        """Whether a table surely has an entry: one that all have from the beginning, or that of a loop over it."""
        table_type = self.t.type(node.base)
        if table_type.kind != "table" or self.representation(table_type) not in ("dict", "record"):
            return True  # said elsewhere
        if isinstance(node.key, tree.String):
            if table_type.has(has_field(node.key.value)) and not table_type.has("removed"):
                return True
            constructors = self.uses.constructors.get(table_type, [])
            removed = table_type.has("removed") or table_type.has("dict") or not constructors
            return not removed and all(
                any(i.key_name == node.key.value for i in table.fields) for table in constructors
            )
        loop = self.uses.loop_of.get(self.t.scopes.of_name[node.key]) if isinstance(node.key, Name) else None
        if not isinstance(loop, tree.GenericFor):
            return False
        source = loop.values[0]
        return (
            isinstance(source, tree.Call)
            and bool(source.arguments)
            and self.uses.is_same(source.arguments[0], node.base)
        )

    def is_never_assigned(self, table_type: Type, name: str) -> bool:
        """Whether tables that the program makes, or reads from files that were looked at, never get such a field."""
        table_type = table_type.find()
        made = self.uses.constructors.get(table_type, [])
        if table_type.has(has_field(name)):
            return False
        is_known = table_type.has("options") or table_type.has("seen")
        if not is_known and (table_type.has("loaded") or not made):
            return False
        stores = [target for _, target in self.uses.stores.get(table_type, [])]
        if any(not isinstance(t.key, tree.String) or t.key.value == name for t in stores):
            return False
        keys = [item.key for constructor in made for item in constructor.fields]
        return all(k is None or (isinstance(k, tree.String) and k.value != name) for k in keys)

    def has_item(self, node: Index) -> bool:
        """Whether a list surely has an item at a place: that of a loop over it, the first or the last."""
        key = node.key
        if (isinstance(key, tree.Number) and key.value == 1) or tree_queries.is_last(node):
            return self.never_empty(self.t.type(node.base))
        if not isinstance(key, Name) or self.t.scopes.of_name[key].writes:
            return False
        loop = self.uses.loop_of.get(self.t.scopes.of_name[key])
        if isinstance(loop, tree.GenericFor):
            source = loop.values[0]
            over = isinstance(source, tree.Call) and source.arguments and loop.names[0].name == key.name
            return bool(over) and self.uses.is_same(source.arguments[0], node.base)  # type: ignore[attr-defined]
        if not isinstance(loop, tree.NumericFor) or not self.t.intervals.positive(loop.start):
            return False
        ends = [loop.start, loop.stop] if loop.step is not None else [loop.stop]
        return any(
            isinstance(end, tree.Unary) and end.operator == "#" and self.uses.is_same(end.operand, node.base)
            for end in ends
        )

    def length(self, table_type: Type) -> int | None:
        """How many items a list has that the program makes in one place and leaves as it is; None: not known."""
        constructors = self.uses.constructors.get(table_type.find(), [])
        counts = {len(table.fields) for table in constructors}
        return None if len(counts) != 1 or self._may_have_another_length(table_type) else counts.pop()

    def shortest(self, table_type: Type) -> float:
        """How many items the shortest of the lists has that the program makes and leaves as they are; else infinity."""
        constructors = self.uses.constructors.get(table_type.find(), [])
        if self._may_have_another_length(table_type):
            return math.inf
        return min((len(table.fields) for table in constructors), default=math.inf)

    def _may_have_another_length(self, table_type: Type) -> bool:
        """Whether a list may have another number of items than are written out where it is made."""
        constructors = self.uses.constructors.get(table_type.find(), [])
        last = [table.fields[-1].value for table in constructors if table.fields]
        return (
            any(isinstance(value, (tree.Vararg, tree.Call, tree.Invoke)) for value in last)
            or table_type.has("append")
            or self._shrinks(table_type.find())
            or bool(self.uses.stores.get(table_type.find()))
        )

    def filled_length(self, table_type: Type) -> int | None:
        """How many items a list has that is made in one place and filled there; None: not known."""
        length = self.length(table_type)
        return self._appends.exactly(table_type.find()) if length is None else length

    def least(self, table_type: Type) -> int:
        """How many items a list has at least."""
        constructors = (
            [] if self._shrinks(table_type.find()) else self.uses.constructors.get(table_type.find(), [])
        )
        last = [table.fields[-1].value if table.fields else None for table in constructors]
        counts = [
            len(table.fields) - isinstance(value, (tree.Vararg, tree.Call, tree.Invoke))
            for table, value in zip(constructors, last, strict=True)
        ]
        return min(counts, default=0)

    def never_empty(self, table_type: Type) -> bool:
        """Whether a list has items from the beginning, and none is ever taken out."""
        constructors = self.uses.constructors.get(table_type.find(), [])
        if not constructors or self.representation(table_type) != "list" or table_type.has("removed"):
            return False
        return all(
            table.fields
            and table.fields[0].key is None
            and not isinstance(table.fields[0].value, tree.Vararg)
            for table in constructors
        ) and not self._shrinks(table_type.find())

    def _shrinks(self, table_type: Type) -> bool:
        """Whether items are taken out of a list: by table.remove, or as nil is stored."""
        return table_type in self.uses.shrunk or any(
            isinstance(value, tree.Nil)
            for statement, target in self.uses.stores.get(table_type, [])
            for value in statement.values
        )

    def holds_whole(self, node: Index, integer_analysis: WholeNumbers | None = None) -> bool:
        """Whether all numbers that a table is given are whole."""
        table_type = self.t.type(node.base).owner()
        if isinstance(node.key, tree.String) and table_type.fields:
            values = self._field_values(table_type, node.key.value)
        else:
            values = self.uses.values.get(table_type, [])
        integer_analysis = self.t.integers if integer_analysis is None else integer_analysis
        busy = (table_type, integer_analysis)
        if table_type.has("sizes") and not values:
            return True
        if not values or busy in self._busy:
            return bool(values) and busy in self._busy
        if table_type.classes:
            values = [*values, *self._object_values(table_type, node)]
        self._busy.add(busy)
        try:
            return all(integer_analysis.is_whole(value) for value in values)
        finally:
            self._busy.discard(busy)

    def _object_values(self, object_type: Type, node: Index) -> list[Expression]:
        """What a field of objects begins with: in a class, or in the table that becomes an object."""
        name = node.key_name
        return [
            v
            for lua_class in object_type.classes
            for key, v in lua_class.values.items()
            if name in (key, None)
        ]

    _busy: set[tuple[Type, WholeNumbers]] = set()  # noqa: RUF012

    def _field_values(self, table_type: Type, name: str) -> list[Expression]:
        values = [
            item.value
            for constructor in self.uses.constructors.get(table_type, [])
            for item in constructor.fields
            if item.key_name == name
        ]
        for statement, target in self.uses.stores.get(table_type, []):
            if target.key_name == name:
                index = statement.targets.index(target)
                if index < len(statement.values):
                    values.append(statement.values[index])
        option = self.t.options.get(name) if table_type.has("options") else None
        if option is not None:
            values.append(option)
        return values


def _is_json_array(table_type: Type) -> bool:
    """Whether a table comes from JSON and is read under numbers."""
    return table_type.has("json") and table_type.key is not None and table_type.of_keys().kind == "number"
