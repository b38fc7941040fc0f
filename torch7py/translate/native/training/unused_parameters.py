"""Whether all modules of which a program has the weights in one vector are run in every step.

In Torch7 a weight without a gradient has zeros as its gradient, and is moved by its decay, by momentum and by the
moments of adam. PyTorch's optimizers pass over it. So such vectors stay vectors in the page.
"""

from __future__ import annotations

import itertools

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import FORWARD
from torch7py.translate.kinds import Type, all_parts
from torch7py.translate.layers.groups import LEAVING_OUT
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.training.forwards import Forwards
from torch7py.translate.tree import Call, Expression, Invoke
from torch7py.translate.tree_queries import same_expression

__all__ = ["RunParts"]

_MOVED = {"momentum", "weightDecay", "weightDecays"}
_MOVING = {"adam", "adamax", "rmsprop", "adadelta", "rprop", "nag", "lbfgs", "cg", "asgd"}


# The methods of a layer in which its weights get their gradients.
_BACK = ("accGradParameters", "backward")


class RunParts:
    def __init__(self, t: Translation, forwards: Forwards) -> None:
        self.t, self.forwards = t, forwards
        self._run: dict[Type, bool] | None = (
            None  # types of modules that are run -> always, or only in a branch
        )

    def leaves_out(self, module: Expression) -> bool:
        """Whether a step may leave a part of what was flattened without a gradient, and it would be moved."""
        if not self._moves():
            return False
        run, whole = self._all_run(), self.t.type(module).find()
        if self.discards(module) or self._passes_over():
            return True
        if whole in run:
            return False
        if isinstance(module, tree.Table):
            return any(not self._is_run(self.t.type(item.value), set()) for item in module.fields)
        return len(whole.layers) == 1 and not self._is_run(whole, set())

    def discards(self, module: Expression) -> bool:
        """Whether a module throws the outputs of some of its parts away, whose weights get no gradient then."""
        return self._discards(self.t.type(module))

    def _discards(self, module: Type) -> bool:
        for part in all_parts(module):
            for layer in part.layers:
                inside = [child.find() for child in layer.children]
                for table, chosen in itertools.pairwise(inside if facts.is_chain(layer.name) else ()):
                    one_of = any(candidate.name in LEAVING_OUT for candidate in chosen.layers)
                    if one_of and any(facts.side_by_side(candidate.name) for candidate in table.layers):
                        return True
        return False

    def _passes_over(self) -> bool:
        """Whether a layer of the program's own goes through a module with weights in one branch, and not in others."""
        for lua_class in self.t.types.classes.values():
            own = [m for name in _BACK if (m := lua_class.methods.get(name)) is not None]
            forward = lua_class.methods.get("updateOutput")
            methods = own or ([forward] if forward is not None else [])
            for choice in (node for method in methods for node in tree.every(method.body, tree.If)):
                taken = [self._weighed_modules(block) for _, block in choice.branches]
                taken.append(self._weighed_modules(choice.otherwise) if choice.otherwise else [])
                if any(
                    not any(same_expression(module, other) for other in others)
                    for modules in taken
                    for module in modules
                    for others in taken
                ):
                    return True
        return False

    def _weighed_modules(self, block: tree.Block) -> list[Expression]:
        """The modules with weights through which statements go, there or back."""
        return [
            node.receiver
            for node in tree.every(block, Invoke)
            if node.method in (*FORWARD, *_BACK)
            and self.t.kind(node.receiver) == "module"
            and self.has_weights(node.receiver)
        ]

    def has_weights(self, module: Expression) -> bool:
        """Whether a module may have weights; known is only that some layers of nn have none."""
        return self._may_have_weights(self.t.type(module), ())

    def _may_have_weights(self, module: Type, around: tuple[Type, ...]) -> bool:
        root = module.find()
        if not root.layers or root in around:
            return True
        for layer in root.layers:
            if facts.grows(layer.name) and layer.children:
                if any(self._may_have_weights(child, (*around, root)) for child in layer.children):
                    return True
            elif facts.may_weigh(layer.name):
                return True
        return False

    def _is_run(self, part: Type, known: set[Type]) -> bool:
        """``known``: parts that were looked at, and are run as far as that is known."""
        part = part.find()
        if not part.layers or part in known:
            return True  # not known
        known.add(part)
        if len(part.layers) == 1 and self._all_run().get(part, False):
            return True
        if part in self._all_run():
            return False
        children = [child for layer in part.layers for child in (*layer.children, *layer.slots)]
        if children:
            return all(self._is_run(child, known) for child in children)
        return not any(facts.may_weigh(layer.name) for layer in part.layers)

    def _moves(self) -> bool:
        """Whether the program moves weights otherwise than by their gradients of the step."""
        for node in tree.walk(self.t.program):
            if isinstance(node, tree.Field) and node.key_name in _MOVED:
                return True
            path = self.t.path(node.callee) if isinstance(node, Call) else None
            if path is not None and path.startswith("optim.") and path[6:] in _MOVING:
                return True
            if isinstance(node, Call) and path is None and self.t.type(node.callee).has("optimizer"):
                return True
        return False

    def _all_run(self) -> dict[Type, bool]:
        if self._run is None:
            self._run = {}
            for statement in self.t.surroundings.owner:
                always = not any(isinstance(s, tree.If) for s in self.t.surroundings.parents[statement])
                for node in tree.direct_nodes(statement):
                    if isinstance(node, (Call, Invoke)) and self.forwards.is_forward(node):
                        module_type = self.t.type(self.forwards.module(node)).find()
                        self._run[module_type] = self._run.get(module_type, False) or always
        return self._run
