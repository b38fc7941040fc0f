"""The package image: parts of images, mirrored ones, and ones of another size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.stdlib import function
from torch7py.translate.tree import Call, Expression, String

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__: list[str] = []


def _source(t: Translator, node: Call) -> Expression:
    """The image; another one to write into has no form."""
    tensors = [argument for argument in node.arguments if t.kind(argument) == "tensor"]
    if len(tensors) != 1 or tensors[0] is not node.arguments[0]:
        raise Problem("T7-203", node.line, f"{t.path(node.callee)} with a tensor for its result")
    return tensors[0]


@function("image.hflip")
def flipped_horizontally(t: Translator, node: Call) -> Py:
    return atom(f"{t.value(_source(t, node)).at(code.ATOM)}.flip(-1)")


@function("image.vflip")
def flipped_vertically(t: Translator, node: Call) -> Py:
    return atom(f"{t.value(_source(t, node)).at(code.ATOM)}.flip(-2)")


def _whole(t: Translator, node: Call, numbers: tuple[Expression, ...]) -> list[str]:
    if not all(t.whole(number) for number in numbers):
        raise Problem("T7-203", node.line, f"{t.path(node.callee)} at places that are not whole")
    return [str(t.expressions.whole_number(number)) for number in numbers]


@function("image.crop")
def cropped(t: Translator, node: Call) -> Py:
    """A part of an image, from the first row and column (counted from 0) to those after the last."""
    source = _source(t, node)
    rest = node.arguments[1:]
    base = t.value(source).at(code.ATOM)
    if len(rest) == 3 and isinstance(rest[0], String):
        if rest[0].value != "c":
            raise Problem("T7-203", node.line, "image.crop from a corner")
        wide, tall = _whole(t, node, rest[1:])
        return atom(f"{t.need('center_crop')}({t.value(source)}, ({tall}, {wide})).clone()")
    if len(rest) != 4:
        raise Problem("T7-203", node.line, "image.crop without the end of the part")
    left, top, right, bottom = _whole(t, node, rest)
    rows, columns = code.stretch(top, bottom), code.stretch(left, right)
    return atom(f"{base}[..., {rows}, {columns}].clone()")


@function("image.scale")
def scaled(t: Translator, node: Call) -> Py:
    source = _source(t, node)
    numbers, mode = node.arguments[1:3], node.arguments[3:]
    if len(numbers) != 2 or any(t.kind(number) != "number" for number in numbers):
        raise Problem("T7-203", node.line, "image.scale to something else than a width and a height")
    if mode and not (isinstance(mode[0], String) and mode[0].value == "bilinear"):
        raise Problem("T7-203", node.line, "image.scale in another mode than bilinear")
    width, height = (str(t.expressions.whole_number(number)) for number in numbers)
    return atom(f"{t.need('scale_image')}({t.value(source)}, {width}, {height})")
