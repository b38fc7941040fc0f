"""Products of matrices, and linear algebra."""

from __future__ import annotations

from collections.abc import Callable

from torch7py.translate import tree
from torch7py.translate.native import code, printing
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.native.tensors.rules import (
    Arguments,
    in_place,
    maker,
    makers,
    receiver_text,
    rules,
)
from torch7py.translate.tree import Call, Expression, Name

__all__ = ["decomposed"]


def _scales(t: Translation, arguments: Arguments, line: int) -> tuple[str, list[str]]:
    """The tensors of ``[beta,] [src,] [alpha,] a, b`` and PyTorch's options for the numbers."""
    kinds = ["n" if t.kind(argument) == "number" else "t" for argument in arguments]
    texts = [str(t.value(argument)) for argument in arguments]
    tensors = [text for text, kind in zip(texts, kinds, strict=True) if kind == "t"]
    form = "".join(kinds)
    options = {
        "tt": [],
        "ntt": ["alpha"],
        "nntt": ["beta", "alpha"],
        "ttt": [],
        "nttt": ["beta"],
        "tntt": ["alpha"],
        "ntntt": ["beta", "alpha"],
        "tnntt": ["beta", "alpha"],
    }.get(form)
    if options is None:
        raise Undecided("T7-271", line, "a sum of products with these arguments")
    numbers = [text for text, kind in zip(texts, kinds, strict=True) if kind == "n"]
    keyword_args = [f"{o}={n}" for o, n in zip(options, numbers, strict=True) if n != "1"]
    return ", ".join([*tensors, *keyword_args]), tensors


def _sum_of_products(name: str) -> None:
    """``x:addmm([beta,] [src,] [alpha,] a, b)`` and ``torch.addmm([beta,] src, [alpha,] a, b)``."""

    def write(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
        args, tensors = _scales(t, arguments, receiver.line)
        if len(tensors) == 2:
            return atom(f"{receiver_text(t, receiver)}.{name}_({args})")
        return atom(f"torch.{name}({args}, out={t.value(receiver)})")

    def new(t: Translation, node: Call) -> Py:
        args, tensors = _scales(t, node.arguments, node.line)
        if len(tensors) != 3:
            raise Problem("T7-271", node.line, f"{name} with these arguments")
        return atom(f"torch.{name}({args})")

    in_place[name] = write
    maker(name)(new)


for _lua in ("addmm", "addmv", "addr", "addbmm", "baddbmm"):
    _sum_of_products(_lua)


@maker("inverse")
def inverse(t: Translation, node: Call) -> Py:
    if len(node.arguments) != 1:
        raise Problem("T7-271", node.line, "inverse into a result")
    return atom(f"torch.linalg.inv({t.value(node.arguments[0])})")


@maker("histc")
def of_values(t: Translation, node: Call) -> Py:
    """``torch.histc(x, n)``: x is a tensor, whatever else is known of it."""
    return rules["histc"](t, node.arguments[0], node.arguments[1:])


def _triangle(arguments: Arguments, position: int) -> list[Expression]:
    """The arguments, with the letters that are left out: of an upper triangle, not transposed, any diagonal."""
    letters = [tree.String(arguments[0].span, letter) for letter in "UNN"]
    return [*arguments, *letters[len(arguments) - position :]]


def _letter(node: Expression, choices: str) -> str:
    if not isinstance(node, tree.String) or node.value not in list(choices):
        raise Problem("T7-271", node.line, "a letter that is not written out, or another than " + choices)
    return node.value


def _cholesky(name: str, python: str, tensors: int) -> None:
    """``torch.potrf(a, 'U')`` and its like, of a matrix's upper triangle, or with ``'L'`` of its lower one."""

    @maker(name)
    def write(t: Translation, node: Call) -> Py:
        operands = node.arguments[:tensors]
        if any(t.kind(argument) != "tensor" for argument in operands) or len(node.arguments) > tensors + 1:
            raise Problem("T7-271", node.line, f"{name} into a result")
        upper = _letter(_triangle(node.arguments, tensors)[tensors], "UL") == "U"
        flag = ", upper=True" if upper else ""
        return atom(f"torch.{python}({', '.join(str(t.value(argument)) for argument in operands)}{flag})")


_cholesky("potrf", "linalg.cholesky", 1)
_cholesky("potri", "cholesky_inverse", 1)
_cholesky("potrs", "cholesky_solve", 2)


@maker("trtrs")
def trtrs(t: Translation, node: Call) -> Py:
    """``torch.trtrs(b, a, 'U', 'N', 'N')``: the x with a x = b for a triangular a, or with its transpose ('T')."""
    if len(node.arguments) < 2 or any(t.kind(argument) != "tensor" for argument in node.arguments[:2]):
        raise Problem("T7-271", node.line, "trtrs with these arguments")
    b, a, *letters = _triangle(node.arguments, 2)
    if len(letters) != 3:
        raise Problem("T7-271", node.line, "trtrs into a result")
    part, form, diagonal = (_letter(node, of) for node, of in zip(letters, ("UL", "NT", "NU"), strict=True))
    matrix = t.value(a).at(code.ATOM) + (".mT" if form == "T" else "")
    upper = (part == "U") is (form == "N")
    unit = ", unitriangular=True" if diagonal == "U" else ""
    return atom(f"torch.linalg.solve_triangular({matrix}, {t.value(b)}, upper={upper}{unit})")


@maker("eig")
def eig(t: Translation, node: Call) -> Py:
    """The eigenvalues, with their real and imaginary parts in two columns."""
    if len(node.arguments) > 1 and not (
        isinstance(node.arguments[1], tree.String) and node.arguments[1].value == "N"
    ):
        raise Problem("T7-271", node.line, "eig with vectors")
    return atom(f"torch.view_as_real(torch.linalg.eigvals({t.value(node.arguments[0])}))")


@maker("cross")
def cross(t: Translation, node: Call) -> Py:
    if len(node.arguments) < 2 or any(t.kind(argument) != "tensor" for argument in node.arguments[:2]):
        raise Problem("T7-271", node.line, "cross with these arguments")
    dim = "0" if t.type(node.arguments[0]).rank == 1 else None
    if len(node.arguments) > 2 and t.kind(node.arguments[2]) == "number":
        dim = str(t.expressions.position(node.arguments[2]))
    if dim is None:
        raise Undecided("T7-271", node.line, "cross along the first dimension that has three elements")
    along = "" if dim == "0" and len(node.arguments) == 2 else f", dim={dim}"
    return atom(f"torch.linalg.cross({t.value(node.arguments[0])}, {t.value(node.arguments[1])}{along})")


def _convolution(name: str, flipped: bool) -> None:
    """``torch.conv2(x, kernel, 'F')``, and ``torch.xcorr2``, which does not flip its kernel."""

    @maker(name)
    def write(t: Translation, node: Call) -> Py:
        x, kernel, *form = node.arguments if len(node.arguments) > 1 else (None, None)
        if x is None or kernel is None or t.type(x).rank != 2 or t.type(kernel).rank != 2:
            raise Problem("T7-271", node.line, f"{name} of other than two matrices")
        if len(form) > 1 or not all(isinstance(f, tree.String) and f.value in ("V", "F") for f in form):
            raise Problem("T7-271", node.line, f"{name} with these arguments")
        is_full = any(isinstance(f, tree.String) and f.value == "F" for f in form)
        weights = t.value(kernel).at(code.ATOM)
        if is_full is not flipped:  # PyTorch's convolution flips nothing, its transpose does
            weights += ".flip(0, 1)"
        function = "conv_transpose2d" if is_full else "conv2d"
        planes = f"{t.value(x).at(code.ATOM)}[None, None], {weights}[None, None]"
        return atom(f"torch.{function}({planes})[0, 0]")


_convolution("conv2", True)
_convolution("xcorr2", False)


def decomposed(t: Translation, name: str, arguments: Arguments, targets: tuple[Expression, ...]) -> bool:
    """``values, vectors = torch.symeig(a, 'V')`` and its like, as a statement; whether it is one of them."""
    write = _DECOMPOSITIONS.get(name)
    if write is None:
        return False
    line = arguments[0].line
    letters = [a.value for a in arguments if isinstance(a, tree.String)]
    tensors = [a for a in arguments if t.kind(a) == "tensor"]
    if len(letters) + len(tensors) != len(arguments) or len(tensors) != (
        2 if name in ("gesv", "gels") else 1
    ):
        raise Problem("T7-271", line, f"{name} with these arguments")
    text, count = write([str(t.value(tensor)) for tensor in tensors], letters)
    unread = [isinstance(x, Name) and not t.scopes.of_name[x].reads for x in targets]
    names = ["_" if un else t.target(x) for x, un in zip(targets[:count], unread, strict=False)]
    if not all(unread[count:]):
        raise Problem("T7-271", line, f"all results of {name}")
    names += ["_"] * (count - len(names))
    t.emit(f"{', '.join(names)} = {text}")
    return True


def _symeig(args: list[str], letters: list[str]) -> tuple[str, int]:
    part = next((letter for letter in letters if letter in "UL"), "U")
    if "V" in letters:
        return f"torch.linalg.eigh({args[0]}, UPLO={code.quoted(part)})", 2
    return f"torch.linalg.eigvalsh({args[0]}, UPLO={code.quoted(part)})", 1


_DECOMPOSITIONS: dict[str, Callable[[list[str], list[str]], tuple[str, int]]] = {
    "symeig": _symeig,
    "svd": lambda given, letters: (f"torch.svd({given[0]}, some={'A' not in letters})", 3),
    "qr": lambda given, letters: (f"torch.linalg.qr({given[0]})", 2),
    "gesv": lambda given, letters: (f"torch.linalg.solve({given[1]}, {given[0]})", 1),
    "gels": lambda given, letters: (f"torch.linalg.lstsq({given[1]}, {given[0]}).solution", 1),
}


def _first(name: str) -> None:
    """The first result alone, as a value."""

    def write(t: Translation, node: Call) -> Py:
        letters = [a.value for a in node.arguments if isinstance(a, tree.String)]
        args = [str(t.value(a)) for a in node.arguments if not isinstance(a, tree.String)]
        if len(args) != (2 if name in ("gesv", "gels") else 1):
            raise Problem("T7-271", node.line, f"{name} with these arguments")
        text, count = _DECOMPOSITIONS[name](args, letters)
        return atom(text if count == 1 else f"{text}[0]")

    maker(name)(write)


for _lua in _DECOMPOSITIONS:
    _first(_lua)


def _solved(t: Translation, node: Call) -> str:
    """``torch.gesv(b, a)`` gives the solution and what it was found by."""
    solution = makers["gesv"](t, node)
    return f"{solution}, torch.linalg.lu_factor({t.value(node.arguments[1])}).LU"


printing.spreads["torch.gesv"] = _solved
