"""What other parts of the writer ask about training: flat weights, losses, backward passes, optimizers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Protocol

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.native.analysis.explicit_calls import CriterionBackward, Forward, Pass
from torch7py.translate.native.analysis.flow import Flow
from torch7py.translate.native.analysis.optimizers import Definition, Optimizer
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.native.analysis.state_slots import Holder, Holders
from torch7py.translate.native.code import Py
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement

__all__ = ["Explicit", "FlatVectors", "Losses", "Training"]


class FlatVectors:
    """The vectors that ``getParameters`` gives."""

    def __init__(self) -> None:
        self.aliases: dict[Holder, Expression] = {}  # flat weights -> the module they are of
        self.flat_gradients: dict[Holder, Expression] = {}
        self.flattened_at: dict[Holder, Statement] = {}  # the getParameters of each vector
        self.module_of: dict[Statement, Expression] = {}  # and of which module
        self.filled: set[Variable] = set()  # each of all parameters of a module, in loops
        self.flat: dict[Statement, Expression] = {}  # getParameters whose vectors the parameters are views of
        self.as_vectors: set[Variable] = set()  # those vectors

    @abstractmethod
    def weights_of(self, node: Expression) -> Expression | None:
        """The module whose weights a flat vector holds."""

    @abstractmethod
    def gradients_of(self, node: Expression) -> Expression | None:
        """The module whose gradients a flat vector holds."""

    @abstractmethod
    def belong(self, gradients: Expression, weights: Expression) -> bool:
        """Whether gradients are those of these weights."""

    @abstractmethod
    def makers(self, statements: Iterable[Statement]) -> list[Statement]:
        """Of the statements that give a vector, the first for each network: the others give it the same weights."""

    @abstractmethod
    def parameters(self, module: Expression) -> str:
        """The parameters of a module, or of several that were put together only to flatten them."""

    @abstractmethod
    def counted(self, module: Expression) -> str:
        """The parameters that the original has as well."""

    @abstractmethod
    def compared(self, one: Expression, other: Expression) -> bool | None:
        """Whether two flat vectors are one; None where something else is compared."""

    @abstractmethod
    def decays(self, frozen: Expression) -> bool:
        """Whether the program changes weights otherwise than by their gradients, once they are to stay."""

    @abstractmethod
    def alias(self, node: Expression) -> Py | None:
        """A flat vector that is read as a whole."""


class Losses:
    """The losses that are gone back from."""

    def __init__(self) -> None:
        self.graph_functions: set[tree.Function] = set()
        self.calls: set[Expression] = set()
        # Losses in expressions, and the names that they are given before.
        self.hoisted: dict[Expression, str] = {}
        self.backward_at: dict[Statement, list[Variable | str]] = {}

    @abstractmethod
    def is_loss_call(self, node: Expression) -> bool:
        """Every criterion's forward gives a tensor in PyTorch."""


class Explicit:
    """The backward passes that are written call by call."""

    def __init__(self) -> None:
        self.scopes: dict[Scope, list[Statement]] = {}
        self.forwards: dict[Expression, Forward] = {}
        self.passes: dict[Expression, Pass] = {}
        self.criterion_calls: dict[Expression, CriterionBackward] = {}
        # Fields of modules: output, gradInput.
        self.read: dict[Index, Forward | Pass | CriterionBackward] = {}
        self.kept_fields: set[Index] = set()
        self.left_out: set[Statement] = set()
        self.stale: set[Variable] = set()  # modules whose weights move between a forward and its backward

    @abstractmethod
    def is_stale(self, module: Expression) -> bool:
        """Whether the weights of a module may move between a forward and its backward pass."""

    @abstractmethod
    def keeps_output(self, module: Expression) -> bool:
        """Whether a module of the page keeps its last output, with its graph, for a pass in another function."""


class _Carried(Protocol):
    def keeps_states(self, module: Expression) -> bool:
        """Whether there is a layer in a module that keeps a state from one call to the next."""

    def cut(self, target: Expression, value: Expression, written: Py) -> Py:
        """A value stored where it outlives the training step is cut off from the graph."""

    def uncopied(self) -> bool:
        """Whether a state is carried on that a module of the next step would write over."""


class _ParameterLists(Protocol):
    def asks(self, node: Invoke) -> bool:
        """Whether a call asks a module of nn's for its parameters."""

    def whole(self, node: Expression) -> Py | None:
        """One of the lists of weights or gradients as a value."""

    def kept(self, node: Expression) -> Py | None:
        """The page's list itself, which may be None."""

    def length(self, node: Expression) -> Py | None:
        """Its length."""

    def item(self, node: Index) -> Py | None:
        """``gradParams[i]``"""


class _Written(Protocol):
    def field(self, node: Index) -> Py | None:
        """``module.output`` and ``module.gradInput`` of passes that are written call by call."""


class Training:
    """How a program trains: what is known of its steps."""

    vectors: FlatVectors
    losses: Losses
    explicit: Explicit
    carried: _Carried
    parameter_lists: _ParameterLists
    written: _Written

    def __init__(self, known: Known) -> None:
        self.flow, self.holders = Flow(known), Holders(known)
        self.closures: set[tree.Function] = set()  # given to optim
        self.moved_by: dict[tree.Function, list[Expression]] = {}  # and the weights that go with each
        # Those for several tensors, which take the one that is meant.
        self.multi_tensor_closures: set[tree.Function] = set()
        self.renamed: set[Call] = set()  # steps whose first result is no name of what they move
        # Of those, the tensor that is no module's but is optimized itself.
        self.points: dict[tree.Function, Name] = {}
        self.dropped: set[Statement] = set()
        self.settings: set[tree.Field] = set()  # of optimizers, which are written where these are made
        self.absorbed: set[Statement] = set()  # those that are written, with their comments, in another one
        self.run_alone: set[Statement] = set()  # whose result only serves the gradients
        self.dropped_variables: set[Variable] = set()
        # Of statements that assign several things.
        self.dropped_targets: dict[Statement, set[Expression]] = {}
        self.steps: dict[Scope, list[Statement]] = {}
        self.optimizers: list[Optimizer] = []
        self.optimizer_of: dict[Holder, Optimizer] = {}  # by what holds its state
        self.constructed_at: dict[Statement, list[tuple[Optimizer, Definition]]] = {}
        self.constructed_after: dict[Statement, list[tuple[Optimizer, Definition]]] = {}
        self.dropped_fields: set[tree.Field] = set()  # of tables, with the settings of those
        self.first_only: dict[Variable, bool] = {}  # losses of optim of which only the first is looked at
        self.steps_by_hand = any(
            node.method == "backwardThroughTime" for node in tree.every(known.program, Invoke)
        )

    def assigned_to(self, variable: Variable) -> list[tuple[Statement, Expression | None]]:
        """What is assigned to a variable, and where."""
        return [(statement, value) for statement, _, value in self.holders.assigned(variable)]

    def is_dropped(self, variable: Variable) -> bool:
        """Whether a page has no variable of this name."""
        return (
            variable in self.vectors.aliases
            or variable in self.vectors.flat_gradients
            or variable in self.dropped_variables
        )

    def is_setting(self, node: Index) -> bool:
        """Whether an expression is a setting of an optimizer."""
        return self.holders.of(node.base) in self.optimizer_of

    def fields_gone(self, objects: Type) -> set[str]:
        """The fields of objects that their page does not have, or by another name."""
        holders = [*self.vectors.aliases, *self.vectors.flat_gradients, *self.optimizer_of]
        return {h[1] for h in holders if isinstance(h, tuple) and h[0] is objects.find()}

    def drop_target(self, statement: Statement, target: Expression) -> None:
        """Leave an assignment out of the page: the statement, if it has no other one."""
        assert isinstance(statement, tree.Assignment)
        gone = self.dropped_targets.setdefault(statement, set())
        gone.add(target)
        if gone.issuperset(statement.targets):
            self.dropped.add(statement)

    @abstractmethod
    def alias_of(self, node: Name) -> Py | None:
        """What a page has for a name that stands for an optimizer or for weights."""

    @abstractmethod
    def is_handled(self, *nodes: Statement) -> bool:
        """Whether one of these statements is written as part of a training step."""

    @abstractmethod
    def only_evaluates(self, function: tree.Function) -> bool:
        """Whether a function puts a model into evaluation, and nothing goes back through what it computes."""

    @abstractmethod
    def known_function(self, name: str, function: tree.Function) -> bool:
        """Write a function that is known by what it does; whether this is one."""

    @abstractmethod
    def is_weights(self, function: tree.Function, parameter: Name) -> bool:
        """Whether this is the flat vector that optim hands to its function."""

    @abstractmethod
    def may_be_missing(self, function: tree.Function, parameter: Name) -> bool:
        """Whether a call may leave a parameter out."""

    @abstractmethod
    def takes_weights(self, node: Call | Invoke, functions: Sequence[tree.Function]) -> bool:
        """Whether a function for optim is called by the program itself, with the vector that it always takes."""

    @abstractmethod
    def call(self, node: Call | Invoke) -> Py | None:
        """Calls on the flat vectors, and those of backward passes that are written one by one, as values."""

    @abstractmethod
    def statement(self, node: Call | Invoke) -> bool:
        """Write a call as a statement; whether it is a part of training."""

    @abstractmethod
    def several(self, node: Expression, targets: tuple[Expression, ...]) -> bool:
        """Write an assignment of several values of a call; whether it is a part of training."""

    @abstractmethod
    def returns(self, node: tree.Return) -> bool:
        """The closure of an optimizer gives the loss alone."""

    @abstractmethod
    def handed_on(self, function: tree.Function, value: Expression) -> Py | None:
        """The loss that the function for an optimizer takes from another one, which does all of its work."""
