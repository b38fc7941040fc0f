"""Recurrent networks that are made of given modules: written as a loop over the steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch7py.nn.registry import layers as classes
from torch7py.rnn.abstract import AbstractRecurrent
from torch7py.translate.layers.recurrent import kept_state
from torch7py.translate.layers.registry import (
    Expr,
    Layer,
    NotNative,
    Overwritten,
    Value,
    bind,
    items,
    structure,
)
from torch7py.translate.layers.writer import Writer
from torch7py.translate.patching import altered


def _in_order(layer: Layer, last: Layer | None) -> None:
    """Refuse recurrent layers inside one, but for the last in its module.

    The copies of a module for every step share the recurrent layers in it (dpnn's stepClone), and those keep one
    output. So what stands behind such a layer takes its gradients at the output of the last step, at all steps.
    """
    while last is not None and last.name == "nn.Sequential" and last.children:
        last = last.children[-1]
    for part in (inner for top in layer.slots.values() for inner in top.inside()):
        kind = classes.get(part.name)
        if part is not last and isinstance(kind, type) and issubclass(kind, AbstractRecurrent):
            raise Overwritten(f"{layer.name} with {part.name} inside, whose output later steps overwrite")


def with_parts(
    path: str, children: dict[str, Layer], args: Mapping[str, str], copy: Callable[[Layer], Layer], start: str
) -> dict[str, Layer]:
    """The modules in a layer as its form here has them: those that it is given, and what its constructor makes.

    ``copy`` makes another layer of the same parts; ``start`` is where a Recurrent's size is said.
    """
    parts = dict(children)
    if path == "nn.Recurrence" and "recurrentModule" in parts:
        return {"module": parts["recurrentModule"]}
    if path == "nn.Recurrent":
        if "start" not in parts:
            parts["start"] = Layer("nn.Add", bind("nn.Add", [args.get("start", "None")]), source=start)
        parts.setdefault("transfer", Layer("nn.Sigmoid"))
        parts.setdefault("merge", Layer("nn.CAddTable"))
    elif path in ("nn.BiSequencer", "nn.BiSequencerLM") and "forward" in parts:
        if "backward" not in parts:
            parts["backward"] = copy(parts["forward"])
        parts.setdefault("merge", Layer("nn.JoinTable", bind("nn.JoinTable", ["1", "1"])))
    return parts


PARTS = ("start", "input", "feedback", "transfer", "merge")


@structure("nn.Recurrent", live=lambda m: {name: m._modules[f"{name}Module"] for name in PARTS})
def recurrent(layer: Layer, x: Value, w: Writer) -> Value:
    """Step 1 is transfer(start(input(x))), a later one transfer(merge(input(x), feedback(h)))."""
    parts = {name: layer.slot(name) for name in PARTS}
    _in_order(layer, None)
    if w.depth > 1 or isinstance(x, tuple):
        raise NotNative("nn.Recurrent in a Sequencer of a Sequencer, or of tables")
    single = w.depth == 0
    inputs = w.apply(parts["input"], x)
    if not isinstance(inputs, Expr):
        raise NotNative("nn.Recurrent whose input module gives a table")

    def first(step: Value) -> Expr:
        return w.as_expr(w.apply(parts["transfer"], w.apply(parts["start"], step)))

    def later(step: Value, h: Expr) -> Expr:
        both = (step, w.apply(parts["feedback"], h))
        return w.as_expr(w.apply(parts["transfer"], w.apply(parts["merge"], both)))

    if single:
        step = w.named(inputs, "x")
        kept = w.attribute("state")
        h = w.fresh("h")
        w.branches(
            (f"if {kept} is None:", lambda: w.emit(f"{h} = {first(step)}")),
            ("else:", lambda: w.emit(f"{h} = {later(step, Expr(kept))}")),
            declares=h,
        )
        w.emit(f"{kept} = {h}")
        return h
    inputs = w.named(inputs)
    step = w.fresh("step", ndim=inputs.ndim)
    outputs, h = w.fresh("outputs"), w.fresh("h", ndim=inputs.ndim)
    with altered(w, depth=w.depth - 1):
        if w.remembers:
            kept, begin = kept_state(w, w.remembers)
            w.emit(begin, h)
            w.emit("[]", outputs)

            def body() -> None:
                w.branches(
                    (f"if {h} is None:", lambda: w.emit(f"{h} = {first(step)}")),
                    ("else:", lambda: w.emit(f"{h} = {later(step, h)}")),
                )
                w.emit(f"{outputs}.append({h})")

            w.loop(f"for {step} in {inputs}:", body)
            w.emit(f"{kept} = {h}.detach()")
        else:
            start = Expr(f"{inputs}[0]", ndim=inputs.ndim)
            w.emit(first(start).text, h)
            w.emit(f"[{h}]", outputs)

            def rest() -> None:
                w.emit(f"{h} = {later(step, h)}")
                w.emit(f"{outputs}.append({h})")

            w.loop(f"for {step} in {inputs}[1:]:", rest)
    return Expr(f"torch.stack({outputs})", h.ndim, 1)


def _recurrence(module: Any) -> dict[str, Any]:
    size = module.outputSize
    size = size.sizes() if hasattr(size, "sizes") else size
    return {"module": module.step_module, "outputSize": size, "nInputDim": module.nInputDim}


@structure("nn.Recurrence", live=_recurrence)
def recurrence(layer: Layer, x: Value, w: Writer) -> Value:
    """h = module(x, h), from zeros."""
    dims = layer.args.get("nInputDim")
    if w.depth > 1 or isinstance(x, tuple) or dims not in ("0", "1"):
        raise NotNative("nn.Recurrence of other than vectors, or items")
    text = layer.args.outputSize
    sizes = ", ".join(items(text)) if text[0] in "[(" else text
    module = layer.slot("module")
    _in_order(layer, module)
    x = w.named(x)
    h = w.fresh("h")
    if w.depth == 0:
        kept = w.attribute("state")
        w.emit(f"{_zeros(x, '', dims, sizes)} if {kept} is None else {kept}", h)
        output = w.named(w.as_expr(w.apply(module, (x, h))))
        w.emit(f"{kept} = {output}")
        return output
    zeros = _zeros(x, "1", dims, sizes)
    kept = ""
    if w.remembers:
        kept, begin = kept_state(w, w.remembers)
        state = begin
        if begin != kept:
            state = w.fresh("state").text
            w.emit(f"{state} = {begin}")
        w.emit(f"{zeros} if {state} is None else {state}", h)
    else:
        w.emit(zeros, h)
    outputs, step = w.fresh("outputs"), w.fresh("step", ndim=x.ndim)
    w.emit("[]", outputs)

    def body() -> None:
        output = w.as_expr(w.apply(module, (step, h)))
        w.emit(f"{h} = {output}")
        w.emit(f"{outputs}.append({h})")

    before = set(w.attributes)
    with altered(w, depth=w.depth - 1):
        w.loop(f"for {step} in {x}:", body)
    inner = [name for name in w.attributes if name not in before]
    if inner and kept:
        raise NotNative("nn.Recurrence that remembers, with a layer inside that keeps a state")
    w.emit_before_last(*(f"self.{name} = {w.attributes[name]}" for name in inner))
    if kept:
        w.emit(f"{kept} = {h}.detach()")
    return Expr(f"torch.stack({outputs})", lead=1)


def _zeros(x: Expr, first: str, dims: str, sizes: str) -> str:
    """The first state, for a batch of vectors, or of items, which are whole numbers."""
    if dims == "0":
        batch = f"{x}.shape[{first}:]" if first else f"{x}.shape"
        return f"torch.zeros(*{batch}, {sizes}, device={x}.device)"
    return f"{x}.new_zeros(*{x}.shape[{first}:-1], {sizes})"


@structure("nn.Repeater", live=lambda m: {"module": m.stepper, "rho": m.rho})
def repeater(layer: Layer, x: Value, w: Writer) -> Value:
    if isinstance(x, tuple) or w.depth:
        raise NotNative("nn.Repeater of a table, or in a Sequencer")
    x = w.named(x)
    steps = Expr(f"{x}.expand({layer.args.rho}, *{x}.shape)", x.ndim, 1)
    with altered(w, depth=w.depth + 1):
        return w.apply(layer.slot("module"), steps)
