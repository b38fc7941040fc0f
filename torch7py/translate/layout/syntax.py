"""Python expressions as trees, for who lays them out: every text as it is written, parentheses told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["Node", "NotPython", "Parser", "items", "split_comment"]

_NUMBER = r"0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?[jJ]?"
_TEXT = r"'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_OPERATOR = (
    r"\*\*=|//=|<<=|>>=|\.\.\.|\*\*|//|<<|>>|<=|>=|==|!=|->|:=|[-+*/%@&|^]=|[-+*/%@&|^~<>()\[\]{},:.=;]"
)
_TOKEN = re.compile(
    rf"\s*(?:(?P<string>[bBfFrRuU]{{0,2}}(?:{_TEXT}))|(?P<number>{_NUMBER})|(?P<name>\w+)"
    rf"|(?P<operator>{_OPERATOR})|(?P<comment>#.*))"
)

# How tightly an operator binds.
_LEVELS = {"or": 1, "and": 2, "|": 5, "^": 6, "&": 7, "<<": 8, ">>": 8, "+": 9, "-": 9, "**": 12}
_LEVELS |= dict.fromkeys(("*", "/", "//", "%", "@"), 10)
_LEVELS |= dict.fromkeys(("<", ">", "<=", ">=", "==", "!=", "in", "not in", "is", "is not"), 4)
_NOT, _COMPARE, _SIGN, _POWER = 3, 4, 11, 12
_OPENERS, _CLOSERS = frozenset("([{"), frozenset(")]}")
_CONSTANTS = frozenset({"None", "True", "False"})
# Words that no operand is; where one stands there is no expression.
_RESERVED = frozenset(
    "and as assert break class continue def del elif else except finally for from global if import in is nonlocal"
    " not or pass raise return try while with".split()
)


class NotPython(Exception):
    """What is read is no complete piece of Python."""


@dataclass(slots=True, eq=False)
class Node:
    """An expression, or a part of one that stands by itself in brackets.

    ``kind`` says what it is, ``text`` is its own word (a name, a literal, an operator, the name of an argument) and
    ``words`` are its operators where there may be several; ``parts`` are what it is made of. ``enclosed``: it stands
    in parentheses that are not its own; ``own``: a tuple or a generator that has parentheses.
    """

    kind: str
    text: str = ""
    parts: list[Node] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    enclosed: bool = False
    own: bool = False


def split_comment(line: str) -> tuple[str, str]:
    """A line's code and the comment behind it."""
    if "#" not in line:
        return line, ""
    at = 0
    while found := _TOKEN.match(line, at):
        if found.lastgroup == "comment":
            return line[: found.start("comment")].rstrip(), found["comment"]
        at = found.end()
    return line, ""


def items(body: str) -> list[str]:
    """The items of a bracket's contents, at its commas."""
    text = body.strip()
    found: list[str] = []
    at = depth = start = 0
    while token := _TOKEN.match(text, at):
        at = token.end()
        word = token[token.lastgroup or 0]
        if token.lastgroup == "name" and word == "for" and not depth:
            return [text]
        if token.lastgroup == "operator":
            depth += (word in _OPENERS) - (word in _CLOSERS)
            if word == "," and not depth:
                found.append(text[start : token.start("operator")].strip())
                start = at
    rest = text[start:].strip()
    return [*found, rest] if rest else found


class Parser:
    """Reads one logical line; each method reads what it is named after, where the one before it has ended."""

    def __init__(self, line: str) -> None:
        self.kinds: list[str] = []
        self.texts: list[str] = []
        self.at = 0
        at, line = 0, line.strip()
        while at < len(line):
            found = _TOKEN.match(line, at)
            if found is None or found.lastgroup is None or found.lastgroup == "comment":
                raise NotPython(line)
            self.kinds.append(found.lastgroup)
            self.texts.append(found[found.lastgroup])
            at = found.end()
        self.kinds.append("end")
        self.texts.append("")

    # Tokens

    @property
    def text(self) -> str:
        return self.texts[self.at]

    def take(self, text: str) -> bool:
        """Whether this is next; it is read then."""
        if self.texts[self.at] == text and self.kinds[self.at] != "string":
            self.at += 1
            return True
        return False

    def need(self, text: str) -> None:
        if not self.take(text):
            raise NotPython(f"{text} before {self.texts[self.at :]}")

    def name(self) -> str:
        if self.kinds[self.at] != "name":
            raise NotPython(f"a name before {self.texts[self.at :]}")
        self.at += 1
        return self.texts[self.at - 1]

    def end(self) -> None:
        if self.kinds[self.at] != "end":
            raise NotPython(f"the end before {self.texts[self.at :]}")

    # Expressions

    def expressions(self) -> Node:
        """One or several with commas between them: a tuple without parentheses."""
        return self._tuple(self.item())

    def targets(self) -> Node:
        """What a loop gives values to."""
        return self._tuple(self._target(), targets=True)

    def _target(self) -> Node:
        return Node("starred", parts=[self._operand()]) if self.take("*") else self._operand()

    def _tuple(self, first: Node, targets: bool = False) -> Node:
        if self.text != ",":
            return first
        parts = [first]
        while self.take(","):
            if self.kinds[self.at] == "end" or self.text in ("=", ":", "in", *_CLOSERS):
                break
            parts.append(self._target() if targets else self.item())
        return Node("tuple", parts=parts)

    def item(self) -> Node:
        """An expression, which may have a star, or a name before ``:=``."""
        if self.take("*"):
            return Node("starred", parts=[self._operators(5)])
        node = self.expression()
        if node.kind == "name" and self.take(":="):
            return Node("named", parts=[node, self.expression()])
        return node

    def expression(self) -> Node:
        if self.kinds[self.at] == "name":
            if self.take("lambda"):
                return self._lambda()
            if self.take("yield"):
                word = "yield from" if self.take("from") else "yield"
                ended = self.kinds[self.at] == "end" or self.text in (")", "=")
                return Node(word, parts=[] if ended else [self.expressions()])
        body = self._operators(0)
        if self.text == "if" and self.kinds[self.at] == "name":
            self.at += 1
            test = self._operators(0)
            self.need("else")
            return Node("if", parts=[body, test, self.expression()])
        return body

    def _lambda(self) -> Node:
        parameters = []
        while not self.take(":"):
            parameter = next((star for star in ("**", "*", "/") if self.take(star)), "")
            if self.kinds[self.at] == "name":
                parameter += self.name()
            default = [self.expression()] if self.take("=") else []
            parameters.append(Node("parameter", parameter, default))
            if self.text != ":":
                self.need(",")
        return Node("lambda", parts=[*parameters, self.expression()])

    def _operator(self) -> tuple[str, int]:
        """The next operator, and how many tokens it has."""
        text, kind = self.texts[self.at], self.kinds[self.at]
        if kind not in ("operator", "name"):
            return "", 0
        after = self.texts[self.at + 1] if kind == "name" else ""
        if text == "not" and after == "in":
            return "not in", 2
        if text == "is" and after == "not":
            return "is not", 2
        return text, 1

    def _operators(self, least: int) -> Node:
        """Operands with operators between them that bind at least so tightly."""
        if self.take("not"):
            left = Node("unary", "not", [self._operators(_NOT)])
        elif self.kinds[self.at] == "operator" and self.text in ("-", "+", "~"):
            self.at += 1
            left = Node("unary", self.texts[self.at - 1], [self._operators(_SIGN)])
        elif self.take("await"):
            left = Node("await", parts=[self._operators(_POWER)])
        else:
            left = self._operand()
        while True:
            operator, count = self._operator()
            level = _LEVELS.get(operator, -1)
            if level < max(least, 0) or not count:
                return left
            self.at += count
            if level == _POWER:
                left = Node("binary", operator, [left, self._operators(_SIGN)])
                continue
            right = self._operators(level + 1)
            if level <= _LEVELS["and"]:
                same = left.kind == "bool" and left.text == operator and not left.enclosed
                left = Node("bool", operator, [*left.parts, right] if same else [left, right])
            elif level == _COMPARE:
                if left.kind == "compare" and not left.enclosed:
                    left = Node("compare", "", [*left.parts, right], [*left.words, operator])
                else:
                    left = Node("compare", "", [left, right], [operator])
            else:
                left = Node("binary", operator, [left, right])

    def _operand(self) -> Node:
        node = self._atom()
        while self.kinds[self.at] == "operator":
            if self.take("."):
                node = Node("attribute", self.name(), [node])
            elif self.take("("):
                node = Node("call", "", [node, *self.arguments()])
            elif self.take("["):
                node = Node("subscript", "", [node, self._subscript()])
            else:
                break
        return node

    def _atom(self) -> Node:
        kind, text = self.kinds[self.at], self.text
        self.at += 1
        if kind == "name":
            if text in _RESERVED:
                raise NotPython(f"a value before {text}")
            return Node("constant" if text in _CONSTANTS else "name", text)
        if kind == "number":
            return Node("number", text)
        if kind == "string":
            if self.kinds[self.at] != "string":
                return Node("string", text)
            parts = [Node("string", text)]
            while self.kinds[self.at] == "string":
                parts.append(Node("string", self.text))
                self.at += 1
            return Node("strings", parts=parts)
        if text == "(":
            return self._parentheses()
        if text == "[":
            return self._display("list", "]")
        if text == "{":
            return self._braces()
        if text == "...":
            return Node("constant", text)
        raise NotPython(f"a value before {text}")

    def _parentheses(self) -> Node:
        if self.take(")"):
            return Node("tuple", own=True)
        first = self.item()
        if self._is_clause():
            node = self._comprehension("generator", [first])
            node.own = True
        elif self.text == ",":
            node = self._tuple(first)
            node.own = True
        else:
            node = first
            node.enclosed = True
        self.need(")")
        return node

    def _display(self, kind: str, closer: str, first: Node | None = None) -> Node:
        parts = [] if first is None else [first]
        if first is not None and self.text != closer:
            self.need(",")
        while not self.take(closer):
            parts.append(self.entry() if closer == "}" else self.item())
            if len(parts) == 1 and self._is_clause():
                node = self._comprehension(f"{kind} comprehension", parts)
                self.need(closer)
                return node
            if self.text != closer:
                self.need(",")
        return Node(kind, parts=parts)

    def _braces(self) -> Node:
        if self.take("}"):
            return Node("dict")
        first = self.entry()
        kind = "dict" if first.kind in ("pair", "spread") else "set"
        if self._is_clause():
            node = self._comprehension(f"{kind} comprehension", [first])
            self.need("}")
            return node
        return self._display(kind, "}", first)

    def entry(self) -> Node:
        """What a dict or a set has: ``key: value``, ``**dict`` or an item."""
        if self.take("**"):
            return Node("spread", parts=[self._operators(5)])
        key = self.item()
        return Node("pair", parts=[key, self.expression()]) if self.take(":") else key

    def _is_clause(self) -> bool:
        return self.kinds[self.at] == "name" and self.text in ("for", "async")

    def _comprehension(self, kind: str, parts: list[Node]) -> Node:
        while self._is_clause():
            self.need("for")
            target = self.targets()
            self.need("in")
            clause = [target, self._operators(0)]
            while self.kinds[self.at] == "name" and self.take("if"):
                clause.append(self._operators(0))
            parts.append(Node("for", parts=clause))
        return Node(kind, parts=parts)

    def argument(self) -> Node:
        if self.take("**"):
            return Node("keyword", "**", [self.expression()])
        if self.kinds[self.at] == "name" and self.texts[self.at + 1] == "=":
            name = self.name()
            self.at += 1
            return Node("keyword", f"{name}=", [self.expression()])
        node = self.item()
        return self._comprehension("generator", [node]) if self._is_clause() else node

    def arguments(self) -> list[Node]:
        """Those of a call, up to its closing bracket."""
        found: list[Node] = []
        while not self.take(")"):
            found.append(self.argument())
            if self.text != ")":
                self.need(",")
        return found

    def _subscript(self) -> Node:
        first = self._slice()
        if self.text == ",":
            parts = [first]
            while self.take(",") and self.text != "]":
                parts.append(self._slice())
            first = Node("tuple", parts=parts)
        self.need("]")
        return first

    def _slice(self) -> Node:
        """An index, or a slice: its parts are its three ends, with an empty name for one that is left out."""
        ends = [Node("name")]
        if self.text != ":":
            ends = [self.item()]
            if self.text != ":":
                return ends[0]
        colons = 0
        while self.take(":"):
            colons += 1
            ends.append(Node("name") if self.text in (":", ",", "]") else self.expression())
        return Node("slice", ":" * colons, ends)
