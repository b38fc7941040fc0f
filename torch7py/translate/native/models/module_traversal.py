"""Modules looked through and changed by what they are: ``apply``, ``findModules``, ``listModules``, ``replace``.

Which those are is asked with ``isinstance`` (``layer_tests.py``). A layer without weights may be a function in a page's
class: then only what is done to layers with weights has a native form.
"""

from __future__ import annotations

from torch7py.translate import tree, tree_queries
from torch7py.translate.facts import layers as facts
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.models.layer_tests import LayerTests
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.patching import altered
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, String
from torch7py.translate.tree_queries import returns_of

__all__ = ["Surgery"]

_CONVOLUTION = {
    "kW": "kernel_size[1]",
    "kH": "kernel_size[0]",
    "dW": "stride[1]",
    "dH": "stride[0]",
    "padW": "padding[1]",
    "padH": "padding[0]",
    "nInputPlane": "in_channels",
    "nOutputPlane": "out_channels",
}


class Surgery:
    def __init__(self, t: Translation, layer_tests: LayerTests) -> None:
        self.t = t
        self.tests = layer_tests

    def _reached(self, line: int) -> None:
        """Refuse to go through modules that a page has otherwise: parts of one that are none, and layers in layers."""
        for path in self.tests.classes():
            if facts.sees_sequences(path) and not facts.is_graph(path) and path not in self.t.types.classes:
                reason = f"all modules of a model with {path}, which is one in PyTorch"
                raise self.t.of_each_module("T7-226", line, reason)
        for lua_class in self.t.classes.all:
            if lua_class.instance.kind == "module" and self._has_parts(lua_class):
                reason = f"all modules of a model with {lua_class.name}, which has layers in it"
                raise self.t.of_each_module("T7-226", line, reason)

    def _has_parts(self, lua_class: LuaClass) -> bool:
        """Whether a class has layers in it that Torch7 does not go into, as they are not among its modules."""
        fields = lua_class.instance.find().fields
        parts = {name for name, type_ in fields.items() if type_.kind in ("module", "criterion")}
        return bool(parts) and not (facts.is_container(lua_class.parent) and parts <= _listed(lua_class))

    # Statements and values

    def statement(self, node: Invoke) -> bool:
        """``net:apply(f)``"""
        t = self.t
        if t.kind(node.receiver) != "module" or t.types.function_called(node):
            return False
        if node.method == "noBias" and self.tests.is_any(node.receiver):
            t.emit(f"{t.value(node.receiver).at(code.ATOM)}.bias = None")
            return True
        if node.method == "replace":
            t.emit(self.replaced(node).text)
            return True
        if node.method != "apply":
            return False
        self._reached(node.line)
        function = node.arguments[0] if len(node.arguments) == 1 else None
        base = t.value(node.receiver).at(code.ATOM)
        called = t.type(function).functions if function is not None else []
        for one in called:
            self._guarded(one.body, one.parameters[:1])
        if isinstance(function, tree.Function):
            self._loop(base, function)
            return True
        if not called or function is None:
            raise t.of_each_module("T7-202", node.line, "apply of a function that is not known")
        if any(
            _looks_outside(t.path(n.callee)) for f in called for n in tree.walk(f.body) if isinstance(n, Call)
        ):
            module = t.fresh("module")
            t.emit(f"for {module} in {base}.modules():")
            t.emit(f"    {t.value(function).at(code.ATOM)}({module})")
        else:
            t.emit(f"{base}.apply({t.value(function)})")
        return True

    def _loop(self, base: str, function: tree.Function) -> None:
        """What is done to each module, in a loop over them."""
        t = self.t
        scope = t.scopes.of_function[function]
        if returns_of(function) or len(function.parameters) != 1:
            raise t.of_each_module("T7-202", function.line, "apply of a function that returns early")
        names = {t.names.of_variable(v) for v in scope.variables}
        if any(t.names.of_variable(v) in names and self._lives(v, function) for v in self._around(function)):
            raise t.of_each_module(
                "T7-202", function.line, "apply of a function with the names of variables outside"
            )
        t.emit(f"for {t.names.of(function.parameters[0])} in {base}.modules():")
        with altered(t, scope=scope):
            t.body(function.body)

    def _around(self, function: tree.Function) -> set[Variable]:
        """The variables of the function that another one is in, and those that it takes from outside."""
        around = self.t.scopes.of_function[function].parent
        return set() if around is None else {*around.variables, *around.upvalues}

    def _lives(self, variable: Variable, function: tree.Function) -> bool:
        """Whether a variable has a value before a function that is needed after it."""
        begin = variable.declaration.span.start if variable.declaration is not None else -1
        uses = [name.span.start for name in (*variable.reads, *variable.writes)]
        return begin < function.span.start and any(use > function.span.start for use in uses)

    def _guarded(self, body: tree.Block, module: tuple[Name, ...] | list[Name]) -> None:
        """Refuse what is done to all modules whatever they are, where the page may have others."""
        t = self.t
        if self.tests.plain():
            return
        for statement in body.statements:
            if isinstance(statement, tree.Local) and self.tests.handles(statement):
                continue
            if not isinstance(statement, tree.If) or statement.otherwise is not None:
                raise t.of_each_module(
                    "T7-226", statement.line, "what is done to all modules, whatever they are"
                )
            for condition, _ in statement.branches:
                if not self.tests.is_test(condition):
                    raise t.of_each_module(
                        "T7-226", condition.line, "what is done to all modules, whatever they are"
                    )

    def value(self, node: Invoke) -> Py | None:
        """``net:findModules('nn.Linear')``, ``net:listModules()`` and ``net:replace(f)``"""
        t = self.t
        base = t.value(node.receiver).at(code.ATOM)
        if node.method == "findModules":
            wanted = node.arguments[0] if node.arguments else None
            if isinstance(wanted, Name) and t.scopes.of_name[wanted] in self.tests.class_names:
                self._reached(node.line)
                return atom(f"[m for m in {base}.modules() if isinstance(m, {t.value(wanted)})]")
            if not isinstance(wanted, String):
                raise t.of_each_module(
                    "T7-202", node.line, "findModules of a class that is not named by a literal"
                )
            self._reached(node.line)
            classes = self.tests.passing(lambda name: name == wanted.value, node.line)
            return atom(f"[m for m in {base}.modules() if {self.tests.isinstance_of('m', classes)}]")
        if node.method == "listModules":
            self._reached(node.line)
            if not self.tests.plain():
                raise t.of_each_module(
                    "T7-226", node.line, "a list of all modules, of which a page may have others"
                )
            return atom(f"list({base}.modules())")
        if node.method == "replace":
            return self.replaced(node)
        return None

    def replaced(self, node: Invoke) -> Py:
        t = self.t
        self._reached(node.line)
        if len(node.arguments) != 1 or not self.tests.plain():
            raise Problem("T7-226", node.line, "modules replaced, of which a page may have others")
        base = t.value(node.receiver)
        return atom(f"{t.need('replace_modules')}({base}, {t.value(node.arguments[0])})")

    def field(self, node: Index) -> Py | None:
        """The sizes of a convolution that is looked at among other layers."""
        t, name = self.t, node.key_name
        if name not in _CONVOLUTION:
            return None
        type_ = t.type(node.base).find()
        layers = {layer.name for layer in type_.layers}
        if (
            t.kind(node.base) != "module"
            or type_.classes
            or not (self.tests.is_any(node.base) or _convolutions(layers))
        ):
            return None
        may_pool = self.tests.is_taken_out(node.base) and (
            self.tests.layer_names.has_packages or any("Pooling" in name for name in self.tests.classes())
        )
        if may_pool and "Plane" not in name:  # a pooling may have one number for both
            raise Undecided("T7-225", node.line, f"the field {name} of a convolution or pooling")
        if any("Temporal" in name or "Volumetric" in name for name in self.tests.classes()):
            raise Problem("T7-225", node.line, f"the field {name} of one of several kinds of convolutions")
        return atom(f"{t.value(node.base).at(code.ATOM)}.{_CONVOLUTION[name]}")

    def assign(self, target: Index, value: Expression) -> bool:
        """``net.modules[i] = layer``, and ``m.p = 0`` of a Dropout."""
        t = self.t
        base = target.base
        if isinstance(base, Index) and base.key_name == "modules":
            if t.kind(base.base) != "module":
                return False
            index = "-1" if tree_queries.is_last(target) else t.expressions.position(target.key).text
            container = t.value(base).at(code.ATOM)
            owner = t.classes.owners.get(t.scope.function) if t.scope.function is not None else None
            # In a class that derives from nn.Container.
            if owner is not None and t.type(base.base).find().classes:
                if t.scope.function is not owner.methods.get("__init"):
                    return False
                t.emit(f"{container}.append({t.value(value)})")
            elif isinstance(value, tree.Nil):
                if index != "-1":
                    raise Problem("T7-225", target.line, "a module taken out of the middle of a container")
                t.emit(f"del {container}[-1]")
            else:
                t.emit(f"{container}[{index}] = {t.value(value)}")
            return True
        name = target.key_name or ""
        if t.kind(base) != "module" or t.type(base).find().classes or name != "p":
            return False
        if not any(path.endswith("Dropout") for path in self.tests.classes()):
            return False
        t.emit(f"{t.value(base).at(code.ATOM)}.p = {t.value(value)}")
        return True


def _listed(lua_class: LuaClass) -> set[str]:
    """The fields of ``self.modules = {self.net, self.skip}`` in a constructor, if that is the only list there is."""
    start = lua_class.methods.get("__init")
    lists = [
        (function, node.values[0])
        for function in lua_class.methods.values()
        for node in tree.every(function.body, tree.Assign)
        for target in node.targets
        if isinstance(target, Index) and target.key_name == "modules"
    ]
    if len(lists) != 1 or lists[0][0] is not start or not isinstance(lists[0][1], tree.Table):
        return set()
    values = [item.value for item in lists[0][1].fields]
    return {v.key.value for v in values if isinstance(v, Index) and isinstance(v.key, String)}


def _convolutions(names: set[str]) -> bool:
    return bool(names) and all("SpatialConvolution" in n or "SpatialFullConvolution" in n for n in names)


def _looks_outside(path: str | None) -> bool:
    """Whether a function that is called prints or writes, so that the order of the calls is seen."""
    return path is not None and path.split(".")[0] in ("print", "io", "table")
