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
    def written(self, forms: dict[int, Form]) -> bytes:
        """The source; ``forms``: what is loaded on each line."""
        edits: list[tuple[int, int, str]] = []
        for statement in tree.every(self.program, tree.Assignment):
            if (
                len(statement.targets) != 1
                or len(statement.values) != 1
                or not _is_path(statement.targets[0])
            ):
                continue
            target = self.text(statement.targets[0])
            value, behind = statement.values[0], ""
            while isinstance(value, Invoke) and not value.arguments:  # :float(), :cuda()
                behind = f":{value.method}(){behind}"
                value = value.receiver
            form = loaded_by(value, forms)
            if form is None:
                continue
            start, end = statement.values[0].span.start, statement.values[0].span.end
            if form.constructor:
                text = f"{form.constructor}{behind} {FILLED}({target}, {self.text(value)});"
                edits.append((start, end, text))
            elif not behind and form.models():
                model = self.fresh("model")
                for names, constructor in form.models().items():
                    field = target + "".join(f"[{lua_quoted(name)}]" for name in names)
                    text = f"{FILLED}({model}, {field}) {field} = {model}"
                    edits.append((end, end, f" do local {model} = {constructor} {text} end"))
        self.edited(edits)
        return self.source


def _is_path(node: Expression) -> bool:
    """``x`` or ``x.y``, which may be read again."""
    if isinstance(node, Index):
        return isinstance(node.key, String) and _is_path(node.base)
    return isinstance(node, Name)
