"""The comments between the entries of tables: a list or a dict with such has an entry a line."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.layout import items
from torch7py.translate.native.comments import comment_lines
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.tree import Comment, Field, Statement

__all__ = ["spread", "unwritten"]


def _comments(field: Field) -> list[Comment]:
    return [*field.before, *([field.trailing] if field.trailing is not None else [])]


def spread(t: Translation, node: Statement, before: int) -> None:
    """Write the list or dict that a statement became with an entry a line, where there are comments between them."""
    values = node.values if isinstance(node, tree.Assignment) else ()
    table = values[0] if len(values) == 1 else None
    if (
        not isinstance(table, tree.Table)
        or not any(map(_comments, table.fields))
        or len(t.lines) != before + 1
    ):
        return
    line = t.lines[before]
    head, bracket, body = line.partition(" = {" if line.endswith("}") else " = [")
    entries = items(bracket[-1] + body) if bracket and line[-1] in "}]" else []
    if len(entries) != len(table.fields) or "#" in line:
        return
    indent = line[: len(line) - len(line.lstrip())]
    inner = indent + " " * 4
    lines = [head + bracket]
    for field, entry in zip(table.fields, entries, strict=True):
        lines += [inner + text for comment in field.before for text in comment_lines(comment)]
        behind = comment_lines(field.trailing) if field.trailing is not None else []
        if len(behind) > 1:
            lines += [inner + text for text in behind]
        lines.append(f"{inner}{entry},{f'  {behind[0]}' if len(behind) == 1 else ''}")
    t.lines[before:] = [*lines, indent + line[-1]]


def unwritten(t: Translation, node: Statement, written: list[str]) -> list[Comment]:
    """The comments between the entries of tables in a statement that are not in the lines which it became."""
    tables = [n for n in tree.direct_nodes(node) if isinstance(n, tree.Table)]
    fields = [f for table in tables for f in table.fields if f not in t.training.settings]
    comments = [comment for field in fields for comment in _comments(field)]
    text = "\n".join(written) if comments else ""
    return [comment for comment in comments if comment_lines(comment)[0] not in text]
