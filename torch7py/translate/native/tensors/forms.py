"""Operations that are one expression in PyTorch: a text for each, with places for what it is given.

``{x}`` is the tensor before a dot, ``{r}`` the tensor as an argument, ``{0}`` the first argument; ``{d0}`` is that as a
dimension, ``{i0}`` as positions and ``{m0}`` as a mask. All arguments are ``{list}``, ``{values}`` behind another one,
``{numbers}``, ``{sizes}`` or ``{dims}``.
"""

from __future__ import annotations

import re

from torch7py.translate.native import code
from torch7py.translate.native.code import Py, minus_one
from torch7py.translate.native.integer_tensors import elements
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.tensors.rules import (
    Arguments,
    Rule,
    dimension,
    in_place,
    receiver_text,
    rules,
    sizes,
)
from torch7py.translate.tree import Expression

_NEW = {
    "all": "bool({x}.all())",
    "any": "bool({x}.any())",
    "contiguous": "{x}.contiguous()",
    "diag": "torch.diag({r}{values})",
    "dot": "torch.dot({r}.flatten(), {0}.flatten())",
    "equal": "torch.equal({r}, {0})",
    "expand": "{x}.expand({sizes})",
    "expandAs": "{x}.expand_as({0})",
    "gather": "{x}.gather({d0}, {i1})",
    "histc": "torch.histc({r}{values})",
    "isContiguous": "{x}.is_contiguous()",
    "maskedSelect": "{x}[{m0}]",
    "nElement": "{x}.numel()",
    "numel": "{x}.numel()",
    "permute": "{x}.permute({dims})",
    "repeatTensor": "{x}.repeat({sizes})",
    "t": "{x}.t()",
    "totable": "{x}.tolist()",
    "trace": "{x}.trace()",
    "transpose": "{x}.transpose({dims})",
    "tril": "torch.tril({r}{values})",
    "triu": "torch.triu({r}{values})",
    "typeAs": "{x}.to({0}.dtype)",
    "unfold": "{x}.unfold({d0}, {1}, {2})",
    "view": "{x}.view({sizes})",
    "viewAs": "{x}.view_as({0})",
}
_SUMS = {
    "getDevice": "{x}.get_device() + 1",
    "nonzero": "{x}.nonzero() + 1",
    "storageOffset": "{x}.storage_offset() + 1",
}
_IN_PLACE = {
    "bernoulli": "{x}.bernoulli_({list})",
    "cauchy": "{x}.cauchy_({list})",
    "exponential": "{x}.exponential_({list})",
    "fill": "{x}.fill_({numbers})",
    "geometric": "{x}.geometric_({list})",
    "indexAdd": "{x}.index_add_({d0}, {i1}, {2})",
    "indexCopy": "{x}.index_copy_({d0}, {i1}, {2})",
    "indexFill": "{x}.index_fill_({d0}, {i1}, {2})",
    "logNormal": "{x}.log_normal_({list})",
    "maskedCopy": "{x}.masked_scatter_({m0}, {1})",
    "maskedFill": "{x}.masked_fill_({m0}, {1})",
    "normal": "{x}.normal_({list})",
    "resize": "{x}.resize_({sizes})",
    "resizeAs": "{x}.resize_as_({0})",
    "scatter": "{x}.scatter_({d0}, {i1}, {2})",
    "uniform": "{x}.uniform_({list})",
    "zero": "{x}.zero_({numbers})",
}
_PLACE = re.compile(r"\{([a-z]*)(\d?)\}")


def _mask(t: Translation, node: Expression) -> str:
    """A mask: what a comparison gives is one, a ByteTensor is made one."""
    return t.value(node).text if elements(t, node) == "mask" else f"{receiver_text(t, node)}.bool()"


def _form(text: str, level: int = code.ATOM) -> Rule:
    """The rule that fills a text in."""

    def rule(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
        def filled(place: re.Match[str]) -> str:
            what, node = place[1], arguments[int(place[2])] if place[2] else receiver
            if what == "x":
                return receiver_text(t, receiver)
            if what == "d":
                return dimension(t, node)
            if what == "i":
                return str(minus_one(t.value(node)))
            if what == "m":
                return _mask(t, node)
            if what == "sizes":
                return sizes(t, arguments)
            if what == "dims":
                return ", ".join(dimension(t, argument) for argument in arguments)
            if what == "numbers":
                return ", ".join(t.expressions.number(argument).text for argument in arguments)
            if what == "list":
                return ", ".join(t.value(argument).text for argument in arguments)
            if what == "values":  # behind another argument
                return "".join(f", {t.value(argument)}" for argument in arguments)
            return str(t.value(node))

        return Py(_PLACE.sub(filled, text), level)

    return rule


rules.update({name: _form(text) for name, text in _NEW.items()})
rules.update({name: _form(text, code.ADD) for name, text in _SUMS.items()})
in_place.update({name: _form(text) for name, text in _IN_PLACE.items()})
