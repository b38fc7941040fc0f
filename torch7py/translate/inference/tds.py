"""The vectors and hashes of the package tds, which are lists and dicts."""

from __future__ import annotations

from torch7py.translate.kinds import Type, unify

__all__ = ["COUNTED", "MAKERS", "make"]

# A mark: # of such a hash counts its entries.
COUNTED = "counted"

MAKERS = {"tds.Hash": "dict", "tds.hash": "dict", "tds.Vec": "array", "tds.vec": "array"}


def make(path: str, arguments: list[Type], result: Type) -> bool:
    """What makes one: empty, or with what a table has."""
    result.be("table")
    result.mark(MAKERS[path], COUNTED)
    if len(arguments) == 1:
        unify(result, arguments[0])
    return True


def method(name: str, vector: Type, arguments: list[Type], result: Type) -> bool:
    """What a method of a vector gives, and what it puts there."""
    if name == "insert" and arguments:
        return unify(vector.of_elements(), arguments[-1])
    if name == "remove":
        return unify(result, vector.of_elements())
    return False
