"""Writes one class of a page: its children, and a ``forward`` in named values.

Rules give expressions. A ``Writer`` keeps them as long as they read well inside one another, and gives a name to
what is used twice, what becomes long, and what stands before a layer with weights. Names are chosen at the end,
when it is known how long each value lives: a value takes over the name of the one it was made from.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from torch7py.translate.facts import layers as facts
from torch7py.translate.layers.registry import (
    Expr,
    Layer,
    Native,
    NotNative,
    Use,
    Value,
    natives,
    reasons,
    structures,
)
from torch7py.translate.layers.shapes import changes, shown
from torch7py.translate.naming import TOKEN, Names, Statement
from torch7py.translate.patching import altered
from torch7py.translate.quoting import comment

__all__ = ["Child", "Statement", "Writer", "identifier"]

LONG = 90


def identifier(text: str) -> str:
    """A text as a Python name, lower case; empty where nothing of it is left."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", text.strip()).strip("_").lower()
    if name[:1].isdigit():
        name = f"n{name}"
    return name + "_" if keyword.iskeyword(name) else name


def _repeated(texts: list[str]) -> list[str]:
    """Texts of constructors; those that are the same several times in a row as one."""
    runs: list[tuple[str, int]] = []
    for text in texts:
        if runs and runs[-1][0] == text:
            runs[-1] = (text, runs[-1][1] + 1)
        else:
            runs.append((text, 1))
    return [
        part
        for text, count in runs
        for part in ([f"*({text} for _ in range({count}))"] if count > 2 else [text] * count)
    ]


@dataclass(eq=False)  # two layers made alike are two
class Child:
    """A child module: its name, constructor, and what else is said about it."""

    name: str
    make: str
    layer: Layer
    native: Native
    calls: int = 0
    timed: bool = False  # whether it is applied to the steps of a sequence
    parts: list[Part] = field(default_factory=list)  # what it is of classes of the page


@dataclass
class Part:
    """A part of a model that has a class of its own in the page (``blocks.py``).

    ``source`` is the class (a ``ClassSource``), ``make`` how it is made, ``layers`` leads from the layers that the
    class was written from to those of this part; ``prefix`` is where it is in its child.
    """

    source: Any
    make: str
    layers: dict[int, Layer]
    prefix: str = ""


class Writer:
    """Writes the body of one class. ``taken`` are names that a value must not have."""

    def __init__(self, taken: set[str] | None = None) -> None:
        self.children: list[Child] = []
        self.helpers: dict[str, None] = {}
        self.attributes: dict[str, str] = {}  # state kept between calls: name -> first value
        self.settings: dict[str, str] = {}  # what is chosen when the module is made: name -> expression
        self.over_sequences: list[str] = []  # those of sequences, which another mode starts anew
        self.depth = 0  # how many time axes the values now have in front
        # Values that are parts of the input: "tensor", "steps" or their parts.
        self.inputs: dict[int, Any] = {}
        self.remembers = ""  # in which mode a recurrent layer starts where it was left
        self.argument = "x"  # the name of the input, known at the end
        self._outermost: Layer | None = None  # which is applied first
        self.undone: dict[int, Any] = {}  # poolings that an unpooling undoes: their indices and input size
        self.approximate: dict[str, float] = {}  # reasons why a result is only near the original's: how near
        self.notes: list[tuple[Layer, str]] = []
        self.parts: dict[int, Part] = {}  # layers that have classes of their own
        self.example: int | None = None  # the dimensions of an example, where one may come alone
        self.images = False  # whether an image may come alone, of a model whose examples are not known
        self.input_dims: int | None = None  # those of what is given to the model, of a batch where one comes
        self.comments = True  # whether shapes become comments
        self.any_dtype = (
            ""  # what may have whole numbers in tensors of any type: the "entries" of a table, or "all"
        )
        self._statements: list[Statement] = []
        self._hints: list[str] = []
        self._taken = taken or set()
        self._arguments: list[int] = []
        self._part_of: dict[int, int] = {}
        self._by_layer: dict[int, Child] = {}

    # -- values -------------------------------------------------------------------------------------------

    def fresh(self, hint: str = "", **facts: Any) -> Expr:
        """A new name."""
        self._hints.append(identifier(hint) if hint else "")
        return Expr(f"\x02{len(self._hints) - 1}\x03", **facts)

    def input(self, hint: str = "") -> Expr:
        value = self.fresh(hint)
        self.inputs[self._id(value)] = "tensor"
        self._arguments.append(self._id(value))
        return value

    def _id(self, value: Expr) -> int:
        match = TOKEN.fullmatch(value.text)
        return -1 if match is None else int(match[1])

    def is_name(self, value: Expr) -> bool:
        return TOKEN.fullmatch(value.text) is not None

    def emit(self, text: str, *targets: Expr, extra: str = "", comment: str = "") -> None:
        self._statements.append(Statement(text, [self._id(t) for t in targets], extra, comment))

    def emit_before_last(self, *texts: str) -> None:
        """Statements before the last one, which is a loop."""
        self._statements[-1:-1] = [Statement(text) for text in texts]

    def named(self, value: Expr, hint: str = "") -> Expr:
        """The value under a name."""
        if self.is_name(value):
            return value
        target = replace(self.fresh(hint), ndim=value.ndim, lead=value.lead)
        self.emit(value.text, target, comment=value.note)
        return target

    def name_all(self, value: Value, hint: str = "") -> Value:
        if isinstance(value, tuple):
            return tuple(self.name_all(part, hint and f"{hint}{i}") for i, part in enumerate(value, 1))
        return self.named(value, hint)

    def as_expr(self, value: Value) -> Expr:
        """A value as one expression: a table as a tuple."""
        if isinstance(value, Expr):
            return value
        parts = [self.as_expr(part) for part in value]
        lead = max((part.lead for part in parts), default=0)
        texts = ", ".join(part.text for part in parts)
        return Expr(f"({texts},)" if len(parts) == 1 else f"({texts})", lead=lead)

    def entries(
        self, value: Value, count: int | None, layer: Layer, names: dict[int, str] | None = None
    ) -> tuple[Value, ...]:
        """The entries of a table; a value that is not taken apart yet is, into ``count``, under these names."""
        if isinstance(value, tuple):
            if count is not None and len(value) != count:
                raise NotNative(f"{layer.name} is given {len(value)} values, not {count}")
            return value
        if count is None:
            shape = layer.shape_in
            if not isinstance(shape, list):
                raise NotNative(f"{layer.name}: the number of its inputs is not known")
            count = len(shape)
        steps = value.lead > self.depth
        lead = value.lead - 1 if steps else value.lead
        hints = names or {}
        parts = tuple(replace(self.fresh(hints.get(n, "")), lead=lead) for n in range(count))
        number = self._id(value)
        if number in self.inputs:
            held = self.inputs[number]
            if isinstance(held, list):
                if len(held) != count:
                    raise NotNative(f"{layer.name}: the input has {len(held)} or {count} entries")
                return tuple(replace(Expr(f"\x02{n}\x03"), lead=lead) for n in held)
            if held != "steps":
                self.inputs[number] = [self._id(part) for part in parts]
                for part in parts:
                    self.inputs[self._id(part)] = "tensor"
        self.emit(value.parts or value.text, *parts, extra="," if count == 1 else "")
        return parts

    def steps(self, value: Value, layer: Layer) -> Value:
        """A table of steps (or a tensor of them) as a value with one more time axis in front."""
        if isinstance(value, tuple):
            if all(isinstance(part, Expr) for part in value):
                parts = [self.as_expr(part) for part in value]
                lead = max(part.lead for part in parts)
                return Expr(f"torch.stack(({', '.join(p.text for p in parts)}))", lead=lead + 1)
            raise NotNative(f"{layer.name}: steps that are tables")
        if value.lead > self.depth:
            return value
        number = self._id(value)
        if number in self.inputs:
            if isinstance(self.inputs[number], list):
                raise NotNative(f"{layer.name}: its input is both a sequence and a table of single values")
            self.inputs[number] = "steps"
        ndim = None if value.ndim is None else value.ndim - 1
        return replace(value, lead=value.lead + 1, ndim=ndim)

    # -- layers -------------------------------------------------------------------------------------------

    def apply(self, layer: Layer, x: Value, hint: str = "") -> Value:
        """What a layer makes of a value."""
        if self._outermost is None:
            self._outermost = layer
            self.undone = {
                id(part.slot("pooling")): None for part in layer.inside() if "pooling" in part.slots
            }
        if id(layer) in self.parts:
            return self._part(layer, [layer], x)
        if (
            facts.is_chain(layer.name)
            and layer.children
            and self.parts.keys() >= set(map(id, layer.children))
        ):
            return self._part(layer, layer.children, x)
        rule = structures.get(layer.name)
        if rule is not None:
            value = rule(layer, x, self)
            if layer.children or layer.slots or isinstance(value, tuple) or self.is_name(value):
                return value
            return replace(value, note=self._shape(layer, x))
        if hint and not layer.label:
            layer.label = hint
        return self.call(layer, self.native(layer), x)

    def _part(self, layer: Layer, members: list[Layer], x: Value) -> Value:
        """What one part with a class of its own, or several in a row, make of a value."""
        parts = [self.parts[id(member)] for member in members]
        constructions = [part.make for part in parts]
        if len(members) > 1:
            parts = [replace(part, prefix=f"{number}.") for number, part in enumerate(parts)]
            make = f"nn.Sequential({', '.join(_repeated(constructions))})"
        else:
            make = constructions[0]
        shape = members[-1].shape_out
        rank = len(shape) if isinstance(shape, tuple) else -1
        value = self.call(
            layer, Native(make=make, name="blocks" if len(parts) > 1 else "block", heavy=True, ndim=rank), x
        )
        self._by_layer[id(layer)].parts = parts
        return value

    def call(self, layer: Layer, native: Native, x: Value) -> Value:
        """What a layer in its native form makes of a value."""
        lead = self._lead(x)
        # A tensor of steps, taken as a tensor.
        if lead > self.depth and isinstance(x, Expr) and not native.steps:
            x = replace(x, lead=self.depth, ndim=None if x.ndim is None else x.ndim + 1)
        if self.depth and not native.over_time:
            return self.map_steps(x, lambda step: self._call(layer, native, step))
        dims = native.batches_of
        if dims and self.example is not None and layer.shape_in is None and isinstance(x, Expr) and not lead:
            x = self.named(x)
            x = Expr(f"{x}.reshape(-1, *{x}.shape[{-dims}:])", ndim=dims + 1)
        return self._call(layer, native, x)

    def native(self, layer: Layer) -> Native:
        if layer.passed_as:
            return Native(make=layer.passed_as, ndim=-1, heavy=True, over_time=layer.over_time)
        rule = natives.get(layer.name)
        if rule is None:
            foreign = layer.module is not None and facts.class_of(layer.name) is None
            more = " without the program that defines it (--program)" if foreign else ""
            raise NotNative(reasons.get(layer.name, f"{layer.name} has no native form{more}"))
        return rule(layer.args)

    @staticmethod
    def _lead(x: Value) -> int:
        while isinstance(x, tuple):
            if not x:
                return 0
            x = x[0]
        return x.lead

    def map_steps(self, x: Value, function: Callable[[Value], Value]) -> Value:
        """A function applied to the steps of a sequence one by one."""
        if isinstance(x, tuple):
            parts = tuple(self.as_expr(part) for part in x)
            step: Value = tuple(self.fresh("step", lead=part.lead - 1, ndim=part.ndim) for part in parts)
            pattern = self.as_expr(step).text[1:-1]
            source = f"zip({', '.join(part.text for part in parts)}, strict=True)"
        else:
            step = self.fresh("step", lead=x.lead - 1, ndim=x.ndim)
            pattern, source = self.as_expr(step).text, x.text
        inner: list[Statement] = []
        with altered(self, _statements=inner, depth=self.depth - 1):
            result = function(step)
        if not isinstance(result, Expr):
            raise NotNative("steps that give tables")
        if not inner:
            return Expr(
                f"torch.stack([{result.text} for {pattern} in {source}])", result.ndim, result.lead + 1
            )
        outputs = self.fresh("outputs")
        self.emit("[]", outputs)
        inner.append(Statement(f"{outputs.text}.append({result.text})"))
        self._statements.append(Statement(f"for {pattern} in {source}:", body=inner))
        return Expr(f"torch.stack({outputs.text})", result.ndim, result.lead + 1)

    def loop(self, head: str, body: Callable[[], None]) -> None:
        """A block, with what ``body`` emits inside."""
        inner: list[Statement] = []
        with altered(self, _statements=inner):
            body()
        self._statements.append(Statement(head, body=inner))

    def alone(self, function: Callable[[], Value]) -> Value:
        """What a function gives as one expression; it may emit nothing."""
        with altered(self, _statements=[]):
            result = function()
            if self._statements:
                raise NotNative("a step of a comprehension needs statements")
        return result

    def reused(self, x: Value, times: int) -> Value:
        """A value that is used several times, under a name."""
        return self.name_all(x) if times > 1 else x

    def called(self, text: str, *operands: Expr) -> Expr:
        """A call of a function of several values."""
        lead = max((operand.lead for operand in operands), default=0)
        return Expr(text, lead=lead, heavy=any(o.heavy and not self.is_name(o) for o in operands))

    def branches(self, *blocks: tuple[str, Callable[[], None]], declares: Expr | None = None) -> None:
        """An if and its else; ``declares`` is a value that every branch makes."""
        for number, (head, body) in enumerate(blocks):
            self.loop(head, body)
            if number == 0 and declares is not None:
                self._statements[-1].declares = self._id(declares)

    def child(self, layer: Layer, native: Native) -> str:
        """The expression of a layer's child, made at its first use."""
        entry = self._by_layer.get(id(layer))
        if entry is None:
            entry = Child(identifier(layer.label) or native.name or "layer", native.make, layer, native)
            self._by_layer[id(layer)] = entry
            self.children.append(entry)
        entry.calls += 1
        entry.timed = entry.timed or self.depth > 0
        return f"self.\x04{self.children.index(entry)}\x05"

    def _call(self, layer: Layer, native: Native, x: Value) -> Value:
        for name in native.helpers:
            self.helpers[name] = None
        if native.tolerance:
            self.approximate[native.because] = native.tolerance
        me = self.child(layer, native) if native.make else ""
        if native.make == "" and native.comment:
            self.notes.append((layer, native.comment))
        comment = native.comment if not native.make else ""
        if isinstance(native.call, str):
            tensor = self.as_expr(x) if isinstance(x, tuple) else x
            result: Any = self.fill(native.call, tensor, me, native.heavy, native.binds)
        else:
            if native.heavy and isinstance(x, Expr) and x.heavy:
                x = self.named(x)
            result = native.call(Use(self, layer, x, me))
        if isinstance(result, tuple):
            return result
        if isinstance(result, str):
            result = Expr(result)
        heavy = native.heavy or (isinstance(x, Expr) and x.heavy and not self.is_name(x))
        ndim = result.ndim
        if ndim is None:
            known = x.ndim if isinstance(x, Expr) else None
            alone = native.ndim is not None and native.ndim > 2 and known == native.ndim - 1
            ndim = known if native.ndim is None or alone else native.ndim
        value = Expr(
            result.text,
            None if ndim == -1 else ndim,
            result.lead or min(self._lead(x), self.depth),
            result.heavy or heavy,
            result.binds or native.binds,
            result.parts,
            result.rows,
            self._shape(layer, x, heavy=native.heavy),
        )
        if native.unpack:
            target = replace(self.fresh(), ndim=value.ndim, lead=value.lead)
            self.emit(value.text, target, extra=native.unpack)
            return target
        if comment:
            target = replace(self.fresh(), ndim=value.ndim, lead=value.lead)
            self.emit(value.text, target, comment=comment)
            return target
        return value

    def _shape(self, layer: Layer, x: Value, heavy: bool = False) -> str:
        """The shape that a layer gives, where it or one before it in the same expression has changed it."""
        if self.depth or not self.comments:
            return ""
        before = x.note if isinstance(x, Expr) and not heavy else ""
        return changes(layer) or (shown(layer.named_out) if before else "")

    def attribute(self, base: str, first: str = "None") -> str:
        """State that the module keeps between calls, as an expression."""
        name, number = base, 1
        while name in self.attributes:
            number += 1
            name = f"{base}{number}"
        self.attributes[name] = first
        return f"self.{name}"

    def setting(self, name: str, text: str) -> str:
        """What the constructor computes once, as an expression."""
        number = 1
        base = name
        while self.settings.get(name, text) != text:
            number += 1
            name = f"{base}{number}"
        self.settings[name] = text
        return f"self.{name}"

    def is_whole(self, value: Expr) -> bool:
        """Whether a value is a part of the input as it is given, to be declared as one of whole numbers."""
        number = self._id(value)
        number = self._part_of.get(number, number)
        if self.inputs.get(number) not in ("tensor", "steps", "whole", "whole steps"):
            return False
        if self.any_dtype == "all":
            return False
        if self.any_dtype and any(number in held for held in self.inputs.values() if isinstance(held, list)):
            return False
        self.inputs[number] = "whole steps" if "steps" in self.inputs[number] else "whole"
        return True

    def make_part(self, whole: Expr, part: Expr) -> None:
        """Say that a new value is a part of another: if that is declared, so is it, by what it is used for."""
        if self._id(whole) in self.inputs:
            self._part_of[self._id(part)] = self._id(whole)

    def fill(self, template: str, x: Expr, me: str = "", heavy: bool = False, binds: str = "") -> Expr:
        """A call's text with the value in its places."""
        uses = template.count("{x}") + template.count("{(x)}")
        if not self.is_name(x) and (uses > 1 or (heavy and x.heavy) or self._length(x) > LONG):
            x = self.named(x)
        if binds and not re.search(r"\{\(x\)\}[.\[]", template):
            operand = x.beside(binds, not template.startswith("{(x)}"))
        else:
            operand = x.operand
        text = template.replace("{(x)}", operand).replace("{x}", x.text).replace("{self}", me)
        return Expr(text, heavy=x.heavy)

    @staticmethod
    def _length(x: Expr) -> int:
        return len(re.sub("\x04\\d+\x05", "child", TOKEN.sub("x", x.text)))

    # -- names --------------------------------------------------------------------------------------------

    def finish(self, result: Value) -> list[str]:
        """The lines of ``forward``'s body, indented by four."""
        expr = self.as_expr(result)
        if isinstance(result, tuple) and len(result) > 1:
            expr = replace(expr, text=expr.text[1:-1])
        statements = [*self._statements, Statement(f"return {expr.text}")]
        return list(self._lines(statements, self._name_children(), 0))

    def _name_children(self) -> list[str]:
        """The children's final names, written into them."""
        counts: dict[str, int] = {}
        for child in self.children:
            counts[child.name] = counts.get(child.name, 0) + 1
        used: set[str] = {*self.attributes, *self.settings}
        numbers: dict[str, int] = {}
        for child in self.children:
            base = child.name
            if counts[base] > 1 or base in used:
                number = numbers.get(base, 0) + 1
                while f"{base}{number}" in used:
                    number += 1
                numbers[base] = number
                child.name = f"{base}{number}"
            used.add(child.name)
        return [child.name for child in self.children]

    def _lines(self, statements: list[Statement], children: list[str], depth: int) -> Iterator[str]:
        if isinstance(self.inputs.get(0), list) and not self._hints[0]:
            self._hints[0] = "inputs"
        names = Names(self._hints, statements, self._taken, self._arguments)
        self.argument = names[0]

        def write(text: str) -> str:
            text = TOKEN.sub(lambda m: names[int(m[1])], text)
            return re.sub("\x04(\\d+)\x05", lambda m: children[int(m[1])], text)

        def lines(block: list[Statement], indent: str) -> Iterator[str]:
            for s in block:
                targets = ", ".join(names[t] for t in s.targets) + s.extra
                if s.extra == ",":
                    targets = f"({targets})"
                text = f"{targets} = {s.text}" if s.targets else s.text
                text = write(text)
                if s.targets and targets == write(s.text):
                    continue
                note = f"  {comment(s.comment)}" if s.comment else ""
                yield indent + text + note
                if s.body is not None:
                    yield from lines(s.body, indent + "    ")

        yield from lines(statements, "        ")
