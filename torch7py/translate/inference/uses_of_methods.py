"""What a value of which nothing else is known can only be, as the methods that are called of it tell."""

from __future__ import annotations

from functools import cached_property

from torch7py.translate import library, tree
from torch7py.translate.inference import library_objects
from torch7py.translate.inference.state import Inference
from torch7py.translate.kind_rules import squeezed
from torch7py.translate.kinds import Type, unify
from torch7py.translate.method_names import MethodNames
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name

__all__ = ["UsesOfMethods"]

# Names that tensors share with tables, strings, modules or the program's own objects.
_AMBIGUOUS = set(
    "add copy fill zero clone type float double cuda sort set select index insert remove random pow find get size"
    " repeatTensor uniform squeeze view reset round sign log exp sqrt abs ceil floor".split()
) - {"fill", "zero", "uniform", "squeeze", "view", "repeatTensor"}

_MODULE_METHODS = {
    "forward",
    "backward",
    "updateGradInput",
    "getParameters",
    "zeroGradParameters",
    "updateParameters",
    "evaluate",
    "training",
}


# Methods that are hardly anything else's than a tensor's, with what they are given then.
_TENSORS_OWN = {
    "size": ("", "number"),
    "nElement": ("",),
    "dim": ("",),
    "nDimension": ("",),
    "isContiguous": ("",),
    "add": ("tensor", "number tensor", "number ?"),
    "copy": ("tensor", "?"),
    "index": ("number tensor",),
    **dict.fromkeys(("abs", "ceil", "exp", "floor", "log", "round", "sign", "sqrt"), ("", "tensor")),
    "pow": ("number",),
    "split": ("number", "number number"),
    "select": ("number number",),
    "sum": ("", "number"),
    "mean": ("", "number"),
    "std": ("", "number"),
    "var": ("", "number"),
    "max": ("", "number"),
    "min": ("", "number"),
    "norm": ("",),
    "numel": ("",),
}


# Methods of tensors whose arguments can only be tensors, too, and those where that holds behind a factor.
_SCALING = {"add", "addcdiv", "addcmul", "csub"}
_TAKING_TENSORS = set("cmul cdiv dot mm mv bmm ger resizeAs expandAs viewAs typeAs isSameSizeAs cpow".split())


# Methods that are hardly anything else's than a string's; the others are where they are given a string.
_STRINGS_OWN = {"lower", "upper", "gsub", "gmatch", "match", "byte", "len", "rep"}
_STRINGS_GIVEN_ONE = {"find", "split"}


class UsesOfMethods:
    def __init__(self, inference: Inference) -> None:
        self.inference, self.types = inference, inference.types
        self.names = MethodNames(inference.program, self.types)
        self._of_program: dict[tuple[str, int], bool] = {}  # by `_is_of_program`

    @cached_property
    def _has_confusions(self) -> bool:
        """Whether the program makes confusion matrices, which have a method ``zero``, too."""
        made = tree.every(self.inference.program, Call)
        return any(self.types.path(call.callee) == "optim.ConfusionMatrix" for call in made)

    def guess(self, node: Invoke, receiver: Type, arguments: list[Type], result: Type) -> None:
        """Note what a call of a method tells of its receiver, and of what it is given."""
        method, guesses = node.method, self.inference.guesses
        is_foreign = not self._is_of_program(method, len(arguments))
        of_text = method == "byte" and bool(arguments)  # a tensor's, to bytes, takes none
        if method in library.TENSOR_METHODS and method not in _AMBIGUOUS and not of_text:
            # what has such a method of the program's own, or is a confusion matrix, is first given to a function
            of_others = not is_foreign or (method == "zero" and self._has_confusions)
            hints = guesses if of_others else self.inference.rules
            hints.append(lambda: receiver.kind is None and receiver.be("tensor"))
        if method == "squeeze" and not node.arguments:
            guesses.append(lambda: squeezed(node, receiver, result))
        if method == "clone":
            guesses.append(
                lambda: (
                    receiver.kind is None and result.kind in ("tensor", "module") and receiver.be(result.kind)
                )
            )
        if method == "type" and len(node.arguments) == 1:  # of what a file gave, put where a module is
            guesses.append(
                lambda: receiver.kind is None and result.kind == "module" and receiver.be("module")
            )
        if method in _MODULE_METHODS and not self._is_of_objects(method):
            guesses.append(lambda: receiver.kind is None and receiver.be("module"))
        if method in _TENSORS_OWN and is_foreign:
            guesses.append(lambda: self._be_tensor(receiver, method, arguments))
        if method in library.TENSOR_METHODS:  # tables of outputs have no methods
            guesses.append(
                lambda: receiver.kind is None and receiver.has("of a module") and receiver.be("tensor")
            )
        scaled = method in _SCALING and len(arguments) > 1  # x:add(0.5, y)
        if method in _TAKING_TENSORS or scaled:
            for argument in arguments[scaled:]:
                guesses.append(
                    lambda argument=argument: (  # type: ignore[misc]
                        receiver.kind == "tensor" and self.inference.be_tensor(argument)
                    )
                )
        if method == "apply" and is_foreign:
            guesses.append(lambda: self._be_module(receiver, node.arguments))
        if method in library_objects.OF_NUMBERS and is_foreign:
            guesses.append(lambda: library_objects.guess(node, receiver))
        if method in _STRINGS_OWN | _STRINGS_GIVEN_ONE and is_foreign:
            guesses.append(lambda: self._be_string(receiver, method, arguments))
        if not is_foreign:
            guesses.append(lambda: self._be_object(receiver, method))
        if method == "option" and len(node.arguments) > 1:
            self._option(receiver, node.arguments, is_foreign)

    def _option(self, receiver: Type, arguments: tuple[Expression, ...], is_foreign: bool) -> None:
        """``cmd:option('-size', 3)``"""
        option, default = arguments[:2]
        if not isinstance(option, tree.String):
            return
        if option.value.startswith("-") and is_foreign:
            self.inference.guesses.append(
                lambda: receiver.kind is None and not receiver.find().fields and receiver.be("cmdline")
            )
        if isinstance(default, tree.String):
            self.inference.defaults[library.option_name(option.value)] = default.value

    def _is_of_program(self, method: str, count: int) -> bool:
        """Whether a class of the program's own has a method of this name that takes as many arguments."""
        known = self._of_program.get((method, count))
        if known is None:
            classes = (*self.types.classes.values(), *self.types.class_of_variable.values())
            functions = [member for c in classes if (member := c.find(method)) is not None]
            known = any(function.vararg or len(function.parameters) > count for function in functions)
            self._of_program[method, count] = known
        return known

    def _is_of_objects(self, method: str) -> bool:
        """Whether a class of the program's own whose objects are no modules has a method of this name."""
        classes = (*self.types.classes.values(), *self.types.class_of_variable.values())
        return any(c.instance.kind == "object" and c.find(method) is not None for c in classes)

    def _be_object(self, receiver: Type, method: str) -> bool:
        if receiver.kind is not None or receiver.find().kinds:
            return False
        lua_class = self.names.class_with(method)
        return lua_class is not None and unify(receiver, lua_class.object())

    def _be_string(self, receiver: Type, method: str, arguments: list[Type]) -> bool:
        root = receiver.find()
        if root.kind is not None or root.fields or receiver.has("has names"):
            return False
        fits = method in _STRINGS_OWN or (bool(arguments) and arguments[0].kind == "string")
        return fits and root.be("string")

    def _be_tensor(self, receiver: Type, method: str, arguments: list[Type]) -> bool:
        signature = " ".join(argument.kind or "?" for argument in arguments)
        return signature in _TENSORS_OWN[method] and self.inference.be_tensor(receiver)

    def _be_module(self, receiver: Type, arguments: tuple[Expression, ...]) -> bool:
        """Whether ``x:apply(f)`` hands f modules: what f asks for a field or a method is no element of a tensor."""
        root = receiver.find()
        function = arguments[0] if len(arguments) == 1 else None
        if root.kind is not None or root.fields or not isinstance(function, tree.Function):
            return False
        first = self.inference.scopes.of_name[function.parameters[0]] if function.parameters else None
        asked = [node.base for node in tree.every(function.body, Index) if node.dotted]
        asked += [node.receiver for node in tree.every(function.body, Invoke)]
        of_name = self.inference.scopes.of_name
        return any(isinstance(n, Name) and of_name[n] is first for n in asked) and root.be("module")
