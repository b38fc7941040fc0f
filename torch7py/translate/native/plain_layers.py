"""Classes of layers in plain calls: where the idiomatic form declines, their halves stay methods of the class.

Such a class derives from ``lua_compat.Layer``, which computes its gradients by the program's own ``updateGradInput``
and ``accGradParameters``. What it does with modules inside goes there and back by ``lua_compat.forward``
and ``lua_compat.backward``. All fields are the object's, so that nothing of its computation needs to be known.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from torch7py.translate import page_library, tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import BACKWARD, FORWARD
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native import code, layer_classes, library_rules, plain_calls, ranges
from torch7py.translate.native import plain_layer_forms as forms
from torch7py.translate.native.code import INDENT, Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.mode_methods import MODES
from torch7py.translate.native.models.modes import first_mode
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.sharing import refuse_weights_of_others
from torch7py.translate.page_library import layers as page_layers
from torch7py.translate.patching import altered
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement, String

__all__ = ["PlainLayers"]

# Methods of nn.Module that the library's class has by itself, or that a page does without.
_LEFT_OUT = {"parameters", "clearState"}
# Methods and fields of Torch7's layers that have another name in Python.
_NAMED = {
    "__init": "__init__",
    "__tostring": "__repr__",
    "__tostring__": "__repr__",
    **MODES,
    "train": "train_",
}
# Methods that a page leaves to PyTorch where they only pass on what they are told.
_OF_WEIGHTS = {"zeroGradParameters", "updateParameters"}
_PASSED_ON = {*_OF_WEIGHTS, "type", "float", "double", "cuda"}
# Another name of a method, which only Torch7's own classes call.
_CALLED_BY_TORCH7 = "sharedAccUpdateGradParameters"
# The weights of a layer of nn, and their gradients.
_WEIGHTS = {"weight", "bias", "gradWeight", "gradBias"}
_PASSES = {*FORWARD, *BACKWARD}


class PlainLayers:
    def __init__(self, translator: Translation) -> None:
        self.t = translator
        self.current: LuaClass | None = None  # whose methods are being written
        self.written: set[LuaClass] = set()
        self.declined: Problem | None = None  # why the last class has no form in plain calls

    def write(self, lua_class: LuaClass, reason: Problem) -> bool:
        t = self.t
        if not self._fits(lua_class):
            self.declined = Problem(
                "T7-242", lua_class.statement.line, f"a class that derives from {lua_class.parent}"
            )
            return False
        put_back, problems = t.checkpoint(), len(t.problems)
        chosen, opened = dict(t.names.chosen), set(t.opened)
        calls, reasons = len(t.plain_calls), len(t.reasons)
        try:
            with altered(self, current=lua_class):
                self._class(lua_class)
            self.declined = next(iter(t.problems[problems:]), None)
        except Problem as problem:
            self.declined = problem
        if self.declined is not None:
            put_back()
            del t.plain_calls[calls:], t.reasons[reasons:]
            t.names.chosen, t.opened = chosen, opened
            return False
        self.written.add(lua_class)
        reason.file = t.file
        t.reasons.append(reason)
        # What stands in the methods says by itself whether it needs the library.
        t.plain_calls += [lua_class.statement, *lua_class.parts]
        return True

    def _fits(self, lua_class: LuaClass) -> bool:
        based = lua_class.base in self.written if lua_class.base is not None else _has_base(lua_class)
        based = based or self._derives(lua_class)
        based = based or self._is_grown(lua_class)
        others = lua_class.makers or lua_class.literals or lua_class.prototype or lua_class.aliases
        bodies = self.t.classes.bodies
        return (
            based
            and not others
            and (self.t.plain_modules or "forward" not in lua_class.methods)
            and (
                self.t.plain_modules
                or all(bodies.only_passes_down(n, f) for n, f in lua_class.methods.items() if n in _PASSED_ON)
            )
        )

    # The class

    def _class(self, lua_class: LuaClass) -> None:
        t = self.t
        kind = self._library_class().__name__
        if self._is_grown(lua_class) and lua_class.parent is not None:
            kind = page_library.objects()[lua_class.parent]
        mixed_in = (
            f"{page_library.MODULE}.Object, " if t.plain_modules and not self._is_grown(lua_class) else ""
        )
        base = f"{mixed_in}{page_library.MODULE}.{kind}"
        base = t.classes.names[lua_class.base] if lua_class.base is not None else base
        t.gap()
        t.emit(f"class {t.classes.names[lua_class]}({base}):")
        with t.indented():
            if t.plain_modules:
                t.emit(f"NAME = {code.quoted(lua_class.name)}")
                if self._derives(lua_class):
                    t.emit(f"PARENT = {code.quoted(lua_class.parent or '')}")
            weights, inner = self._weights(lua_class)
            if not t.plain_modules:
                of_parent = {"weight", "bias"} if self._derives(lua_class) else set()
                refuse_weights_of_others(t, lua_class, weights.keys() | of_parent)
            lists_weights = "parameters" in lua_class.methods and not t.plain_modules
            if weights or (self._derives(lua_class) and lists_weights):
                named = ", ".join(f"{code.quoted(w)}: {code.quoted(g)}" for w, g in weights.items())
                t.emit(f"WEIGHTS = {{{named}}}  # each with its gradient")
            if inner and not self._is_container():
                names = "".join(f"{code.quoted(name)}, " for name in inner).strip()
                t.emit(
                    f"INNER = ({names if len(inner) == 1 else names.rstrip(',')})  # whose weights are its own"
                )
            for name, value in lua_class.values.items():
                owner = value.base if isinstance(value, Index) else value
                if name == _CALLED_BY_TORCH7 and t.types.class_named(owner) is lua_class:
                    continue
                t.emit(f"{self.attribute(name)} = {t.classes.bodies.constant(lua_class, name, value)}")
            missing = [f"self.{name} = None" for name in self._missing(lua_class)]
            missing += first_mode(t, lua_class)
            if "__init" not in lua_class.methods:
                for line in missing:
                    t.emit(line.removeprefix("self."))
                if self._derives(lua_class):
                    self._inherited_constructor(lua_class)
            for name, function in sorted(lua_class.methods.items(), key=lambda item: item[1].span.start):
                if t.plain_modules or (name not in _LEFT_OUT and name not in _PASSED_ON):
                    self._method(name, function, missing)
            for name, function in lua_class.statics.items():
                t.gap()
                t.emit("@staticmethod")
                t.functions.define(self.attribute(name), function)
        t.emit("")

    def _method(self, name: str, function: tree.Function, missing: Sequence[str]) -> None:
        t = self.t
        if not function.parameters or function.parameters[0].name != "self":
            raise Problem("T7-243", function.line, f"{name} without self")
        t.names.chosen[t.scopes.of_name[function.parameters[0]]] = "self"
        t.gap()
        t.emit("@torch.no_grad()")
        begin = list(missing) if name == "__init" else []
        derives = self.current is not None and self._derives(self.current)
        if name == "__init" and (derives or not self._calls_parent(function)):
            begin = [self._allocation(), *begin]
        t.functions.define(self.attribute(name), function, inits=begin)

    def _inherited_constructor(self, lua_class: LuaClass) -> None:
        """The constructor of the layer that a class derives from, with as many arguments as the program calls with."""
        t, statement = self.t, lua_class.statement
        calls = [c for c in tree.every(t.program, Call) if t.types.class_named(c.callee) is lua_class]
        if not calls:
            t.emit("pass")
            return
        maker = layer_classes.constructor_named(t, statement.span, lua_class.parent or "", calls)
        made = self._call("call", [maker.text, "*args"])
        t.emit("def __init__(self, *args):")
        with t.indented():
            t.emit("super().__init__()")
            t.emit(f"self.derive({made}{'.base' if t.plain_modules else ''})")

    def _allocation(self) -> str:
        """What a constructor begins with that calls no parent's: it makes what all layers have."""
        if self.current is None or self.current.base is None:
            return "super().__init__()"
        return f"{page_library.MODULE}.{'Container' if self._is_container() else 'Layer'}.__init__(self)"

    def _calls_parent(self, function: tree.Function) -> bool:
        return any(self._name_of_parents(call) == "__init" for call in tree.every(function.body, Call))

    def _missing(self, lua_class: LuaClass) -> list[str]:
        """The fields that methods name and the constructor may not set: nil in Lua."""
        t = self.t
        chain, known = lua_class, {"output", "gradInput", "train"}
        known |= {"modules"} if self._is_container() else set()
        known |= {*_WEIGHTS, *self._of_base(lua_class)} if self._derives(lua_class) else set()
        while True:
            known |= {*chain.methods, *chain.statics, *chain.values}
            if chain.base is None:
                break
            chain = chain.base
            known |= set(t.classes.fields.fields_of(chain))
        candidates = [n for n in t.classes.fields.fields_of(lua_class) if n not in known]
        return [self.attribute(n) for n in candidates if n not in t.classes.fields.definite(lua_class)]

    def _of_base(self, lua_class: LuaClass) -> list[str]:
        """The fields that methods name and none assigns: the constructor of the class that it derives from does."""
        known = {*lua_class.methods, *lua_class.values, *self._assigned(lua_class), *_WEIGHTS}
        named = {
            self._field_of(node, lua_class)
            for function in lua_class.methods.values()
            for node in tree.every(function.body, Index)
        }
        return sorted(named - known - {"", "output", "gradInput", "train"})

    def _weights(self, lua_class: LuaClass) -> tuple[dict[str, str], list[str]]:
        """The weights of a layer, each with the field of its gradient; the layers within whose weights are its own."""
        method = lua_class.methods.get("parameters")
        if method is None or self.t.plain_modules:
            inner = self._modules_in(lua_class, [f for n, f in lua_class.methods.items() if n in _OF_WEIGHTS])
            fields = self._assigned(lua_class)
            of_its_own = () if self._derives(lua_class) else ("weight", "bias")
            kinds = {"tensor", "any", None} if self.t.plain_values else {"tensor"}
            weight_names = [n for n in of_its_own if kinds & fields.get(n, set())]
            return {name: f"grad{name.capitalize()}" for name in weight_names}, inner
        last = method.body.statements[-1] if len(method.body.statements) == 1 else None
        values = last.values if isinstance(last, tree.Return) else ()
        lists = [self._fields_in(value, lua_class) for value in values]
        if len(lists) == 2 and None not in lists and len(lists[0] or ()) == len(lists[1] or ()):
            return dict(zip(lists[0] or (), lists[1] or (), strict=True)), []
        inner = self._modules_in(lua_class, [method])
        if not inner and not self._is_container():
            raise Problem("T7-243", method.line, "parameters() that does not say which they are")
        return {}, inner

    def _modules_in(self, lua_class: LuaClass, functions: Sequence[tree.Function]) -> list[str]:
        """The fields with modules that functions name; another field there is a problem.

        Modules that are objects have their own ``parameters()``: of what kind another field is, nobody asks there.
        """
        field_names: dict[str, None] = {}
        for function in functions:
            asked = {n.receiver for n in tree.every(function.body, Invoke) if n.method in _OF_WEIGHTS}
            for node in tree.every(function.body, Index):
                name = self._field_of(node, lua_class)
                kind = self.t.kind(node)
                of_modules = kind == "table" and self.t.type(node).of_elements().kind == "module"
                if name and kind != "module" and not of_modules and node not in asked:
                    if self.t.plain_modules:
                        continue
                    raise Problem("T7-243", function.line, f"parameters() that takes self.{name}")
                if name:
                    field_names[self.attribute(name)] = None
        return [*field_names]

    def _assigned(self, lua_class: LuaClass) -> dict[str, set[str | None]]:
        """The fields that methods assign, each with the kinds of what they are given."""
        field_kinds: dict[str, set[str | None]] = {}
        for function in lua_class.methods.values():
            for node in tree.every(function.body, tree.Assign):
                for target in node.targets:
                    if name := self._field_of(target, lua_class):
                        field_kinds.setdefault(name, set()).add(self.t.kind(target))
        return field_kinds

    def _field_of(self, node: Expression, lua_class: LuaClass) -> str:
        """The name of ``self.name`` in a method of a class, empty for other expressions."""
        if isinstance(node, Index) and isinstance(node.key, String) and self.is_self(node.base, lua_class):
            return node.key.value
        return ""

    def _fields_in(self, node: Expression, lua_class: LuaClass) -> list[str] | None:
        if not isinstance(node, tree.Table):
            return None
        names = [self._field_of(item.value, lua_class) for item in node.fields]
        return [self.attribute(name) for name in names] if all(names) else None

    # Names

    @staticmethod
    def attribute(name: str) -> str:
        """What a field or a method is called, where nn.Module has one of that name."""
        if name in _NAMED:
            return _NAMED[name]
        python = code.attribute_name(name)
        return f"{python}_" if hasattr(nn.Module, name) else python

    def is_self(self, node: Expression, lua_class: LuaClass | None = None) -> bool:
        lua_class = lua_class or self.current
        if not isinstance(node, Name) or node.name != "self" or lua_class is None:
            return False
        of_name = self.t.scopes.of_name
        return any(
            of_name[node] is of_name[f.parameters[0]] for f in lua_class.methods.values() if f.parameters
        )

    def field(self, node: Expression) -> str | None:
        """``self.name`` in a method of the class."""
        if isinstance(node, Index) and isinstance(node.key, String) and self.is_self(node.base):
            return f"self.{self.attribute(node.key.value)}"
        return None

    def is_mode(self, node: Expression) -> bool:
        """``layer.train``, which is nil until somebody says whether it trains."""
        if not isinstance(node, Index) or node.key_name != "train":
            return False
        return self.is_self(node.base) or (self.t.plain_modules and self.t.is_object(node.base))

    # Expressions

    def special(self, node: Expression) -> Py | None:
        t = self.t
        field = self.field(node)
        if field is not None:
            return atom(field)
        if isinstance(node, Call):
            return self._of_parent(node)
        of_list = isinstance(node, Index) and self.field(node.base) == "self.modules_"
        if isinstance(node, Index) and (of_list or self._may_be_module(node.base)) and t.path(node) is None:
            return self._call("index", [t.value(node.base).text, t.value(node.key).text])
        if not isinstance(node, Invoke):
            return None
        if self._begins_class(node):
            return atom("None")  # which all objects have of their own here
        if self.is_self(node.receiver):
            self._refuse_unknown(node)
            method, args = f"self.{self.attribute(node.method)}", plain_calls.arguments(t, node.arguments)
            if t.calls.is_one(node):
                return atom(f"{method}({', '.join(args)})")
            return self._call("call", [method, *args])
        if node.method in MODES and t.kind(node.receiver) == "module" and not t.plain_modules:
            return None  # which all modules of a page have
        is_pass = node.method in _PASSES and t.path(node.receiver) is None
        if not (is_pass or self._may_be_module(node.receiver) or forms.has_operands(self.t, node)):
            return None
        if is_pass:
            return t.models.plain_pass(node)
        receiver, args = t.value(node.receiver).text, plain_calls.arguments(t, node.arguments)
        return self._call("method", [receiver, code.quoted(node.method), *args])

    def _refuse_unknown(self, node: Invoke) -> None:
        """Refuse a method of self that neither the program's classes nor the library's class has."""
        assert self.current is not None
        if self.t.plain_modules or self.current.find(node.method) is not None:
            return
        fields = self.current.instance.find().fields
        if node.method not in fields and not hasattr(self._library_class(), self.attribute(node.method)):
            reason = f"the method {node.method} of {self.current.parent}"
            raise Problem("T7-242", node.line, reason)

    def _library_class(self) -> type[page_layers.Layer]:
        """The class of the pages' library that the class being written derives from."""
        assert self.current is not None
        first = self.current
        while first.base is not None:
            first = first.base
        if facts.is_container(first.parent):
            return page_layers.Container
        return page_layers.Derived if self._derives(first) else page_layers.Layer

    def _begins_class(self, node: Invoke) -> bool:
        """Whether this is ``parent:__init(self)``, which gives nn.Module the output that objects of the class lack.

        That is one for all of them: a class that writes into it has another form.
        """
        t, current = self.t, self.current
        if current is None or node.method != "__init" or not facts.is_module(current.parent):
            return False
        parent = node.receiver
        is_parent = isinstance(parent, Name) and t.scopes.of_name[parent] in t.types.parent_of_variable
        written = [
            call.receiver
            for function in current.methods.values()
            for call in tree.every(function.body, Invoke)
        ]
        fields = {receiver.key_name for receiver in written if isinstance(receiver, Index)}
        return is_parent and not fields & {"output", "gradInput"}

    def _may_be_module(self, node: Expression) -> bool:
        return self.t.kind(node) in ("module", "criterion", None, "any") and not self.is_self(node)

    def _call(self, name: str, args: list[str]) -> Py:
        return plain_calls.library_call(self.t, name, args)

    def _name_of_parents(self, node: Expression) -> str | None:
        """The method of a parent that ``parent.name(self, ...)`` calls."""
        if not isinstance(node, Call) or not isinstance(node.callee, Index) or not node.arguments:
            return None
        callee, lua_class = node.callee, self.current
        if not isinstance(callee.key, String) or not self.is_self(node.arguments[0]) or lua_class is None:
            return None
        t = self.t
        is_variable = (
            isinstance(callee.base, Name) and t.scopes.of_name[callee.base] in t.types.parent_of_variable
        )
        if (
            is_variable
            or t.path(callee.base) == lua_class.parent
            or (lua_class.base is not None and t.types.class_named(callee.base) is lua_class.base)
        ):
            return callee.key.value
        return None

    def _derives(self, lua_class: LuaClass) -> bool:
        """Whether a class derives from a layer that computes something."""
        return lua_class.base is None and not _has_base(lua_class) and not self._is_grown(lua_class)

    def _is_grown(self, lua_class: LuaClass) -> bool:
        """Whether a class derives from a container of which the library has the objects."""
        if not self.t.plain_modules or lua_class.base is not None or _has_base(lua_class):
            return False
        return lua_class.parent in page_library.objects()

    def _is_container(self) -> bool:
        return self.current is not None and facts.is_container(self.current.parent)

    def _of_parent(self, node: Call) -> Py | None:
        name = self._name_of_parents(node)
        if name is None:
            return None
        known = {"__init", "updateOutput", *BACKWARD, *MODES, *(("add",) if self._is_container() else ())}
        assert self.current is not None
        if name == "__init" and self._derives(self.current):
            assert self.current.parent is not None
            call = Call(node.span, node.callee, node.arguments[1:])
            base, settings = self.t.models.base_layer(self.current.parent, call)
            for field in self._of_base(self.current):
                if field not in settings:
                    raise Problem("T7-242", node.line, f"the field {field} of {self.current.parent}")
                self.t.emit(f"self.{self.attribute(field)} = {settings[field]}")
            return atom(f"self.derive({base})")
        args = plain_calls.arguments(self.t, node.arguments[1:])
        from_base = self.current.base is not None and self.current.base.find(name) is not None
        if self.t.plain_modules and name not in known and not from_base:
            return atom(f"{self._call('of_all_modules', [code.quoted(name), 'self', *args])}[0]")
        if name not in known and not from_base:
            raise Problem("T7-242", node.line, f"the method {name} of {self.current.parent}")
        return atom(f"super().{self.attribute(name)}({', '.join(args)})")

    # Statements

    def statement(self, node: Statement) -> None:
        t = self.t
        if isinstance(node, tree.Local):
            self._assign(node, node.names, node.values)
        elif isinstance(node, tree.Assign):
            self._assign(node, node.targets, node.values)
        elif isinstance(node, tree.Run):
            self._run(node.call)
        elif isinstance(node, tree.Return):
            self._return(node)
        elif isinstance(node, tree.If):
            for number, (condition, body) in enumerate(node.branches):
                t.emit(f"{'elif' if number else 'if'} {self._condition(condition)}:")
                t.body(body)
            if node.otherwise is not None:
                t.emit("else:")
                t.body(node.otherwise)
        elif isinstance(node, tree.While):
            t.emit(f"while {self._condition(node.condition)}:")
            t.loop_body(node.body)
        elif isinstance(node, tree.Repeat):
            t.emit("while True:")
            t.loop_body(node.body)
            with t.indented():
                t.emit(f"if {self._condition(node.condition)}:")
                t.emit(f"{INDENT}break")
        elif isinstance(node, tree.NumericFor):
            t.shifts.pop(t.scopes.of_name[node.variable], None)  # of the idiomatic form, that was tried first
            t.emit(f"for {t.names.of(node.variable)} in {self._numbers(node)}:")
            t.loop_body(node.body)
        elif isinstance(node, tree.GenericFor):
            for name in node.names:
                t.shifts.pop(t.scopes.of_name[name], None)
            if not forms.natively(t, lambda: ranges.generic_head(t, node)):
                plain_calls.loop_head(t, node, [t.names.of(name) for name in node.names])
            t.loop_body(node.body)
        elif isinstance(node, tree.Do):
            t.block(node.body)
        elif isinstance(node, tree.Break):
            t.emit("break")
        elif isinstance(node, tree.LocalFunction):
            t.functions.define(t.names.of(node.name), node.function)
        else:
            raise Problem("T7-243", node.line, f"{type(node).__name__} in a method of a layer")

    def _numbers(self, node: tree.NumericFor) -> Py:
        """What a loop over numbers goes through."""
        t = self.t
        bounds = [node.start, node.stop, *([node.step] if node.step is not None else [])]
        values = [t.value(bound) for bound in bounds]
        step = forms.literal_step(node)
        if step and all(t.kind(bound) == "number" and t.whole(bound) for bound in bounds):
            stop = t.expressions.whole_number(node.stop, 1 if step > 0 else -1)
            return atom(f"range({values[0]}, {stop}{f', {step}' if step != 1 else ''})")
        return self._call("count", [value.text for value in values])

    def _run(self, node: Call | Invoke) -> None:
        t = self.t
        path = t.path(node.callee) if isinstance(node, Call) else None
        rule = library_rules.statements.get(path or "")
        if isinstance(node, Call) and rule is not None and forms.natively(t, lambda: rule(t, node) is None):
            return
        put_back = t.checkpoint()
        try:
            written = plain_calls.statement(t, node) if rule is not None else t.value(node)
        except Problem:
            put_back()
            written = None
        if written is not None:
            t.emit(written.text)
        elif not isinstance(node, Call) or not t.calls.by_rule(node):
            t.emit(t.value(node).text)  # which says why it has no form

    def _condition(self, node: Expression) -> Py:
        t = self.t
        before, put_back = len(t.lines), t.checkpoint()
        try:
            condition = t.conditions.condition(node)
            if len(t.lines) == before:
                return condition
        except Problem:
            pass
        put_back()
        value = t.value(node)
        if len(t.lines) > before:
            raise Problem("T7-299", node.line, "a condition that needs statements of its own")
        return self._call("truth", [value.text])

    def _return(self, node: tree.Return) -> None:
        t = self.t
        last = node.values[-1] if node.values else None
        if len(node.values) == 1 and isinstance(last, Invoke) and self.is_self(last.receiver):
            args = ", ".join(plain_calls.arguments(t, last.arguments))
            t.emit(f"return self.{self.attribute(last.method)}({args})")  # all values of it
            return
        parents = self._of_parent(last) if isinstance(last, Call) and len(node.values) == 1 else None
        if parents is not None and parents.text.startswith("super()."):
            t.emit(f"return {parents}")
            return
        is_open = isinstance(last, (Call, Invoke)) and not t.calls.is_one(last)
        if (
            (is_open or t.is_unpacked(last))
            and t.plain_modules
            and last is not None
            and isinstance(last, (Call, Invoke))
        ):
            values = [*(t.value(value).text for value in node.values[:-1]), f"*{self._all_values(last)}"]
            t.emit(f"return {self._call('handed_on', [', '.join(values).join(('(', ',)'))])}")
            return
        if isinstance(last, tree.Vararg) or (is_open and not (last and self._name_of_parents(last))):
            raise Problem("T7-218", node.line, "all values of a call at the end of a list")
        t.emit(f"return {', '.join(t.value(value).text for value in node.values)}".rstrip())

    def _assign(self, node: Statement, targets: Sequence[Expression], values: Sequence[Expression]) -> None:
        t = self.t
        if len(targets) == len(values) == 1:
            (target,), (value,) = targets, values
            if isinstance(target, Name) and t.scopes.of_name[target] in t.types.packages:
                return  # another name of a package or a function, which is written as itself
            if isinstance(value, tree.Function) and isinstance(target, Name):
                t.functions.define(t.names.of(target), value)
            elif (
                isinstance(target, Index)
                and not (self.field(target) or self.field(target.base) == "self.modules_")
                and forms.stored(t, target, value, node)
            ):
                pass
            else:
                self._store(target, t.value(value))
            return
        if len(values) == 1 and (
            self._of_several(targets, values[0]) or forms.unpacked(t, targets, values[0])
        ):
            return
        if len(values) < len(targets) and values and isinstance(values[-1], (Call, Invoke)):
            call_values = self._all_values(values[-1])
            if call_values is None:
                raise Problem("T7-211", node.line, "more names than values, the last of which is a call")
            before = ", ".join(t.value(value).text for value in values[:-1])
            items = f"({before}, *{call_values})" if before else call_values.text
            right_side = self._call("first_of", [items, str(len(targets))]).text
        else:
            texts = [t.value(value).text for value in values[: len(targets)]]
            right_side = ", ".join([*texts, *["None"] * (len(targets) - len(texts))])
        names = [
            self.field(target) or (t.target(target) if isinstance(target, Name) else t.fresh("value"))
            for target in targets
        ]
        t.emit(f"{', '.join(names)} = {right_side}")
        for target, name in zip(targets, names, strict=True):
            if not isinstance(target, Name) and self.field(target) is None:
                self._store(target, atom(name))

    def _of_several(self, targets: Sequence[Expression], node: Expression) -> bool:
        """Write ``a, b = self:sizes(x)`` of a method that always gives as many values; whether it is one."""
        if not isinstance(node, Invoke) or not self.is_self(node.receiver):
            return False
        return forms.several(self.t, targets, node, f"self.{self.attribute(node.method)}")

    def _all_values(self, node: Call | Invoke) -> Py | None:
        """All values of a call, as something that can be gone through."""
        if isinstance(node, Invoke) and self.is_self(node.receiver):
            args = plain_calls.arguments(self.t, node.arguments)
            return self._call("call_all", [f"self.{self.attribute(node.method)}", *args])
        parents = self._of_parent(node) if isinstance(node, Call) else None
        if parents is not None and parents.text.startswith("super()."):
            method, _, rest = parents.text.removeprefix("super().").partition("(")
            return self._call("call_all", [f"super().{method}", *([rest[:-1]] if rest != ")" else [])])
        if parents is not None:
            return atom(parents.text.removesuffix("[0]"))
        return plain_calls.all_values(self.t, node)

    def _store(self, target: Expression, value: Py) -> None:
        t = self.t
        field = self.field(target)
        if field is not None:
            t.emit(f"{field} = {value}")
        elif isinstance(target, Index):
            t.emit(plain_calls.store(t, target, value))
        else:
            t.emit(f"{t.unread(target) or t.target(target)} = {value}")
            plain_calls.note_result(t, target, value)


def _has_base(lua_class: LuaClass) -> bool:
    """Whether the pages' library has the class that a class of the program's own derives from."""
    return facts.is_base(lua_class.parent) or facts.is_container(lua_class.parent)
