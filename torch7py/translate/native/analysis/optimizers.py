"""What a page knows of optim's methods: each one's form in PyTorch; and of the optimizers that a program has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from torch7py.translate import tree
from torch7py.translate.native.analysis.state_slots import Holder
from torch7py.translate.tree import Call, Expression, Statement

__all__ = ["METHODS", "STATE", "Definition", "Method", "Optimizer", "Restored"]


@dataclass(frozen=True)
class Method:
    """One of optim's functions in PyTorch: its class, and its settings as arguments with optim's defaults."""

    pytorch: str
    settings: dict[str, str]
    defaults: dict[str, str] = field(default_factory=dict)  # where PyTorch's are others
    pairs: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)  # of two arguments as one
    text: str = ""  # of the class, if it is none of torch.optim
    several: bool = False  # whether a call evaluates the function several times


_COMMON = {"learningRate": "lr", "weightDecay": "weight_decay"}
_DECAY = {**_COMMON, "learningRateDecay": "lr_decay"}
_BETAS = {"betas": ("beta1", "beta2", "0.9", "0.999")}
_SGD = {**_COMMON, "momentum": "momentum", "dampening": "dampening", "nesterov": "nesterov"}
METHODS = {
    "sgd": Method(
        "torch.optim.SGD",
        {**_SGD, "learningRateDecay": "decay"},
        {"lr": "0.001"},
    ),
    # with a rate that falls and that the program changes as well
    "sgd that decays": Method("SGD", {**_SGD, "learningRateDecay": "lr_decay"}, {"lr": "0.001"}, text="sgd"),
    "sgd by element": Method(
        "SGD",
        {**_SGD, "learningRateDecay": "lr_decay", "learningRates": "lrs", "weightDecays": "weight_decays"},
        {"lr": "0.001"},
        text="sgd by element",
    ),
    "adam": Method(
        "Adam",
        {**_DECAY, "beta1": "beta1", "beta2": "beta2", "epsilon": "eps"},
        {"lr": "0.001"},
        _BETAS,
        text="adam",
    ),
    "adamax": Method(
        "torch.optim.Adamax",
        {**_COMMON, "beta1": "beta1", "beta2": "beta2", "epsilon": "eps"},
        {"lr": "0.002", "eps": "1e-38"},
        _BETAS,
    ),
    "rmsprop": Method("torch.optim.RMSprop", {**_COMMON, "alpha": "alpha", "epsilon": "eps"}, {"lr": "0.01"}),
    "adagrad": Method("torch.optim.Adagrad", _DECAY, {"lr": "0.001", "eps": "1e-10"}),
    "adadelta": Method(
        "torch.optim.Adadelta",
        {"rho": "rho", "eps": "eps", "weightDecay": "weight_decay"},
        {"lr": "1.0", "eps": "1e-6"},
    ),
    "rprop": Method(
        "torch.optim.Rprop",
        {"stepsize": "lr", "etaminus": "etaminus", "etaplus": "etaplus"}
        | {"stepsizemin": "stepsizemin", "stepsizemax": "stepsizemax"},
        {"lr": "0.1"},
        {
            "etas": ("etaminus", "etaplus", "0.5", "1.2"),
            "step_sizes": ("stepsizemin", "stepsizemax", "1e-6", "50.0"),
        },
    ),
    "asgd": Method(
        "torch.optim.ASGD",
        {"eta0": "lr", "lambda": "lambd", "alpha": "alpha", "t0": "t0"},
        {"lr": "1e-4"},
    ),
    "nag": Method("NAG", {**_DECAY, "momentum": "momentum"}, text="nag"),
    "lbfgs": Method(
        "LBFGS",
        {
            "learningRate": "lr",
            "maxIter": "max_iter",
            "maxEval": "max_eval",
            "tolFun": "tolerance_grad",
            "tolX": "tolerance_change",
            "nCorrection": "history_size",
            "lineSearch": "line_search",
            "verbose": "verbose",
        },
        text="lbfgs",
        several=True,
    ),
    "cg": Method(
        "CG",
        {"maxIter": "max_iter", "maxEval": "max_eval", "rho": "rho", "sig": "sig", "int": "interval"}
        | {"ext": "ext", "ratio": "ratio"},
        text="cg",
        several=True,
    ),
}
# What these methods look at and have no argument for: their state, which a program may set itself. They look at no
# other settings, as programs share a table among several.
STATE = {
    "sgd": {"dfdx", "evalCounter", "decayParameters", "deltaParameters", "learningRates", "weightDecays"},
    "adam": {"t", "m", "v", "denom"},
    "adamax": {"t", "m", "u", "max"},
    "rmsprop": {"initialMean", "m", "tmp"},
    "adagrad": {"evalCounter", "paramVariance", "paramStd"},
    "adadelta": {"evalCounter", "paramVariance", "paramStd", "delta", "accDelta"},
    "rprop": {"delta", "dfdx", "dminmax", "niter", "sign", "psign", "nsign", "zsign"},
    "asgd": {"ax", "eta_t", "mu_t", "t", "tmp"},
    "nag": {"dfdx", "dampening", "deltaParameters", "evalCounter", "learningRates"},
    "lbfgs": {"Hdiag", "al", "d", "dir_bufs", "f_old", "funcEval", "g_old", "lineSearchOptions", "nIter"}
    | {"old_dirs", "old_stps", "ro", "stp_bufs", "t", "tmp1"},
    "cg": {"df", "df0", "df1", "df2", "df3", "s", "x0", "verbose"},
}


class Restored(NamedTuple):
    """A state from a file. ``condition``: whether there is one; always, where that is None."""

    state: Expression
    condition: Expression | None


@dataclass(eq=False)
class Definition:
    """A statement that gives the variable of an optimizer's state its table, and the method that goes with it."""

    statement: Statement
    target: Expression
    table: tree.Table
    option: str  # the method's name
    module: Expression
    once: bool = False  # `state = state or {...}`
    restored: Restored | None = None  # the state that it goes on from
    choices: tuple[str, ...] = ()  # the methods that it may be for, where the program has the name of one
    chosen: Expression | None = None  # and this name


@dataclass(eq=False)
class Optimizer:
    """One optimizer: the settings' table, and what it moves."""

    option: str  # of the first definition, where there are several
    module: Expression
    table: tree.Table
    statement: Statement | None  # where it is made; None for a table in the call
    definitions: list[Definition] = field(default_factory=list)
    name: str = ""  # of its variable, or of its field
    holder: Holder | None = None  # of its state
    construction_statement: Statement | None = None  # where, if that is after the statement with its settings
    elsewhere: bool = False  # made in another function than that with its variable
    schedulers: dict[Statement, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    stored: set[Call] = field(default_factory=set)  # those whose function gives what was computed before
    read: set[str] = field(default_factory=set)  # settings that the program looks at while it runs
    changed: set[str] = field(default_factory=set)  # and those that it changes
    saved: bool = False  # whether its state is put into a file
    changed_inside: bool = False  # by a function that the optimizer calls

    @property
    def scheduler(self) -> str:
        return next(iter(self.schedulers.values()), "")

    @property
    def methods(self) -> set[str]:
        return {option for option, _ in self.constructions}

    @property
    def constructions(self) -> list[tuple[str, tree.Table]]:
        """What it may be made as, and with which settings."""
        several = [(name, d.table) for d in self.definitions for name in d.choices or (d.option,)]
        return several or [(self.option, self.table)]

    def form(self, name: str, table: tree.Table) -> Method:
        """How a method is written with the settings of a table: optim.sgd in one of three ways."""
        if name != "sgd":
            return METHODS[name]
        keys = set(table.named_values)
        by_element = (keys | self.changed) & {"learningRates", "weightDecays"}
        if by_element or ("momentum" in self.changed and "dampening" not in keys):
            return METHODS["sgd by element"]
        kept = self.saved or any(d.restored is not None for d in self.definitions)
        tables = [settings for _, settings in self.constructions] if kept else [table]
        falls = any(_falls(item) for settings in tables for item in settings.fields)
        falls = falls or "learningRateDecay" in self.changed
        looked_at = (self.read | self.changed) & {"learningRate", "learningRateDecay"}
        if self.changed_inside or (falls and (looked_at or len(self.constructions) > 1 or self.anew or kept)):
            return METHODS["sgd that decays"]
        return METHODS["sgd"]

    @property
    def forms(self) -> list[Method]:
        return [self.form(option, table) for option, table in self.constructions]

    @property
    def takes_stored(self) -> bool:
        """Whether a step needs no function where the gradients are there already."""
        return all(form.text not in ("nag", "lbfgs", "cg") for form in self.forms)

    @property
    def is_field(self) -> bool:
        return isinstance(self.holder, tuple)

    @property
    def anew(self) -> bool:
        """Whether it is made within a loop, out of sight of its steps, or saved."""
        if self.is_field or self.elsewhere or self.saved:
            return True
        return any(d.once for d in self.definitions)


def _falls(item: tree.Field) -> bool:
    """Whether a setting is a decay of the rate that is not surely 0."""
    is_decay = item.key_name == "learningRateDecay"
    return is_decay and not (isinstance(item.value, tree.Number) and item.value.value == 0)
