"""A model as a page of HTML: cards for layers, boxes around them for containers, sizes on the lines between."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from torch7py.html.markup import Content, Markup, join, tag
from torch7py.html.page import fragment, page
from torch7py.nn.gmodule import GModule
from torch7py.show.drawing import graph_drawing
from torch7py.show.measure import Measured
from torch7py.show.structure import Model, Part, families
from torch7py.show.texts import arrows, seconds, share, sizes, what_it_does
from torch7py.t7.outline_text import human_size
from torch7py.wording import counted

__all__ = ["Shown", "model_fragment", "model_page", "model_section"]

CARDS = 150  # that are unfolded at first
CLOSED = frozenset({"built", "fixed", "steps"})  # what a layer makes for itself is folded at first
LISTED = 8  # of the slowest and the largest layers
HOT = 0.15  # the share of the whole time from which a layer stands out
PARTS_WITH_OTHER_INPUTS = frozenset(
    {"entries", "slices", "each", "one", "steps"}
)  # their parts are given something else than they are
_fragments = itertools.count(1)
CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


@dataclass
class Shown:
    """A model with what was measured of it; ``note`` says something of where it comes from.

    ``cards`` is how many are unfolded at first, at most.
    """

    model: Model
    measured: Measured | None = None
    note: str = ""
    number: int = 1
    cards: int = CARDS
    open: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.open = _unfolded(self.model.root, self.cards)

    @property
    def title(self) -> str:
        return self.model.name or self.model.root.class_name

    def anchor(self, part: Part) -> str:
        return f"m{self.number}-{part.number}"

    def card_link(self, part: Part) -> Markup:
        """A link to the card of a part."""
        steps = [
            join(step, "." if n < part.path.count(".") else "", tag("wbr"))
            for n, step in enumerate(part.path.split("."))
        ]
        path = join(" ", tag("small", steps)) if part.path else None
        return tag("a", _breakable(part.class_name), path, href=f"#{self.anchor(part)}", class_="place")


def model_page(source: str, shown: Sequence[Shown], notices: Sequence[str] = ()) -> str:
    """A document with all models of a file or a program."""
    for number, one in enumerate(shown, 1):
        one.number = number
    what = shown[0].title if len(shown) == 1 else counted(len(shown), "model")
    contents = tag(
        "ul", [tag("li", tag("a", one.title, href=f"#m{one.number}")) for one in shown], class_="contents"
    )
    head = tag(
        "header",
        tag("h1", [join(piece, tag("wbr")) for piece in re.split(r"(?<=[_/-])", source)]),
        tag("p", what, " · ", counted(sum(one.model.root.parameters for one in shown), "parameter")),
        contents if len(shown) > 1 else None,
        class_="top",
    )
    body = tag(
        "main",
        head,
        [tag("p", notice, class_="notice") for notice in notices],
        [model_section(one, heading=len(shown) > 1) for one in shown],
        tag("footer", "Made by torch7py show. ", _how_read(shown), class_="end"),
        class_="wrap",
    )
    return page(f"{source}: {what}", body)


def model_fragment(shown: Shown) -> Markup:
    """One model for a notebook, which may have others: the places on it have numbers of their own."""
    shown.number = next(_fragments)
    return fragment(tag("div", model_section(shown, heading=True), class_="wrap"))


def _how_read(shown: Sequence[Shown]) -> str:
    if any(one.measured is not None and one.measured.times for one in shown):
        return (
            "Times are of one forward and one backward, the fastest of several, on this machine; the red lines at the "
            "foot of cards are shares of the whole."
        )
    if all(one.measured is None for one in shown):
        return "With --input and the sizes of an input, such as 1x3x224x224, it has sizes and times too."
    return ""


def model_section(shown: Shown, heading: bool) -> Markup:
    """One model: numbers of it, its picture, and what is beside that."""
    model, measured = shown.model, shown.measured
    notes: list[Content] = []
    if shown.note:
        notes.append(tag("p", shown.note, class_="soft"))
    if measured is not None and measured.error:
        failed = next((part for part in model.root.walk() if part.number == measured.failed), None)
        at = join(" It failed in ", shown.card_link(failed), ".") if failed is not None else None
        notes.append(
            tag("p", f"The forward on {sizes(measured.input)} failed: {measured.error}.", at, class_="notice")
        )
    elif measured is not None and measured.no_backward:
        notes.append(tag("p", f"The backward failed: {measured.no_backward}.", class_="notice"))
    picture = tag(
        "div",
        _edge(measured.input if measured else "", "input "),
        _part(shown, model.root),
        _edge(_output(shown, model.root), "output "),
        class_="picture",
    )
    return tag(
        "section",
        tag("h2", shown.title) if heading else None,
        notes,
        _numbers(shown),
        tag("div", picture, tag("aside", _side(shown), class_="side"), class_="model"),
        id=f"m{shown.number}",
    )


# -- beside the picture ------------------------------------------------------------------------------------


def _numbers(shown: Shown) -> Markup:
    model, measured = shown.model, shown.measured
    layers = sum(1 for part in model.root.walk() if not part.parts and part.same_as is None)
    entries: list[tuple[str, Content]] = [
        ("parameters", join(f"{model.root.parameters:,}", tag("small", human_size(model.bytes)))),
        ("layers", f"{layers:,}"),
    ]
    if measured is not None and not measured.error:
        entries.append(("input", sizes(measured.input)))
        entries.append(("output", sizes(_output(shown, model.root))))
        timing = measured.times.get(model.root.number)
        if timing is not None:
            entries.append(("forward", seconds(timing.forward)))
            if not measured.no_backward:
                entries.append(("backward", seconds(timing.backward)))
    if model.copies:
        entries.append(("copies on the same weights", f"{model.copies:,}"))
    return tag(
        "dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in entries], class_="numbers"
    )


def _side(shown: Shown) -> list[Markup]:
    model, measured = shown.model, shown.measured
    parts = [part for part in model.root.walk() if part.same_as is None]
    panels = []
    if measured is not None and measured.times:
        whole = measured.seconds_of_all
        timed = [(measured.times[part.number].own, part) for part in parts if part.number in measured.times]
        slowest = sorted(timed, key=lambda item: -item[0])[:LISTED]
        rows = [
            (
                part,
                seconds_spent / whole if whole else 0.0,
                f"{seconds(seconds_spent)} · {share(seconds_spent, whole)}",
            )
            for seconds_spent, part in slowest
        ]
        panels.append(_bars(shown, "Where the time goes", rows, ""))
    if model.root.parameters:
        counts = [(sum(tensor.elements for tensor in part.tensors), part) for part in parts]
        largest = sorted(((n, part) for n, part in counts if n), key=lambda item: -item[0])[:LISTED]
        whole_count = model.root.parameters
        rows = [(part, min(1.0, n / whole_count), f"{n:,} · {share(n, whole_count)}") for n, part in largest]
        panels.append(_bars(shown, "Where the parameters are", rows, "of-parameters"))
    if model.shared:
        groups = [
            tag(
                "li",
                f"{_mark(number)} {'×'.join(map(str, group[0][1].sizes))}: ",
                [
                    join(", " if n else "", shown.card_link(part), f" {tensor.name}")
                    for n, (part, tensor) in enumerate(group)
                ],
            )
            for number, group in enumerate(model.shared, 1)
        ]
        panels.append(tag("div", tag("h3", "Shared weights"), tag("ul", groups), class_="panel"))
    present = {part.family for part in parts}
    legend = [tag("span", name, class_=f"f-{name}") for name in families if name in present]
    panels.append(tag("div", legend, class_="legend"))
    return panels


def _bars(shown: Shown, title: str, rows: list[tuple[Part, float, str]], class_: str) -> Markup:
    items = [
        tag(
            "li",
            tag("i", style=f"width:{100 * size:.1f}%"),
            tag("span", shown.card_link(part)),
            tag("span", text),
            class_=class_ or None,
        )
        for part, size, text in rows
    ]
    return tag("div", tag("h3", title), tag("ol", items, class_="bars"), class_="panel")


def _mark(number: int) -> str:
    return CIRCLED[number - 1] if number <= len(CIRCLED) else f"({number})"


# -- the picture -------------------------------------------------------------------------------------------


def _unfolded(root: Part, most: int) -> set[int]:
    """The containers that are open at first: the outer ones, as long as there are not too many cards."""
    opened: set[int] = set()
    cards = 1
    waiting = [root]
    for part in waiting:
        if part.parts and cards + len(part.parts) <= most and part.arrangement not in CLOSED:
            opened.add(part.number)
            cards += len(part.parts)
            waiting += part.parts
    return opened


def _output(shown: Shown, part: Part) -> str:
    return "" if shown.measured is None else shown.measured.outputs.get(part.number, "")


def _input(shown: Shown, part: Part) -> str:
    return "" if shown.measured is None else shown.measured.inputs.get(part.number, "")


def _edge(text: str, label: str = "") -> Markup:
    """A line with the sizes of what goes along it."""
    return tag("div", tag("span", label, sizes(text)) if text or label else None, class_="edge")


def _part(shown: Shown, part: Part, before: Content = None) -> Markup:
    """A card, or a box with what is inside; ``before`` says where it takes its input from."""
    measured = shown.measured
    failed = (
        " failed" if measured is not None and measured.failed == part.number and part.same_as is None else ""
    )
    if not part.parts:
        heat, hot = _heat(shown, part)
        return tag(
            "div",
            _title(part),
            before,
            _facts(shown, part),
            heat,
            class_=f"part leaf f-{part.family}{hot}{failed}",
            id=None if part.same_as is not None else shown.anchor(part),
        )
    return tag(
        "details",
        tag("summary", _title(part), before, _facts(shown, part)),
        _inside(shown, part),
        class_=f"part box f-container{failed}",
        id=shown.anchor(part),
        open=part.number in shown.open,
    )


def _title(part: Part) -> Markup:
    package, dot, name = part.class_name.rpartition(".")
    says, arguments = what_it_does(part), arrows(part.arguments)
    return tag(
        "div",
        tag("span", part.name, class_="no") if part.name else None,
        tag(
            "div",
            tag("b", tag("small", package + dot) if package else None, _breakable(name)),
            tag("span", arguments, class_="args") if arguments else None,
            tag("span", says, class_="says") if says else None,
            tag("span", "of a class that is not known here", class_="says bad")
            if not part.is_known
            else None,
        ),
        class_="title",
    )


def _breakable(name: str) -> Markup:
    """A name that may be broken before its capital letters."""
    parts = re.split(r"(?<=[a-z])(?=[A-Z])", name)
    return join([join(tag("wbr") if n else None, part) for n, part in enumerate(parts)])


def _facts(shown: Shown, part: Part) -> Markup | None:
    facts: list[Content] = []
    if part.same_as is not None:
        facts.append(tag("span", "the same object as ", shown.card_link(part.same_as), class_="tied"))
    count = part.parameters
    if count:
        facts.append(tag("span", counted(count, "parameter")))
    marks = [
        (number, tensor.name)
        for tensor in part.tensors
        if (number := shown.model.group(part, tensor)) is not None
    ]
    if marks:
        facts.append(
            tag("span", "shared: ", ", ".join(f"{name} {_mark(n)}" for n, name in marks), class_="tied")
        )
    timing = None if shown.measured is None else shown.measured.times.get(part.number)
    if timing is not None and part.same_as is None:
        whole = shown.measured.seconds_of_all if shown.measured else 0.0
        calls = f" in {timing.calls} calls" if timing.calls > 1 else ""
        facts.append(
            tag(
                "span",
                tag("b", seconds(timing.forward)),
                " + ",
                tag("b", seconds(timing.backward)),
                f"{calls} · {share(timing.seconds, whole)}",
                class_="time",
                title="forward + backward, and the share of the whole time",
            )
        )
    return tag("div", facts, class_="facts") if facts else None


def _heat(shown: Shown, part: Part) -> tuple[Markup | None, str]:
    measured = shown.measured
    timing = None if measured is None else measured.times.get(part.number)
    if measured is None or timing is None or part.same_as is not None:
        return None, ""
    whole = measured.seconds_of_all
    size = min(1.0, timing.seconds / whole) if whole else 0.0
    return tag("i", class_="heat", style=f"width:{100 * size:.1f}%"), " hot" if size >= HOT else ""


def _inside(shown: Shown, part: Part) -> Markup:
    if isinstance(part.module, GModule):
        return _graph(shown, part)
    arrangement = part.arrangement
    if arrangement in ("chain", "built", "fixed"):
        pieces: list[Content] = [_part(shown, part.parts[0])]
        for before, inner in itertools.pairwise(part.parts):
            pieces += [_edge(_output(shown, before)), _part(shown, inner)]
        return tag("div", pieces, class_="inside")
    if arrangement == "none":
        return tag(
            "div",
            tag("div", [_part(shown, inner, _through(shown, inner)) for inner in part.parts], class_="loose"),
            class_="inside",
        )
    branches = [
        tag(
            "div",
            _edge(_input(shown, inner)) if arrangement in PARTS_WITH_OTHER_INPUTS else None,
            _part(shown, inner),
            _edge(_output(shown, inner)) if _output(shown, inner) else None,
            class_="branch",
        )
        for inner in part.parts
    ]
    return tag("div", tag("div", branches, class_="branches"), class_="inside")


def _through(shown: Shown, part: Part) -> Markup | None:
    """What goes in and comes out, where no line is drawn."""
    taken, output = _input(shown, part), _output(shown, part)
    if not taken and not output:
        return None
    return tag("div", f"{sizes(taken)} → {sizes(output)}", class_="taken mono")


def _graph(shown: Shown, part: Part) -> Markup:
    """A graph of nngraph: its drawing, and a card for each of its modules that says what it takes."""
    graph = part.module
    assert isinstance(graph, GModule)
    inside = {id(inner.module): inner for inner in part.parts}
    names = {
        n: f"{inside[id(node.module)].name}"
        for n, node in enumerate(graph.ordered_nodes)
        if id(node.module) in inside
    }
    sources: dict[int, list[str]] = {}
    for node in graph.ordered_nodes:
        if id(node.module) in inside:
            sources.setdefault(id(node.module), []).append(
                ", ".join(names.get(source) or "the input" for source in _modules_before(graph, node.sources))
            )
    cards = [
        _part(
            shown,
            inner,
            tag(
                "div",
                "takes " + "; ".join(sources.get(id(inner.module), ["nothing"])),
                _arrow(shown, inner),
                class_="taken",
            ),
        )
        for inner in part.parts
    ]
    return tag(
        "div",
        tag("div", tag("div", graph_drawing(part, shown.measured)), class_="drawing", tabindex=0),
        tag("div", cards, class_="nodes"),
        class_="inside",
    )


def _arrow(shown: Shown, part: Part) -> Content:
    through = _through(shown, part)
    return (
        None
        if through is None
        else tag("span", sizes(_input(shown, part)), " → ", sizes(_output(shown, part)), class_="mono")
    )


def _modules_before(graph: GModule, sources: Sequence[int]) -> list[int]:
    """The nodes with modules from which values come, or the first node: nodes without a module hand on."""
    modules: list[int] = []
    for source in sources:
        node = graph.ordered_nodes[source]
        if node.module is None and node.sources:
            modules += _modules_before(graph, node.sources)
        else:
            modules.append(source)
    return modules
