"""GPUs: packages that may be there, ``:cuda()``, and the functions of cutorch.

``pcall(require, 'cunn')`` asks whether a GPU can be used. What is moved to one becomes float, as in Torch7. PyTorch
has no OpenCL: a program that asks for it is told that it is not there.
"""

from __future__ import annotations

from collections.abc import Callable

from torch7py.translate import tree
from torch7py.translate.native import code, library_rules, types_by_name
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.device_transfer import Conversion
from torch7py.translate.native.integer_tensors import elements
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.page_packages import CUDA, is_there, only_gives_names, probed_package
from torch7py.translate.native.problem import Problem
from torch7py.translate.patching import altered
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement, String
from torch7py.translate.tree_queries import bare

__all__ = ["are_used", "defined", "handles", "moved"]


def handles(t: Translation, node: Statement) -> bool:
    """``local ok, package = pcall(require, 'cunn')``, and requires of packages that PyTorch has in it."""
    if isinstance(node, tree.Assign) and _set_flags(t, node):
        return True
    if not isinstance(node, tree.Assignment) or len(node.values) != 1:
        return False
    value = node.values[0]
    if isinstance(value, Index) and len(node.targets) == 1 and _is_package(t, node.targets[0]):
        return t.path(value) == t.path(node.targets[0])  # Convolution = nn.SpatialConvolution
    if isinstance(value, Name) and len(node.targets) == 1 and _is_package(t, node.targets[0]):
        return True  # backend = cudnn
    package = required(t, value)
    if package is None:
        return False
    if len(node.targets) == 1 and _is_package(t, node.targets[0]):
        return package in CUDA or only_gives_names(package)
    return False


def are_used(program: tree.Block) -> bool:
    """Whether a program speaks of GPUs anywhere, so that something may be on one."""
    return any(node.method == "cuda" for node in tree.every(program, Invoke)) or any(
        "cuda" in node.value.lower() or node.value in CUDA for node in tree.every(program, String)
    )


def _set_flags(t: Translation, node: tree.Assign) -> bool:
    """``cudnn.benchmark, cudnn.fastest = true, true``: how cudnn looks for algorithms. Results are the same."""
    paths = [t.path(target) or "" for target in node.targets]
    flags = {"cudnn.benchmark", "cudnn.fastest", "cudnn.verbose", "cudnn.deterministic"}
    if not flags.issuperset(paths) or len(paths) != len(node.values):
        return False
    if not all(isinstance(value, tree.Boolean) for value in node.values):
        return False
    for path, value in zip(paths, node.values, strict=True):
        if path in ("cudnn.benchmark", "cudnn.deterministic"):  # PyTorch has no others
            t.emit(f"torch.backends.{path} = {t.value(value)}")
    return True


def required(t: Translation, node: Expression) -> str | None:
    """The package of ``require 'x'``, or of ``require('pl.import_into')()``."""
    maker = bare(node.callee) if isinstance(node, Call) and not node.arguments else None
    if isinstance(maker, Call):
        package = required(t, maker)
        return "pl" if package == "pl.import_into" else None
    if isinstance(node, Call) and t.path(node.callee) == "require" and len(node.arguments) == 1:
        name = node.arguments[0]
        return name.value if isinstance(name, String) else None
    return None


def probed(t: Translation, node: Statement) -> bool:
    """Write ``ok, package = pcall(require, 'cunn')``; whether it is that."""
    if not isinstance(node, tree.Assignment) or len(node.values) != 1:
        return False
    package = probed_package(t, node.values[0])
    if package is None:
        return False
    if isinstance(node.targets[0], Name) and t.unread(node.targets[0]) is not None and len(node.targets) == 1:
        return True  # nobody asks, and the functions of a package are looked at where they are called
    there = is_there(t, package, node.line)
    if len(node.targets) > 1 and not _is_package(t, node.targets[1]):
        reason = f"what require of {package} gives, used otherwise than by its functions"
        raise Problem("T7-251", node.line, reason)
    t.emit(f"{t.target(node.targets[0])} = {there}")
    return True


def _is_package(t: Translation, target: Expression) -> bool:
    """Whether a variable is only the package whose functions are called."""
    return isinstance(target, Name) and t.scopes.of_name[target] in t.types.packages


# Functions

Function = Callable[["Translation", Call], Py]


@library_rules.statement("cudnn.convert")
def convert(t: Translation, node: Call) -> None:
    """PyTorch takes cudnn by itself."""


@library_rules.function("cudnn.convert")
def converted(t: Translation, node: Call) -> Py:
    """``cudnn.convert(net, nn)``, which gives the module itself, whatever layers are left as they are."""
    if len(node.arguments) not in (2, 3):
        raise Problem("T7-202", node.line, "cudnn.convert with these arguments")
    return t.value(node.arguments[0])


def moved(t: Translation, receiver: Expression, method: str) -> Py:
    """``x:cuda()`` and ``x:cl()`` of a tensor or a module, or a call of a function that does it."""
    function = t.project.moves.by_function.get(receiver)
    if function is not None:
        if t.kind(receiver) not in ("tensor", "module", "criterion"):
            raise Problem("T7-307", receiver.line, "something of unknown kind that is moved to a GPU")
        if t.kind(receiver) == "tensor" and elements(t, receiver) is not None:
            raise Problem(
                "T7-271", receiver.line, "a tensor of whole numbers that may become one of fractions"
            )
        return atom(f"{t.names.of(function)}({t.value(receiver)})")
    base = t.value(receiver).at(code.ATOM)
    is_float = isinstance(receiver, Invoke) and receiver.method == "float"
    base = base.removesuffix(".cpu()") if is_float else f"{base}.float()"
    return atom(f"{base}.cuda()" if method == "cuda" else f'{base}.to("opencl")')


def defined(t: Translation, name: str, function: tree.Function) -> bool:
    """Write a function that only moves what it is given; whether this is one."""
    if function in t.project.moves.conversions:
        _write_ways(t, name, function)
        return True
    if function not in t.project.moves.conditions:
        return False
    condition = t.project.moves.conditions[function]
    parameter = t.names.of(function.parameters[0])
    text = f"{parameter}.float().cuda()"
    with altered(t, scope=t.scopes.of_function[function]):
        if condition is not None:
            text = f"{text} if {t.conditions.condition(condition).at(code.OR)} else {parameter}"
    t.gap()
    t.emit(f"def {name}({parameter}):")
    t.emit(f"    return {text}")
    t.emit("")
    return True


def _write_ways(t: Translation, name: str, function: tree.Function) -> None:
    """A function that converts by an option."""
    parameter = t.names.of(function.parameters[0])
    ways = t.project.moves.conversions[function]
    with altered(t, scope=t.scopes.of_function[function]):
        t.gap()
        t.emit(f"def {name}({parameter}):")
        with t.indented():
            for at, conversion in enumerate(ways):
                if conversion.condition is None and at == 0:
                    _write_conversion(t, conversion, parameter, function.line)
                    continue
                condition = (
                    None if conversion.condition is None else t.conditions.condition(conversion.condition)
                )
                t.emit("else:" if condition is None else f"{'el' if at else ''}if {condition}:")
                if conversion.rest is not None:
                    t.body(conversion.rest)
                    continue
                with t.indented():
                    _write_conversion(t, conversion, parameter, function.line)
        t.emit("")


def _write_conversion(t: Translation, conversion: Conversion, parameter: str, line: int) -> None:
    if conversion.method == "cl":
        t.emit('raise RuntimeError("PyTorch has no OpenCL")')
    elif conversion.method == "self":
        t.emit(f"return {parameter}")
    elif conversion.method == "cuda":
        t.emit(f"return {parameter}.float().cuda()")
    elif conversion.name is None:
        t.emit(f"return {parameter}.{conversion.method}(){'.cpu()' if t.gpus else ''}")
    elif types_by_name.is_of_fractions(t, conversion.name):
        t.emit(f"return {t.need('as_type')}({parameter}, {t.value(conversion.name)})")
    else:
        raise Problem("T7-271", line, "a conversion to a type that is not a literal")
