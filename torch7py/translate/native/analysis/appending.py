"""Which stores into tables are appends to lists: ``t[#t + 1] = x``, ``t[i] = x`` in a loop that fills t.

Where such a loop may find items in the list, a store is an append only at its end.
"""

from __future__ import annotations

from torch7py.translate import tree, tree_queries
from torch7py.translate.kinds import Type
from torch7py.translate.native.analysis.emptiness import Emptiness
from torch7py.translate.native.analysis.table_uses import TableUses
from torch7py.translate.templates import Template
from torch7py.translate.tree import Expression, Index, Name, Statement
from torch7py.translate.tree_queries import LOOPS, appends

__all__ = ["Appends"]

_EMPTY = Template("return #LIST == 0")


class Appends:
    def __init__(self, uses: TableUses) -> None:
        self.t, self.uses = uses.t, uses
        self.surroundings = uses.t.surroundings
        self.emptiness = Emptiness(uses)
        self.appended: set[Index] = set()
        self.perhaps: set[Index] = set()  # those that are appends where they are at the end
        for table_type, stores in uses.stores.items():
            self._mark_appends(table_type, stores)

    def _mark_appends(self, table_type: Type, stores: list[tuple[tree.Assign, Index]]) -> None:
        filled: dict[tree.Table, Statement] = {}  # one loop fills each, with one item a turn
        for statement, target in stores:
            if appends(target) or self._is_first_of_none(table_type, statement, target):
                self.appended.add(target)
                continue
            constructor = self._filled_by_loop(table_type, statement, target)
            if constructor is None:
                continue
            within = self.surroundings.chain(statement)[-2]
            branch = isinstance(within, tree.If) and filled.get(constructor) is within
            if constructor not in filled or branch:
                filled[constructor] = within
                self.appended.add(target)
        for statement, target in stores:
            if target not in self.appended and self._is_behind(table_type, statement, target, filled):
                self.appended.add(target)
        self._mark_followers(table_type, stores)
        self.perhaps |= {
            target
            for _, target in stores
            if target not in self.appended and any(self._fills_like(target, other) for _, other in stores)
        }
        if table_type.has("append") or any(
            target in self.appended or target in self.perhaps for _, target in stores
        ):
            self.perhaps |= {
                target
                for _, target in stores
                if target not in self.appended and self._may_be_last(table_type, target)
            }

    def _may_be_last(self, table_type: Type, target: Index) -> bool:
        """Whether a store at a number, or in a loop to one, may be behind the items that a list surely has by then."""
        makers = self.uses.constructors.get(table_type, [])
        if not makers:
            return False
        last = self._last_index(target.key)
        least: float = min(len(constructor.fields) for constructor in makers)
        if last > least and len(makers) == 1 and self.uses.is_for(makers[0], target.base):
            least += self._surely_added(table_type, makers[0], target)
        return last > (0 if table_type in self.uses.shrunk else least)

    def _last_index(self, key: Expression) -> float:
        """The last of the places that a key may be, where it is a number or counts to one; else 0."""
        if isinstance(key, Name) and not self.t.scopes.of_name[key].writes:
            loop = self.uses.loop_of.get(self.t.scopes.of_name[key])
            return _number(loop.stop) if isinstance(loop, tree.NumericFor) and _from_one(loop) else 0
        return _number(key)

    def _surely_added(self, table_type: Type, constructor: tree.Table, target: Index) -> float:
        """How many items a list gets for sure between where it is made and a store into it."""
        block = self.surroundings.block(constructor)
        if block not in self.surroundings.blocks(target):
            return 0
        added: float = 0
        for statement in block.statements:
            if not constructor.span.end < statement.span.start or statement.span.end > target.span.start:
                continue
            if isinstance(statement, (tree.NumericFor, tree.GenericFor)):
                per_turn = sum(self._adds_to(inner, target.base) for inner in statement.body.statements)
                added += per_turn * self._turns(statement)
            else:
                added += self._adds_to(statement, target.base)
        return added

    def _turns(self, loop: Statement) -> float:
        """How often a loop runs that counts to a number or goes over a list written out; 0: not known."""
        if not isinstance(loop, (tree.NumericFor, tree.GenericFor)):
            return 0
        if any(isinstance(n, (tree.Break, tree.Goto, tree.Return)) for n in tree.walk(loop.body)):
            return 0
        if isinstance(loop, tree.NumericFor):
            return _number(loop.stop) if _from_one(loop) else 0
        source = loop.values[0]
        if not isinstance(source, tree.Call) or self.t.path(source.callee) != "ipairs":
            return 0
        items = source.arguments[0] if source.arguments else None
        plain = isinstance(items, tree.Table) and not _is_open(items)
        return len(items.fields) if plain and isinstance(items, tree.Table) else 0

    def exactly(self, table_type: Type) -> int | None:
        """How many items the one list of a type has in the end, where that can be counted."""
        makers = self.uses.constructors.get(table_type, [])
        stores = self.uses.stores.get(table_type, [])
        if len(makers) != 1 or table_type in self.uses.shrunk or _is_open(makers[0]):
            return None
        if any(target not in self.appended for _, target in stores):
            return None
        count: float = len(makers[0].fields)
        block = self.surroundings.block(makers[0])
        inserted = [x for _, x in self.uses.filled_by if self.t.type(x).owner() is table_type]
        for base in [*(target.base for _, target in stores), *inserted]:
            around = self.surroundings.chain(base)
            if not self.uses.is_for(makers[0], base) or self._adds_to(around[-1], base) != 1:
                return None
            direct = self.surroundings.block_of[around[-1]] is block
            turns = 1 if direct else self._turns(around[-2]) if len(around) > 1 else 0
            if not turns or not (direct or self.surroundings.block_of[around[-2]] is block):
                return None
            count += turns
        return int(count)

    def _adds_to(self, statement: Statement, base: Expression) -> int:
        """How many items a statement puts at the end of a list."""
        if isinstance(statement, tree.Assign):
            return sum(self._fills(target, base) for target in statement.targets)
        call = statement.call if isinstance(statement, tree.Run) else None
        inserts = isinstance(call, tree.Call) and self.t.path(call.callee) == "table.insert"
        return int(inserts and self.uses.is_same(call.arguments[0], base))  # type: ignore[union-attr]

    def _fills_like(self, target: Index, other: Index) -> bool:
        """Whether a store is one that a loop fills a list with, but not the last of its turn."""
        known = other in self.appended or other in self.perhaps
        return (
            known
            and target.span.start < other.span.start
            and isinstance(target.key, Name)
            and tree_queries.same_expression(target, other)
            and self.uses.is_same(target.key, other.key)
        )

    def _is_first_of_none(self, table_type: Type, statement: tree.Assign, target: Index) -> bool:
        """``if #t == 0 then t[1] = x end``"""
        chain, block = self.surroundings.chain(statement), self.surroundings.block(statement)
        choice = chain[-2] if len(chain) > 1 else None
        if (
            not isinstance(choice, tree.If)
            or not isinstance(target.key, tree.Number)
            or target.key.value != 1
        ):
            return False
        for condition, body in choice.branches:
            parts = _EMPTY.match(condition) if body is block else None
            if parts is not None:
                is_same = self.uses.is_same(parts["LIST"], target.base)
                return is_same and not self.emptiness.is_lost(
                    table_type, target.base, condition.span.end, target.span.start, {target}
                )
        return False

    def _is_behind(
        self, table_type: Type, statement: tree.Assign, target: Index, filled: dict[tree.Table, Statement]
    ) -> bool:
        """``t[n + 1] = v`` right behind the loop to n that fills the list."""
        key = target.key
        if not (isinstance(key, tree.Binary) and key.operator == "+" and isinstance(key.right, tree.Number)):
            return False
        block = self.surroundings.block(statement).statements
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
            and self.uses.is_same(loop.stop, key.left)
            and not any(
                loop.span.start < name.span.start < loop.span.end
                for name in self.t.scopes.of_name[loop.stop].writes
            )
            and any(
                isinstance(s, tree.Assign) and any(self._fills(t, target.base) for t in s.targets)
                for s in loop.body.statements
            )
        )

    def _fills(self, target: Expression, base: Expression) -> bool:
        return isinstance(target, Index) and target in self.appended and self.uses.is_same(target.base, base)

    def _mark_followers(self, table_type: Type, stores: list[tuple[tree.Assign, Index]]) -> None:
        """``t[1] = a``, ``t[2] = b`` behind ``t = {}``, if all stores into such tables are of this kind, or changes."""
        followers: list[Index] = []
        for statement, target in stores:
            if target in self.appended:
                continue
            before = [other for other in followers if self.uses.is_same(other.base, target.base)]
            if self._follows(table_type, statement, target, before):
                followers.append(target)
            elif not isinstance(target.key, tree.Number) or not 1 <= target.key.value <= len(before):
                return
        self.appended.update(followers)

    def _follows(self, table_type: Type, statement: tree.Assign, target: Index, before: list[Index]) -> bool:
        """Whether a store is the next into a table that was made empty in the same block. ``before``: those before."""
        makers = [
            constructor
            for constructor in self.uses.constructors.get(table_type, [])
            if self.uses.is_for(constructor, target.base)
        ]
        if len(makers) != 1 or makers[0].fields or not isinstance(target.key, tree.Number):
            return False
        if target.key.value != len(before) + 1:
            return False
        if self.surroundings.block(statement) is not self.surroundings.block(makers[0]):
            return False
        start, end = makers[0].span.end, target.span.start
        known = {*before, target}
        return start < end and not self.emptiness.is_lost(table_type, target.base, start, end, known)

    def _filled_by_loop(self, table_type: Type, statement: tree.Assign, target: Index) -> tree.Table | None:
        """The table, made before a loop, to which this store in the loop is the append.

        The loop goes over 1, 2, ... where the table is made empty, over 2, 3, ... where it is made with one item.
        """
        chain = self.surroundings.chain(statement)
        key, first = _counted(target.key)
        if len(chain) < 2 or not isinstance(key, Name):
            return None
        loop = chain[-2]
        if isinstance(loop, tree.If) and len(chain) > 2 and self._one_a_branch(loop, target):
            loop = chain[-3]
        if not isinstance(loop, (tree.NumericFor, tree.GenericFor)):
            return None
        maker = self._maker(table_type, target.base, loop)
        if maker is None or _is_open(maker) or any(item.key is not None for item in maker.fields):
            return None
        first += len(maker.fields)
        declaration = self.t.scopes.of_name[key].declaration
        if isinstance(loop, tree.GenericFor) and first == 1:
            source = loop.values[0]
            over = isinstance(source, tree.Call) and (
                self.t.path(source.callee) == "ipairs" or self._are_pairs_of_list(source)
            )
            if not over or declaration is not loop.names[0]:
                return None
        elif not (isinstance(loop, tree.NumericFor) and declaration is loop.variable and _from(first, loop)):
            return None
        if self.t.scopes.of_name[key].writes:
            return None
        maker_chain = self.surroundings.chain(maker)
        maker_block = self.surroundings.block(maker)
        around = self.surroundings.blocks(loop)
        if maker_block not in around or maker_chain[-1].span.start > loop.span.start:
            return None
        # Nothing between the two that would run the loop again with the same table.
        between = self.surroundings.chain(loop)[len(maker_chain) - 1 : -1]
        if any(isinstance(s, LOOPS) for s in between):
            return None
        if any(isinstance(node, (tree.Break, tree.Goto)) for node in tree.walk(loop.body)):
            return None
        inner = around[around.index(maker_block) + 1 :]
        if self.emptiness.runs_again(inner) or self._may_have_items(
            table_type, target, maker_chain[-1], loop
        ):
            self.perhaps.add(target)
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
            if sum(tree_queries.same_expression(other, target) for other in targets) != 1:
                return False
        return True

    def _maker(self, table_type: Type, base: Expression, loop: Statement) -> tree.Table | None:
        """What makes the table that a loop fills: of several tables, one that is made in the loop's own block."""
        makers = [
            constructor
            for constructor in self.uses.constructors.get(table_type, [])
            if self.uses.is_for(constructor, base)
        ]
        if len(makers) == 1:
            return makers[0]
        before = [constructor for constructor in makers if constructor.span.start < loop.span.start]
        last = max(before, key=lambda constructor: constructor.span.start, default=None)
        if last is None or self.surroundings.block(last) is not self.surroundings.block(loop):
            return None
        inside = any(loop.span.start < constructor.span.start < loop.span.end for constructor in makers)
        return None if inside else last

    def _may_have_items(
        self,
        table_type: Type,
        target: Index,
        construction: Statement,
        loop: tree.NumericFor | tree.GenericFor,
    ) -> bool:
        """Whether something else may fill a table that a loop fills, or the loop goes over it."""
        bound = [loop.stop] if isinstance(loop, tree.NumericFor) else loop.values
        if any(
            isinstance(n, (Name, Index)) and self.uses.is_same(n, target.base)
            for e in bound
            for n in tree.walk(e)
        ):
            return True
        beside = self.surroundings.chain(target)[-2]  # with a store in each branch
        known = {
            other
            for _, other in self.uses.stores.get(table_type, [])
            if tree_queries.same_expression(other, target)
            and (
                other.span.start >= target.span.start
                or self.surroundings.chain(other)[-2] is beside is not loop
            )
        }
        return self.emptiness.is_lost(table_type, target.base, construction.span.end, loop.span.end, known)

    def _are_pairs_of_list(self, source: tree.Call) -> bool:
        """``pairs`` of a table that is only ever used by numbers 1, 2, ..."""
        if self.t.path(source.callee) != "pairs" or not source.arguments:
            return False
        table_type = self.t.type(source.arguments[0])
        if table_type.kind != "table" or table_type.find().fields or not table_type.has("array"):
            return False
        return not any(table_type.has(mark) for mark in ("sparse", "dict", "record", "removed"))


def _counted(key: Expression) -> tuple[Expression, float]:
    """The variable of a key ``i``, ``i - 1`` or ``i + 1``, and where it is when the key is 1."""
    if isinstance(key, tree.Binary) and key.operator in "+-" and isinstance(key.right, tree.Number):
        return key.left, 1 + key.right.value * (1 if key.operator == "-" else -1)
    return key, 1


def _from(first: float, loop: tree.NumericFor) -> bool:
    """Whether a loop counts up by one from a number on."""

    def is_number(node: Expression | None, value: float) -> bool:
        return isinstance(node, tree.Number) and node.value == value

    return is_number(loop.start, first) and (loop.step is None or is_number(loop.step, 1))


def _from_one(loop: tree.NumericFor) -> bool:
    """Whether a loop counts 1, 2, ..."""
    return _from(1, loop)


def _is_open(constructor: tree.Table) -> bool:
    """Whether the last item written out stands for as many as a call gives."""
    last = constructor.fields[-1].value if constructor.fields else None
    return isinstance(last, (tree.Vararg, tree.Call, tree.Invoke))


def _number(node: Expression) -> float:
    return node.value if isinstance(node, tree.Number) else 0
