"""How each operation of the register is called, and what it does, in words: for docs/operations.md and the prompt."""

from __future__ import annotations

import re

from torch7py.ops.registry import Case, Form, Operation, Parameter

__all__ = ["calls_of", "prose", "words_of"]


def listed(parameters: tuple[Parameter, ...]) -> str:
    """The parameters of a call as they are written, those that may be left out in brackets."""
    text = ""
    for parameter in reversed(parameters):
        name = {"generator": "gen", "sizes": f"{parameter.name}..."}.get(parameter.kind, parameter.name)
        if not parameter.optional:
            text = f"{name}{'' if text.startswith('[, ') else ', ' if text else ''}{text}"
        elif text and not text.startswith("[, "):
            text = f"[{name},] {text}"
        else:
            text = f"[, {name}]{text}"
    return text.replace("[, ", "[", 1) if text.startswith("[, ") else text


def after(name: str, parameters: tuple[Parameter, ...]) -> str:
    """Parameters behind one that may be left out."""
    rest = listed(parameters)
    return f"[{name},] {rest}" if rest else f"[{name}]"


def calls(operation: Operation, case: Case) -> list[str]:
    """How one case is called: as a function and as a method."""
    name, form, parameters = operation.name, operation.form, case.parameters
    owner, _, method = name.rpartition(".")
    if method == "new":
        return [f"{owner}({listed(parameters)})"]
    if owner:
        return [f"x:{method}({listed(parameters[1:])})"]
    if name.startswith("__"):
        return []
    outs = "out" if case.outs == 1 else ", ".join(f"out{n + 1}" for n in range(case.outs))
    plain, with_outs = f"torch.{name}({listed(parameters)})", f"torch.{name}({after(outs, parameters)})"
    of_tensor = f"x:{name}({listed(parameters[1:])})"
    if form is Form.UPDATE:
        if not parameters or parameters[0].kind not in ("T", "F"):
            return [plain] if case.returns == "value" else [with_outs, f"x:{name}({listed(parameters)})"]
        return [with_outs, f"x:{name}({after(parameters[0].name, parameters[1:])})"]
    if form is Form.INPLACE:
        return [plain] if case.returns == "value" else [of_tensor]
    if form is Form.RESULT:
        return [with_outs, f"x:{name}({listed(parameters)})"]
    if form is Form.QUERY:
        with_outs = plain if case.returns in ("value", "number") else with_outs
        if parameters[0].kind == "list":
            return [with_outs, f"x:{name}({listed(parameters)})"]
        return [with_outs, of_tensor] if parameters[0].kind != "generator" else [with_outs]
    if form is Form.METHOD:
        return [plain, of_tensor] if parameters[0].kind != "list" else [plain]
    return [with_outs if form is Form.SOLVE else plain]


def calls_of(operation: Operation) -> list[str]:
    """All the calls of an operation, each once."""
    return list(dict.fromkeys(call for case in operation.cases for call in calls(operation, case)))


def words_of(operation: Operation) -> str:
    """What an operation does, on one line; what several of its forms say is said once."""
    called = bool(calls_of(operation))
    words = ""
    for n, text in enumerate(operation.about):
        more = prose(text, called and not n)
        words += "" if more in words else f"{' ' * bool(words)}{more}"
    return re.sub("``(.+?)``", r"`\1`", words)


def prose(text: str, called: bool) -> str:
    """What a docstring says, on one line; where the calls stand before it, without the one that it begins with."""
    line = " ".join(text.split())
    line = re.sub("^``[^`]+``: ", "", line) if called else line
    return line if line.endswith(".") else f"{line}."
