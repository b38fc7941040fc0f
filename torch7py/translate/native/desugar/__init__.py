"""Lua that is written out in simpler Lua before anything else looks at a program.

``nn.StochasticGradient`` is a class, a function that copies the fields of a module is ``clone``, copies of a model
for each GPU are added at once, what says how memory and GPUs are used goes, ``torch.Tester`` is a suite of
functions with assertions, ``torch.size(x)`` is ``x:size()``, ``x:__tostring()`` is ``tostring(x)``, ``torch.type(x)``
is a text without ``tostring``, ``tonumber(arg[1] or 2)`` is ``tonumber(arg[1]) or 2``, a file that an option chooses
is a choice among those that are there, a variable with one of several layers' classes holds functions that make
these, a function of Lua's libraries that is handed to another is one that calls it, a package that is not there is
not asked for, a list with the one output of a graph is that node, a loop over fields of which it takes some is one
over those, gradients that a function for optim returns are read where it is called, arguments that argcheck packs
into a table are parameters, and a text of Lua that assigns is read and assigned. What comes out is Lua on the same
lines, with the same results, so that all that is known of loops, losses and calls is known of it. A use that is more
than that stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

from torch7py.translate.library import PENLIGHT
from torch7py.translate.native.desugar.argument_numbers import ARGUMENT_NUMBERS, ArgumentNumbers
from torch7py.translate.native.desugar.chosen_files import ChosenFiles, Folders, Scanned
from torch7py.translate.native.desugar.copies import Copies
from torch7py.translate.native.desugar.deep_copies import DeepCopies
from torch7py.translate.native.desugar.known_conditions import KnownConditions
from torch7py.translate.native.desugar.layer_makers import LayerMakers
from torch7py.translate.native.desugar.library_values import HANDED_ON, LibraryValues
from torch7py.translate.native.desugar.loaded_models import LoadedModels
from torch7py.translate.native.desugar.named_fields import NamedFields
from torch7py.translate.native.desugar.packed_arguments import PackedArguments
from torch7py.translate.native.desugar.resource_hints import Machinery
from torch7py.translate.native.desugar.returned_gradients import ReturnedGradients
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.native.desugar.search_path import BESIDE, SearchPath
from torch7py.translate.native.desugar.single_outputs import SingleOutputs
from torch7py.translate.native.desugar.tensor_functions import FUNCTIONS, TensorFunctions
from torch7py.translate.native.desugar.text_methods import TEXT_METHODS, TextMethods
from torch7py.translate.native.desugar.varargs import Varargs
from torch7py.translate.observed import NOTHING_SEEN, Observed
from torch7py.translate.parse import parse

__all__ = [
    "BESIDE",
    "Folders",
    "Scanned",
    "SearchPath",
    "added_statements",
    "classes_of_packages",
    "written_out",
]

# What must be somewhere in a source that is looked at once more.
_CHOSEN = re.compile(rb"(?:require|dofile|include)\s*(?:\(?[^()\n]*\.\.|\(\s*\w[\w.]*\s*\))")
# Other names of functions: ``string.gmatch`` as in Lua 5.0, ``paths.filep`` as in old programs.
_GFIND = re.compile(rb"\bstring\s*\.\s*gfind\b(?=\s*\()")
_FILEP = re.compile(rb"\bsys\s*\.\s*(?=(?:filep|dirp)\s*\()")
_SUITE = re.compile(rb"torch\.TestSuite\s*\(\s*\)")
# Classes of packages that a program gets in Lua, as its own: how it names them, and where they are.
_CLASSES = {b"nn.StochasticGradient": "stochastic_gradient.lua", b"torch.Tester": "tester.lua"}
_FUNCTIONS = "package_functions.lua"  # those functions that it calls
_FUNCTION = re.compile(rb"^function ([\w.]+\().*?\nend\n", re.MULTILINE | re.DOTALL)
# Of functions, what a program has that asks for more than their Lua does: the help that goes with the arguments.
_BEYOND = {b"xlua.unpack(": re.compile(rb"\.usage\b")}
# A line that calls what a program may have put into a field.
_HOOK = re.compile(rb"^ *if self\.(\w+) then self:\1\(.*\n", re.MULTILINE)
_LUA_METHOD = re.compile(rb"^function \w+:", re.MULTILINE)
# ``loadstring('opt.sizes = ' .. opt.sizes)()``, which assigns what it reads.
_ASSIGNING = re.compile(
    rb"^([ \t]*)(?:loadstring|load)\s*\(\s*(['\"])([\w.]+)\s*=\s*\2\s*\.\.\s*([\w.]+)\s*\)\s*\(\s*\)",
    re.MULTILINE,
)

# The passes in their order, each with what must be somewhere in a source that it looks at.
_PASSES: dict[re.Pattern[bytes], type[Rewriting]] = {
    FUNCTIONS: TensorFunctions,
    TEXT_METHODS: TextMethods,
    ARGUMENT_NUMBERS: ArgumentNumbers,
    re.compile(rb"torch\.setmetatable"): DeepCopies,
    re.compile(
        rb":threads\s*\(|:setMode\s*\(|cudnn\.version|\.gradInput\s*=[^=]|createCudaHost|torch\.Cuda\w+Tensor\s+and"
        rb"|optnet\.optimizeMemory|torch\[[\w.]+:match|:storage\(\)\s*==\s*[^\n]*:storage\(\)"
    ): Machinery,
    re.compile(rb"DataParallelTable"): Copies,
    re.compile(
        rb"pcall\s*\(\s*require\b|(?:\bnot|\bif|\bor|\bnil\s*[~=]=|[=({,])\s*nn\.[A-Z]\w*\s*(?:and\b|or\b|then\b|[~=]=\s*nil)"
        rb"|\bor\s+require\b|(?<![.\w])(?:cutorch|gnuplot|itorch|lapp|qt|(?:table\.)?unpack|(?:%s)(?:\.\w+)?)\s+(?:and|or|then)\b"
        % "|".join(sorted(PENLIGHT)).encode()
    ): KnownConditions,
    re.compile(rb"in\s+pairs\s*\(\s*\w+\s*\)\s*do\s+if\b"): NamedFields,
    re.compile(rb"function\s+\w+\s*\(\s*\.\.\.\s*\)[^\0]*nn\.\w+\s*\(\s*\.\.\.\s*\)"): Varargs,
    re.compile(
        rb"(?:=|and|or)\s*\(?\s*(?:nn|cudnn)\.[A-Z]\w*\s*(?:--[^\n]*)?[\n;),}]|\bnn\s*\["
    ): LayerMakers,
    HANDED_ON: LibraryValues,
    re.compile(rb"gModule"): SingleOutputs,
    re.compile(rb"(?s)\A(?=.*optim\.).*?\w+\s*,\s*\w+\s*=\s*\w+\s*\("): ReturnedGradients,
    re.compile(rb"\bpack\s*=\s*true"): PackedArguments,
}


def written_out(
    source: bytes,
    file: str,
    folders: Folders | None = None,
    observed: Observed = NOTHING_SEEN,
    users: Mapping[bytes, bytes] | None = None,
) -> bytes:
    """The source of a file with all of these written out; lines stay. ``folders``: where it finds others; None where
    only the text is known. ``observed``: what a run has shown. ``users``: the classes of packages that it gets, each
    with the text of all files that may call their methods; None where it is the only file. Raises LuaSyntaxError."""
    if b"torch.load" in source and observed.loaded:
        source = LoadedModels(source, file, observed.forms_in(file)).written()
    if folders is not None and _CHOSEN.search(source):
        source = ChosenFiles(source, file, folders).written()
    source = _FILEP.sub(b"paths.", _GFIND.sub(b"string.gmatch", source))
    source = _ASSIGNING.sub(rb"\1\3 = loadstring('return ' .. \4)()", source)
    source = _SUITE.sub(b"{}", source)
    for pattern, rewriting in _PASSES.items():
        if not pattern.search(source):
            continue
        if rewriting is KnownConditions:
            source = KnownConditions(source, file, None if folders is None else folders.has).written()
        else:
            source = rewriting(source, file).written()
    for name, text in (
        users if users is not None else dict.fromkeys(classes_of_packages(source), source)
    ).items():
        statements = parse(source, file).statements
        start = statements[0].span.start if statements else 0
        source = source[:start] + _class_of(name, text) + source[start:]
    return source


def classes_of_packages(source: bytes) -> list[bytes]:
    """How a program names those classes and functions that it gets in Lua, as its own."""
    named = [
        name for name in (*_CLASSES, *_functions()) if name in source and b"function " + name not in source
    ]
    return [name for name in named if name not in _BEYOND or not _BEYOND[name].search(source)]


def added_statements(source: bytes) -> int:
    """How many statements of what ``written_out`` gives are those of classes in Lua, which it has at its beginning."""
    count = 0
    for text in (*map(_lua_text, _CLASSES.values()), *_functions().values()):
        head = text.partition(b"\n")[0]
        line = next((line for line in source.split(b"\n") if head in line), None)
        count += 0 if line is None else 1 + line.count(b"function %s:" % head.split()[1])
    return count


def _class_of(name: bytes, source: bytes) -> bytes:
    """A class in Lua, on one line, with those of its methods that a text may call, and what these call; a function."""
    if name not in _CLASSES:
        return b" ".join(_functions()[name].split()) + b" "
    text = _HOOK.sub(lambda hook: hook[0] if hook[1] in source else b"", _lua_text(_CLASSES[name]))
    head, *methods = _LUA_METHOD.split(text)
    texts = {text[: text.index(b"(")]: b"function %s:%s" % (head.split()[1], text) for text in methods}
    used: list[bytes] = []
    waiting = [b"__init", *(method for method in texts if re.search(rb"\b%s\b" % method, source))]
    while waiting:
        method = waiting.pop()
        if method not in used:
            used.append(method)
            waiting += [other for other in texts if b"self:%s(" % other in texts[method]]
    return b" ".join(b" ".join([head, *(texts[method] for method in texts if method in used)]).split()) + b" "


@cache
def _functions() -> dict[bytes, bytes]:
    """The functions that are there in Lua, each by how it is called."""
    return {match[1]: match[0] for match in _FUNCTION.finditer(_lua_text(_FUNCTIONS))}


@cache
def _lua_text(file: str) -> bytes:
    return resources.files("torch7py.translate.native").joinpath(file).read_bytes()
