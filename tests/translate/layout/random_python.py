"""Random Python: statements on one line each, well formed but for their length, and pages of blocks."""

from __future__ import annotations

import random

__all__ = ["page", "statements"]

WORDS = (
    "x y loss model output self gradInput learning_rate values index hidden_state criterion prediction"
    " total_number_of_examples confusion_matrix options sequence_length"
).split()
METHODS = "sum item reshape view_as mul_ add_ forward backward parameters square to transpose size".split()
TEXTS = ('"abc"', '"a longer text with %d in it"', "'say \"so\"'", 'f"{x:.4f} of {total}"', '""')


class _Maker:
    """Makes expressions; ``room`` is about how many names and literals they may have."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)

    def pick(self, *choices: str) -> str:
        return self.draw.choice(choices)

    def split(self, room: int, parts: int) -> list[int]:
        found = [1] * parts
        for _ in range(room - parts):
            found[self.draw.randrange(parts)] += 1
        return found

    # Expressions, by what may stand where: anything, an operand of a comparison, of arithmetic, of a dot.

    def anything(self, room: int) -> str:
        kind = self.draw.random()
        if room < 3 or kind < 0.45:
            return self.condition(room)
        if kind < 0.55:
            body, test, other = self.split(room, 3)
            return f"{self.condition(body)} if {self.condition(test)} else {self.anything(other)}"
        if kind < 0.62:
            names = ", ".join(self.draw.sample(WORDS, self.draw.randint(0, 2)))
            return f"lambda{' ' if names else ''}{names}: {self.anything(room - 1)}"
        return self.operand(room)

    def condition(self, room: int) -> str:
        kind = self.draw.random()
        if room < 3 or kind < 0.5:
            return self.sum(room)
        if kind < 0.75:
            word = self.pick(" and ", " or ")
            parts = self.split(room, self.draw.randint(2, min(room, 4)))
            return word.join(self.clause(part) for part in parts)
        return self.comparison(room)

    def clause(self, room: int) -> str:
        kind = self.draw.random()
        if kind < 0.2:
            return f"not {self.operand(room)}"
        if kind < 0.3 and room > 2:
            return f"({self.condition(room)})"
        if kind < 0.6:
            return self.comparison(room)
        return self.sum(room)

    def comparison(self, room: int) -> str:
        if room < 2:
            return self.operand(room)
        left, right = self.split(room, 2)
        word = self.pick("<", "<=", "==", "!=", "is not", "in", "not in", ">")
        return f"{self.sum(left)} {word} {self.sum(right)}"

    def sum(self, room: int) -> str:
        if room < 2 or self.draw.random() < 0.6:
            return self.operand(room)
        parts = self.split(room, self.draw.randint(2, min(room, 4)))
        text = self.factor(parts[0])
        for part in parts[1:]:
            text += f" {self.pick(*'++-*/@%')} {self.factor(part)}"
        return text

    def factor(self, room: int) -> str:
        kind = self.draw.random()
        if kind < 0.1:
            return f"-{self.operand(room)}"
        if kind < 0.2 and room > 1:
            return f"({self.sum(room)})"
        if kind < 0.25:
            return f"{self.draw.choice(WORDS)}**2"
        return self.operand(room)

    def operand(self, room: int) -> str:
        kind = self.draw.random()
        if room < 2 or kind < 0.1:
            return self.atom()
        if kind < 0.45:
            return f"{self.chain(1 + room // 4)}({self.arguments(room - 1)})"
        if kind < 0.55:
            return f"{self.chain(room // 2)}[{self.index(room - room // 2)}]"
        if kind < 0.6:
            return f"{self.chain(room)}.{self.draw.choice(METHODS)}"
        if kind < 0.7:
            return f"[{self.items(room)}]"
        if kind < 0.75:
            return f"({self.items(room)}, {self.atom()})"
        if kind < 0.85:
            pairs = [
                f"{self.pick(*TEXTS)}: {self.anything(part)}" for part in self.split(room, 1 + room // 4)
            ]
            return f"{{{', '.join(pairs)}}}"
        if kind < 0.93:
            return f"[{self.generator(room)}]"
        return self.chain(room)

    def atom(self) -> str:
        kind = self.draw.random()
        if kind < 0.6:
            return self.draw.choice(WORDS)
        if kind < 0.75:
            return self.pick("0", "1", "0.5", "1e-08", "1000")
        return self.pick(*TEXTS) if kind < 0.9 else self.pick("None", "True")

    def chain(self, room: int) -> str:
        """What a dot, a call or an index may follow."""
        text = self.draw.choice(WORDS)
        if self.draw.random() < 0.1 and room > 1:
            text = f"({self.sum(room // 2 + 1)})"
        for part in self.split(room, self.draw.randint(1, min(room, 4))) if room > 0 else ():
            kind = self.draw.random()
            if kind < 0.3:
                text += f".{self.draw.choice(METHODS)}"
            elif kind < 0.7:
                text += f".{self.draw.choice(METHODS)}({self.arguments(part - 1)})"
            elif kind < 0.9:
                text += f"[{self.index(part)}]"
            else:
                text += f"({self.arguments(part - 1)})"
        return text

    def items(self, room: int) -> str:
        parts = self.split(room, self.draw.randint(1, min(room, 6)))
        stars = self.draw.random() < 0.1
        return ", ".join(f"*{self.operand(part)}" if stars else self.anything(part) for part in parts)

    def arguments(self, room: int) -> str:
        if room < 1:
            return ""
        kind = self.draw.random()
        if kind < 0.1:
            return self.generator(room)
        if kind < 0.6:
            return self.items(room)
        parts = self.split(room, self.draw.randint(1, min(room, 4)))
        named = [f"{word}={self.anything(part)}" for word, part in zip(WORDS, parts, strict=False)]
        return ", ".join([self.atom(), *named] if kind < 0.8 else named)

    def generator(self, room: int) -> str:
        first, second, third = self.split(max(room, 3), 3)
        target = self.pick("i", "i, value", "name")
        test = f" if {self.condition(third)}" if self.draw.random() < 0.5 else ""
        return f"{self.anything(first)} for {target} in {self.operand(second)}{test}"

    def index(self, room: int) -> str:
        kind = self.draw.random()
        if kind < 0.2:
            return f"{self.pick('0', 'i', '')}:{self.pick('1', 'n', '')}"
        if kind < 0.3:
            return f"{self.draw.choice(WORDS)} - 1 : {self.draw.choice(WORDS)}"
        if kind < 0.4:
            return f"{self.sum(room)}, :, {self.draw.choice(WORDS)}"
        return self.sum(room)

    def target(self, room: int) -> str:
        kind = self.draw.random()
        if kind < 0.4:
            return self.draw.choice(WORDS)
        if kind < 0.55:
            return f"self.{self.draw.choice(WORDS)}"
        if kind < 0.85:
            return f"{self.draw.choice(WORDS)}[{self.index(room)}]"
        return f"{self.chain(room)}[{self.sum(room)}]"

    # Statements

    def statement(self, room: int) -> list[str]:
        kind = self.draw.randrange(20)
        value = self.anything(room)
        if kind < 4:
            return [f"{self.target(self.draw.randint(1, 6))} = {value}"]
        if kind < 5:
            names = ", ".join(self.target(1) for _ in range(self.draw.randint(2, 5)))
            return [f"{names} = {value}"]
        if kind < 6:
            return [f"{self.target(3)} = {self.target(2)} = {value}"]
        if kind < 7:
            return [f"{self.target(3)} {self.pick('+=', '-=', '*=')} {value}"]
        if kind < 9:
            return [f"return {value}"]
        if kind < 11:
            several = [self.anything(part) for part in self.split(room + 2, self.draw.randint(2, 4))]
            return [f"{self.pick('return ', 'x, y = ')}{', '.join(several)}"]
        if kind < 13:
            return [f"{self.pick('if', 'while')} {self.condition(room)}:", "    pass"]
        if kind < 14:
            return [f"for {self.pick('x', 'i, x')} in {self.operand(room)}:", "    pass"]
        if kind < 15:
            message = f", {self.operand(room // 3 + 1)}" if self.draw.random() < 0.7 else ""
            return [f"assert {self.condition(room)}{message}"]
        if kind < 16:
            return [f"del {self.target(room)}"]
        if kind < 17:
            return [f"raise ValueError({self.anything(room)})"]
        if kind < 18:
            name = f" as {self.draw.choice(WORDS)}" if self.draw.random() < 0.5 else ""
            return [f"with {self.chain(room)}{name}:", "    pass"]
        if kind < 19:
            taken = self.draw.sample(WORDS, self.draw.randint(1, 9))
            defaults = [f"{name}={self.sum(2)}" if at > 4 else name for at, name in enumerate(taken)]
            return [f"def function({', '.join(defaults)}):", "    pass"]
        return [f"{self.chain(room)}({self.arguments(room)})"]


def statements(seed: int, count: int) -> list[list[str]]:
    """Statements, each with the lines of its block behind it."""
    maker = _Maker(seed)
    return [maker.statement(maker.draw.randint(4, 30)) for _ in range(count)]


def page(seed: int) -> str:
    """A page with comments and numbers of empty lines that no formatter would choose."""
    draw = random.Random(seed)
    lines: list[str] = []

    def gap(indent: str) -> None:
        lines.extend([""] * draw.choice([0, 0, 0, 1, 1, 2, 3]))
        while draw.random() < 0.25:
            lines.append(f"{indent}# a comment")
            lines.extend([""] * draw.choice([0, 0, 0, 1, 2]))

    def block(depth: int, definition: str = "") -> None:
        indent = "    " * depth
        if definition and draw.random() < 0.3:
            lines.append(f'{indent}"""What it does."""')
        for _ in range(draw.randint(1, 5)):
            gap(indent)
            kind = draw.random() if depth < 4 else 1.0
            if kind < 0.2:
                lines.append(f"{indent}def f(x):")
                block(depth + 1, "def")
            elif kind < 0.27:
                lines.extend([f"{indent}@decorator"] * draw.randint(0, 1))
                lines.append(f"{indent}class A:")
                block(depth + 1, "class")
            elif kind < 0.4:
                lines.append(f"{indent}if x:  # why:")
                block(depth + 1)
                if draw.random() < 0.5:
                    lines.append(f"{indent}else:")
                    block(depth + 1)
            elif kind < 0.5:
                lines.append(f"{indent}import os")
            elif kind < 0.6:
                lines.extend([f"{indent}y = [", f"{indent}    # one", f"{indent}    1,", f"{indent}]"])
            else:
                lines.append(f"{indent}x = 1  # one:")
        if draw.random() < 0.3:
            gap(indent)

    lines.append('"""What the page is."""')
    block(0)
    return "\n".join(lines) + "\n"
