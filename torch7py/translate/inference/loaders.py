"""The loaders of the package dataload: what makes them, what they have, and what their batches are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.kinds import Type, unify
from torch7py.translate.tree import Invoke

if TYPE_CHECKING:
    from torch7py.translate.types import Types

__all__ = ["CONSTANTS", "MAKERS", "call", "field", "is_iterator", "iterated", "method"]

CONSTANTS = {f"dataload.{name}" for name in ("TORCH_PATH", "DATA_PATH", "SAVE_PATH")}

# Of a batch. What a loader holds has these names where it is the same (a TensorLoader's tensors).
INPUTS, TARGETS = "inputs", "targets"

# What makes loaders: how many.
MAKERS = {
    "dataload.TensorLoader": 1,
    "dataload.SequenceLoader": 1,
    "dataload.MultiSequence": 1,
    "dataload.loadPTB": 3,
    "dataload.loadGBW": 3,
    "dataload.loadSentiment140": 3,
    "dataload.loadMNIST": 3,
}
_WORDS = ("dataload.loadPTB", "dataload.loadGBW", "dataload.loadSentiment140")


def _tensor(found: Type, rank: int | None, tensor_type: str | None) -> None:
    found.be("tensor")
    found.be_rank(rank)
    if tensor_type is not None:
        found.find().tensor_type = tensor_type


def _words(loader: Type) -> None:
    """The vocabulary: numbers by word, and words by number."""
    vocab, ivocab = loader.of_field("vocab"), loader.of_field("ivocab")
    for table, mark in ((vocab, "dict"), (ivocab, "array")):
        table.be("table")
        table.mark(mark)
    vocab.of_keys().be("string")
    vocab.of_elements().be("number")
    vocab.of_elements().mark("whole")
    ivocab.of_elements().be("string")


def _steps_of(sequence: Type, loader: Type, rank: int | None) -> bool:
    """Batches of sequences have their type, and a dimension more for the columns."""
    news = False
    for each in (loader.of_field(INPUTS), loader.of_field(TARGETS)):
        if each.find().tensor_type is None and sequence.find().tensor_type is not None:
            each.find().tensor_type = sequence.find().tensor_type
            news = True
        news |= each.be_rank(sequence.rank + 1 if rank is None and sequence.rank is not None else rank)
    return news


def make(path: str, arguments: list[Type], results: list[Type], rules: list[Callable[[], bool]]) -> bool:
    """What a function of the package gives, if that is loaders."""
    count = MAKERS[path]
    while len(results) < count:
        results.append(Type())
    name = path.removeprefix("dataload.")
    for result in results[:count]:
        result.be("loader")
        if path in _WORDS:
            _words(result)
    loader = results[0]
    for other in results[1:count]:
        unify(loader, other)
    inputs, targets = loader.of_field(INPUTS), loader.of_field(TARGETS)
    if name == "TensorLoader":
        loader.mark("examples")
        for given, mine in zip(arguments, (inputs, targets), strict=False):
            unify(mine, given)
    elif name in ("SequenceLoader", "loadPTB"):
        loader.mark("sequence")
        for each in (inputs, targets, loader.of_field("data")):
            _tensor(each, 2, "Int" if name == "loadPTB" else None)
        if name == "SequenceLoader" and arguments:
            rules.append(lambda: _steps_of(arguments[0], loader, 2))
        elif name == "loadPTB":
            counts = loader.of_field("wordfreq")
            counts.be("table")
            counts.mark("dict")
            counts.of_keys().be("string")
            counts.of_elements().be("number")
            counts.of_elements().mark("whole")
    elif name in ("MultiSequence", "loadGBW"):
        loader.mark("sequences")
        for each in (inputs, targets):
            _tensor(each, 2 if name == "loadGBW" else None, "Long" if name == "loadGBW" else None)
        if name == "loadGBW":
            _tensor(loader.of_field("wordfreq"), 1, "Int")
        elif arguments:
            arguments[0].be("table")
            arguments[0].mark("array")
            arguments[0].of_elements().be("tensor")
            rules.append(lambda: _steps_of(arguments[0].of_elements(), loader, None))
    elif name == "loadSentiment140":
        loader.mark("examples")
        _tensor(inputs, 2, "Long")
        _tensor(targets, 1, "Long")
        _tensor(loader.of_field("unigram"), 1, "Long")
    else:
        loader.mark("examples")
        _tensor(inputs, 4, "Float")
        _tensor(targets, 1, "Float")
        classes = loader.of_field("classes")
        classes.be("table")
        classes.mark("array")
        classes.of_elements().be("number")
        classes.of_elements().mark("whole")
    return True


def field(name: str, loader: Type, result: Type) -> bool:
    """A field that is read or written."""
    if name in ("batchsize", "seqlen"):
        return result.be("number") | result.mark("whole")
    return unify(result, loader.of_field(name))


def _batch(loader: Type, found: list[Type]) -> bool:
    news = False
    for name, each in zip((INPUTS, TARGETS), found, strict=False):
        news |= unify(each, loader.of_field(name))
    return news


def method(node: Invoke, loader: Type, results: list[Type]) -> bool:
    """What a method gives."""
    name, result = node.method, results[0]
    if name == "size":
        return result.be("number") | result.mark("whole")
    if name in ("sub", "sample", "index"):
        while len(results) < 2:
            results.append(Type())
        return _batch(loader, results)
    if name == "split":
        while len(results) < 2:
            results.append(Type())
        return unify(result, loader) | unify(results[1], loader)
    if name == "tensor2text":
        return result.be("string")
    return False


def is_iterator(types: Types, source: tree.Expression) -> bool:
    """Whether a loop is over the batches of a loader."""
    return (
        isinstance(source, Invoke)
        and source.method in ("subiter", "sampleiter")
        and types.kind(source.receiver) == "loader"
    )


def iterated(types: Types, source: tree.Expression, names: list[Type]) -> bool:
    """What a loop over batches gives at each turn: how many examples there were, and the batch."""
    if not is_iterator(types, source):
        return False
    assert isinstance(source, Invoke)
    news = names[0].be("number") | names[0].mark("whole")
    return news | _batch(types.of(source.receiver), names[1:])


def call(path: str, arguments: list[Type], results: list[Type], rules: list[Callable[[], bool]]) -> bool:
    """Whether this is a call of one of the package's functions that is known."""
    result = results[0]
    if path in MAKERS:
        return make(path, arguments, results, rules)
    if path in ("dataload.uniqueid", "dataload.hostname"):
        result.be("string")
        return True
    if path == "dataload.text2tensor":
        _tensor(result, 1, "Int")
        return True
    if path == "dataload.buildVocab":
        while len(results) < 3:
            results.append(Type())
        words = Type("loader")
        _words(words)
        for name, found in zip(("vocab", "ivocab", "vocab"), results, strict=False):
            unify(found, words.of_field(name))
        return True
    return False
