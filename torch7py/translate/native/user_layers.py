"""Layers and criterions that a program writes itself: a torch.nn.Module with the program's maths.

``updateOutput`` becomes ``forward``. Where the program writes the gradients too, both become a
torch.autograd.Function: what the first keeps in ``self`` for the second is kept in its context, so that a layer may be
used several times before a backward pass. A backward half that only calls those of the layers inside says nothing that
autograd does not know, and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from torch7py.translate import tree, tree_queries
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import BACKWARD
from torch7py.translate.kinds import LuaClass, Type, all_parts
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.layer_fields import KEPT_BY_NN
from torch7py.translate.native.layer_gradients import LayerGradients
from torch7py.translate.native.models.constructions import all_layers
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.sharing import refuse_weights_of_others
from torch7py.translate.native.tensors.overwriting import root_of, written_anew
from torch7py.translate.native.user_parameters import refuse_other_weights
from torch7py.translate.patching import altered
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement

__all__ = ["LEFT_OUT", "UserLayer"]

_INITIALIZERS = {
    "uniform": "nn.init.uniform_",
    "normal": "nn.init.normal_",
    "zero": "nn.init.zeros_",
    "fill": "nn.init.constant_",
}
_HELPERS = {"updateGradInput": "input_gradient", "accGradParameters": "weight_gradients"}
# Methods that nn.Module does itself in PyTorch, or that have nothing to do there.
LEFT_OUT = {
    "parameters",
    "clearState",
    "accUpdateGradParameters",
    "sharedAccUpdateGradParameters",
    *BACKWARD,
}


def _modules_in_fields(lua_class: LuaClass) -> Iterator[tuple[str, Type]]:
    """The modules that a class sets as its fields, or puts into tables there.

    Classes that a variable holds objects of have one type, and the fields of each other in it.
    """
    classes = [lua_class]
    while classes[-1].base is not None:
        classes.append(classes[-1].base)
    methods = [function for cls in classes for function in cls.methods.values()]
    assigned = {
        target.of_self
        for f in methods
        for s in tree.every(f.body, tree.Assign)
        for target in s.targets
        if isinstance(target, Index)
    }
    for name, field in lua_class.instance.find().fields.items():
        inside = field.find().of_elements().find() if field.kind == "table" else field.find()
        if name in assigned and inside.kind == "module":
            yield name, inside


@dataclass(eq=False)
class UserLayer(LayerGradients):
    """How one class of layers is written: the statements of its methods."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._refuse_hidden_weights()
        refuse_weights_of_others(self.t, self.lua_class, self.parameters)

    def _refuse_hidden_weights(self) -> None:
        """Refuse layers inside whose weights nobody can train: nn.Module gives only a layer's own, PyTorch all."""
        lua_class = self.lua_class
        asked = {"getParameters", "parameters", "updateParameters"} - set(lua_class.methods)
        if self.user_passes:
            refuse_other_weights(self.t, self)
            return
        if (
            not facts.is_module(lua_class.parent)
            or lua_class.derived
            or lua_class.base is not None
            or "parameters" not in asked
        ):
            return
        receivers = [n.receiver for n in tree.every(self.t.program, Invoke) if n.method in asked]
        if not any(lua_class in part.classes for node in receivers for part in all_parts(self.t.type(node))):
            return
        for name, inside in _modules_in_fields(lua_class):
            if self._may_have_weights(inside):
                reason = f"the weights of self.{name}, which parameters() does not give"
                raise Problem("T7-243", lua_class.statement.line, reason)

    def statement(self, node: Statement) -> bool:
        """The statements of a layer's methods that are written otherwise; whether this was one."""
        t = self.t
        if self.texts and self._stores_entry(node) and self._entry(node):
            return True
        if self.no_return is not None and isinstance(node, tree.NumericFor) and self._only_clears(node.body):
            return True
        if isinstance(node, tree.Local) and any(
            t.scopes.of_name[name] in self.short_names for name in node.names
        ):
            for variable, value in zip(node.names, node.values, strict=True):
                if t.scopes.of_name[variable] not in self.short_names:
                    t.assignments.write(node, (variable,), (value,), True)
            return True
        if isinstance(node, tree.Local) and self.no_return is not None:
            self._begin_named(node)
        if isinstance(node, tree.Run):
            self.alone.add(node.call)
        if isinstance(node, tree.Run) and self.no_return is not None:
            half = self.parents_half(node.call)
            if half is not None:
                inner = t.value(node.call)
                t.emit(f"{self.local('gradInput')} = {inner}" if half != "accGradParameters" else inner.text)
                return True
        if isinstance(node, tree.Run) and isinstance(node.call, Call) and self._is_parents_output(node.call):
            t.emit(f"{self.local('output')} = {t.value(node.call)}")
            return True
        if isinstance(node, tree.Run) and isinstance(node.call, Invoke):
            name = self.self_field(root_of(node.call))
            if name is None and self.no_return is not None:
                name = self._gradient_with_part(root_of(node.call))
            if name is not None and name in self.texts:
                return self._overwritten(name, node.call)
            if self.no_return is not None:
                self._begin_others_gradient(root_of(node.call))
            changed = name or self._part_of_parameter(root_of(node.call))
            if changed in self.parameters and changed not in self.texts:
                return self._initialized(changed, node.call)
        if isinstance(node, tree.Assign) and len(node.targets) == 1:
            first = node.targets[0]
            if isinstance(first, Name) and t.scopes.of_name[first] in t.scales:
                return True  # scale = scale or 1
        if isinstance(node, tree.If) and self.no_return is not None:
            if self._is_never(node):
                return True
            if self.is_always(node):
                t.block(node.branches[0][1])
                return True
        if isinstance(node, tree.Return) and t.scope.function in (self.forward, *self.halves):
            return self._return(node)
        if isinstance(node, tree.Assign) and len(node.targets) == len(node.values) > 1:
            return self._assign_several(node)
        if isinstance(node, tree.Assign) and len(node.targets) == len(node.values) == 1:
            name = self.self_field(node.targets[0])
            if name is not None:
                return self._assign(name, node.targets[0], node.values[0])
            name = self._gradient_with_part(node.targets[0]) if self.no_return is not None else None
            if name is not None:
                self._adds_to_part(name, node.targets[0], node.values[0])
        return False

    def inner_gradient(self, node: Call | Invoke) -> Py | None:
        t = self.t
        half = self.parents_half(node) if self.no_return is not None and isinstance(node, Call) else None
        if half is not None and isinstance(node, Call):
            if len(node.arguments) < 3 or t.kind(node.arguments[1]) != "tensor":
                raise Problem("T7-243", node.line, f"{half} of the parent, with these arguments")
            self.trains_inner |= half != "updateGradInput" and bool(self.parameters)
            args = f"{t.value(node.arguments[1])}, {t.value(node.arguments[2])}"
            return atom(self.parents_gradient(_HELPERS.get(half, "module_gradient"), args))
        if self.no_return is None or not isinstance(node, Invoke) or node.method not in BACKWARD:
            return None
        kind = t.kind(node.receiver)
        if kind not in ("module", "criterion") or self.is_self(node.receiver):
            return None
        if len(node.arguments) < 2 or t.kind(node.arguments[0]) != "tensor":
            raise Problem("T7-243", node.line, f"{node.method} of a layer in it, with these arguments")
        receiver_type, gradient = t.type(node.receiver), node.arguments[1]
        if not all(facts.is_repeatable(layer.name) for layer in all_layers(receiver_type)):
            raise Problem("T7-243", node.line, f"{node.method} of a layer in it, which is run again for it")
        base = t.value(node.receiver)
        if kind == "criterion":
            target = t.models.inputs.target(receiver_type, gradient, node.line)
            return atom(f"{t.need('criterion_gradient')}({base}, {t.value(node.arguments[0])}, {target})")
        x = t.models.inputs.input(receiver_type, node.arguments[0])
        self.trains_inner |= node.method != "updateGradInput" and self._may_have_weights(receiver_type)
        helper = _HELPERS.get(node.method)
        if helper is None:
            helper = "weight_gradients" if node in self.alone else "module_gradient"
        if any(facts.normalizes_batches(layer.name) for layer in all_layers(receiver_type)):
            if self._is_one_example(node.arguments[0]):
                raise Problem(
                    "T7-243", node.line, "one example, which Torch7 does not normalize over the batch"
                )
            base = atom(f"{t.need('RunAgain')}({base})")
        return atom(f"{t.need(helper)}({base}, {x}, {t.value(gradient)})")

    def _is_one_example(self, node: Expression) -> bool:
        """Whether an expression is a batch of one: ``x:view(1, n, h, w)``, or a variable with that."""
        if isinstance(node, Name):
            values = [value for _, value in self.t.training.assigned_to(self.t.scopes.of_name[node])]
            return any(value is not None and self._is_one_example(value) for value in values)
        if not isinstance(node, Invoke) or not node.arguments:
            return False
        first = node.arguments[0]
        return (
            node.method in ("view", "reshape", "resize")
            and isinstance(first, tree.Number)
            and first.value == 1
        )

    def _may_have_weights(self, module: Type) -> bool:
        """Whether a module, or one in it, may have weights."""
        for part in all_parts(module):
            names = {layer.name for layer in part.layers}
            if any(map(self._of_class_may_have_weights, part.classes)) or not all(
                map(facts.without_weights, names)
            ):
                return True
            if not part.classes and not names:
                return True
        return False

    def _of_class_may_have_weights(self, lua_class: LuaClass) -> bool:
        """Whether layers of a class may: of its own, of the layer that it derives from, or of layers in its fields."""
        layer, parent = self.t.classes.layers.get(lua_class), lua_class.parent or ""
        inherits = not facts.is_base(parent) and facts.may_weigh(parent)
        if layer is None or layer.parameters or layer.trains_inner or inherits:
            return True
        return any(True for _ in _modules_in_fields(lua_class))

    def _is_parents_output(self, call: Call) -> bool:
        """``parent.updateOutput(self, input)``, which sets ``self.output``."""
        callee = call.callee
        if not (
            isinstance(callee, Index)
            and isinstance(callee.key, tree.String)
            and isinstance(callee.base, Name)
        ):
            return False
        named = self.t.scopes.of_name[callee.base] in self.t.types.parent_of_variable
        return named and callee.key.value == "updateOutput" and self.t.scope.function is self.forward

    def _entry(self, node: Statement) -> bool:
        """``self.gradInput[i]:resizeAs(x):copy(y)``, of a table whose size is the input's."""
        t = self.t
        if self.entries["gradInput"]:
            return False
        if isinstance(node, tree.Assign):
            value = node.values[0]
            same = isinstance(value, tree.Binary) and tree_queries.same_expression(
                value.left, node.targets[0]
            )
            if isinstance(value, tree.Binary) and value.operator == "or" and same:
                return True
            if not isinstance(value, tree.Nil):
                t.emit(f"{t.target(node.targets[0])} = {t.value(value)}")
            return True
        if isinstance(node, tree.Run) and isinstance(node.call, Invoke):
            anew = written_anew(t, node.call)
            if anew is not None:
                t.emit(f"{t.target(root_of(node.call))} = {anew}")
                return True
        return False

    def _part_of_parameter(self, node: Expression) -> str | None:
        """The parameter that an expression is a part of, as ``self.bias[{{1, n}}]``."""
        while isinstance(node, Index) and self.self_field(node) is None:
            node = node.base
        return self.self_field(node)

    def _initialized(self, name: str, call: Invoke) -> bool:
        """A method that changes a parameter outside of the computation: its first value, mostly."""
        t = self.t
        text = f"self.{self.attribute(name)}"
        initializer = _INITIALIZERS.get(call.method)
        if initializer is not None and self.self_field(call.receiver) == name:
            args = [text, *(t.value(argument).text for argument in call.arguments)]
            t.emit(f"{initializer}({', '.join(args)})")
            return True
        with self.written_as({name: f"{text}.data"}, None, []):
            t.calls.statement(call)
        return True

    def _overwritten(self, name: str, call: Invoke) -> bool:
        t = self.t
        if name in self.gradients:
            first: Expression = call
            while isinstance(first, Invoke) and isinstance(first.receiver, Invoke):
                first = first.receiver
            assert isinstance(first, Invoke)
            local = self.local(name)
            added = self._added(first) if first is call else None
            if added is None:
                raise Problem("T7-243", call.line, f"{name}, changed otherwise than by add")
            value = added
            if t.kind(first.arguments[-1]) == "number":
                value = atom(f"torch.full_like({self.local(self.gradients[name])}, {value})")
            begun = any(line.strip().startswith(f"{local} = ") for line in t.lines[-200:])
            within = t.depth > 2
            part = call.receiver
            if isinstance(part, Index) and self.self_field(part) is None:
                self._begin(name, local, begun)
                t.emit(f"{t.value(part)} += {value}")
                return True
            if within and not begun:
                self._begin(name, local, begun)
                t.emit(f"{local} = {local} + {value.at(code.MULTIPLY)}")
                return True
            t.emit(f"{local} = {f'{local} + {value.at(code.MULTIPLY)}' if begun else value}")
            return True
        value_anew = written_anew(t, call)
        if value_anew is None:
            return False
        local = self.texts[name]
        self._drop_size(local, value_anew.text)
        t.emit(f"{local} = {value_anew}")
        return True

    def _drop_size(self, local: str, text: str) -> None:
        """Take back that a variable was given its size, where it is overwritten before it is read."""
        lines, used = self.t.lines, re.compile(rf"\b{local}\b")
        if used.search(text):
            return
        indent = "    " * self.t.depth
        for i in reversed(range(len(lines))):
            if lines[i].startswith(f"{indent}{local} = torch.empty"):
                if self._are_used(set(re.findall(r"[A-Za-z_]\w*", lines[i])) - {local}, i, text):
                    del lines[i]
                return
            if used.search(lines[i]) or not lines[i].startswith(indent):
                return

    def _are_used(self, names: set[str], but: int, more: str) -> bool:
        """Whether names, but for parameters, are read elsewhere in the function that is being written."""
        lines = self.t.lines
        start = max((i for i in range(but) if lines[i].strip().startswith("def ")), default=0)
        unpack_lines = [i for i in range(start + 1, len(lines)) if lines[i].endswith(" = ctx.saved_tensors")]
        text = "\n".join(
            [more, *(line for i, line in enumerate(lines) if i > start and i not in (but, *unpack_lines))]
        )
        names = names - set(re.findall(r"\w+", " ".join(lines[i] for i in (start, *unpack_lines))))
        return all(len(re.findall(rf"\b{name}\b", text)) != 1 for name in names)

    def _is_never(self, node: tree.If) -> bool:
        """``if scale == 0 then``: the scale is 1."""
        condition = node.branches[0][0]
        if len(node.branches) != 1 or node.otherwise is not None or not isinstance(condition, tree.Binary):
            return False
        left, right = condition.left, condition.right
        is_scale = isinstance(left, Name) and self.t.scopes.of_name[left] in self.t.scales
        is_other = isinstance(right, tree.Number) and right.value != 1
        return condition.operator == "==" and is_scale and is_other

    def _return(self, node: tree.Return) -> bool:
        t = self.t
        if self.no_return is not None:
            function = t.scope.function
            early = function is None or node is not self.ends(function)
            if len(node.values) > 1 or (early and function is not self.last_half):
                raise Problem("T7-243", node.line, "a return in the middle of a backward half")
            if node.values and self.self_field(node.values[0]) != "gradInput":
                self._give("gradInput", node.values[0])
            if early:
                self._return_gradients()
            return True
        if len(node.values) != 1:
            raise Problem("T7-243", node.line, "a layer that gives no output")
        output = node.values[0]
        value = (
            self._overwritten_output(output) or self._returned_table(output) or t.expressions.graph(output)
        )
        for line in self.at_return:
            t.emit(line)
        last = t.lines[-1].strip() if t.lines else ""
        if t.lines and len(t.lines[-1]) - len(last) != 4 * t.depth:
            last = ""  # of a block before it
        if not self.at_return and last.startswith(f"{value} = ") and "  #" not in last:
            t.lines.pop()
            value = atom(last.partition(" = ")[2])
        t.emit(f"return {value}")
        return True

    def _overwritten_output(self, output: Expression) -> Py | None:
        """``return self.output:set(x)``: the field has another value first."""
        name = self.self_field(root_of(output)) if isinstance(output, Invoke) else None
        if name is None or name not in self.texts or name in self.gradients or not isinstance(output, Invoke):
            return None
        return atom(self.texts[name]) if self._overwritten(name, output) else None

    def _give(self, name: str, value: Expression) -> None:
        """``self.gradInput = v``, or its entries."""
        t = self.t
        count = self.entries.get(name, 0)
        if count and isinstance(value, tree.Table):
            for n, item in enumerate(value.fields, 1):
                t.emit(f"{self.local(f'{name}{n}')} = {t.value(item.value)}")
        elif count:
            t.emit(f"{', '.join(self.local(f'{name}{n}') for n in range(1, count + 1))} = {t.value(value)}")
        else:
            t.emit(f"{self.local(name)} = {t.expressions.graph(value)}")

    def _returned_table(self, value: Expression) -> Py | None:
        """What a forward gives that is a table."""
        t = self.t
        if self.self_field(value) == "output" and self.is_table("output"):
            count = self.entries["output"]
            if count:
                return atom(", ".join(self.local(f"output{n}") for n in range(1, count + 1)))
            handed_on = t.lines and t.lines[-1].strip() == f"{self.local('output')} = {self.spread or '?'}"
            return None if handed_on or not self.by_hand else atom(f"tuple({self.local('output')})")
        if isinstance(value, tree.Table):
            return atom(", ".join(t.value(item.value).text for item in value.fields))
        return None

    def _assign(self, name: str, target: Expression, value: Expression) -> bool:
        """``self.x = v``: parameters, buffers, modules; or nothing, for what is no field in PyTorch."""
        t = self.t
        if self.texts:
            if name in KEPT_BY_NN and self.is_table(name):
                if not isinstance(value, tree.Table) or value.fields:
                    self._give(name, value)
                elif not self.entries[name] and name == "output":
                    t.emit(f"{self.local(name)} = []")
                return True
            left = isinstance(value, tree.Binary) and value.operator == "or" and value.left
            if name in self.texts and left and tree_queries.same_expression(left, target):
                return True  # a buffer made once: it is overwritten
            if name in self.texts and name.rstrip("0123456789") not in KEPT_BY_NN and name not in self.read():
                return True  # kept for somebody to look at
            if name in self.texts and self.lua_class.instance.kind == "criterion" and name == "output":
                t.emit(f"{self.texts[name]} = {t.expressions.graph(value)}")
                return True
            return name not in self.texts and self._kept_number(target, value)
        attribute = f"self.{self.attribute(name)}"
        if name in self.gradients or name in self.temporary:
            return True
        if name in self.parameters:
            t.emit(f"{attribute} = nn.Parameter({t.value(value)})")
            return True
        in_init = t.scope.function is self.lua_class.methods.get("__init")
        if t.kind(target) == "tensor" and in_init:
            t.emit(f"self.register_buffer({code.quoted(self.attribute(name))}, {t.value(value)})")
            return True
        if self.user_passes:
            return False  # a list of copies is a plain one, whose weights are not counted again
        if t.kind(target) == "table" and t.type(target).of_elements().kind == "module":
            if t.representation(target) != "list":
                raise Problem("T7-243", value.line, "layers in a table that is no list")
            t.emit(f"{attribute} = nn.ModuleList({t.value(value) if getattr(value, 'fields', ()) else ''})")
            return True
        return False

    def _assign_several(self, node: tree.Assign) -> bool:
        """``self.a, self.b = x, y``, where one of them is written otherwise than as a field; whether it is."""
        t = self.t
        if self.texts:
            return False
        names = [self.self_field(target) for target in node.targets]
        special = {*self.parameters, *self.gradients, *self.temporary}
        buffers = t.scope.function is self.lua_class.methods.get("__init") and any(
            name is not None and t.kind(target) == "tensor"
            for name, target in zip(names, node.targets, strict=True)
        )
        if not buffers and special.isdisjoint(name for name in names if name is not None):
            return False
        read = {name for value in node.values for name in self.fields_of(value)}
        written = {t.scopes.of_name[target] for target in node.targets if isinstance(target, Name)}
        used = {t.scopes.of_name[n] for v in node.values for n in tree.walk(v) if isinstance(n, Name)}
        if not read.isdisjoint(name for name in names if name is not None) or written & used:
            raise Problem(
                "T7-243", node.line, "fields of a layer in one assignment that depend on each other"
            )
        for name, target, value in zip(names, node.targets, node.values, strict=True):
            if name is None or not self._assign(name, target, value):
                t.assignments.write(node, (target,), (value,), False)
        return True

    def _kept_number(self, target: Expression, value: Expression) -> bool:
        """``self.loss = x``, a number that the program reads later: no tensor, and without its graph."""
        t = self.t
        if t.kind(target) != "number" or t.whole(value):
            return False
        raw = [
            n for n in tree.walk(value) if isinstance(n, Name) and t.kind(n) == "number" and self._is_local(n)
        ]
        with altered(t, raw_elements=set()):
            text = t.value(value)
        left = t.target(target)
        t.emit(f"{left} = float({text})" if raw else f"{left} = {text}")
        return True

    def _is_local(self, node: Name) -> bool:
        variable = self.t.scopes.of_name[node]
        return variable.kind != "parameter" and variable.scope is self.t.scope
