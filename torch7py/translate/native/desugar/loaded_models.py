"""``model = torch.load(path)`` as what makes such a model, which is then given the weights of the file.

What the file holds a run has shown. So all that is known of models that a program makes itself is known of this one.
Where a model stands in a table, ``saved = torch.load(path)``, the field is given a new one in its place.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.observed import FILLED, Form, loaded_by
from torch7py.translate.quoting import lua_quoted
from torch7py.translate.tree import Expression, Index, Invoke, Name, String

__all__ = ["LoadedModels"]


class LoadedModels(Rewriting):
    """``forms``: what is loaded on each line."""

    def __init__(self, source: bytes, file: str, forms: dict[int, Form]) -> None:
        super().__init__(source, file)
        self.forms = forms

    def rewrite(self) -> None:
        for statement in tree.every(self.program, tree.Assignment):
            if not len(statement.targets) == len(statement.values) == 1 or not _is_path(statement.targets[0]):
                continue
            target = self.text(statement.targets[0])
            value, behind = statement.values[0], ""
            while isinstance(value, Invoke) and not value.arguments:  # :float(), :cuda()
                behind = f":{value.method}(){behind}"
                value = value.receiver
            form = loaded_by(value, self.forms)
            if form is None:
                continue
            end = statement.values[0].span.end
            if form.constructor:
                text = f"{form.constructor}{behind} {FILLED}({target}, {self.text(value)});"
                self.put(statement.values[0], text)
            elif not behind and form.models():
                model = self.fresh("model")
                for names, constructor in form.models().items():
                    field = target + "".join(f"[{lua_quoted(name)}]" for name in names)
                    text = f"{FILLED}({model}, {field}) {field} = {model}"
                    self.put_between(end, end, f" do local {model} = {constructor} {text} end")


def _is_path(node: Expression) -> bool:
    """``x`` or ``x.y``, which may be read again."""
    if isinstance(node, Index):
        return isinstance(node.key, String) and _is_path(node.base)
    return isinstance(node, Name)
