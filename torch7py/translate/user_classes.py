"""Models with layers of classes that a program defines: ``translate model.t7 --program layers.lua``.

What the program defines (classes, functions, constants, and the packages that it requires) is run in a runtime, without
the rest of it. There the file is read, so that its objects have their methods. The page gets the classes as the
translator of programs writes them. An object is made by its constructor, with arguments that make one with the same
fields; they are looked for among the object's own fields and the sizes of its parameters.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from torch7py.bridge.runtime import Runtime
from torch7py.conversion import models_in
from torch7py.files import load
from torch7py.nn.base import Module
from torch7py.nn.object import TorchObject
from torch7py.nn.registry import layers as torch7_layers
from torch7py.nn.registry import package_of
from torch7py.translate import tree
from torch7py.translate.checked_code import checked_tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.layers.registry import Args, Native, NotNative, natives, readers, structures
from torch7py.translate.native.program import translate_script
from torch7py.translate.parse import parse
from torch7py.translate.quoting import lua_quoted
from torch7py.translate.tree_queries import dotted

__all__ = ["UserClasses", "definitions_of", "program_classes"]

_CLASSES = {"torch.class", "class"}  # functions that make one
_DEFINING = {*_CLASSES, "require", "torch.setdefaulttensortype"}
_MOST = 500  # arguments that are tried


def definitions_of(source: bytes, name: str) -> bytes:
    """A program without what it does: its classes and what these need, each on its line. Raises LuaSyntaxError."""
    left = [statement for statement in parse(source, name).statements if _defines(statement)]
    wanted: set[str] = set()
    chosen: list[tree.Statement] = []
    while True:
        needed = [s for s in left if _makes_class(s) or _names_defined(s) & wanted or _is_method(s, wanted)]
        if not needed:
            break
        left = [statement for statement in left if statement not in needed]
        chosen += needed
        for statement in needed:
            wanted |= {node.name for node in tree.walk(statement) if isinstance(node, tree.Name)}
    kept = bytearray(re.sub(rb"[^\n]", b" ", source))
    for statement in chosen:
        for span in (statement.span, *(comment.span for comment in statement.around.before)):
            kept[span.start : span.end] = source[span.start : span.end]
    return bytes(kept)


def _makes_class(statement: tree.Statement) -> bool:
    """Whether a statement makes a class, or has a package loaded."""
    calls = {dotted(node.callee) for node in tree.walk(statement) if isinstance(node, tree.Call)}
    loads = isinstance(statement, tree.Run) and "require" in calls
    return loads or (
        not isinstance(statement, (tree.FunctionStatement, tree.LocalFunction))
        and not calls.isdisjoint(_CLASSES)
    )


def _names_defined(statement: tree.Statement) -> set[str]:
    if isinstance(statement, tree.Local):
        return {name.name for name in statement.names}
    if isinstance(statement, tree.LocalFunction):
        return {statement.name.name}
    targets = statement.targets if isinstance(statement, tree.Assign) else ()
    if isinstance(statement, tree.FunctionStatement):
        targets = (statement.target,)
    return {target.name for target in targets if isinstance(target, tree.Name)}


def _is_method(statement: tree.Statement, wanted: set[str]) -> bool:
    """Whether a function or value is put into something that was taken."""
    targets = statement.targets if isinstance(statement, tree.Assign) else ()
    if isinstance(statement, tree.FunctionStatement):
        targets = (statement.target,)
    roots = [dotted(target) for target in targets if isinstance(target, tree.Index)]
    return any(root is not None and root.partition(".")[0] in wanted for root in roots)


def _defines(statement: tree.Statement) -> bool:
    if isinstance(statement, (tree.FunctionStatement, tree.LocalFunction)):
        return True
    if isinstance(statement, tree.Assignment):
        return all(map(_is_constant, statement.values))
    if isinstance(statement, tree.Run):
        return _is_constant(statement.call)
    if isinstance(statement, tree.Do):
        calls = tree.every(statement.body, tree.Call)
        return any(dotted(call.callee) in _CLASSES for call in calls)
    return False


def _is_constant(value: tree.Expression) -> bool:
    """Whether a value is made without doing anything but defining."""
    if isinstance(value, tree.Call):
        return dotted(value.callee) in _DEFINING and all(map(_is_constant, value.arguments))
    if isinstance(value, tree.Table):
        return all(_is_constant(item.value) for item in value.fields)
    if isinstance(value, tree.Unary):
        return _is_constant(value.operand)
    if isinstance(value, tree.Index):
        return dotted(value) is not None and not (dotted(value) or "").startswith("arg.")
    plain = (tree.Nil, tree.Boolean, tree.Number, tree.String, tree.Name, tree.Function)
    return isinstance(value, plain)


@dataclass
class UserClasses:
    """What a page needs besides its models: imports and definitions; and how each object is made."""

    root: Any
    imports: list[str] = field(default_factory=list)
    definitions: str = ""
    constructions: dict[int, str] = field(default_factory=dict)  # by the id of the object
    parameters: dict[str, list[str]] = field(default_factory=dict)  # names in the page, by the class's name

    def completed(self, code: str) -> str:
        """A page of models with the classes of the program in it."""
        lines = code.split("\n")
        body = ast.parse(code).body
        first = next(node for node in body if isinstance(node, (ast.ClassDef, ast.FunctionDef)))
        at = min([first.lineno, *(decorator.lineno for decorator in first.decorator_list)]) - 1
        while at and lines[at - 1].startswith("#"):
            at -= 1
        there = {ast.unparse(node) for node in body if isinstance(node, (ast.Import, ast.ImportFrom))}
        missing = [line for line in self.imports if line not in there]
        start = next((n for n, line in enumerate(lines) if re.match(r"import |from ", line)), at)
        lines[at:at] = [*self.definitions.rstrip("\n").split("\n"), "", ""]
        lines[start:start] = missing
        written = "\n".join(lines)
        checked_tree(written, "the page")
        return written


@contextlib.contextmanager
def program_classes(program: Path, model: Path) -> Iterator[UserClasses]:
    """Read a file with the classes of a program, and let the layers of these classes have a native form meanwhile.

    Raises NotNative where a class or an object has no form in a page, LuaError where the definitions do not run,
    LuaSyntaxError, and TorchError where the file cannot be read.
    """
    source = program.read_bytes()
    definitions = b"require 'nn' " + definitions_of(source, str(program))
    text = definitions.decode("latin1")
    chunk = f"@{os.fspath(program)}"
    with Runtime(rewrite=lambda contents, name: text if name == chunk else contents) as runtime:
        # A file that another one requires leaves the packages to that.
        parts = _modules([*models_in(load(model)).values()])
        for package in dict.fromkeys(package_of.get(part.registered_as, "nn") for part in parts):
            runtime.require(package)
        runtime.run(program)
        name = lua_quoted(os.fspath(model))
        user_classes = UserClasses(runtime.evaluate(f"return torch.load({name})"))
        objects = list(_user_objects(user_classes.root))
        constructors = _constructors(definitions, str(program))
        calls = [_call_of(runtime, layer, constructors.get(layer.class_name), program) for layer in objects]
        changed = {
            name
            for layer, call in zip(objects, calls, strict=True)
            for name in _changed(runtime, layer, call)
        }
        _write(user_classes, definitions, program, objects, calls, changed)
        with _registered(user_classes, objects):
            yield user_classes


def _modules(root: Any) -> Iterator[Any]:
    """The modules in a value, each once."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, TorchObject):
            for part in value.modules():
                if isinstance(part, Module) and id(part) not in seen:
                    seen.add(id(part))
                    yield part
        elif isinstance(value, (list, tuple)):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()


def _user_objects(root: Any) -> Iterator[Any]:
    """Those of classes of the program's that compute something of their own."""
    for part in _modules(root):
        if part.class_name not in torch7_layers and not _is_as_its_base(part):
            yield part


_COMPUTING = frozenset("updateOutput updateGradInput accGradParameters torch7_forward backward".split())


def _is_as_its_base(module: Any) -> bool:
    """Whether a class of the program's changes nothing of what a Torch7 class computes, but how it is made."""
    base = module.torch7_name
    marked = set(module.__dict__.get("_marked", ()))
    return base in structures and not facts.is_module(base) and not marked & _COMPUTING


def _fields(module: Any) -> dict[str, Any]:
    """All fields of an object, those that Lua keeps and those of the base class."""
    overrides = module.__dict__.get("_overrides")
    fields = {} if overrides is None else dict(overrides.foreign_fields(module))
    for name in ("weight", "bias"):
        value = module.get_field(name)
        if value is not None:
            fields[name] = value
    return {name: value for name, value in fields.items() if isinstance(name, str)}


def _constructors(source: bytes, name: str) -> dict[str, list[str]]:
    """The parameters of the constructors in a program, by the names of the classes; one may be its parent's."""
    block = parse(source, name)
    classes: dict[str, str] = {}  # by the variable that holds each
    parents: dict[str, str] = {}
    declarations = [(node.names[0], node.values) for node in tree.every(block, tree.Local)]
    for first, values in [
        *declarations,
        *((node.targets[0], node.values) for node in tree.every(block, tree.Assign)),
    ]:
        call = values[0] if values else None
        if isinstance(call, tree.Call) and isinstance(first, tree.Name) and dotted(call.callee) in _CLASSES:
            texts = [argument.value for argument in call.arguments if isinstance(argument, tree.String)]
            classes[first.name] = texts[0] if texts else ""
            parents[classes[first.name]] = texts[1] if len(texts) > 1 else ""
    constructors = {}
    for method in tree.every(block, tree.FunctionStatement):
        holder, _, called = (dotted(method.target) or "").rpartition(".")
        if called == "__init":
            names = [parameter.name for parameter in method.function.parameters]
            constructors[classes.get(holder, holder)] = names[1:]  # without self
    for one in parents:
        at = one
        while at and at not in constructors:
            at = parents.get(at, "")
        constructors[one] = constructors[at] if at else []
    return constructors


def _call_of(runtime: Runtime, module: Any, parameters: Sequence[str] | None, program: Path) -> str:
    """The call in Lua that makes an object like this one, if there is one with all its settings.

    ``parameters`` are those of the constructor, None where the program does not define the class.
    """
    name = module.class_name
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", name):
        raise NotNative(f"a layer of the class {name!r}, which is no name")
    fields = _fields(module)
    sizes = {size for p in module.parameter_pairs()[0] for size in p.shape}
    choices = []
    for parameter in parameters or ():
        values: list[Any] = [None, *([fields[parameter]] if parameter in fields else [])]
        values += [*sorted(sizes), *(x for x in fields.values() if isinstance(x, (bool, int, float, str)))]
        choices.append(list(dict.fromkeys(text for text in map(_literal, values) if text)))
    because, nearly = "", ""
    for arguments in itertools.islice(itertools.product(*choices), _MOST):
        args = list(arguments)
        while args and args[-1] == "nil":
            args.pop()
        call = f"{name}({', '.join(args)})"
        candidate = runtime.evaluate(
            f"local made, object = pcall(function() return {call} end) return made and object or nil"
        )
        if isinstance(candidate, Module):
            because = _difference(candidate, module, fields)
            if not because and _settings(fields) <= _settings(_fields(candidate)):
                return call
            if not because:  # what is missing may have come later, as the layer ran
                nearly = nearly or call
    if nearly:
        return nearly
    if parameters is None:
        raise NotNative(f"{program} does not define the class {name}: name the file that does")
    raise NotNative(
        f"{name}: no arguments of its constructor are known that make an object like that in the file"
        f"{because and f': {because}'}"
    )


def _literal(value: Any) -> str:
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(int(value)) if value == int(value) else repr(value)
    return lua_quoted(value) if isinstance(value, str) else ""


def _difference(candidate: Any, module: Any, fields: dict[str, Any]) -> str:
    """Why a new object is not like another one: the shapes of its parameters, or a setting."""
    ours, theirs = ([tuple(p.shape) for p in layer.parameter_pairs()[0]] for layer in (candidate, module))
    if ours != theirs:
        return f"a new one has parameters of {ours}, not {theirs}"
    candidate_fields = _fields(candidate)
    for name in sorted(_settings(candidate_fields)):
        if candidate_fields[name] != fields.get(name):
            return f"{name} is {candidate_fields[name]!r} in a new one, not {fields.get(name)!r}"
    return ""


def _settings(fields: Mapping[str, Any]) -> set[str]:
    """The names of the fields that are numbers, texts and truth values."""
    return {name for name, value in fields.items() if isinstance(value, (bool, int, float, str))}


def _changed(runtime: Runtime, module: Any, call: str) -> Iterator[str]:
    """The names of an object's tensors that its constructor would not make."""
    made = _fields(runtime.evaluate(f"return {call}"))
    for name, value in _fields(module).items():
        if isinstance(value, torch.Tensor):
            other = made.get(name)
            if not isinstance(other, torch.Tensor) or not torch.equal(other.double(), value.double()):
                yield name


def _made_anew(node: ast.ClassDef, lines: list[str], changed: set[str], program: Path) -> None:
    """Let the tensors of a class that do not learn be those of its constructor: the model's weights have none of them.

    Raises NotNative where they have become others.
    """
    for call in ast.walk(node):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "register_buffer"
        ):
            name = call.args[0].value if isinstance(call.args[0], ast.Constant) else None
            if name is None or name in changed:
                raise NotNative(
                    f"{program}: the class {node.name} keeps tensors that it does not learn, and that its constructor "
                    f"does not make: {name or ast.unparse(call.args[0])}"
                )
            end, column = (call.end_lineno or 0) - 1, (call.end_col_offset or 0) - 1
            line = lines[end].encode()
            lines[end] = (line[:column] + b", persistent=False" + line[column:]).decode()


def _write(
    user_classes: UserClasses,
    definitions: bytes,
    program: Path,
    objects: Sequence[Any],
    calls: Sequence[str],
    changed: set[str],
) -> None:
    """Translate the definitions, with a call for each object."""
    names = [f"made_{number}" for number in range(1, len(calls) + 1)]
    asked = "".join(f"\n{name} = {call}\nprint({name})" for name, call in zip(names, calls, strict=True))
    page = translate_script(definitions + asked.encode() + b"\n", str(program))
    if page.problems:
        problem = page.problems[0]
        raise NotNative(f"{program}:{problem.line}: {problem.code}: {problem.reason}")
    if page.modules:
        raise NotNative(
            f"{program} requires {next(iter(page.modules))}; name the file that has the classes itself"
        )
    body = ast.parse(page.code).body
    lines = page.code.split("\n")
    assigned: dict[str, str] = {}
    kept: list[str] = []
    for number, node in enumerate(body):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            user_classes.imports.append(ast.unparse(node))
            continue
        for child in ast.walk(node):
            if isinstance(child, ast.Assign) and isinstance(child.targets[0], ast.Name):
                assigned[child.targets[0].id] = ast.unparse(child.value)
        if isinstance(node, ast.ClassDef):
            _made_anew(node, lines, changed, program)
        is_main = isinstance(node, ast.FunctionDef) and node.name == "main"
        if number == 0 or is_main or isinstance(node, ast.If):
            continue
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id in names
        ):
            continue
        before = body[number - 1].end_lineno or 0
        decorated = [child.lineno for child in getattr(node, "decorator_list", [])]
        start = min([node.lineno, *decorated]) - 1
        while start > before and lines[start - 1].startswith("#"):
            start -= 1
        kept.append("\n".join(lines[start : node.end_lineno]))
    user_classes.definitions = "\n\n\n".join(kept)
    for name, module in zip(names, objects, strict=True):
        if name not in assigned:
            raise NotNative(f"{module.class_name}: the page does not make an object of it")
        user_classes.constructions[id(module)] = assigned[name]


@contextlib.contextmanager
def _registered(user_classes: UserClasses, objects: Sequence[Any]) -> Iterator[None]:
    """A native form for each class, while a model is translated and verified."""
    added = {module.class_name for module in objects}
    constructions = dict(user_classes.constructions)
    bases = {
        part.class_name: part.torch7_name
        for part in _modules(user_classes.root)
        if part.class_name not in {*torch7_layers, *added} and _is_as_its_base(part)
    }

    def read(module: Any) -> dict[str, Any]:
        call = constructions.get(id(module)) or _same(module, objects, constructions)
        return {
            "make": call,
            "names": [_name_of(module, number) for number in range(len(_parameters(module)))],
        }

    def rule(args: Args) -> Native:
        names = args.value("names", [])
        return Native(
            make=args.value("make"),
            weights={name: _taken(number) for number, name in enumerate(names)},
            ndim=-1,
            heavy=True,
            name=_child_name(str(args.value("make")).partition("(")[0]),
        )

    for part in _modules(user_classes.root):
        if part.class_name in bases:
            del part.__dict__["_class_name"]  # so it is of its base also where a layer is known by its class
    for name in added:
        natives[name], readers[name] = rule, read
    for name, base in bases.items():
        structures[name] = structures[base]
    try:
        yield
    finally:
        for name in added:
            del natives[name], readers[name]
        for name in bases:
            del structures[name]


def _child_name(callee: str) -> str:
    name = re.sub(r"\W", "_", callee).lower()
    return f"{name}_layer" if hasattr(torch.nn.Module, name) else name


def _parameters(module: Any) -> list[torch.Tensor]:
    parameters: list[torch.Tensor] = module.parameter_pairs()[0]
    return parameters


def _taken(number: int) -> Any:
    return lambda module: module.torch7_parameters()[0][number]


def _name_of(module: Any, number: int) -> str:
    """The field in which a parameter is."""
    parameter = _parameters(module)[number]
    for name, value in _fields(module).items():
        if isinstance(value, torch.Tensor) and value.data_ptr() == parameter.data_ptr():
            return name
    raise NotNative(f"{module.class_name}: its parameter {number + 1} is in none of its own fields")


def _same(module: Any, objects: Sequence[Any], constructions: dict[int, str]) -> str:
    """How an object is made that is like one of those (which it was cloned from)."""
    fields = _fields(module)
    for other in objects:
        if other.class_name == module.class_name and not _difference(other, module, fields):
            return constructions[id(other)]
    raise NotNative(f"{module.class_name}: an object that is no copy of one in the file")
