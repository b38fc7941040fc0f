"""Variables that are given a new module, and the statements that add to it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from functools import cached_property

from torch7py.translate import tree, tree_queries
from torch7py.translate.facts import layers as facts
from torch7py.translate.kinds import Type
from torch7py.translate.layers import SETTINGS
from torch7py.translate.layers.groups import SEQUENCES
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import returns_of

__all__ = ["Builder", "Builders", "FieldBuilder", "added_to", "chain_root"]

# Fields that are arguments of constructors too: of which classes, where not of all that have one.
_FIELDS: dict[str, Set[str]] = {"sizeAverage": frozenset(), "maskzero": SEQUENCES, "batchfirst": SEQUENCES}
# Fields of lookup tables that only maxParamNorm looks at, or nothing does.
_LIMITS = {"maxOutNorm": "maxParamNorm", "maxInNorm": "maxParamNorm", "maxnormout": None}


@dataclass(eq=False)
class FieldBuilder:
    """A field that is given a new container, and the statements right after it that add to it."""

    target: Index
    value: Expression
    adds: list[tree.Run] = field(default_factory=list)

    def whole(self) -> Expression:
        """The container with all that is added to it, as one chain of calls."""
        node = self.value
        for add in self.adds:
            node = added_to(node, add.call)
        return node


@dataclass(eq=False)
class Builder:
    """A variable that is given a new module, and the statements of the same block that add to it."""

    variable: Variable
    statement: Statement
    value: Expression
    adds: list[tree.Run] = field(default_factory=list)
    # Statements that set an argument as a field.
    sets: dict[Statement, tuple[str, str]] = field(default_factory=dict)
    dynamic: bool = False
    inlined: bool = False
    copied: list[Name] = field(default_factory=list)  # where others are made like it
    comments: list[tree.Comment] = field(default_factory=list)  # on the lines of its statements

    _last: tuple[int, Statement] | None = None  # of how many statements

    @property
    def last(self) -> Statement:
        count = len(self.adds) + len(self.sets)
        if self._last is None or self._last[0] != count:
            parts = [self.statement, *self.adds, *self.sets]
            self._last = count, max(parts, key=lambda s: s.span.start)
        return self._last[1]


class Builders:
    def __init__(self, translator: Known) -> None:
        self.t = translator
        self.all: list[Builder] = []
        self._of_variable: dict[Variable, list[Builder]] = {}
        self.by_statement: dict[Statement, Builder] = {}
        self.by_add: dict[Statement, Builder] = {}
        self.comment_on: dict[int, tree.Comment] = {}
        self.owners: dict[Builder, Builder] = {}  # of those that are parts
        self.of_fields: dict[Statement, FieldBuilder] = {}  # each statement of one
        self.indexed_fields: set[str] = set()
        self.grown_fields: set[str] = set()  # whose containers are added to elsewhere
        self._changed: set[Variable] = set()
        self._indexed: set[Variable] = set()
        self._indexed_types: set[Type] = set()  # of what functions look into by number
        if not translator.plain_modules:
            self._find(translator.program)
        self._find_changed()
        self._judge()
        for statement in [*self.by_statement, *self.by_add]:
            around = statement.around
            for comment in [*around.inside, *([around.trailing] if around.trailing else [])]:
                self.comment_on[comment.line] = comment

    def _find(self, block: Block) -> None:
        t = self.t
        for statement in block.statements:
            if isinstance(statement, tree.Assignment) and len(statement.values) == 1:
                value, target = statement.values[0], statement.targets[0]
                if len(statement.targets) == 1 and isinstance(target, Name) and self.is_construction(value):
                    builder = Builder(t.scopes.of_name[target], statement, value)
                    self.all.append(builder)
                    self._of_variable.setdefault(builder.variable, []).append(builder)
                    self.by_statement[statement] = builder
                elif len(statement.targets) == 1 and isinstance(target, Name) and isinstance(value, Invoke):
                    self._find_anew(block, statement, target, value)
                elif isinstance(target, tree.Index) and isinstance(value, tree.Table):
                    base_builder = self.builder_at(target.base) if isinstance(target.base, Name) else None
                    if base_builder is not None:  # a list in a field of the module, which must be there
                        base_builder.dynamic = True
                elif isinstance(target, tree.Index) and _is_plain(value):
                    self._set(block, statement, target, value)
                elif isinstance(target, tree.Index) and self.is_construction(value):
                    self._find_field(block, statement, target, value)
            elif isinstance(statement, tree.Run):
                root = chain_root(statement.call)
                if isinstance(root, Name):
                    base_builder = self.builder_at(root)
                    if statement in self.by_add:
                        continue
                    if base_builder is not None and (
                        _only_adds(statement.call) or self._untouched(base_builder, statement)
                    ):
                        if any(s is base_builder.statement for s in block.statements):
                            base_builder.adds.append(statement)
                            self.by_add[statement] = base_builder
                        else:
                            base_builder.dynamic = True
            for child in tree.blocks(statement):
                self._find(child)

    def _find_anew(self, block: Block, statement: Statement, target: Name, value: Invoke) -> None:
        """``b = a:clone()`` and then ``b:reset()``: a module made like the other one, with weights of its own."""
        if value.method != "clone" or value.arguments or not isinstance(value.receiver, Name):
            return
        source = self.builder_at(value.receiver)
        following = block.statements[block.statements.index(statement) + 1 :][:1]
        call = following[0].call if following and isinstance(following[0], tree.Run) else None
        variable = self.t.scopes.of_name[target]
        if source is None or source.dynamic or not isinstance(call, Invoke) or call.method != "reset":
            return
        if call.arguments or not isinstance(call.receiver, Name):
            return
        if self.t.scopes.of_name[call.receiver] is not variable or not any(
            s is source.statement for s in block.statements
        ):
            return
        builder = Builder(variable, statement, source.value, list(source.adds))
        builder.sets[following[0]] = ("", "")
        source.copied.append(value.receiver)
        self.all.append(builder)
        self._of_variable.setdefault(variable, []).append(builder)
        self.by_statement[statement] = self.by_add[following[0]] = builder

    def _find_field(self, block: Block, statement: Statement, target: Index, value: Expression) -> None:
        """``self.net = nn.Sequential()`` and each ``self.net:add(...)`` after it, before anything else uses it."""
        builder = FieldBuilder(target, value)
        name = target.key_name
        following = block.statements[block.statements.index(statement) + 1 :]
        for other in following:
            if isinstance(other, tree.Run) and _adds_to(other.call, target):
                builder.adds.append(other)
            elif name is None or any(self._may_use(n, name) for n in tree.walk(other)):
                break
        if builder.adds:
            self.of_fields.update(dict.fromkeys([statement, *builder.adds], builder))

    def field_assignments(self, name: str) -> list[tuple[Expression, FieldBuilder | None]]:
        """What fields of a name are given, and the builder of it where it is put together right there."""
        return [
            (value, self.of_fields.get(statement))
            for statement in tree.every(self.t.program, tree.Assign)
            for target, value in zip(statement.targets, statement.values, strict=False)
            if isinstance(target, Index) and target.key_name == name
        ]

    def written_with_last(self, statement: Statement) -> Builder | None:
        """The builder that a statement belongs to, whose module is written when its last statement comes."""
        builder = self.by_statement.get(statement) or self.by_add.get(statement)
        return builder if builder is not None and not builder.dynamic else None

    def is_unfinished(self, statement: Statement) -> bool:
        """Whether a module is put together by this statement and others after it, or is a part of another one."""
        builder = self.written_with_last(statement)
        if builder is not None:
            return builder.inlined or statement is not builder.last
        in_field = self.of_fields.get(statement)
        return in_field is not None and statement is not in_field.adds[-1]

    def _may_use(self, node: tree.Node | Block, name: str) -> bool:
        if isinstance(node, Index):
            return not isinstance(node.key, tree.String) or node.key.value == name
        if isinstance(node, (Call, Invoke)):
            return bool(self.t.types.function_called(node))
        return isinstance(node, tree.Return)

    def _set(self, block: Block, statement: Statement, target: tree.Index, value: Expression) -> None:
        """``criterion.sizeAverage = false`` after it is made, as if its constructor had been told."""
        key = target.key_name or ""
        builder = self.builder_at(target.base) if isinstance(target.base, Name) else None
        if builder is None or not self._untouched(builder, statement):
            return
        if not any(s is builder.statement for s in block.statements):
            return
        class_name = self._class_of(builder)
        if key in _LIMITS and facts.takes_items(class_name):
            if not self._calls(_LIMITS[key]):
                builder.sets[statement] = ("", "")
            elif key == "maxOutNorm" and not isinstance(value, tree.Boolean):
                builder.sets[statement] = (key, _number(value))
            else:
                return
            self.by_add[statement] = builder
        elif (
            key in _FIELDS
            and isinstance(value, tree.Boolean)
            and class_name in (_FIELDS[key] or {class_name})
        ):
            builder.sets[statement] = (key, str(value.value))
            self.by_add[statement] = builder

    def _class_of(self, builder: Builder) -> str:
        root = chain_root(builder.value)
        path = self.t.path(root.callee) if isinstance(root, Call) else None
        return "nn." + (path or "").partition(".")[2]

    def _calls(self, method: str | None) -> bool:
        """Whether the program calls a method of this name."""
        return any(isinstance(node, Invoke) and node.method == method for node in tree.walk(self.t.program))

    def _untouched(self, builder: Builder, setting: Statement) -> bool:
        """Whether a new module was only added to before a setting of it, so that it may be made with that."""
        known_ids = {id(chain_root(add.call)) for add in builder.adds}
        known_ids |= {id(name) for statement in [*builder.sets, setting] for name in tree.walk(statement)}
        between = range(builder.statement.span.end, setting.span.start)
        return all(id(name) in known_ids or name.span.start not in between for name in builder.variable.reads)

    def is_indexed(self, variable: Variable) -> bool:
        """Whether the program asks a container for its parts by their numbers."""
        builders = self._of_variable.get(variable, [])
        return variable in self._indexed or any(
            self.t.type(builder.value).find() in self._indexed_types for builder in builders
        )

    def is_chosen(self, variable: Variable) -> bool:
        """Whether a variable is given one of several modules, in branches."""
        blocks = {
            self.t.surroundings.block_of[builder.statement] for builder in self._of_variable.get(variable, [])
        }
        return len(blocks) > 1

    def is_changed(self, value: Expression) -> bool:
        """Whether this makes a container of which the program takes parts away, or puts some between others."""
        return any(builder.value is value and builder.variable in self._changed for builder in self.all)

    def grows(self, value: Expression) -> bool:
        """Whether this makes a container that is added to in a loop, a branch or another function."""
        return any(builder.value is value and builder.dynamic for builder in self.all)

    def _find_changed(self) -> None:
        for node in tree.every(self.t.program, tree.Run):
            added = chain_root(node.call)
            if node in self.of_fields or added is node.call or not isinstance(added, Index):
                continue
            if isinstance(added.key, tree.String):
                self.grown_fields.add(added.key.value)
        for index in tree.every(self.t.program, Index):
            if is_field(index, "modules"):
                self._note_indexed(index.base)
                self._indexed_types.add(self.t.type(index.base).find())
                if isinstance(index.base, Name):
                    self._indexed.add(self.t.scopes.of_name[index.base])
        for call in tree.every(self.t.program, Invoke):
            if call.method not in ("get", "remove", "insert", "size"):
                continue
            self._note_indexed(call.receiver)
            if self.t.kind(call.receiver) == "module":
                self._indexed_types.add(self.t.type(call.receiver).find())
            if not isinstance(call.receiver, Name):
                continue
            variable = self.t.scopes.of_name[call.receiver]
            if variable not in self._of_variable or self.t.kind(call.receiver) != "module":
                continue
            if call.method in ("remove", "insert"):
                self._changed.add(variable)
            self._indexed.add(variable)
        for length in tree.every(self.t.program, tree.Unary):
            if length.operator == "#" and self.t.kind(length.operand) == "module":
                self._note_indexed(length.operand)
                self._indexed_types.add(self.t.type(length.operand).find())
                if isinstance(length.operand, Name):
                    self._indexed.add(self.t.scopes.of_name[length.operand])
        for builder in self.all:
            if builder.variable in self._changed:
                builder.dynamic = True
        self._find_handed_over()

    def _note_indexed(self, used: Expression) -> None:
        if isinstance(used, Index) and isinstance(used.key, tree.String):
            self.indexed_fields.add(used.key.value)

    def _find_handed_over(self) -> None:
        """Containers that the program hands to a function of its own, which adds to what it is given."""
        of_name = self.t.scopes.of_name
        added = {
            of_name[root]
            for node in tree.every(self.t.program, Invoke)
            if node.method in ("add", "insert", "remove") and isinstance(root := chain_root(node), Name)
        }
        handed: list[tuple[Variable, Name]] = []
        for function, calls in self.t.types.calls_of.items():
            for call in calls:
                for parameter, argument in self.t.types.bound_arguments(function, call):
                    if isinstance(argument, Name) and self.t.kind(argument) == "module":
                        handed.append((of_name[parameter], argument))
        while more := {of_name[name] for taken, name in handed if taken in added} - added:
            added |= more  # it may hand it on
        for taken, name in handed:
            builder = self.builder_at(name) if taken in added else None
            if builder is not None:
                builder.dynamic = True
        for node in tree.every(self.t.program, Invoke):
            for builder in self.returned_builders(chain_root(node)) or () if node.method == "add" else ():
                builder.dynamic = True

    def returned_builders(self, node: Expression) -> list[Builder] | None:
        """The builders of what a call of the program's functions gives; None where it gives something else."""
        functions = self.t.types.function_called(node) if isinstance(node, Call) else []
        builders: list[Builder] = []
        for result in (
            value for function in functions for r in returns_of(function) for value in r.values[:1]
        ):
            builder = self.builder_at(result) if isinstance(result, Name) else None
            if builder is None:
                return None
            builders.append(builder)
        return builders or None

    def _judge(self) -> None:
        """Which builders are only parts of another one."""
        for builder in self.all:
            if self._is_used_before_complete(builder):
                builder.dynamic = True
        for builder in self.all:
            variable = builder.variable
            inside = {n for add in builder.adds if isinstance(n := chain_root(add.call), Name)}
            inside |= set(builder.copied)
            inside |= {n for statement in builder.sets for n in tree.walk(statement) if isinstance(n, Name)}
            reads = [name for name in variable.reads if self.builder_at(name) is builder]
            others = [name for name in reads if name not in inside and name not in self._asked]
            if builder.dynamic or variable.captured or len(others) != 1 or not self.is_straight(variable):
                continue
            for owner in self.all:
                if owner is builder or owner.dynamic:
                    continue
                expressions = [owner.value, *(add.call for add in owner.adds)]
                if any(n is others[0] for e in expressions for n in tree.walk(e)) and self._as_part(
                    owner, others[0]
                ):
                    builder.inlined = True
                    self.owners[builder] = owner

    @cached_property
    def _asked(self) -> set[Expression]:
        """The modules that layers are given and that are no parts of them: what an unpooling undoes."""
        return {
            argument
            for node in tree.every(self.t.program, Call)
            if facts.parts(self.t.path(node.callee) or "") == "none"
            for argument in node.arguments
        }

    def _is_used_before_complete(self, builder: Builder) -> bool:
        """Whether the function that builds a module looks at it before all is added: ``#net.modules``."""
        surroundings = self.t.surroundings
        owner, last = surroundings.owner[builder.statement], builder.last
        for name in builder.variable.reads:
            if not builder.statement.span.end <= name.span.start < last.span.start:
                continue
            statement = surroundings.home[name]
            other = self.by_add.get(statement) or self.by_statement.get(statement)
            if surroundings.owner[statement] is owner and other is None:
                return True
        return False

    def builder_at(self, name: Name) -> Builder | None:
        """What a variable holds where it is read: the last that was built before."""
        builders = self._of_variable.get(self.t.scopes.of_name[name], [])
        before = [builder for builder in builders if builder.statement.span.end <= name.span.start]
        return before[-1] if before else None

    def is_straight(self, variable: Variable) -> bool:
        """Whether a variable is given what it holds in one block, one after the other."""
        if len(variable.writes) <= 1:
            return True
        statements = [builder.statement for builder in self._of_variable[variable]]
        blocks = {self.t.surroundings.block_of[statement] for statement in statements}
        expected_writes = len(statements) - (0 if variable.is_global else 1)
        return len(blocks) == 1 and len(variable.writes) == expected_writes

    def _as_part(self, owner: Builder, name: Name) -> bool:
        """Whether a name stands for a module in a construction (and is not the receiver of a method)."""
        for expression in [owner.value, *(add.call for add in owner.adds)]:
            for node in tree.walk(expression):
                if isinstance(node, (Call, Invoke)) and any(a is name for a in node.arguments):
                    return isinstance(node, Invoke) or self.is_construction(node)
        return False

    def is_construction(self, node: Expression) -> bool:
        node = chain_root(node)
        if not isinstance(node, Call):
            return False
        path = self.t.path(node.callee) or ""
        if path == "cudnn.convert" or facts.is_serial(path) or facts.is_graph(path):
            return False
        is_class = path.count(".") == 1  # and no function of nn.utils, or of a class
        return is_class and path.startswith(("nn.", "cudnn.", "rnn.")) and path not in self.t.types.classes

    def written_with(self, builder: Builder, node: Statement) -> list[Statement]:
        """The statements, beside the one that is written, that are written with it: they are lost with it too."""
        statements: list[Statement] = []
        for other in self.all:
            owner, steps = other, 0
            while owner is not builder and owner in self.owners and steps < len(self.all):
                owner, steps = self.owners[owner], steps + 1
            if owner is builder:
                statements += [s for s in (other.statement, *other.adds, *other.sets) if s is not node]
        return statements

    # Comments

    def source(self, line: int) -> str:
        """What is said at a layer: the program's own comment on the line that makes it, else where that is."""
        comment = self.comment_on.get(line)
        if comment is not None and not comment.long:
            return comment.text.strip()
        return f"{self.t.file}:{line}"

    def keeps_comments(self, node: Statement) -> bool:
        """Whether the comments on a statement's lines go with the layers that it makes."""
        builder = self.by_statement.get(node) or self.by_add.get(node)
        return builder is not None and not builder.dynamic

    def unused_comments(self, node: Statement, around: tree.Around, written: list[str]) -> list[tree.Comment]:
        """The comments in a statement that are to be written before it: not those in the lines that it became."""
        builder = self.by_statement.get(node) or self.by_add.get(node)
        if builder is None or builder.dynamic:
            return list(around.inside)
        comments = [*around.inside, *([around.trailing] if around.trailing else [])]
        owner = self.owners.get(builder, builder)
        owner.comments += comments
        if builder.inlined or node is not builder.last:
            return []
        notes = "\n".join(line.partition("#")[2] for line in written)
        return [c for c in owner.comments if c.long or c.text.strip() not in notes]


def is_field(node: Index, name: str) -> bool:
    return node.key_name == name


def added_to(first: Expression, call: Expression) -> Expression:
    """A chain of calls on something else than what it is on."""
    if not isinstance(call, Invoke):
        return first
    return Invoke(call.span, added_to(first, call.receiver), call.method, call.arguments, call.span)


def chain_root(node: Expression) -> Expression:
    """What modules are added to, or settings are made of, by a chain of calls."""
    while True:
        if isinstance(node, tree.Paren):
            node = node.inner
        elif isinstance(node, Invoke) and (node.method == "add" or node.method in SETTINGS):
            node = node.receiver
        else:
            return node


def _is_plain(node: Expression) -> bool:
    """Whether this is true, false or a number."""
    while isinstance(node, tree.Unary) and node.operator == "-":
        node = node.operand
    return isinstance(node, (tree.Boolean, tree.Number))


def _number(node: Expression) -> str:
    """A number of the program that is written out, perhaps with a sign."""
    if isinstance(node, tree.Unary):
        return f"-{_number(node.operand)}"
    assert isinstance(node, tree.Number)
    return f"{node.value:.14g}"


def _adds_to(node: Expression, target: Index) -> bool:
    """Whether a call only adds to what is in a field."""
    while isinstance(node, Invoke) and (node.method == "add" or node.method in SETTINGS):
        if any(
            tree_queries.same_expression(n, target)
            for a in node.arguments
            for n in tree.walk(a)
            if isinstance(n, Index)
        ):
            return False
        node = node.receiver
    return tree_queries.same_expression(node, target)


def _only_adds(node: Expression) -> bool:
    while isinstance(node, Invoke) and node.method == "add":
        node = node.receiver
    return isinstance(node, Name)
