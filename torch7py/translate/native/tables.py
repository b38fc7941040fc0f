"""What a Lua table becomes: a list, a dict (also for records), or the options of argparse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Expression, Index, Name, Statement, appends, same_expression

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator
    from torch7py.translate.native.wholes import Wholes

__all__ = ["Tables"]


class Tables:
    """Decides by all uses of a table in the program.

    A list must grow by ``table.insert``, ``t[#t + 1]``, or by ``t[i] = v`` in the first loop over 1, 2, ... after it
    was made empty, which is an append; or by ``t[1] = a``, ``t[2] = b`` behind that. A table that is filled in
    another way keeps its numbers as keys of a dict.
    """

    def __init__(self, translator: Translator) -> None:
        self.t = translator
        self._appends: set[Index] = set()
        self._known: dict[Type, str] = {}
        self._stores: dict[Type, list[tuple[tree.Assign, Index]]] = {}
        self._values: dict[Type, list[Expression]] = {}
        self._made: dict[Type, list[tree.Table]] = {}
        self._context: dict[tree.Node, tuple[Block, ...]] = {}
        self._statements: dict[tree.Node, tuple[Statement, ...]] = {}
        self._loop_of: dict[Variable, tree.NumericFor | tree.GenericFor] = {}
        self._filled_by: list[
            tuple[int, Expression]
        ] = []  # what is handed to a function that may fill it, and where
        for node in tree.those(translator.program, tree.NumericFor, tree.GenericFor):
            if isinstance(node, (tree.NumericFor, tree.GenericFor)):
                for name in node.names if isinstance(node, tree.GenericFor) else (node.variable,):
                    self._loop_of[translator.scopes.of_name[name]] = node
        self._visit(translator.program, (), ())
        for found, stores in self._stores.items():
            self._mark_appends(found, stores)

    def _visit(self, block: Block, around: tuple[Statement, ...], blocks: tuple[Block, ...]) -> None:
        types = self.t.types
        for statement in block.statements:
            chain = (*around, statement)
            inside = (*blocks, block)
            for node in self._nodes(statement):
                self._context[node] = inside
                self._statements[node] = chain
                kind = type(node)
                if (
                    kind is tree.Invoke
                    and isinstance(node, tree.Invoke)
                    and node.method == "insert"
                    and node.arguments
                ):
                    self._values.setdefault(types.of(node.receiver), []).append(node.arguments[-1])
                if kind is not tree.Table and kind is not tree.Call:
                    continue
                if isinstance(node, tree.Table):
                    self._made.setdefault(types.of(node), []).append(node)
                    for item in node.fields:
                        if not isinstance(item.key, tree.String):
                            self._values.setdefault(types.of(node), []).append(item.value)
                elif (
                    isinstance(node, tree.Call)
                    and types.path(node.callee) == "table.insert"
                    and node.arguments
                ):
                    self._values.setdefault(types.of(node.arguments[0]), []).append(node.arguments[-1])
                    self._filled_by.append((node.place.start, node.arguments[0]))
                elif isinstance(node, (tree.Call, tree.Invoke)) and types.function_called(node):
                    self._filled_by += [
                        (node.place.start, a) for a in node.arguments if isinstance(a, (Name, Index))
                    ]
            if isinstance(statement, tree.Assign):
                for index, target in enumerate(statement.targets):
                    if isinstance(target, Index) and (
                        types.kind(target.base) == "table" or types.of(target.base).find().classes
                    ):
                        base = types.of(target.base)
                        self._stores.setdefault(base, []).append((statement, target))
                        if index < len(statement.values):
                            self._values.setdefault(base, []).append(statement.values[index])
            for child in tree.blocks(statement):
                self._visit(child, chain, inside)

    def _nodes(self, statement: Statement) -> list[tree.Node]:
        """The nodes of a statement that are in no inner block."""
        found: list[tree.Node] = [statement]
        stack = list(tree.children(statement))
        while stack:
            node = stack.pop()
            if isinstance(node, Block):
                continue
            found.append(node)
            if not isinstance(node, tree.Function):
                stack.extend(tree.children(node))
        return found

    def blocks_of(self, statement: Statement) -> tuple[Block, ...]:
        """The blocks around a statement, outermost first."""
        return self._context[statement]

    # Stores

    def _mark_appends(self, found: Type, stores: list[tuple[tree.Assign, Index]]) -> None:
        filled: dict[tree.Table, Statement] = {}  # one loop fills each, with one item a turn
        for statement, target in stores:
            if appends(target):
                self._appends.add(target)
                continue
            made = self._filled_by_loop(found, statement, target)
            if made is None:
                continue
            within = self._statements[statement][-2]
            branch = isinstance(within, tree.If) and filled.get(made) is within
            if made not in filled or branch:
                filled[made] = within
                self._appends.add(target)
        for statement, target in stores:
            if target not in self._appends and self._is_behind(found, statement, target, filled):
                self._appends.add(target)
        self._mark_followers(found, stores)

    def _is_behind(
        self, found: Type, statement: tree.Assign, target: Index, filled: dict[tree.Table, Statement]
    ) -> bool:
        """``t[n + 1] = v`` right behind the loop to n that fills the list."""
        key = target.key
        if not (isinstance(key, tree.Binary) and key.operator == "+" and isinstance(key.right, tree.Number)):
            return False
        block = self._context[statement][-1].statements
        at = block.index(statement)
        loop = block[at - 1] if at else None
        return (
            key.right.value == 1
            and isinstance(loop, tree.NumericFor)
            and loop in filled.values()
            and loop.step is None
            and isinstance(loop.stop, Name)
            and isinstance(key.left, Name)
            and self.t.whole(loop.stop)
            and self._is_same(loop.stop, key.left)
            and not any(
                loop.place.start < name.place.start < loop.place.end
                for name in self.t.scopes.of_name[loop.stop].writes
            )
            and any(
                isinstance(s, tree.Assign) and any(self._fills(t, target.base) for t in s.targets)
                for s in loop.body.statements
            )
        )

    def _fills(self, target: Expression, base: Expression) -> bool:
        return isinstance(target, Index) and target in self._appends and self._is_same(target.base, base)

    def _mark_followers(self, found: Type, stores: list[tuple[tree.Assign, Index]]) -> None:
        """``t[1] = a``, ``t[2] = b`` behind ``t = {}``, if all stores into such tables are of this kind, or changes."""
        followers: list[Index] = []
        for statement, target in stores:
            if target in self._appends:
                continue
            before = [other for other in followers if self._is_same(other.base, target.base)]
            if self._follows(found, statement, target, before):
                followers.append(target)
            elif not isinstance(target.key, tree.Number) or not 1 <= target.key.value <= len(before):
                return
        self._appends.update(followers)

    def _follows(self, found: Type, statement: tree.Assign, target: Index, before: list[Index]) -> bool:
        """Whether a store is the next into a table that was made empty in the same block. ``before``: those before."""
        makers = [made for made in self._made.get(found, []) if self._is_for(made, target.base)]
        if len(makers) != 1 or makers[0].fields or not isinstance(target.key, tree.Number):
            return False
        if target.key.value != len(before) + 1:
            return False
        if self._context[statement][-1] is not self._context[makers[0]][-1]:
            return False
        start, end = makers[0].place.end, target.place.start
        others = (other.place.start for other in self._appends if self._is_same(other.base, target.base))
        handed = (at for at, other in self._filled_by if self._is_same(other, target.base))
        return start < end and not any(start < at < end for at in (*others, *handed))

    def _is_same(self, left: Expression, right: Expression) -> bool:
        """Whether two expressions name the same variable, or field."""
        if isinstance(left, Name) and isinstance(right, Name):
            return self.t.scopes.of_name[left] is self.t.scopes.of_name[right]
        return same_expression(left, right)

    def _filled_by_loop(self, found: Type, statement: tree.Assign, target: Index) -> tree.Table | None:
        """The table, made empty before a loop over 1, 2, ..., to which this store in the loop is the append."""
        chain = self._statements[statement]
        if len(chain) < 2 or not isinstance(target.key, Name):
            return None
        loop = chain[-2]
        if isinstance(loop, tree.If) and len(chain) > 2 and self._one_a_branch(loop, target):
            loop = chain[-3]
        declaration = self.t.scopes.of_name[target.key].declaration
        if isinstance(loop, tree.GenericFor):
            source = loop.values[0]
            over = isinstance(source, tree.Call) and (
                self.t.path(source.callee) == "ipairs" or self._are_pairs_of_list(source)
            )
            if not over or declaration is not loop.names[0]:
                return None
        elif not (isinstance(loop, tree.NumericFor) and declaration is loop.variable and _from_one(loop)):
            return None
        if self.t.scopes.of_name[target.key].writes:
            return None
        maker = self._maker(found, target.base, loop)
        if maker is None or maker.fields:
            return None
        maker_chain = self._statements[maker]
        maker_block = self._context[maker][-1]
        around = self._context[loop]
        if maker_block not in around or maker_chain[-1].place.start > loop.place.start:
            return None
        # Nothing between the two that would run the loop again with the same table.
        between = self._statements[loop][len(maker_chain) - 1 : -1]
        if any(isinstance(s, (tree.NumericFor, tree.GenericFor, tree.While, tree.Repeat)) for s in between):
            return None
        if any(isinstance(node, (tree.Break, tree.Goto)) for node in tree.walk(loop.body)):
            return None
        if self._may_have_items(found, target.base, maker_chain[-1], loop):
            return None
        return maker

    def _one_a_branch(self, choice: tree.If, target: Index) -> bool:
        """Whether each branch, whichever is taken, has one store like this."""
        blocks = [block for _, block in choice.branches] + [choice.otherwise]
        for block in blocks:
            targets = (
                [t for s in block.statements if isinstance(s, tree.Assign) for t in s.targets]
                if block
                else []
            )
            if sum(tree.same_expression(other, target) for other in targets) != 1:
                return False
        return True

    def _maker(self, found: Type, base: Expression, loop: Statement) -> tree.Table | None:
        """What makes the table that a loop fills: of several tables, one that is made in the loop's own block."""
        makers = [made for made in self._made.get(found, []) if self._is_for(made, base)]
        if len(makers) == 1:
            return makers[0]
        before = [made for made in makers if made.place.start < loop.place.start]
        last = max(before, key=lambda made: made.place.start, default=None)
        if last is None or self._context[last][-1] is not self._context[loop][-1]:
            return None
        inside = any(loop.place.start < made.place.start < loop.place.end for made in makers)
        return None if inside else last

    def _may_have_items(
        self, found: Type, base: Expression, made: Statement, loop: tree.NumericFor | tree.GenericFor
    ) -> bool:
        """Whether something may fill a table between where it is made empty and a loop, or the loop goes over it."""
        bound = [loop.stop] if isinstance(loop, tree.NumericFor) else loop.values
        if any(isinstance(n, (Name, Index)) and self._is_same(n, base) for e in bound for n in tree.walk(e)):
            return True
        start, end = made.place.start, loop.place.start
        stored = ((target.place.start, target.base) for _, target in self._stores.get(found, []))
        return any(
            start < at < end and self._is_same(other, base) for at, other in (*stored, *self._filled_by)
        )

    def _are_pairs_of_list(self, source: tree.Call) -> bool:
        """``pairs`` of a table that is only ever used by numbers 1, 2, ..."""
        if self.t.path(source.callee) != "pairs" or not source.arguments:
            return False
        found = self.t.type(source.arguments[0])
        if found.kind != "table" or found.find().fields or not found.has("array"):
            return False
        return not any(found.has(mark) for mark in ("sparse", "dict", "record", "removed"))

    def _is_for(self, made: tree.Table, base: Expression) -> bool:
        """Whether a constructor is what was assigned to this variable."""
        statement = self._statements[made][-1]
        if isinstance(statement, tree.Local):
            targets: tuple[Expression, ...] = statement.names
        elif isinstance(statement, tree.Assign):
            targets = statement.targets
        else:
            return False
        if made not in statement.values:
            return False
        target = targets[statement.values.index(made)]
        return self._is_same(target, base)

    def filled_to(self, name: Name, length: Expression) -> bool:
        """Whether a list has this many items: it is filled by one loop over 1, ..., length, with one item a turn."""
        found = self.t.type(name)
        makers = self._made.get(found, [])
        if len(makers) != 1 or makers[0].fields:
            return False
        loops: list[tuple[tuple[Statement, ...], tree.Node]] = []
        for node, chain in self._statements.items():
            if isinstance(node, tree.Call) and self.t.path(node.callee) == "table.insert" and node.arguments:
                if self.t.type(node.arguments[0]).find() is found.find():
                    loops.append((chain, node))
            elif isinstance(node, tree.Index) and node in self._appends and self.t.type(node.base) is found:
                loops.append((chain, node))
        if len(loops) != 1 or len(loops[0][0]) < 2:
            return False
        loop = loops[0][0][-2]
        if (
            not isinstance(loop, tree.NumericFor)
            or loop.step is not None
            or any(isinstance(n, tree.Break) for n in tree.walk(loop.body))
        ):
            return False
        first = isinstance(loop.start, tree.Number) and loop.start.value == 1
        return first and same_expression(loop.stop, length)

    def appends(self, target: Index) -> bool:
        return target in self._appends and self.t.representation(target.base) == "list"

    def is_changed(self, table: Expression) -> bool:
        """Whether the program puts something into a table, or takes something out of it."""
        found = self.t.type(table)
        return bool(self._stores.get(found)) or found.has("append") or self._shrinks(found)

    # Representations

    def representation(self, found: Type) -> str:
        found = found.find()
        known = self._known.get(found)
        if known is None:
            known = self._known[found] = self._decide(found)
        return known

    def values_of(self, table: Expression) -> list[Expression]:
        """What is put into a table under numbers."""
        return self._values.get(self.t.type(table), [])

    def begins_at_zero(self, found: Type) -> bool:
        """Whether a table is made with an entry 0, and else has those of a loop over 1, 2, ..."""
        made = self._made.get(found.find(), [])
        stores = self._stores.get(found.find(), [])
        if not made or any(len(table.fields) != 1 for table in made):
            return False
        keys = [table.fields[0].key for table in made]
        return all(isinstance(key, tree.Number) and key.value == 0 for key in keys) and all(
            self._counts_up(target.key) or (isinstance(target.key, tree.Number) and target.key.value == 0)
            for _, target in stores
        )

    def _counts_up(self, key: Expression) -> bool:
        """Whether a key is the variable of a loop over 1, 2, ..."""
        if not isinstance(key, Name):
            return False
        declaration = self.t.scopes.of_name[key].declaration
        return any(
            isinstance(node, tree.NumericFor)
            and node.variable is declaration
            and isinstance(node.start, tree.Number)
            and node.start.value == 1
            and node.step is None
            for node in self._statements
        )

    def _decide(self, found: Type) -> str:
        if found.has("options"):
            return "options"
        if found.has("losses") or found.has("steps"):
            return "list"
        if found.fields and not found.has("array"):
            return "record"
        if found.has("sparse") or found.has("removed") or found.has("dict"):
            return "dict"
        if found.has("record"):
            return "dict" if found.has("array") else "record"
        if found.key is not None and found.of_keys().kind not in ("number", None):
            return "dict"
        made = self._made.get(found, [])
        filled = found.has("append") or any(table.fields for table in made)
        stores = [target for _, target in self._stores.get(found, [])]
        grows = found.has("append") or not self._appends.isdisjoint(stores)
        longest = max((len(table.fields) for table in made), default=0)
        if filled and not grows and any(_number(target.key) > longest for target in stores):
            return "dict"  # behind the end of all lists of this kind
        for _, target in self._stores.get(found, []):
            if target in self._appends:
                filled = True
        for _, target in self._stores.get(found, []):
            if target not in self._appends and not filled and not tree.is_last(target):
                return "dict"
        if any(self._may_go_beyond(found, target) for target in stores):
            return "dict"
        return "list" if filled or found.has("array") else "dict"

    def _may_go_beyond(self, found: Type, target: Index) -> bool:
        """Whether a loop stores at other positions than those that were filled: ``for k = i, j do t[k] = x``."""
        loop = self._loop_of.get(self.t.scopes.of_name[target.key]) if isinstance(target.key, Name) else None
        if target in self._appends or not isinstance(loop, tree.NumericFor):
            return False
        if isinstance(loop.start, tree.Number) or any(
            isinstance(node, tree.Unary) and node.operator == "#" for node in tree.walk(loop.stop)
        ):
            return False
        filling = [
            around
            for _, other in self._stores.get(found, [])
            if other in self._appends
            and isinstance(other.key, Name)
            and (around := self._loop_of.get(self.t.scopes.of_name[other.key])) is not None
        ]
        stops = [around.stop for around in filling if isinstance(around, tree.NumericFor)]
        return bool(stops) and not any(same_expression(loop.stop, stop) for stop in stops)

    def given(self, found: Type, name: str | None) -> list[Expression]:
        """What a field of tables is given, or (no name) all that is put under numbers; empty where not known."""
        found = found.find()
        if found.has("loaded"):
            return []
        for statement, target in self._stores.get(found, []):
            at = statement.targets.index(target)
            several = at >= len(statement.values) - 1 and len(statement.targets) > len(statement.values)
            if several and isinstance(statement.values[-1], (tree.Call, tree.Invoke, tree.Vararg)):
                return []
        if name is None:
            return self._values.get(found, [])
        by_key = [
            statement.values[statement.targets.index(target)]
            for statement, target in self._stores.get(found, [])
            if not isinstance(target.key, tree.String)
            and statement.targets.index(target) < len(statement.values)
        ]
        return [*self._field_values(found, name), *by_key]

    def has_key(self, node: Index) -> bool:
        """Whether a table surely has an entry: one that all have from the beginning, or that of a loop over it."""
        found = self.t.type(node.base)
        if found.kind != "table" or self.representation(found) not in ("dict", "record"):
            return True  # said elsewhere
        if isinstance(node.key, tree.String):
            made = self._made.get(found, [])
            removed = found.has("removed") or found.has("dict") or not made
            return not removed and all(
                any(isinstance(i.key, tree.String) and i.key.value == node.key.value for i in table.fields)
                for table in made
            )
        loop = self._loop_of.get(self.t.scopes.of_name[node.key]) if isinstance(node.key, Name) else None
        if not isinstance(loop, tree.GenericFor):
            return False
        source = loop.values[0]
        return (
            isinstance(source, tree.Call)
            and bool(source.arguments)
            and self._is_same(source.arguments[0], node.base)
        )

    def never_given(self, found: Type, name: str) -> bool:
        """Whether tables that the program makes never get a field of this name."""
        found = found.find()
        if found.has("loaded") or not self._made.get(found):
            return False
        stores = [target for _, target in self._stores.get(found, [])]
        if any(not isinstance(t.key, tree.String) or t.key.value == name for t in stores):
            return False
        keys = [item.key for made in self._made[found] for item in made.fields]
        return all(k is None or (isinstance(k, tree.String) and k.value != name) for k in keys)

    def has_item(self, node: Index) -> bool:
        """Whether a list surely has an item at a place: that of a loop over it, the first or the last."""
        key = node.key
        if isinstance(key, tree.Number) and key.value == 1:
            return self.never_empty(self.t.type(node.base))
        if isinstance(key, tree.Unary) and key.operator == "#" and same_expression(key.operand, node.base):
            return self.never_empty(self.t.type(node.base))
        if not isinstance(key, Name) or self.t.scopes.of_name[key].writes:
            return False
        loop = self._loop_of.get(self.t.scopes.of_name[key])
        if isinstance(loop, tree.GenericFor):
            source = loop.values[0]
            over = isinstance(source, tree.Call) and source.arguments and loop.names[0].name == key.name
            return bool(over) and self._is_same(source.arguments[0], node.base)  # type: ignore[attr-defined]
        if not isinstance(loop, tree.NumericFor) or not self.t.intervals.positive(loop.start):
            return False
        ends = [loop.start, loop.stop] if loop.step is not None else [loop.stop]
        return any(
            isinstance(end, tree.Unary) and end.operator == "#" and self._is_same(end.operand, node.base)
            for end in ends
        )

    def length(self, found: Type) -> int | None:
        """How many items a list has that the program makes in one place and leaves as it is; None: not known."""
        made = self._made.get(found.find(), [])
        counts = {len(table.fields) for table in made}
        last = [table.fields[-1].value for table in made if table.fields]
        open_end = any(isinstance(value, (tree.Vararg, tree.Call, tree.Invoke)) for value in last)
        grows = found.has("append") or self._shrinks(found.find()) or self._stores.get(found.find())
        return None if len(counts) != 1 or open_end or grows else counts.pop()

    def never_empty(self, found: Type) -> bool:
        """Whether a list has items from the beginning, and none is ever taken out."""
        made = self._made.get(found.find(), [])
        if not made or self.representation(found) != "list" or found.has("removed"):
            return False
        return all(
            table.fields
            and table.fields[0].key is None
            and not isinstance(table.fields[0].value, tree.Vararg)
            for table in made
        ) and not self._shrinks(found.find())

    def _shrinks(self, found: Type) -> bool:
        """Whether items are taken out of a list: by table.remove, or as nil is stored."""
        if any(
            isinstance(node, tree.Call)
            and self.t.path(node.callee) == "table.remove"
            and node.arguments
            and self.t.type(node.arguments[0]) is found
            for node in self._statements
        ):
            return True
        return any(
            isinstance(value, tree.Nil)
            for statement, target in self._stores.get(found, [])
            for value in statement.values
        )

    def holds_whole(self, node: Index, wholes: Wholes | None = None) -> bool:
        """Whether all numbers that a table is given are whole."""
        found = self.t.type(node.base)
        if isinstance(node.key, tree.String) and found.fields:
            values = self._field_values(found, node.key.value)
        else:
            values = self._values.get(found, [])
        wholes = self.t.wholes if wholes is None else wholes
        busy = (found, wholes)
        if not values or busy in self._busy:
            return bool(values) and busy in self._busy
        if found.classes:
            values = [*values, *self._object_values(found, node)]
        self._busy.add(busy)
        try:
            return all(wholes.is_whole(value) for value in values)
        finally:
            self._busy.discard(busy)

    def _object_values(self, found: Type, node: Index) -> list[Expression]:
        """What a field of objects begins with: in a class, or in the table that becomes an object."""
        name = node.key.value if isinstance(node.key, tree.String) else None
        return [v for made in found.classes for key, v in made.values.items() if name in (key, None)]

    _busy: set[tuple[Type, Wholes]] = set()  # noqa: RUF012

    def _field_values(self, found: Type, name: str) -> list[Expression]:
        values = [
            item.value
            for made in self._made.get(found, [])
            for item in made.fields
            if isinstance(item.key, tree.String) and item.key.value == name
        ]
        for statement, target in self._stores.get(found, []):
            if isinstance(target.key, tree.String) and target.key.value == name:
                index = statement.targets.index(target)
                if index < len(statement.values):
                    values.append(statement.values[index])
        option = self.t.calls.options.get(name) if found.has("options") else None
        if option is not None:
            values.append(option)
        return values


def _from_one(loop: tree.NumericFor) -> bool:
    """Whether a loop counts 1, 2, ..."""

    def is_one(node: Expression | None) -> bool:
        return node is None or (isinstance(node, tree.Number) and node.value == 1)

    return is_one(loop.start) and is_one(loop.step)


def _number(key: Expression) -> float:
    return key.value if isinstance(key, tree.Number) else 0
