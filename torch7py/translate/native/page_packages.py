"""Packages as a page has them: which need no import of their own, and whether ``require`` would find them."""

from __future__ import annotations

from torch7py.packages.registry import packages
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, String

__all__ = ["CUDA", "OPENCL", "PACKAGES", "is_there", "only_gives_names", "probed_package"]

CUDA = frozenset({"cutorch", "cunn", "cudnn", "cunnx"})
OPENCL = frozenset({"cltorch", "clnn", "clnnx"})
# Packages whose functions have their own native forms.
PACKAGES = frozenset(
    "torch nn rnn optim nngraph dpnn paths sys xlua math string table io os ffi lfs pl nnx csvigo image cutorch cunn"
    " cudnn dataload threads".split()
)


def only_gives_names(package: str) -> bool:
    """Whether a page need not do anything where the program requires a package: each function that it uses says
    for itself whether it has a native form."""
    return package in PACKAGES or (package in packages and package != "pl.strict")


def probed_package(t: Translation, node: Expression) -> str | None:
    """The package of ``pcall(require, 'x')``."""
    if not isinstance(node, Call) or t.path(node.callee) != "pcall" or len(node.arguments) != 2:
        return None
    function, name = node.arguments
    return name.value if t.path(function) == "require" and isinstance(name, String) else None


def is_there(t: Translation, package: str, line: int) -> str:
    """Whether a program's ``pcall(require, package)`` goes well, as text; that of a GPU is asked of PyTorch."""
    if package in CUDA:
        return "torch.cuda.is_available()"
    if package in OPENCL:
        return "False  # PyTorch has no OpenCL"
    own = {file.page.removesuffix(".py").removesuffix("/__init__") for file in t.project.files}
    if package.replace(".", "/") in own:
        raise Problem("T7-251", line, f"whether {package} is there, a file of the program")
    return str(only_gives_names(package) or package.startswith("pl."))
