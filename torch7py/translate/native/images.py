"""The package image: pictures in files, parts of them, and others made of them."""

from __future__ import annotations

import re
from collections.abc import Callable

from torch7py.translate.library import writes_image
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.integer_tensors import elements
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import Rule, function, statement
from torch7py.translate.native.problem import Undecided
from torch7py.translate.tree import Boolean, Call, Expression, Nil, String, Table

__all__ = ["IN_SINGLE"]

# Helpers whose originals compute in single precision, whatever their images are.
IN_SINGLE = {"crop_image", "scale_image", "scale_image_cubic", "scale_image_nearest"}
_SCALES = {
    "bilinear": "scale_image",
    "bicubic": "scale_image_cubic",
    "simple": "scale_image_nearest",
}


def _of_an_image(*paths: str) -> Callable[[Rule], Rule]:
    """Register what gives an image of another one, into a tensor before it where the program names one."""

    def register(rule: Rule) -> Rule:
        def in_either_form(t: Translation, node: Call) -> Py:
            kinds = [t.kind(argument) for argument in node.arguments]
            if not writes_image(t.path(node.callee), kinds):
                return rule(t, node)
            image = rule(t, Call(node.span, node.callee, node.arguments[1:]))
            return atom(f"{t.need('fill_with')}({t.value(node.arguments[0])}, {image})")

        function(*paths)(in_either_form)
        return rule

    return register


def _source(t: Translation, node: Call) -> Expression:
    """The image, and no other tensor beside it."""
    tensors = [argument for argument in node.arguments if t.kind(argument) == "tensor"]
    if len(tensors) != 1 or tensors[0] is not node.arguments[0]:
        raise Undecided("T7-203", node.line, f"{t.path(node.callee)} of other tensors than one image")
    return tensors[0]


def _numbers(t: Translation, node: Call, source: Expression) -> str:
    """An image that is computed with: whole numbers are rounded or cut off, and have no form here."""
    if elements(t, source) is not None:
        raise Undecided("T7-203", node.line, f"{t.path(node.callee)} of whole numbers")
    return str(t.value(source))


def _text(t: Translation, node: Call, argument: Expression, what: str) -> str:
    if not isinstance(argument, String):
        raise Undecided("T7-203", node.line, f"{t.path(node.callee)} with {what} that is not written out")
    return argument.value


# ---------------------------------------------------------------------------------------------------------
# Files


@function("image.load", "image.loadJPG", "image.loadPNG")
def loaded(t: Translation, node: Call) -> Py:
    """``image.load(path[, planes[, type]])``"""
    path, rest = node.arguments[0], node.arguments[1:]
    text = str(t.value(path))
    plane_args = [argument for argument in rest[:1] if not isinstance(argument, Nil)]
    if any(t.kind(planes) != "number" for planes in plane_args):
        raise Undecided("T7-203", node.line, "image.load with planes that may be no number")
    text += "".join(f", {t.value(planes)}" for planes in plane_args)
    kind = _text(t, node, rest[1], "a type") if len(rest) > 1 and not isinstance(rest[1], Nil) else "float"
    if kind not in ("float", "double", "byte"):
        raise Undecided("T7-203", node.line, f"image.load of the type {kind}")
    if kind == "byte":
        text += ", as_bytes=True"
    return atom(f"{_needed(t, 'load_image', 'luminance')}({text})")


def _needed(t: Translation, name: str, *parts: str) -> str:
    """A helper that calls others."""
    for part in parts:
        t.need(part)
    return t.need(name)


@statement("image.save")
def saved(t: Translation, node: Call) -> None:
    path, picture = node.arguments[:2]
    if t.kind(picture) != "tensor":
        raise Undecided("T7-203", node.line, "image.save of something that may be no tensor")
    t.emit(f"{t.need('save_image')}({t.value(path)}, {t.value(picture)})")


# ---------------------------------------------------------------------------------------------------------
# Places


@_of_an_image("image.hflip", "image.vflip")
def flipped(t: Translation, node: Call) -> Py:
    axis = -1 if t.path(node.callee) == "image.hflip" else -2
    return atom(f"{t.value(_source(t, node)).at(code.ATOM)}.flip({axis})")


@function("image.crop")
def cropped(t: Translation, node: Call) -> Py:
    """A part of an image, from the first row and column (counted from 0) to those after the last."""
    source = _source(t, node)
    rest = node.arguments[1:]
    base = t.value(source).at(code.ATOM)
    if len(rest) == 3 and isinstance(rest[0], String):
        if rest[0].value != "c":
            raise Undecided("T7-203", node.line, "image.crop from a corner")
        if not all(t.whole(number) for number in rest[1:]):
            raise Undecided("T7-203", node.line, "image.crop to a size that is not whole")
        wide, tall = (t.expressions.whole_number(number) for number in rest[1:])
        return atom(f"{t.need('center_crop')}({t.value(source)}, ({tall}, {wide})).clone()")
    if len(rest) != 4:
        raise Undecided("T7-203", node.line, "image.crop without the end of the part")
    if any(t.kind(number) != "number" for number in rest):
        raise Undecided("T7-203", node.line, "image.crop at places that may be no numbers")
    if not all(t.whole(number) for number in rest):
        numbers = ", ".join(str(t.value(number)) for number in rest)
        return atom(f"{t.need('crop_image')}({t.value(source)}, {numbers})")
    left, top, right, bottom = (str(t.expressions.whole_number(number)) for number in rest)
    rows, columns = code.stretch(top, bottom), code.stretch(left, right)
    return atom(f"{base}[..., {rows}, {columns}].clone()")


# ---------------------------------------------------------------------------------------------------------
# Sizes


@function("image.scale")
def scaled(t: Translation, node: Call) -> Py:
    """``image.scale(x, width, height[, mode])``, ``(x, size[, mode])``, and ``(result, x[, mode])``, to its size."""
    if writes_image("image.scale", [t.kind(argument) for argument in node.arguments]):
        result = t.value(node.arguments[0])
        if not result.text.isidentifier():
            raise Undecided("T7-203", node.line, "image.scale into a part of a tensor")
        size = f"{result}.shape[-1], {result}.shape[-2]"
        image = _scaled(t, node, node.arguments[1], size, list(node.arguments[2:]))
        return atom(f"{result}.copy_({image})")
    source = _source(t, node)
    rest = list(node.arguments[1:])
    kinds = [t.kind(argument) for argument in rest]
    if kinds[:2] == ["number", "number"]:
        size = ", ".join(str(t.expressions.whole_number(number)) for number in rest[:2])
        rest = rest[2:]
    elif kinds and (kinds[0] == "number" or isinstance(rest[0], String)):
        if len(kinds) > 1 and kinds[1] != "string" and not isinstance(rest[1], Nil):
            raise Undecided("T7-203", node.line, "image.scale to a height that may be no number")
        size, rest = _size(t, node, source, rest[0]), rest[1:]
    else:
        raise Undecided("T7-203", node.line, "image.scale to something else than a width and a height")
    return _scaled(t, node, source, size, rest)


def _scaled(t: Translation, node: Call, source: Expression, size: str, rest: list[Expression]) -> Py:
    """An image of a size, in the mode that the rest of the arguments says."""
    if rest and not isinstance(rest[0], (Nil, String)):
        scales = ", ".join(f"{code.quoted(mode)}: {t.need(helper)}" for mode, helper in _SCALES.items())
        return atom(f"{{{scales}}}[{t.value(rest[0])}]({_numbers(t, node, source)}, {size})")
    mode = rest[0].value if rest and isinstance(rest[0], String) else "bilinear"
    if mode not in _SCALES:
        raise Undecided("T7-203", node.line, f"image.scale in the mode {mode}")
    return atom(f"{t.need(_SCALES[mode])}({_numbers(t, node, source)}, {size})")


def _size(t: Translation, node: Call, source: Expression, size: Expression) -> str:
    """Width and height, as one text of arguments."""
    longer, side = str(t.value(size)), ""
    if isinstance(size, String):
        box = re.fullmatch(r"(\d+)x(\d+)", size.value)
        if box is not None:
            return f"{int(box[1])}, {int(box[2])}"
        match = re.fullmatch(r"(\^?)(\d+)", size.value)
        if match is None:
            raise Undecided("T7-203", node.line, f"image.scale to the size {size.value}")
        longer, side = str(int(match[2])), ", min" if match[1] else ""
    return f"*{t.need('fitted_size')}({t.value(source)}, {longer}{side})"


# ---------------------------------------------------------------------------------------------------------
# Colours


@_of_an_image("image.rgb2y")
def brightness(t: Translation, node: Call) -> Py:
    return atom(f"{t.need('luminance')}({t.value(_source(t, node))})")


@_of_an_image("image.rgb2yuv", "image.yuv2rgb")
def converted(t: Translation, node: Call) -> Py:
    helper = "rgb_to_yuv" if t.path(node.callee) == "image.rgb2yuv" else "yuv_to_rgb"
    return atom(f"{t.need(helper)}({_numbers(t, node, _source(t, node))})")


# ---------------------------------------------------------------------------------------------------------
# Kernels


@function("image.convolve")
def convolved(t: Translation, node: Call) -> Py:
    """``image.convolve(x, kernel[, mode])``"""
    if [t.kind(argument) for argument in node.arguments[:3]].count("tensor") != 2:
        raise Undecided("T7-203", node.line, "image.convolve with a tensor for its result")
    source, kernel, rest = node.arguments[0], node.arguments[1], node.arguments[2:]
    mode = _text(t, node, rest[0], "a mode") if rest and not isinstance(rest[0], Nil) else "valid"
    if mode not in ("valid", "full", "same"):
        raise Undecided("T7-203", node.line, f"image.convolve in the mode {mode}")
    text = "" if mode == "valid" else f", {code.quoted(mode)}"
    return atom(f"{t.need('convolve')}({_numbers(t, node, source)}, {t.value(kernel)}{text})")


def _named(t: Translation, node: Call, names: tuple[str, ...]) -> dict[str, Expression]:
    """Arguments by name, whether they are written as a table or one after the other."""
    path = t.path(node.callee)
    first = node.arguments[0] if len(node.arguments) == 1 else None
    if isinstance(first, Table) and any(field.key is not None for field in first.fields):
        if any(field.key_name not in names for field in first.fields):
            raise Undecided("T7-203", node.line, f"{path} with a setting that has no form")
        arguments = first.named_values
    elif first is not None and t.kind(first) == "table" and t.representation(first) != "list":
        raise Undecided("T7-203", node.line, f"{path} with settings that are not written out")
    else:
        arguments = dict(zip(names, node.arguments, strict=False))
    return {name: value for name, value in arguments.items() if not isinstance(value, Nil)}


def _settings(t: Translation, settings: dict[str, Expression], python: dict[str, tuple[str, str]]) -> str:
    """Settings as keywords; each has its name in Python and the kind that it must be of."""
    text = ""
    for name, value in settings.items():
        keyword, kind = python[name]
        if t.kind(value) != kind:
            raise Undecided("T7-203", value.line, f"the setting {name} of an image, of an unknown kind")
        if not (isinstance(value, Boolean) and not value.value):
            text += f", {keyword}={t.value(value)}"
    return text


_OF_GAUSSIANS = {
    "sigma": ("sigma", "number"),
    "amplitude": ("amplitude", "number"),
    "normalize": ("normalize", "boolean"),
}


@function("image.gaussian")
def gaussian(t: Translation, node: Call) -> Py:
    """``image.gaussian(size, sigma, ...)`` or with names: width and height may differ, the spread may not."""
    settings = _named(t, node, ("size", "sigma", "amplitude", "normalize", "width", "height"))
    size = settings.pop("size", None)
    sides = [settings.pop(name, size) for name in ("height", "width")]
    if any(side is not None and t.kind(side) != "number" for side in sides):
        raise Undecided("T7-203", node.line, "image.gaussian of an unknown size")
    height, width = ("3" if side is None else str(t.expressions.whole_number(side)) for side in sides)
    return atom(f"{t.need('gaussian_kernel')}({height}, {width}{_settings(t, settings, _OF_GAUSSIANS)})")


@function("image.gaussian1D")
def gaussian_curve(t: Translation, node: Call) -> Py:
    """``image.gaussian1D(size, sigma, ...)`` or with names: the one row of a Gaussian of height 1."""
    settings = _named(t, node, ("size", "sigma", "amplitude", "normalize", "mean"))
    size = settings.pop("size", None)
    if size is not None and t.kind(size) != "number":
        raise Undecided("T7-203", node.line, "image.gaussian1D of an unknown size")
    width = "3" if size is None else str(t.expressions.whole_number(size))
    keywords = {**_OF_GAUSSIANS, "mean": ("middle", "number")}
    return atom(f"{t.need('gaussian_kernel')}(1, {width}{_settings(t, settings, keywords)})[0]")
