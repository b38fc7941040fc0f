"""Shapes, types, views and selections."""

from __future__ import annotations

from torch7py.translate.kind_rules import is_reduction
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, add_constant, atom, minus_one
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import function
from torch7py.translate.native.problem import Undecided
from torch7py.translate.native.tensors.rules import (
    Arguments,
    Rule,
    dimension,
    receiver_text,
    rule,
    rules,
    sizes,
)
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name
from torch7py.translate.tree_queries import bare


@rule("size")
def size(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    base = receiver_text(t, receiver)
    if not arguments:
        return atom(f"{base}.shape")
    return atom(f"{base}.shape[{dimension(t, arguments[0])}]")


@rule("stride")
def stride(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    if not arguments:
        return atom(f"torch.Size({receiver_text(t, receiver)}.stride())")
    return atom(f"{receiver_text(t, receiver)}.stride({dimension(t, arguments[0])})")


@rule("clone")
def clone(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    """A copy, which in Torch7 lies in order, whatever it is one of."""
    turned = bare(receiver)
    is_turned = isinstance(turned, Invoke) and turned.method in ("permute", "t", "transpose")
    order = "memory_format=torch.contiguous_format" if is_turned else ""
    return atom(f"{receiver_text(t, receiver)}.clone({order})")


@rule("dim", "nDimension")
def dim(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    """How many dimensions: Torch7 has none where there are no elements, as in a selection of none."""
    if _is_selection(t, receiver, set()):
        return atom(f"{t.need('lua_dim')}({t.value(receiver)})")
    return atom(f"{receiver_text(t, receiver)}.dim()")


def _is_selection(t: Translation, node: Expression, seen: set[Variable]) -> bool:
    """Whether a tensor has the elements that a mask selects, of which there may be none."""
    node = bare(node)
    if isinstance(node, Invoke):
        return node.method in ("maskedSelect", "nonzero") and t.kind(node.receiver) == "tensor"
    if isinstance(node, Index):
        return t.kind(node.base) == "tensor" and t.kind(node.key) == "tensor"
    if not isinstance(node, Name) or t.scopes.of_name[node] in seen:
        return False
    seen.add(t.scopes.of_name[node])
    sources = t.integers.sources(t.scopes.of_name[node])
    return any(not isinstance(source, bool) and _is_selection(t, source, seen) for source in sources)


@rule("storage")
def storage(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    """All of the memory that a tensor lies in."""
    base = receiver_text(t, receiver)
    if not base.isidentifier():
        raise Undecided("T7-271", receiver.line, "the storage of a tensor without a name")
    return atom(f"torch.empty(0, dtype={base}.dtype).set_({base}.untyped_storage())")


@rule("reshape")
def reshape(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    copied = ".clone()" if t.reshapes.are_copies(receiver) else ""
    return atom(f"{receiver_text(t, receiver)}.reshape({sizes(t, arguments)}){copied}")


def _to(name: str) -> Rule:
    """A conversion, which in Torch7 also fetches what is on a GPU."""
    return lambda t, receiver, arguments: atom(
        f"{receiver_text(t, receiver)}.{name}(){'.cpu()' if t.gpus else ''}"
    )


for _lua in ("double", "float", "long", "int", "short", "byte", "char"):
    rules[_lua] = _to({"byte": "byte", "char": "char"}.get(_lua, _lua))


@rule("select")
def select(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    dim, position = dimension(t, arguments[0]), t.expressions.position(arguments[1])
    text = f"[{position}]" if dim == "0" else f".select({dim}, {position})"
    text = receiver_text(t, receiver) + text
    return atom(text)


@rule("sub")
def sub(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    """A first and a last position for each of the leading dimensions; negative ones count from the end."""
    texts = []
    for offset in range(0, len(arguments), 2):
        first, last = arguments[offset], arguments[offset + 1]
        start = str(t.expressions.position(first))
        end = t.expressions.whole_number(last)
        if end.text.startswith("-") and end.text[1:].isdigit():
            end = atom("") if end.text == "-1" else add_constant(None, int(end.text) + 1)
        texts.append(code.stretch(start, end.text))
    return atom(f"{receiver_text(t, receiver)}[{', '.join(texts)}]")


@rule("split")
def split(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    size = t.expressions.whole_number(arguments[0])
    dim = dimension(t, arguments[1]) if len(arguments) > 1 else "0"
    return atom(f"{receiver_text(t, receiver)}.split({size}{f', {dim}' if dim != '0' else ''})")


@rule("narrow")
def narrow(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    dim, first = dimension(t, arguments[0]), t.expressions.position(arguments[1])
    length = t.expressions.whole_number(arguments[2])
    base = receiver_text(t, receiver)
    if dim == "0":
        return atom(f"{base}[{code.stretch(str(first), _sum(t, arguments[1], arguments[2]))}]")
    return atom(f"{base}.narrow({dim}, {first}, {length})")


def _sum(t: Translation, first: Expression, length: Expression) -> str:
    """Where a stretch ends: its 0-based start plus its length."""
    if not (t.whole(first) and t.whole(length)):  # which Torch7 cuts off, each by itself
        return f"{t.expressions.position(first).at(code.ADD)} + {t.expressions.whole_number(length).at(code.ADD)}"
    term, constant = t.expressions.linear(first)
    more, add = t.expressions.linear(length)
    terms = [part.at(code.ADD) for part in (term, more) if part is not None]
    joined = Py(" + ".join(terms), code.ADD if len(terms) > 1 else code.ATOM) if terms else None
    return str(add_constant(joined, constant - 1 + add))


@rule("index")
def index(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    dim = dimension(t, arguments[0])
    indices = minus_one(t.value(arguments[1]))
    if dim == "0":
        return atom(f"{receiver_text(t, receiver)}[{indices}]")
    return atom(f"{receiver_text(t, receiver)}.index_select({dim}, {indices})")


@function("nn.utils.addSingletonDimension")
def with_dimension(t: Translation, node: Call) -> Py:
    """A view with another dimension in front of one; with a tensor for the view there is no form."""
    if not 1 <= len(node.arguments) <= 2 or t.kind(node.arguments[0]) != "tensor":
        raise Undecided(
            "T7-203", node.line, "nn.utils.addSingletonDimension of something else than one tensor"
        )
    where = dimension(t, node.arguments[1]) if len(node.arguments) > 1 else "0"
    return atom(f"{receiver_text(t, node.arguments[0])}.unsqueeze({where})")


@rule("squeeze")
def squeeze(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    if not arguments and is_reduction(receiver) and t.type(receiver).rank == 1:  # a number
        return atom(f"{receiver_text(t, receiver)}.item()")
    inside = dimension(t, arguments[0]) if arguments else ""
    return atom(f"{receiver_text(t, receiver)}.squeeze({inside})")
