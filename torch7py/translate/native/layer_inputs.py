"""What the function of a layer is handed: its inputs, of which a table is spread out, as autograd sees tensors only."""

from __future__ import annotations

from dataclasses import dataclass

from torch7py.translate.native.layer_study import LayerStudy
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Name

__all__ = ["LayerInputs"]


@dataclass(eq=False)
class LayerInputs(LayerStudy):
    """The names of a layer's inputs in its function. A layer may take a table here and one tensor there."""

    either: bool = False  # whether that may be one tensor too

    def spread_out(self, name: str) -> str:
        """A name among values: a table of inputs is spread out."""
        return f"*{self._inputs}" if name == self.spread else name

    @property
    def _inputs(self) -> str:
        """The name of the tensors that the function is handed for a table of inputs."""
        return self._free("inputs") if self.either else self.spread

    def _may_be_a_table(self, given: Name) -> bool:
        """Whether an input is a table of tensors here and one tensor there."""
        found = self.t.type(given).find()
        if "table" not in found.kinds or len(found.kinds) < 2:
            return False
        tables = [source.find() for source in found.sources if "table" in source.find().kinds]
        plain = found.kinds == {"table", "tensor"} and bool(tables)
        plain = plain and all(table.of_elements().kind == "tensor" for table in tables)
        if not plain or self.forward is None or self.made.instance.kind == "criterion":
            raise Problem("T7-243", given.line, "gradients of an input that may be a table or something else")
        return True

    @property
    def _is_table(self) -> str:
        """The name of the truth value that says whether the inputs are a table."""
        return self._free("several")

    def _free(self, name: str) -> str:
        """A name that no variable of the methods that compute has, nor a field that is one there."""
        fields = {self.local(each) for each in (*self.temporary, *self.handed, *self.gradients)}
        found = self.local(name)
        while found in fields:
            found += "_"
        return found

    def _either(self, several: str) -> str:
        """The statement that gives the input back what the layer was given."""
        return f"{self.spread} = {self._inputs} if {several} else {self._inputs}[0]"
