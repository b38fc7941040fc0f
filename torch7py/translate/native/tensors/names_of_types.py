"""Types of tensors as text, ``torch.type(x)`` and ``x:type()``, conversions by name, and a tensor's memory as printed.

The type that a page's tensor tells is the original's only where that tensor surely has the same: a mask is bytes in
Torch7 and bool in PyTorch. It is followed to where the tensor is made.
"""

from __future__ import annotations

from torch7py.translate import library, tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.native import code, library_rules, types_by_name
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.devices import moved
from torch7py.translate.native.integer_tensors import elements
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Undecided
from torch7py.translate.native.tensors.rules import Arguments, rule, rules
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Call, Expression, Index, Invoke, Name, String
from torch7py.translate.tree_queries import bare

__all__ = ["compared", "name_of_type", "type_of_memory"]

_DTYPES = {
    "Double": "float64",
    "Float": "float32",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Byte": "uint8",
    "Char": "int8",
}

_CONVERSIONS = set("double float long int short byte char cuda".split())
_ALIKE = set(
    "clone contiguous narrow select view viewAs t transpose expand expandAs fill zero copy add mul uniform"
    " normal".split()
)
_MAKERS = {f"torch.{name}" for name in library.CREATORS} | set(library.TENSOR_TYPES)


@rule("type")
def by_name(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    """``x:type()``, and ``x:type('torch.LongTensor')``, a conversion."""
    if not arguments:
        return name_of_type(t, receiver)
    name = arguments[0].value if isinstance(arguments[0], String) else None
    if len(arguments) == 1 and name not in library.TENSOR_TYPES:
        by_text = types_by_name.converted(t, receiver, arguments[0])
        if by_text is not None:
            return by_text
    if len(arguments) != 1 or name not in library.TENSOR_TYPES or name == "torch.Tensor":
        raise Undecided("T7-271", receiver.line, "a conversion to a type that is not a literal")
    if name == "torch.CudaTensor":
        return moved(t, receiver, "cuda")
    conversion = (library.TENSOR_TYPES[name] or "Double").lower()
    converted = rules[conversion](t, receiver, ())
    return atom(f"{converted.at(code.ATOM)}.cuda()") if name.startswith("torch.Cuda") else converted


@library_rules.function("torch.getdefaulttensortype")
def name_of_default(t: Translation, node: Call) -> Py:
    """The name of the type that new tensors have."""
    if t.gpus:
        return atom(f"{t.need('tensor_type')}(torch.empty(0))")
    return atom("torch.empty(0).type()")


def name_of_type(t: Translation, node: Expression) -> Py:
    """The name of a tensor's type. PyTorch has Torch7's, but for tensors on GPUs and for masks."""
    mask = elements(t, node) == "mask"
    if t.gpus:
        gradient = _first_gradient(t, node)
        if gradient is not None:
            return atom(f"{t.need('tensor_type')}({gradient})")
        if not mask and _is_alike(t, node):
            return atom(f"{t.need('tensor_type')}({_of_its_type(t, node)})")
    elif mask:
        return atom('"torch.ByteTensor"')
    elif _is_alike(t, node):
        return atom(f"{_of_its_type(t, node).at(code.ATOM)}.type()")
    raise Undecided("T7-308", node.line, "the type of a tensor as text")


def compared(t: Translation, node: Binary) -> Py | None:
    """``x:type() == 'torch.ByteTensor'`` of a tensor of whatever type; a mask is of bytes, too."""
    for asked, named in ((node.left, node.right), (node.right, node.left)):
        tensor, name = _asked(t, asked), named.value if isinstance(named, String) else ""
        if tensor is None or t.kind(tensor) != "tensor" or library.TENSOR_TYPES.get(name) is None:
            continue
        if t.gpus and not name.startswith("torch.Cuda"):
            return None  # which says where it is, too
        if _is_alike(t, tensor) or elements(t, tensor) == "mask":
            return None  # of which the name is known
        dtype = _DTYPES[library.TENSOR_TYPES[name] or ""]
        text = f"{t.value(tensor).at(code.ATOM)}.dtype"
        is_equal = node.operator == "=="
        if name.startswith("torch.Cuda"):
            if not isinstance(tensor, (Name, Index)):
                return None  # which is to be computed once
            on_gpu = f"{t.value(tensor).at(code.ATOM)}.is_cuda and {text} == torch.{dtype}"
            return Py(on_gpu, code.AND) if is_equal else Py(f"not ({on_gpu})", code.NOT)
        if dtype == "uint8":
            return Py(f"{text} {'in' if is_equal else 'not in'} (torch.uint8, torch.bool)", code.COMPARE)
        return Py(f"{text} {node.operator if is_equal else '!='} torch.{dtype}", code.COMPARE)
    return None


def type_of_memory(t: Translation, memory: Expression) -> Py:
    """``torch.type(storage)`` and ``storage:type()``"""
    return atom(f'{t.value(memory).at(code.ATOM)}.type().replace("Tensor", "Storage")')


def _asked(t: Translation, node: Expression) -> Expression | None:
    """The tensor of which ``x:type()``, or ``torch.type(x)``, gives the type."""
    if isinstance(node, Invoke) and node.method == "type" and not node.arguments:
        return node.receiver
    if isinstance(node, Call) and t.path(node.callee) in ("torch.type", "torch.typename"):
        return node.arguments[0] if len(node.arguments) == 1 else None
    return None


def _of_its_type(t: Translation, node: Expression) -> Py:
    """A tensor, or where it has the weights of a model the first of these."""
    module = t.training.vectors.weights_of(node)
    text = "" if module is None else t.training.vectors.counted(module)
    return atom(f"next({text})") if text.endswith(".parameters()") else t.value(node)


def _first_gradient(t: Translation, node: Expression) -> str | None:
    """A tensor where ``criterion.gradInput`` of a criterion is that the program made, and only a function has moved."""
    if not (isinstance(node, Index) and node.key_name == "gradInput"):
        return None
    if t.kind(node.base) != "criterion" or not isinstance(node.base, Name):
        return None
    variable = t.scopes.of_name[node.base]
    sources = t.integers.sources(variable)
    construction = sources[0] if len(sources) == 1 else None
    function = (
        t.project.moves.by_function.get(construction.receiver) if isinstance(construction, Invoke) else None
    )
    if (
        function is None
        or not isinstance(construction, Invoke)
        or not t.models.builders.is_construction(construction.receiver)
    ):
        return None
    layers = t.type(node.base).find().layers
    if any(facts.takes(layer.name) != "tensor" for layer in layers) or any(
        t.path(call.callee) == "torch.setdefaulttensortype" and call.span.start > construction.span.start
        for call in tree.every(t.program, Call)
    ):
        return None
    plain = {c.receiver for c in tree.every(t.program, Invoke) if c.method in ("forward", "backward")}
    if any(read not in plain and read is not node.base for read in variable.reads):
        return None  # they may convert it
    return f"{t.names.of(function)}(torch.empty(0))"


def _is_alike(t: Translation, node: Expression, seen: frozenset[Variable] = frozenset()) -> bool:
    """Whether a tensor has the type that it has in Torch7."""
    node = bare(node)
    if t.kind(node) != "tensor":
        return False
    if isinstance(node, Name):
        if t.type(node).has("flat weights") or t.training.vectors.weights_of(node) is not None:
            return True
        variable = t.scopes.of_name[node]
        sources = t.integers.sources(variable)
        return (
            bool(sources)
            and variable not in seen
            and not any(isinstance(source, bool) for source in sources)
            and all(
                _is_alike(t, source, seen | {variable}) for source in sources if not isinstance(source, bool)
            )
        )
    if isinstance(node, Index):
        key = t.kind(node.key)
        return key in ("number", "table") and _is_alike(t, node.base, seen)
    if isinstance(node, Call):
        return t.path(node.callee) in _MAKERS
    if isinstance(node, Invoke) and not t.types.function_called(node):
        if node.receiver in t.project.moves.by_function:
            return _is_alike(t, node.receiver, seen)
        if node.method in _CONVERSIONS and not node.arguments:
            return True
        if node.method == "type" and len(node.arguments) == 1:
            return isinstance(node.arguments[0], String)
        if node.method in ("sum", "mean"):  # PyTorch's of whole numbers are wider
            return elements(t, node.receiver) is None and _is_alike(t, node.receiver, seen)
        return node.method in _ALIKE and _is_alike(t, node.receiver, seen)
    if isinstance(node, Binary) and node.operator in ("+", "-", "*", "/"):
        tensors = [side for side in (node.left, node.right) if t.kind(side) == "tensor"]
        return all(elements(t, side) != "mask" and _is_alike(t, side, seen) for side in tensors)
    return False
