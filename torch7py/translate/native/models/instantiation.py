"""How modules are made in a page: PyTorch's own, in a Sequential, or a class written for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from torch7py.translate import page_library, tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import BACKWARD, FORWARD
from torch7py.translate.kinds import all_parts
from torch7py.translate.layers import Layer, NotNative, natives
from torch7py.translate.layers.as_modules import CLASSES_OF_PAGES, MODULES, TURNED
from torch7py.translate.layers.helpers import DERIVED, HELPERS
from torch7py.translate.layers.loss_functions import loss_function
from torch7py.translate.layers.losses import counts_from_zero, is_averaged_when_called, loss_module
from torch7py.translate.layers.registry import parameter_names
from torch7py.translate.library import is_criterion
from torch7py.translate.model import write_criterion
from torch7py.translate.native import plain_calls
from torch7py.translate.native.analysis.builders import Builder, Builders, FieldBuilder, added_to
from torch7py.translate.native.code import Py, atom, python_name, without_verb
from torch7py.translate.native.comments import comment_lines
from torch7py.translate.native.graphs.parts import snake
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.models.constructions import Constructions
from torch7py.translate.native.models.entries import is_module
from torch7py.translate.native.models.hoisted_arguments import changes_or_draws, set_apart
from torch7py.translate.native.models.model_classes import WrittenClasses
from torch7py.translate.native.models.sequences import Sequences
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.patching import altered
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import returns_of

__all__ = ["Making"]

# What is asked of a container for all that is in it.
_OF_ALL_PARTS = {"getParameters", "parameters", "zeroGradParameters", "training", "evaluate"}


def _is_listed(path: str) -> bool:
    """Whether a container of modules side by side is, in a page, a helper that is given a list of them."""
    return facts.grows(path) and path.removeprefix("nn.") in HELPERS


def _holds(path: str) -> bool:
    """Whether PyTorch itself has a container: of a chain, or one that only holds its modules."""
    return facts.is_chain(path) or facts.is_container(path)


class Making:
    def __init__(
        self,
        t: Translation,
        builders: Builders,
        sequences: Sequences,
        constructions: Constructions,
        written: WrittenClasses,
    ) -> None:
        self.t, self.builders, self.sequences, self.constructions = t, builders, sequences, constructions
        self.written = written
        self.stateless: set[Variable] = set()  # variables that were given a module that keeps no state
        self.stateful: set[Variable] = set()
        self.of_parts: set[Variable] = set()  # that were given a container of modules with names of their own
        self.hints = dict(self._suggested_names())

    def handles(self, node: Statement) -> bool:
        of_field = self.builders.of_fields.get(node)
        if of_field is not None:
            if node is of_field.adds[-1]:
                self._in_field(of_field)
            return True
        builder = self.builders.by_statement.get(node) or self.builders.by_add.get(node)
        if builder is None or builder.dynamic:
            return False
        if builder.inlined or node is not builder.last or self._is_idle(builder):
            return True
        t = self.t
        name = t.names.of_variable(builder.variable)
        if t.kind(builder.value) == "criterion":
            self._criterion(builder, name, builder.value)
            return True
        whole = builder.value
        for add in builder.adds:
            whole = added_to(whole, add.call)
        parallel = self._parallel(whole)
        if parallel is not None:
            t.emit(f"{name} = {parallel}")
            return True
        names = self._free_names(builder)
        try:
            layer = self.constructions.whole(builder)
            is_looked_at = (self.t.apart and bool(layer.children)) or self.builders.is_indexed(
                builder.variable
            )
            if is_looked_at and self.plain(layer) is None:
                raise Problem("T7-222", node.line, "a container whose parts are looked at, as one class")
        except Problem:
            try:
                self.of_parts.add(builder.variable)
                t.emit(f"{name} = {self._of_parts(builder, name, names)}")
            except Problem:
                t.failed += self.builders.written_with(builder, node)
                raise
            return True
        before = len(self.written.used)
        called = name
        if self.builders.is_chosen(builder.variable) and not layer.children:
            called = f"{name}{layer.name.partition('.')[2]}"
        t.emit(f"{name} = {self.make(layer, called, names, node.line)}")
        if not any(cls.writer.attributes for cls in self.written.used[before:]):
            self.stateless.add(builder.variable)
        else:
            self.stateful.add(builder.variable)
        return True

    def _is_idle(self, builder: Builder) -> bool:
        """Whether this is a container with nothing in it, for which nobody asks."""
        value, variable = builder.value, builder.variable
        if not isinstance(value, Call) or builder.adds or variable.reads or variable.writes:
            return False
        is_empty = all(self.t.kind(argument) == "number" for argument in value.arguments)
        return is_empty and facts.without_weights(self.t.path(value.callee) or "")

    def _suggested_names(self) -> Iterator[tuple[Expression, str]]:
        """What a module made in an expression is called: by the field that takes it, or the function that gives it."""
        for lua_class in self.t.classes.all:
            for name, function in lua_class.methods.items():
                yield from _named_results(name, function)
        for node in tree.those(self.t.program, tree.LocalFunction, tree.FunctionStatement, tree.Assign):
            if isinstance(node, tree.LocalFunction):
                yield from _named_results(node.name.name, node.function)
            if isinstance(node, tree.FunctionStatement) and isinstance(node.target, (Name, Index)):
                key = node.target.key if isinstance(node.target, Index) else None
                name = node.target.name if isinstance(node.target, Name) else getattr(key, "value", "")
                yield from _named_results(str(name), node.function)
            if isinstance(node, tree.Assign):
                for target, value in zip(node.targets, node.values, strict=False):
                    if isinstance(target, Index) and isinstance(target.key, tree.String):
                        yield value, python_name(target.key.value)

    def _in_field(self, builder: FieldBuilder) -> None:
        """``self.net = nn.Sequential(...)``, with all that is added to it."""
        whole = builder.whole()
        if builder.value in self.hints:
            self.hints[whole] = self.hints[builder.value]
        if self.t.assignments.may_append(builder.target):
            self.t.emit(self.t.assignments.appended(builder.target, self.constructed(whole)))
        else:
            self.t.emit(f"{self.t.target(builder.target)} = {self.constructed(whole)}")

    def is_inside(self, node: Name) -> bool:
        """Whether a module is written as a part of another one's class, and has no name in the page."""
        builder = self.builders.builder_at(node)
        return builder is not None and builder.inlined

    def has_forget(self, node: Expression) -> bool:
        """Whether a module is one of a class with this method, and no container of several."""
        variable = self.t.scopes.of_name[node] if isinstance(node, Name) else None
        return variable in self.stateful and variable not in self.of_parts

    def keeps_nothing(self, node: Expression) -> bool:
        """Whether a module is known to keep no state from one sequence to the next."""
        variable = self.t.scopes.of_name[node] if isinstance(node, Name) else None
        return variable in self.stateless and variable not in self.stateful

    def _criterion(self, builder: Builder, name: str, value: Expression) -> None:
        t = self.t
        layer = self.constructions.whole(builder)
        self._average(layer)
        module = loss_module(layer)
        if module is not None:
            t.emit(f"{name} = {module}")
            return
        comment = self.builders.comment_on.get(value.line)
        calls = [value, *(add.call for add in builder.adds)]
        inside = bool(self.written.names_in(calls)) or _has_other_values(builder.variable)
        inside = self._set_apart(layer, calls) or inside
        base = name
        if not inside and self._loss(layer, name, value.line) in t.top:
            t.module_level.add(builder.variable)
            return
        while not inside and self._is_taken(name, builder.variable):
            name = t.names.chosen[builder.variable] = t.fresh(base)
        lines = self._loss(layer, name, value.line)
        if comment is not None and not comment.long:
            lines[0] = f"{lines[0].partition('  #')[0]}  {comment_lines(comment)[0]}"
        if inside:
            for line in lines:
                t.emit(line)
            return
        t.top.append(lines)
        t.module_level.add(builder.variable)

    def _average(self, layer: Layer) -> None:
        """Have a criterion add up where the program only asks for gradients, which are no averages then."""
        of_criterions = [
            n for n in tree.every(self.t.program, Invoke) if self.t.kind(n.receiver) == "criterion"
        ]
        called = {n.method for n in of_criterions}
        if is_averaged_when_called(layer.name) and called & {*BACKWARD} and not called & {*FORWARD}:
            layer.args.texts.setdefault("sizeAverage", "False")

    def _is_taken(self, name: str, variable: Variable) -> bool:
        """Whether something else at the module's level has a name."""
        t = self.t
        starts = (f"def {name}(", f"class {name}(", f"class {name}:", f"{name} = ")
        return any(line.startswith(starts) for lines in t.top for line in lines) or any(
            other is not variable and t.names.of_variable(other) == name for other in t.module_level
        )

    def _named_container(self, builder: Builder, name: str, names: dict[str, str]) -> str:
        """A container with a class of its own, which is given the modules that have their own names."""
        layer, module_arguments = self._with_outside_modules(lambda: self.constructions.whole(builder))
        return self.written.of_class(layer, name, {**module_arguments, **names}, builder.statement.line)

    def _with_outside_modules(self, construct: Callable[[], Layer]) -> tuple[Layer, dict[str, str]]:
        """A construction in which modules from elsewhere stand, and these by the names that they have in it."""
        outside_modules: dict[str, str] = {}
        with altered(self.constructions, outside_modules=outside_modules):
            return construct(), outside_modules

    def _set_apart(self, layer: Layer, calls: list[Expression]) -> bool:
        """Give names to arguments of a criterion that are worked out when it is made; whether there are such."""
        t = self.t
        read = [(call, t.scopes.of_name[n]) for call in calls for n in tree.walk(call) if isinstance(n, Name)]
        later = {  # variables that are something else afterwards
            t.names.of_variable(variable)
            for call, variable in read
            if any(name.span.start > call.span.end for name in variable.writes)
        }
        apart = [
            *set_apart(
                layer,
                lambda text: (
                    changes_or_draws(text) or not later.isdisjoint(re.findall(r"(?<![\w.])\w+", text))
                ),
                lambda argument: t.fresh(argument),
            )
        ]
        for kept, text in apart:
            t.emit(f"{kept} = {text}")
        return bool(apart)

    def _loss(self, layer: Layer, name: str, line: int) -> list[str]:
        """A criterion as a function: on one line where that says it, else as models from files have it."""
        if "." in name:  # of several files
            plain = self.t.fresh(name.rpartition(".")[2])
            return [*self._loss(layer, plain, line), "", f"{name} = {plain}"]
        try:
            lines = loss_function(layer, name)
            if any("NoiseContrast." in text for text in lines):
                self.t.need("NoiseContrast")
            return lines
        except NotNative as problem:
            if counts_from_zero(layer.name):  # those are given classes from 0
                raise Problem(problem.code, line, str(problem)) from problem
            try:
                source = write_criterion(layer, name, any_dtype="all")
            except NotNative as problem:
                raise Problem(problem.code, line, str(problem)) from problem
            for helper in source.helpers:
                self.t.helpers[helper] = None
            return source.lines

    def _of_parts(self, builder: Builder, name: str, names: dict[str, str]) -> str:
        """A container of modules that have their own names, or classes of the program's own."""
        if self._only_holds(builder):
            return self._from_parts(builder, None)
        undecided = None
        try:
            with self.written.undone():
                construction = self._from_parts(builder)
        except Problem as problem:
            construction = ""
            undecided = problem if isinstance(problem, Undecided) else None
        try:
            if not construction and (self.t.apart or self.builders.is_indexed(builder.variable)):
                construction = self._from_parts(builder, _is_listed)
            return construction or self._named_container(builder, name, names)
        except Problem:
            listed = self._from_parts(builder, _is_listed)
            if not listed and undecided is not None:
                raise undecided from None
            if not listed:
                raise
            return listed

    def _only_holds(self, builder: Builder) -> bool:
        """Whether a container is there to reach the weights of its parts, or their modes, and never called itself."""
        variable = builder.variable
        adds = {node for add in builder.adds for node in tree.walk(add) if isinstance(node, Name)}
        asked = {
            node.receiver
            for node in tree.every(self.t.program, Invoke)
            if node.method in _OF_ALL_PARTS and isinstance(node.receiver, Name)
        }
        return not variable.writes and {*variable.reads} - adds <= asked

    def _from_parts(self, builder: Builder, containers: Callable[[str], bool] | None = _holds) -> str:
        """A container of modules that have their own names: ``nn.Sequential(encoder, decoder)``.

        ``containers``: of which classes, None of any that only holds its parts together.
        """
        parts: list[Expression] = []

        def collect(node: Expression) -> Expression:
            while isinstance(node, Invoke):
                if node.method == "remember":
                    self.sequences.check(node)
                else:
                    parts.insert(0, _added(node))
                node = node.receiver
            return node

        children: list[Expression] = []
        for add in builder.adds:
            parts.clear()
            collect(add.call)
            children += parts
        parts.clear()
        root = collect(builder.value)
        children = [*parts, *children]
        path = self.t.path(root.callee) if isinstance(root, Call) else None
        if containers is not None and isinstance(root, Call) and not containers(path or ""):
            return ""
        return self._sequence(root, path, children, only_held=containers is None).text

    def _sequence(self, root: Expression, path: str | None, parts: list[Expression], only_held: bool) -> Py:
        inside = [module.find() for part in parts for module in all_parts(self.t.type(part))]
        if isinstance(root, Call) and self.sequences.over_time(root) and any(m.classes for m in inside):
            raise Problem(
                "T7-222", root.line, "layers of the program's own, which take a sequence step by step"
            )
        texts = [self._part(part) for part in parts]
        if facts.is_chain(path) and not only_held:
            return atom(f"nn.Sequential({', '.join(texts)})")
        if only_held or facts.is_container(path):
            return atom(f"nn.ModuleList({f'[{joined}]' if (joined := ', '.join(texts)) else ''})")
        if not isinstance(root, Call) or path is None or not _is_listed(path):
            raise Problem("T7-222", root.line, f"{path} of modules from elsewhere")
        taken = zip(root.arguments, parameter_names(path)[0], strict=False)
        arguments = [str(self.t.expressions.position(argument)) for argument, _ in taken]
        if texts:
            arguments.append(f"[{', '.join(texts)}]")
        return atom(f"{self.t.need(path.removeprefix('nn.'))}({', '.join(arguments)})")

    def _parallel(self, node: Expression) -> Py | None:
        """``nn.DataParallelTable(1):add(model, {1, 2})``: a model whose batches are shared out among GPUs."""
        added = node.receiver if isinstance(node, Invoke) and node.method == "add" else None
        t = self.t
        if not (isinstance(node, Invoke) and isinstance(added, Call)):
            return None
        if not facts.is_parallel(t.path(added.callee)) or not node.arguments:
            return None
        dim = t.expressions.position(added.arguments[0]).text if added.arguments else "0"
        arguments = [self._part(node.arguments[0])]
        devices = node.arguments[1] if len(node.arguments) > 1 else None
        if isinstance(devices, tree.Table):
            places = [t.expressions.position(item.value).text for item in devices.fields]
            arguments.append(f"[{', '.join(places)}]")
        elif (last := self._first_devices(devices)) is not None:
            arguments.append(f"list(range({last}))")
        elif devices is not None:
            if t.kind(devices) not in ("table", "number"):
                raise Problem("T7-222", node.line, "nn.DataParallelTable on devices that are not known")
            of_number = f"[{t.expressions.position(devices)}]" if t.kind(devices) == "number" else ""
            arguments.append(of_number or f"[int(device) - 1 for device in {t.value(devices)}]")
        return atom(f"nn.DataParallel({', '.join([*arguments, *([f'dim={dim}'] if dim != '0' else [])])})")

    def _first_devices(self, devices: Expression | None) -> Py | None:
        """How many devices ``torch.range(1, n):totable()`` names."""
        range_call = devices.receiver if isinstance(devices, Invoke) and devices.method == "totable" else None
        if (
            not isinstance(range_call, Call)
            or self.t.path(range_call.callee) != "torch.range"
            or len(range_call.arguments) != 2
        ):
            return None
        first, last = range_call.arguments
        from_one = isinstance(first, tree.Number) and first.value == 1
        return self.t.expressions.whole_number(last) if from_one else None

    def _part(self, node: Expression) -> str:
        """A part that has a name of its own, or one that is made here, as nothing else names it."""
        builder = self.builders.builder_at(node) if isinstance(node, Name) else None
        if builder is None or not builder.inlined:
            return self.t.value(node).text
        name = self.t.names.of_variable(builder.variable)
        names = self._free_names(builder)
        try:
            layer = self.constructions.whole(builder)
        except Problem:
            return self._of_parts(builder, name, names)
        return self.make(layer, name, names, node.line)

    def make(self, layer: Layer, name: str, names: dict[str, str], line: int) -> str:
        """The expression that makes a module."""
        if _is_listed(layer.name) and not layer.children and "dimension" not in layer.args:
            return f"{self.t.need(layer.name.removeprefix('nn.'))}()"  # which the program adds to later
        plain = self.plain(layer, self.sequences.takes_whole(layer), named=self.t.apart)
        if plain is not None:
            return plain
        try:
            return self.written.of_class(layer, name, names, line)
        except Problem as problem:
            if layer.name not in page_library.entries("LAYER_MODULES"):
                raise
            call = self.sequences.construction_calls[id(layer)]
            written = plain_calls.value(self.t, call) if self.t.plainly else None
            if written is None:
                raise Undecided(problem.code, problem.line, problem.reason) from problem
            return written.text

    def plain(self, layer: Layer, over_time: bool = False, named: bool = False) -> str | None:
        """A layer, or a Sequential of them, as PyTorch's own modules.

        ``named``: each with Torch7's name of its class, where the class in the page has several of these.
        """
        if over_time and not (facts.is_chain(layer.name) or layer.name in MODULES or self._pointwise(layer)):
            return None
        if facts.is_chain(layer.name):
            parts = [self.plain(child, over_time, named) for child in layer.children]
            if None in parts:
                return None
            return f"nn.Sequential({', '.join(str(part) for part in parts)})"
        if facts.is_sequencer(layer.name):
            inner = layer.slots.get("module")
            return self.plain(inner) if inner is not None and self._pointwise(inner) else None
        text = MODULES.get(layer.name)
        if text is None:
            rule = natives.get(layer.name)
            if rule is None or layer.slots:
                return None
            try:
                native = rule(layer.args)
            except NotNative:
                return None
            page_class = CLASSES_OF_PAGES.get(layer.name)
            if page_class is not None and native.make.startswith(page_class):
                return native.make.replace(page_class, self.t.need(page_class), 1)
            turned = TURNED.get(layer.name)
            if turned is None and not is_module(native):
                return None
            text = native.make
            if turned is not None:
                text = text.replace(DERIVED[turned], self.t.need(turned), 1)
            for helper in native.helpers:
                self.t.need(helper)
        self.t.models.plain_modules.append((layer, text))
        self.written.layer_names.note(layer, text)
        if named:
            text = self.written.layer_names.named(layer, text, self.t.models.layer_tests.classes())
        return text

    def _pointwise(self, layer: Layer) -> bool:
        """Whether a layer does the same with a time axis in front."""
        rule = natives.get(layer.name)
        if rule is None:
            return False
        try:
            return rule(layer.args).over_time
        except NotNative:
            return False

    def _free_names(self, builder: Builder) -> dict[str, str]:
        expressions = [builder.value, *(add.call for add in builder.adds)]
        for inner in self.builders.all:
            if inner.inlined:
                expressions += [inner.value, *(add.call for add in inner.adds)]
        return self.written.names_in(expressions)

    def constructed(self, node: Expression) -> Py:
        """A construction in the middle of an expression."""
        parallel = self._parallel(node)
        if parallel is not None:
            return parallel
        applied = self.sequences.applied(node)
        if applied is not None:
            return self.t.value(applied)
        whole, changed = node, False
        try:
            layer = self.constructions.layer(node)
            builders = self.builders
            field = self.hints.get(node)
            changed = (
                (self.t.apart and bool(layer.children))
                or builders.is_changed(node)
                or builders.grows(node)
                or (field in builders.indexed_fields or field in builders.grown_fields)
            )
            if changed and self.plain(layer) is None:
                raise Problem("T7-222", node.line, "a container whose parts change, as one class")
        except Problem as first:
            parts: list[Expression] = []
            while isinstance(node, Invoke):
                parts.insert(0, _added(node))
                node = node.receiver
            problem = first
            try:
                path = self.t.path(node.callee) if isinstance(node, Call) else None
                if parts or changed:
                    return self._sequence(node, path, parts, only_held=False)
            except Problem as of_sequence:
                problem = of_sequence
            if changed:
                raise problem from None
            try:
                layer, module_arguments = self._with_outside_modules(lambda: self.constructions.layer(whole))
            except Problem:
                raise problem from None
            names = {**module_arguments, **self.written.names_in([whole])}
            return atom(self.written.of_class(layer, self.hints.get(whole) or "model", names, whole.line))
        if is_criterion(layer.name):
            return self.criterion(layer, node)
        inner = layer
        while inner.slots.get("module") is not None:
            inner = inner.slot("module")
        hint = self.hints.get(node) if layer.children else None
        return atom(
            self.make(layer, hint or inner.name.split(".")[1], self.written.names_in([node]), node.line)
        )

    def criterion(self, layer: Layer, node: Expression) -> Py:
        """A criterion in the middle of an expression: a module, or a function that is written for it."""
        self._average(layer)
        module = loss_module(layer)
        if module is None:
            apart = self.t.objects and self._set_apart(layer, [node])
            name = self.t.fresh(snake(layer.name.split(".")[1]))
            lines = self._loss(layer, name, node.line)
            if not apart and not self.written.names_in([node]):
                self.t.top.append(lines)
            elif not self.t.objects:
                raise Problem("T7-224", node.line, f"{layer.name} in the middle of an expression")
            else:
                for line in lines:
                    self.t.emit(line)
            # each criterion has a call and a gradient of its own
            of_its_own = self.t.objects or self.t.goes_back_plainly
            return atom(f"functools.partial({name})" if of_its_own else name)
        return atom(module)


def _named_results(name: str, function: tree.Function) -> Iterator[tuple[Expression, str]]:
    """What a function returns, and its name without the verb; ``Model`` where nothing is left."""
    called = without_verb(name)
    for node in returns_of(function):
        for value in node.values:
            yield value, python_name(called or "model")


def _added(node: Invoke) -> Expression:
    """What a call adds to a container; a setting of it is no part."""
    if node.method != "add":
        raise Problem("T7-202", node.line, f"the method {node.method} of a module that is no setting of it")
    if not node.arguments:
        raise Problem("T7-222", node.line, "add without a module")
    return node.arguments[0]


def _has_other_values(variable: Variable) -> bool:
    """Whether a variable is something else at times: nil before its first value, or another criterion."""
    declared = variable.declaration
    if declared is None:
        return len(variable.writes) > 1
    return bool(variable.writes)
