"""The package dataload: loaders as small classes in the page, and loops over their batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.inference.loaders import CONSTANTS, MAKERS, is_iterator
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.library_rules import constants, function, method_statements, methods, statement
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Index, Invoke, String

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["field", "gives_batch", "iterator_head", "several"]

_CLASSES = {"examples": "TensorLoader", "sequence": "SequenceLoader", "sequences": "MultiSequence"}

# The function in the page for one of the package's, what it needs, and how many arguments of Lua's it takes over;
# the others are about downloads.
_LOADS = {
    "dataload.loadPTB": (
        "load_ptb",
        ("data_folder", "SequenceLoader", "build_vocabulary", "numbers_of"),
        (0, 1),
    ),
    "dataload.loadGBW": (
        "load_billion_words",
        ("data_folder", "MultiSequence", "load_sentences"),
        (0, 1, 2, 4),
    ),
    "dataload.loadSentiment140": (
        "load_sentiment140",
        ("data_folder", "TensorLoader", "read_messages"),
        (0, 1, 2, 3, 5),
    ),
    "dataload.loadMNIST": ("load_mnist", ("data_folder", "TensorLoader"), (0, 1, 2)),
}
_NAMES = {
    "load_ptb": ("batch_sizes", "folder"),
    "load_billion_words": ("batch_sizes", "train_file", "folder", "verbose"),
    "load_sentiment140": ("folder", "least", "length", "valid_ratio", "progress"),
    "load_mnist": ("folder", "valid_ratio", "scale"),
}


def _need(t: Translator, *names: str) -> None:
    for name in names:
        if name in _CLASSES.values():
            t.need("Loader")
        t.need(name)


def _constant(t: Translator, path: str) -> Py:
    kind = path.removeprefix("dataload.").removesuffix("_PATH").lower()
    if kind == "torch":
        t.imports.add("os")
        return Py('os.environ.get("TORCH_DATA_PATH") or os.path.expanduser("~")', code.OR)
    return atom(f"{t.need('data_folder')}({code.quoted(kind)})")


for _path in CONSTANTS:
    constants[_path] = _constant


# Making


def _class(t: Translator, node: Call) -> Py:
    name = (t.path(node.callee) or "").removeprefix("dataload.")
    if t.kind(node.arguments[0]) != ("table" if name == "MultiSequence" else "tensor"):
        raise Problem("T7-203", node.line, f"{name} of something else than tensors")
    _need(t, name)
    return atom(f"{name}({t.calls.arguments(node, [])})")


for _name in _CLASSES.values():
    function(f"dataload.{_name}")(_class)


def _loaded(t: Translator, node: Call) -> Py:
    path = t.path(node.callee) or ""
    name, needed, places = _LOADS[path]
    names = _NAMES[name]
    given = []
    in_order = True
    for place, argument in enumerate(node.arguments):
        if isinstance(argument, tree.Nil):
            in_order = False
            continue
        if place not in places:
            raise Problem("T7-203", argument.line, f"an address or a vocabulary for {path}")
        at = places.index(place)
        in_order = in_order and at == place
        value = t.value(argument).text
        given.append(value if in_order else f"{names[at]}={value}")
    _need(t, *needed)
    return atom(f"{t.need(name)}({', '.join(given)})")


for _path in _LOADS:
    function(_path)(_loaded)


def several(t: Translator, node: Call | Invoke, path: str | None, targets: tuple[Expression, ...]) -> bool:
    """``local train, valid, test = dl.loadPTB(20)``, and two values of a method."""
    if isinstance(node, Call):
        if path in _LOADS:
            count = MAKERS[path]
        elif path == "dataload.buildVocab":
            count = 3
        else:
            return False
    elif not gives_batch(t, node):
        return False
    else:
        count = 2
    names = [t.unread(target) or t.target(target) for target in targets[:count]] + ["_"] * (
        count - len(targets)
    )
    whole = t.calls.all_values(node)
    t.emit(f"{', '.join(names)} = {whole}")
    for target in targets[count:]:
        t.emit(f"{t.target(target)} = None")
    return True


# Methods


def gives_batch(t: Translator, node: Expression) -> bool:
    """Whether this is a method of a loader that gives two values."""
    return (
        isinstance(node, Invoke)
        and t.kind(node.receiver) == "loader"
        and node.method in ("sub", "sample", "index", "split")
    )


def _is(t: Translator, node: Invoke, *marks: str) -> None:
    """Refuse a method that this loader does not have, or of which it is not known which loader it is of."""
    known = [mark for mark in _CLASSES if t.type(node.receiver).has(mark)]
    if len(known) != 1 or known[0] not in marks:
        raise Problem("T7-202", node.line, f"the method {node.method} of a loader")


def _method(name: str, *marks: str) -> None:
    def rule(t: Translator, node: Invoke) -> Py:
        _is(t, node, *marks)
        loader = t.value(node.receiver).at(code.ATOM)
        given = list(node.arguments[: 2 if name == "sub" else 1])
        if name == "sub":
            texts = [t.expressions.position(given[0]).text, t.value(given[1]).text]
        elif name == "index":
            texts = [f"{t.value(given[0]).at(code.ADD)} - 1"]
        else:
            texts = [t.value(argument).text for argument in given]
        return atom(f"{loader}.{name}({', '.join(texts)})")

    methods["loader", name] = rule


_method("sub", *_CLASSES)
for _name in ("index", "sample", "split"):
    _method(_name, "examples")


def _size(t: Translator, node: Invoke) -> Py:
    if node.arguments:
        raise Problem("T7-203", node.line, "the size of a part of a loader")
    return atom(f"len({t.value(node.receiver)})")


methods["loader", "size"] = _size


def _text(t: Translator, node: Invoke) -> Py:
    loader, words = t.value(node.receiver).at(code.ATOM), t.value(node.arguments[0]).at(code.ATOM)
    return atom(f'" ".join({loader}.ivocab[word - 1] for word in {words}.tolist() if word > 0)')


methods["loader", "tensor2text"] = _text


def _done(name: str, *marks: str) -> None:
    def rule(t: Translator, node: Invoke) -> None:
        _is(t, node, *marks)
        t.emit(f"{t.value(node.receiver).at(code.ATOM)}.{name}()")

    method_statements["loader", name] = rule


_done("reset", *_CLASSES)
_done("shuffle", "examples")
method_statements["loader", "collectgarbage"] = lambda t, node: None


# Fields


def field(t: Translator, node: Index) -> Py:
    """``loader.ivocab``"""
    if not isinstance(node.key, String) or node.key.value in ("randseq", "trackers", "sequences", "seqlen"):
        raise Problem("T7-203", node.line, "this field of a loader")
    return atom(f"{t.value(node.base).at(code.ATOM)}.{code.attribute_name(node.key.value)}")


# Loops


def iterator_head(t: Translator, node: tree.GenericFor, names: list[str]) -> bool:
    """Write the line of a loop over batches; whether it is one."""
    source = node.values[0]
    if len(node.values) != 1 or not is_iterator(t.types, source) or len(names) > 3:
        return False
    assert isinstance(source, Invoke)
    _is(t, source, *(_CLASSES if source.method == "subiter" else ("examples",)))
    _not_kept(t, node)
    names = names + ["_"] * (3 - len(names))
    given = list(source.arguments)
    if len(given) > 2:
        raise Problem("T7-203", source.line, "a loop over batches with more than two arguments")
    texts = [t.value(argument).text for argument in given if not isinstance(argument, tree.Nil)]
    if len(given) == 2 and len(texts) == 1 and isinstance(given[0], tree.Nil):
        texts = [f"epoch_size={texts[0]}"]
    loader = t.value(source.receiver).at(code.ATOM)
    t.emit(f"for {', '.join(names)} in {loader}.{source.method}({', '.join(texts)}):")
    return True


def _not_kept(t: Translator, node: tree.GenericFor) -> None:
    """Refuse a batch that is kept for later: in Lua its tensors are those of the next batch too."""
    batch = {t.scopes.of_name[name] for name in node.names[1:]}
    inside = {t.scopes.of_name[n] for s in tree.walk(node.body) if isinstance(s, tree.Local) for n in s.names}

    def kept(value: Expression) -> bool:
        return isinstance(value, tree.Name) and t.scopes.of_name[value] in batch

    for part in tree.walk(node.body):
        if isinstance(part, tree.Assign):
            for target, value in zip(part.targets, part.values, strict=False):
                outside = not isinstance(target, tree.Name) or t.scopes.of_name[target] not in inside | batch
                if outside and kept(value):
                    raise Problem("T7-230", part.line, "a batch that is kept while the next one is read")
        elif (
            isinstance(part, Call)
            and t.path(part.callee) == "table.insert"
            and any(kept(argument) for argument in part.arguments[1:])
        ):
            raise Problem("T7-230", part.line, "a batch that is kept while the next one is read")


# Tools


@function("dataload.uniqueid")
def _unique_id(t: Translator, node: Call) -> Py:
    return atom(f"{t.need('unique_id')}({t.calls.arguments(node, [])})")


@function("dataload.hostname")
def _hostname(t: Translator, node: Call) -> Py:
    t.imports.add("socket")
    return atom("socket.gethostname()")


@function("dataload.buildVocab")
def _build_vocabulary(t: Translator, node: Call) -> Py:
    return atom(f"{t.need('build_vocabulary')}({t.calls.arguments(node, [])})")


@function("dataload.text2tensor")
def _numbers(t: Translator, node: Call) -> Py:
    return atom(f"{t.need('numbers_of')}({t.calls.arguments(node, [])})")


@statement("table.print")
def _show_table(t: Translator, node: Call) -> None:
    if t.representation(node.arguments[0]) not in ("options", "list", "dict", "record"):
        raise Problem("T7-203", node.line, "table.print of something unknown")
    t.emit(f"{t.need('show_table')}({t.value(node.arguments[0])})")
