"""Which generation of rnn (nn goes with it) and of cutorch a program was written for.

Until January 2016 ``backwardThroughTime()`` ended a sequence of rnn; later the method was an error. A program that
calls it, and defines no method of that name itself, is of the older generation.

Until November 2016 cutorch gave the indices of ``max``, ``sort`` and their like, and the masks of comparisons, as
CudaTensors; later as CudaLongTensors and CudaByteTensors, which are of one type with no CudaTensor. A program that
compares or combines such indices with another tensor, and names none of the later types, is of the older generation.
"""

from __future__ import annotations

import re
from pathlib import Path

from torch7py.bridge.program_files import program_files
from torch7py.bridge.source import matches

__all__ = ["LATER", "OLDER", "cutorch_generation_of", "generation_of"]

OLDER, LATER = 2015, 2016

METHOD = "backwardThroughTime"

_CALLS = """
(function_call name: (method_index_expression method: (identifier) @called))
(function_declaration name: (method_index_expression method: (identifier) @defined))
(function_declaration name: (dot_index_expression field: (identifier) @defined))
(assignment_statement (variable_list name: (dot_index_expression field: (identifier) @defined)))
"""


def generation_of(path: str | Path, entry: bytes | None = None) -> int:
    """The generation of rnn that an entry script, or a file that it loads by a literal name, was written for.

    ``entry`` is the script's source where that has been read.
    """
    called = defined = False
    for _, source in program_files(Path(path), entry, deep=False):
        if METHOD.encode() not in source:
            continue
        for match in matches(_CALLS, source):
            called = called or match.get("called") == METHOD
            defined = defined or match.get("defined") == METHOD
    return OLDER if called and not defined else LATER


_INDEXED = frozenset({"max", "min", "sort", "topk", "kthvalue", "mode", "median"})
_COMBINED = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "add", "csub", "cmul", "cdiv"})
_SHAPED = frozenset(
    {"view", "reshape", "squeeze", "resize", "contiguous", "clone", "t", "select", "narrow", "sub"}
)
_LATER_TYPES = re.compile(rb"Cuda(?:Long|Byte)|cuda(?:Long|Byte)")
_INDICES = """
(assignment_statement
  (variable_list . name: (_) . name: (identifier) @index)
  (expression_list . value: (function_call name: [
    (method_index_expression method: (identifier) @function)
    (dot_index_expression field: (identifier) @function)])))
(function_call
  name: (method_index_expression
    table: [(identifier) @combined
            (function_call name: (method_index_expression table: (identifier) @combined method: (identifier) @shaped))]
    method: (identifier) @method)
  arguments: (arguments . [(identifier) (function_call) (dot_index_expression) (bracket_index_expression)]))
(function_call
  name: (method_index_expression method: (identifier) @method)
  arguments: (arguments . (identifier) @combined))
(function_call
  name: (dot_index_expression field: (identifier) @method)
  arguments: (arguments .
    (identifier) @combined . [(identifier) (function_call) (dot_index_expression) (bracket_index_expression)]))
(function_call
  name: (dot_index_expression field: (identifier) @method)
  arguments: (arguments .
    [(identifier) (function_call) (dot_index_expression) (bracket_index_expression)] . (identifier) @combined))
"""


def cutorch_generation_of(path: str | Path, entry: bytes | None = None) -> int:
    """The generation of cutorch that a script was written for, as ``generation_of``."""
    older = False
    for _, source in program_files(Path(path), entry, deep=False):
        if _LATER_TYPES.search(source):
            return LATER
        indices, combined = set(), set()
        for match in matches(_INDICES, source):
            if match.get("function") in _INDEXED:
                indices.add(match["index"])
            elif match.get("method") in _COMBINED and match.get("shaped", "view") in _SHAPED:
                combined.add(match["combined"])
        older = older or bool(indices & combined)
    return OLDER if older else LATER
