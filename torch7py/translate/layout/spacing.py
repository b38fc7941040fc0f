"""Empty lines, as many as ``ruff format`` has between the statements of a page."""

from __future__ import annotations

from dataclasses import dataclass

from torch7py.translate.layout.syntax import split_comment

__all__ = ["spaced"]

_DEFINITIONS = ("def ", "class ", "@")
_BRANCHES = ("else:", "elif ", "except", "finally:")


@dataclass(slots=True)
class _Statement:
    """The last statement at a depth, and what it is; ``commented``: comments stand behind it, in its block."""

    depth: int
    kind: str  # def, class, @, import, a docstring (of a class or the page, or a function's), or another
    commented: bool = False


def spaced(page: str) -> str:
    """A page with the empty lines that it should have: none are added where there is a choice, few are left."""
    return _Page(page.split("\n")).write()


_Comment = tuple[int, int, str]  # empty lines before, depth, line


class _Page:
    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.out: list[str] = []
        self.path: list[_Statement] = []  # the last statement, and those that it is in, outermost first
        self.at = 0
        self.opened = False  # whether the last line opened a block
        self.depth = 0  # of the statement at hand

    def write(self) -> str:
        blanks = 0
        while self.at < len(self.lines):
            line = self.lines[self.at]
            text = line.lstrip(" ")
            if not text:
                blanks += 1
                self.at += 1
                continue
            depth = len(line) - len(text)
            if text[0] in ")]}" or (depth > self.depth and not self.opened):
                self.copy(text)  # more of the same statement
            elif text[0] == "#":
                self.comments(depth, blanks)
            else:
                self.put(self.before(depth, text, blanks))
                self.copy(text)
            blanks = 0
        return "\n".join([*self.out, ""])

    def put(self, count: int) -> None:
        self.out += [""] * count

    def copy(self, text: str) -> None:
        """A line as it is, with those of a text that begins in it."""
        code = split_comment(text)[0] if "#" in text else text
        self.opened = code.endswith(":")
        self.out.append(self.lines[self.at])
        self.at += 1
        if '"""' in code and code.count('"""') % 2:
            while self.at < len(self.lines):
                self.out.append(self.lines[self.at])
                self.at += 1
                if '"""' in self.out[-1]:
                    break

    def before(self, depth: int, text: str, blanks: int, comments: bool = False) -> int:
        """How many empty lines stand before a statement, or before the comments that belong to it."""
        chain = [found for found in self.path if found.depth >= depth]
        outer = self.path[: len(self.path) - len(chain)]
        most = 1 if depth else 2
        kept = min(blanks, most)
        self.depth = depth
        if text.startswith(_BRANCHES) and chain:
            self.path = [*outer, chain[0]]
            return kept
        kind = _kind_of(text)
        if kind == "text" and not chain:
            within = outer[-1].kind if outer else "class"
            kind = "docstring" if within == "class" else "function's docstring" if within == "def" else kind
        self.path = [*outer, _Statement(depth, kind)]
        defines = kind in ("def", "class", "@")
        if not chain:
            in_block = bool(outer) and outer[-1].kind not in ("def", "class")
            return int(in_block and defines and not comments)
        last = chain[0]
        if last.kind == "@":
            return 0
        if defines or _ends_in_definition(chain):
            return most
        if last.kind == "import" and (kind != "import" or comments):
            return 1
        return 1 if last.kind == "docstring" else kept

    def comments(self, depth: int, blanks: int) -> None:
        """Comments, each on a line of its own, up to the next statement."""
        run: list[_Comment] = []
        at = self.at
        while at < len(self.lines):
            line = self.lines[at]
            text = line.lstrip(" ")
            if text and text[0] != "#":
                break
            if text:
                run.append((blanks, len(line) - len(text), line))
                blanks = 0
            else:
                blanks += 1
            at += 1
        run, blanks = _with_words(run, blanks)
        follows = self.lines[at] if at < len(self.lines) else ""
        text = follows.lstrip(" ")
        depth = len(follows) - len(text) if text else -1
        first = next((i for i, (_, own, _) in enumerate(run) if own <= depth), len(run))
        if not text.startswith(_BRANCHES) and any(found.depth == depth for found in self.path):
            # What an empty line parts from the statement belongs to the one before it.
            after = len(run) if blanks else max((i for i in range(1, len(run)) if run[i][0]), default=0)
            first = max(first, after)
        previous = -1
        for empty, own, line in run[:first]:
            self.put(self.behind(own, empty, own != previous))
            self.out.append(line)
            previous = own
        self.at = at
        if first < len(run):
            most = 1 if depth else 2
            self.put(self.before(depth, text, run[first][0], comments=True))
            self.out.append(run[first][2])
            for empty, _, line in run[first + 1 :]:
                self.put(min(empty, most))
                self.out.append(line)
            defines = self.path[-1].kind in ("def", "class", "@")
            self.put(most if blanks and defines else min(blanks, most))
        else:
            if not text:
                return
            self.put(self.before(depth, text, blanks))
        self.copy(text)

    def behind(self, depth: int, blanks: int, first: bool) -> int:
        """How many empty lines stand before a comment that belongs to what is above."""
        chain = [found for found in self.path if found.depth >= depth]
        most = 1 if depth else 2
        self.depth = depth
        if not chain or not first:
            return min(blanks, most) if chain else 0
        defines, kept = _ends_in_definition(chain), min(blanks, most)
        chain[0].commented = True
        self.path = self.path[: len(self.path) - len(chain) + 1]
        if chain[0].kind == "import":
            return 1
        return most if defines else max(1, kept) if chain[0].kind.endswith("docstring") else kept


def _with_words(run: list[_Comment], blanks: int) -> tuple[list[_Comment], int]:
    """Comments without those that say nothing, unless they part others; and the empty lines behind what is left."""
    found: list[_Comment] = []
    start = 0
    carried = 0  # empty lines before what was left out
    for end in range(1, len(run) + 1):
        if end == len(run) or run[end][0] or run[end][1] != run[start][1]:
            block = run[start:end]
            if any(line.strip() != "#" for *_, line in block):
                empty, depth, line = block[0]
                found += [(max(empty, carried), depth, line), *block[1:]]
                carried = 0
            else:
                carried = max(carried, block[0][0])
            start = end
    return found, max(blanks, carried)


def _kind_of(text: str) -> str:
    if text.startswith(_DEFINITIONS):
        return "@" if text[0] == "@" else text.partition(" ")[0]
    if text.startswith(("import ", "from ")):
        return "import"
    return "text" if text[0] in "\"'" else "other"


def _ends_in_definition(chain: list[_Statement]) -> bool:
    """Whether a statement is a definition, or has one as its last."""
    for found in chain:
        if found.commented:
            return False
        if found.kind in ("def", "class"):
            return True
    return False
