"""A whole file: what stands at the module's level, what in ``main``, its imports and its docstring."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from torch7py.translate import page_library, tree
from torch7py.translate.checked_code import REACHING_OUT, ForeignCode, checked_tree
from torch7py.translate.garbage import uncollected
from torch7py.translate.layers.helpers import HELPERS
from torch7py.translate.layout import WIDTH, lay_out_all
from torch7py.translate.native import late_imports, lint_fixes, outputs_across_steps, undefined_names
from torch7py.translate.native.analysis.program_facts import NOTHING_KNOWN, PROVED, PlainForms
from torch7py.translate.native.analysis.unknown_values import is_of_what_is_not_there
from torch7py.translate.native.code import INDENT, kept_apart, reserved
from torch7py.translate.native.desugar import added_statements
from torch7py.translate.native.layer_names import PLACE
from torch7py.translate.native.names import walk_function
from torch7py.translate.native.optimizers.classes import CLASSES
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.source_files import SourceFile
from torch7py.translate.native.translator import Translator
from torch7py.translate.native.typed_program import TypedProgram
from torch7py.translate.observed import NOTHING_SEEN, Observed
from torch7py.translate.quoting import docstring
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Name, Statement
from torch7py.translate.tree_queries import statements

__all__ = ["Native", "in_one_form", "in_plain_forms", "modules_of", "translate_script"]

# The modules of Python that a page may use, where it does.
_STANDARD = (
    "argparse collections contextlib copy csv functools inspect itertools json math os platform random re socket"
    " subprocess sys tempfile time"
).split()
_LIBRARY = re.compile(rf"(?<![\w.]){page_library.MODULE}\.(\w+)")
# Others, in the order of a page: how an expression begins that uses one, and what imports it.
_OTHERS = [
    ("h5py", re.compile(r"(?<![\w.])h5py\."), "import h5py"),
    ("np", re.compile(r"(?<![\w.])np\.[a-z]"), "import numpy as np"),
    ("torch", re.compile(r"(?<![\w.])torch\."), "import torch"),
    ("F", re.compile(r"\bF\."), "import torch.nn.functional as F"),
    ("Image", re.compile(r"(?<![\w.])Image\.[a-z]"), "from PIL import Image"),
    ("nn", re.compile(r"(?<![\w.])nn\."), "from torch import nn"),
]

# What is not proved of passes, and outputs that a module writes over: the library's write over theirs, too.
_OF_PASSES = {"T7-226", "T7-230"}
# What is not proved of flat weights and of what moves them: the library's functions of optim take any.
_OF_VECTORS = {"T7-218", "T7-227", "T7-228"}
# A statement uses what another one leaves out: nodes of a graph, or the weights that optim hands to a function.
_OF_GAPS = {"T7-253"}

# What is not proved of modules: as objects they have all methods and fields.
_OF_MODULES = {
    f"T7-{code}" for code in (202, 218, 222, 223, 225, 226, 227, 230, 241, 243, 253, 272, 303, 304, 307, 308)
}

_DEFINITIONS = tuple(f"{INDENT}{word}" for word in ("def ", "class ", "@"))


@dataclass
class Native:
    """The translation of a script: its code, and what could not be translated.

    ``modules`` are the pages of the files that it requires, by their paths from the folder of its own; ``parts`` tells
    the statements of each file, and how many of them are native. ``plain_calls`` are those with calls of
    the pages' library, and ``reasons`` why. ``observed``: what a run has shown, by which it was written.
    """

    code: str
    statements: int
    native: int
    program: TypedProgram
    problems: list[Problem] = field(default_factory=list)
    translator: Translator | None = None
    modules: dict[str, str] = field(default_factory=dict)
    parts: dict[SourceFile, tuple[int, int, int]] = field(default_factory=dict)
    plain_calls: int = 0
    reasons: list[Problem] = field(default_factory=list)

    @property
    def observed(self) -> Observed:
        return self.program.observed

    @property
    def loads_files(self) -> bool:
        """Whether the program reads files of which a run tells what they hold."""
        readers = (b"torch.load", b"cjson", b"hdf5")
        return any(reader in file.source for file in self.parts for reader in readers)


def translate_script(source: bytes, file: str, observed: Observed = NOTHING_SEEN) -> Native:
    """A Lua program, with the files of its own that it requires, as plain PyTorch.

    ``observed``: what a run of it has shown.
    """
    with uncollected():
        try:
            return _with_plain_forms(_without_clashes(TypedProgram(source, file, observed), PROVED))
        except SyntaxError as error:  # of a page that is looked at while it is written
            raise ForeignCode(f"{file}: the page is no Python: {error}") from None


def _with_plain_forms(translation: Native) -> Native:
    """The pages with graphs and passes in plain calls of which more cannot be proved, where less is refused so."""
    best, forms, reasons = translation, PROVED, list(translation.reasons)
    is_apart = False
    while True:
        assert translation.translator is not None
        graphs, of_modules = translation.translator.graphs, translation.translator.of_modules
        declined = graphs.declined
        others = [problem for problem in translation.problems if problem not in of_modules]
        has_gaps = any(problem.code in _OF_GAPS for problem in others)
        wanted = PlainForms(
            forms.graphs | declined.keys() | graphs.wanted | (graphs.made if has_gaps else set()),
            forms.passes or any(problem.code in _OF_PASSES for problem in others),
            forms.vectors or has_gaps or any(problem.code in _OF_VECTORS for problem in others),
            apart=is_apart,
        )
        if wanted == forms and (is_apart or len(others) == len(translation.problems)):
            break
        if wanted == forms:  # what remains hangs on all modules, which is the last that is tried
            is_apart, wanted = True, forms._replace(apart=True)
        refused = [problem for problem in others if problem.code in _OF_PASSES | _OF_VECTORS | _OF_GAPS]
        before = translation
        translation = _without_clashes(translation.program, wanted)
        assert translation.translator is not None
        if wanted.apart and translation.translator.models.layer_names.conflict:
            break
        if wanted.apart:
            refused += [problem for problem in before.problems if problem in of_modules]
        reasons = [*reasons, *declined.values(), *refused]
        forms = wanted
        reasons = translation.reasons = list(dict.fromkeys([*reasons, *translation.reasons]))
        if not forms.apart or not _avoidable(translation) or _worth(translation) > _worth(best):
            best = max(best, translation, key=lambda candidate: candidate.native + candidate.plain_calls)
    if any(problem.code in _OF_MODULES for problem in _avoidable(best)):
        forms = PlainForms(frozenset(), True, True, True)
        translation = _without_clashes(best.program, forms)
        translation.reasons = list(dict.fromkeys([*best.problems, *translation.reasons]))
        if not _avoidable(translation) or _worth(translation) > _worth(best):
            best = translation
    if _avoidable(best):
        translation = _without_clashes(best.program, NOTHING_KNOWN)
        translation.reasons = list(dict.fromkeys([*best.problems, *translation.reasons]))
        if not translation.problems or _worth(translation) > _worth(best):
            best = translation
    return best


def _worth(translation: Native) -> int:
    """How good a page is to go on with: idiomatic statements count for it, refused ones against it."""
    return 2 * translation.native + translation.plain_calls - translation.statements


def _avoidable(translation: Native) -> list[Problem]:
    """What another form of a program may have: not what its run is an error for, too."""
    return [problem for problem in translation.problems if not is_of_what_is_not_there(problem)]


def in_plain_forms(translation: Native, with_gaps: bool = False) -> Iterator[Native]:
    """A program's pages with less and less that is proved, where those with all of it have turned out otherwise.

    ``with_gaps``: those too in which something is refused.
    """
    for forms in (
        PlainForms(passes=True, vectors=True, tensors=True),
        PlainForms(passes=True, vectors=True, modules=True, tensors=True),
        NOTHING_KNOWN,
    ):
        assert translation.translator is not None
        if forms.modules < translation.translator.objects or translation.translator.plain_values:
            continue  # which had refused statements
        with uncollected():
            page = _without_clashes(translation.program, forms)
        if with_gaps or not page.problems:
            yield page


def in_one_form(source: bytes, file: str, plainly: PlainForms) -> Native:
    """A program's pages in one form, whatever is refused in it."""
    return _translate(TypedProgram(source, file, NOTHING_SEEN), plainly)


def _without_clashes(program: TypedProgram, plainly: PlainForms) -> Native:
    """The pages of a program, which has no name that one of their helpers has."""
    translation = _translate(program, plainly)
    clashes = _clashes(translation.translator)
    if clashes:
        with reserved(clashes):
            translation = _translate(program, plainly)
    return translation


def _clashes(t: Translator | None) -> frozenset[str]:
    """The helpers of a page that are called as something of the program is."""
    if t is None:
        return frozenset()
    of_program = {*t.names.chosen.values(), *(name for used in t.names.used.values() for name in used)}
    return frozenset(of_program.intersection(t.helpers, HELPERS))


def _translate(program: TypedProgram, plainly: PlainForms) -> Native:
    with kept_apart(_with_one_less(program.project.program)):
        return _translate_project(program, plainly)


def _with_one_less(program: Block) -> frozenset[str]:
    """The names ``__x`` in a program that has ``_x`` too."""
    names = {node.value for node in tree.every(program, tree.String)}
    names |= {node.method for node in tree.every(program, tree.Invoke)}
    return frozenset(name for name in names if name.startswith("__") and name[1:] in names)


def _translate_project(program: TypedProgram, plainly: PlainForms) -> Native:
    project = program.project
    t = Translator(project, program.scopes, program.types(plainly.values), program.observed.one_row, plainly)
    t.torch7_files |= {
        call for call in program.loaded if isinstance(call, Call) and t.path(call.callee) == "torch.load"
    }
    pages: dict[SourceFile, str] = {}
    parts: dict[SourceFile, tuple[int, int, int]] = {}
    for source_file in (*project.files, project.script):
        assembly = _Assembly(t, source_file, pages)
        page = assembly.write() if source_file is project.script else assembly.write_module()
        pages[source_file] = undefined_names.refuse(t, source_file, page)
        if source_file.is_package:
            continue
        own = source_file.block.statements[added_statements(source_file.source) :]
        parts[source_file] = _counts(own, t.failed, t.plain_calls)
    place = re.compile(rf"^{re.escape(PLACE)}$", re.MULTILINE)  # a line of its own: texts of the program stay
    named = t.models.layer_names.line() if any(place.search(page) for page in pages.values()) else ""
    pages = {source_file: place.sub(lambda _: named, page) for source_file, page in pages.items()}
    paths = {source_file.page for source_file in project.files}
    tidied = [lint_fixes.tidied(page, source_file.page, paths) for source_file, page in pages.items()]
    pages = dict(zip(pages, lay_out_all(tidied), strict=True))
    code = pages.pop(project.script)
    modules = {source_file.page: page for source_file, page in pages.items()}
    used = {name for page in (code, *modules.values()) for name in _LIBRARY.findall(_without_texts(page))}
    if used:
        modules[page_library.FILE] = page_library.source(sorted(used))
    shared = t.modules.shared_page()
    if shared is not None:
        modules["shared.py"] = shared
    total, native, plain_calls = (sum(counts) for counts in zip(*parts.values(), strict=True))
    names = {source_file.name for source_file in parts}
    problems = list(dict.fromkeys(t.problems))  # once for a whole class
    reasons = [reason for reason in dict.fromkeys(t.reasons) if reason.file in names]
    translation = Native(code, total, native, program, problems, t, modules, parts, plain_calls, reasons)
    _check(translation, project.script.name)
    return translation


def modules_of(pages: Iterable[str]) -> dict[str, str]:
    """The modules of Python that pages are, with their paths, and those that are mere folders with such."""
    modules: dict[str, str] = {}
    for page in pages:
        name = page.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        modules[name] = page
        while "." in name:
            name = name.rpartition(".")[0]
            modules.setdefault(name, f"{name.replace('.', '/')}/__init__.py")
    return modules


def _check(translation: Native, name: str) -> None:
    """Look at what the pages hold before anybody has them."""
    t = translation.translator
    assert t is not None
    needed = "\n".join(HELPERS[helper] for helper in t.helpers)
    without = {module for module in REACHING_OUT - t.imports if f"{module}." not in needed}
    modules = modules_of(translation.modules)
    for page, code in {name: translation.code, **translation.modules}.items():
        checked_tree(code, page, modules, without)


def _counts(
    own: Sequence[Statement], failed: list[Statement], plain_calls: list[Statement]
) -> tuple[int, int, int]:
    """The statements of a file; how many of them are in none that failed, without Lua's help and with it."""
    inside = {inner for statement in own for inner in statements(statement)}
    without = {statement for lost in inside.intersection(failed) for statement in statements(lost)}
    translated = inside - without
    helped = translated.intersection(plain_calls)
    return len(inside), len(translated - helped), len(helped)


class _Assembly:
    """One page."""

    def __init__(self, translator: Translator, file: SourceFile, pages: dict[SourceFile, str]) -> None:
        self.t = translator
        self.file = file
        self.pages = pages  # those of the files before it
        translator.start_page(file)

    def write(self) -> str:
        """The page of the script."""
        t = self.t
        header, statements = self._header()
        t.module_level |= t.modules.available()
        constants = self._constants(statements)
        body = [s for s in statements if s not in constants]
        constant_lines = self._lines(constants)
        t.scope = t.scopes.main
        functions = self._module_functions(body)
        t.lines, t.depth = [], 1
        run: list[Statement] = []
        t.in_main = True
        for statement in body:
            if statement in functions:
                t.statements(run)
                run = []
                outer, t.lines, t.depth, t.in_main = t.lines, [], 0, False
                t.statement(statement)
                t.top += _definitions(t.lines)
                t.lines, t.depth, t.in_main = outer, 1, True
            else:
                run.append(statement)
        t.statements(run)
        for comment in self.file.block.closing:
            t.comment(comment)
        main = _stripped(t.lines)
        seed = [*self._default_dtype(main), *self._born_inside(INDENT)]
        blocks = [_text(lines) for lines in t.top]
        if main and not seed and all(line.strip()[:1] in ("", "#") for line in main):
            blocks.append(_text([line.removeprefix(INDENT) for line in main]))  # comments alone
            main = []
        if main:
            gap = [""] if seed and main[0].startswith(_DEFINITIONS) else []
            alone = ["@torch.no_grad()  # modules go back by their own methods"] if t.plain_modules else []
            blocks.append(_text([*alone, "def main():", *seed, *gap, *main]))
            blocks.append('if __name__ == "__main__":\n    main()\n')
        return self._page(header, [*constant_lines, *t.needed_lines, *t.module_lines], blocks)

    def write_module(self) -> str:
        """The page of a file that another one requires: what it does is done when it is imported."""
        t = self.t
        assert self.file.function is not None
        header, statements = self._header()
        scope = t.scopes.of_function[self.file.function]
        t.module_level |= {*scope.variables, *(v for v, f in t.modules.owners.items() if f is self.file)}
        t.scope, t.depth = scope, 0
        blocks: list[list[str]] = []
        run: list[Statement] = []

        def settle() -> None:
            if run:
                t.lines = []
                t.statements(run)
                blocks.append(t.lines)
                run.clear()

        for statement in statements:
            makes = statement in t.classes.by_statement and not t.classes.is_part(statement)
            if makes or isinstance(statement, (tree.LocalFunction, tree.FunctionStatement)):
                settle()
                t.lines = []
                t.statement(statement)
                blocks += _behind_definition(t.lines)
            else:
                run.append(statement)
        settle()
        t.lines = []
        for comment in self.file.block.closing:
            t.comment(comment)
        blocks.append(t.lines)
        written = [_stripped(lines) for lines in [*t.top, *blocks]]
        written = [lines for lines in written if lines]
        first = [*t.needed_lines, *t.module_lines, *self._born_inside("")]
        done = [
            line for lines in written for line in lines if not line.startswith((" ", "def ", "class ", "#"))
        ]
        # a file that is imported late finds the type that the script has set
        if _makes_tensors("\n".join(done)) and self.file not in t.modules.late:
            first.insert(0, "torch.set_default_dtype(torch.float64)")
        t.scope = t.scopes.main
        return self._page(header, first, [_text(lines) for lines in written])

    def _page(self, header: str, first: list[str], blocks: list[str]) -> str:
        """A page from its docstring, the lines after its imports, and its functions and classes."""
        t = self.t
        helpers = [f"{HELPERS[name].strip()}\n" for name in t.helpers]
        classes = {**CLASSES, "copy": outputs_across_steps.COPY}
        helpers += [f"{classes[name]}\n" for name in t.needed_classes]
        body = "\n\n".join([*helpers, *blocks])
        code = "\n".join([*first, body])
        if not helpers and blocks and not re.match(r"(def|class|@|#|if __name__)", blocks[0]):
            first = [*first, *blocks[0].rstrip("\n").split("\n")]
            blocks = blocks[1:]
        imports = self._imports(code)
        imported_names = {line.split()[-1] for line in imports if line}
        used = _LIBRARY.search(re.sub(r"(?m)#.*$", "", _without_texts(code)))
        library = [f"import {page_library.MODULE}"] if used is not None else []
        others = [*library, *t.modules.import_lines(code, self.pages, imported_names)]
        if others:
            imports += ["", *others]
        first, blocks = (
            [late_imports.name_imports(part, t.modules.late_names) for part in parts]
            for parts in (first, blocks)
        )
        parts = [docstring(header), *imports, "", *first]
        head = _text(["", *parts]).lstrip("\n")
        return "\n\n".join([head, *helpers, *blocks])

    # The parts

    def _header(self) -> tuple[str, list[Statement]]:
        """The docstring, from the comment at the top of the file."""
        t, statements = self.t, list(self.file.block.statements)
        lines = self.file.take_heading()
        title = f"Translated from {t.file} by torch7py."
        while lines and not lines[-1].strip():
            lines.pop()
        lines[1:] = textwrap.dedent("\n".join(lines[1:])).split("\n") if len(lines) > 1 else []
        text = "\n".join(lines).strip()
        if not text:
            return f"{t.file} in PyTorch, translated by torch7py.", statements
        last = text.rsplit("\n", 1)[-1]
        end = " " if len(last) + len(title) < WIDTH - 4 else "\n"
        if last.startswith(" "):  # an example of a call stands by itself
            end = "\n\n"
        elif last[-1].isalnum() or last[-1] in ")'\"":
            end = f".{end}"
        return f"{text}{end}{title}", statements

    def _constants(self, statements: list[Statement]) -> list[Statement]:
        """Statements at the beginning of a program that give names to constants."""
        t = self.t
        constants: list[Statement] = []
        for statement in statements:
            if not isinstance(statement, tree.Assignment):
                continue
            if len(statement.targets) != len(statement.values) or not all(
                isinstance(x, Name) for x in statement.targets
            ):
                continue
            variables = [t.scopes.of_name[x] for x in statement.targets if isinstance(x, Name)]
            if not all(self._assigned_once(v) and v not in t.modules.shared for v in variables):
                continue
            if any(self._shares_name(v) for v in variables):
                continue
            if all(self._is_constant(value) for value in statement.values):
                constants.append(statement)
                t.module_level.update(variables)
        return constants

    def _shares_name(self, variable: Variable) -> bool:
        """Whether another variable of the main program goes by the same name later."""
        names = self.t.names
        return any(
            other is not variable and names.of_variable(other) == names.of_variable(variable)
            for other in self.t.scopes.main.variables
        )

    def _assigned_once(self, variable: Variable) -> bool:
        return len(variable.writes) == (1 if variable.is_global else 0)

    def _is_constant(self, node: Expression) -> bool:
        t = self.t
        if isinstance(node, (tree.Number, tree.String, tree.Boolean)):
            return True
        if isinstance(node, tree.Paren):
            return self._is_constant(node.inner)
        if isinstance(node, Name):
            return t.scopes.of_name[node] in t.module_level or self._is_arg(node)
        if isinstance(node, tree.Binary):
            return self._is_constant(node.left) and self._is_constant(node.right) and self._is_plain(node)
        if isinstance(node, tree.Unary):
            return node.operator != "#" and self._is_constant(node.operand)
        if isinstance(node, Index):
            return isinstance(node.base, Name) and self._is_arg(node.base)
        if isinstance(node, Call):
            has_constant_arguments = all(self._is_constant(argument) for argument in node.arguments)
            return (
                t.path(node.callee) == "tonumber"
                and has_constant_arguments
                and not any(
                    isinstance(n, tree.String) for argument in node.arguments for n in tree.walk(argument)
                )
            )
        return False

    def _is_arg(self, node: Name) -> bool:
        """Whether this is the table of the program's arguments, which the program does not change."""
        t = self.t
        if not t.scopes.is_global(node, "arg") or t.scopes.of_name[node].writes:
            return False
        targets = [target for s in tree.every(t.program, tree.Assign) for target in s.targets]
        return not any(isinstance(x, Index) and t.scopes.is_global(x.base, "arg") for x in targets)

    def _is_plain(self, node: Expression) -> bool:
        """Whether an expression needs none of the helpers, which come after the constants."""
        if not isinstance(node, tree.Binary) or node.operator not in "+-*/%^":
            return True
        return not re.search(r"\b(lua_|to_number)", self.t.value(node).text)

    def _lines(self, statements: list[Statement]) -> list[str]:
        t = self.t
        t.lines, t.depth = [], 0
        level, t.module_level = t.module_level, set()
        for statement in statements:
            t.statement(statement)
        t.module_level = level
        return _stripped(t.lines)

    def _module_functions(self, statements: list[Statement]) -> set[Statement]:
        """The functions and classes that need nothing of ``main``."""
        t = self.t
        candidates: dict[Statement, tuple[set[Variable], set[Variable]]] = {}  # what they define, and need
        for statement in statements:
            definition = self._definition(statement)
            if definition is not None:
                candidates[statement] = definition
        # Criterions that become functions are known only when they are written: they count as main's.
        while True:
            names = {v for defined, _ in candidates.values() for v in defined} | t.module_level
            kept = {s: definition for s, definition in candidates.items() if definition[1] <= names}
            if len(kept) == len(candidates):
                break
            candidates = kept
        t.module_level |= {v for defined, _ in candidates.values() for v in defined}
        return set(candidates)

    def _definition(self, statement: Statement) -> tuple[set[Variable], set[Variable]] | None:
        """The variables that a definition of a function, of a class, or of several of them, defines and needs."""
        t = self.t
        lua_class = t.classes.by_statement.get(statement)
        if lua_class is not None:
            if statement is not lua_class.statement or lua_class in t.classes.failed:
                return None
            return t.classes.defines(lua_class), t.classes.needs(lua_class)
        if isinstance(statement, tree.Do):
            defined, needed = set(), set()
            for inner in statement.body.statements:
                definition = self._definition(inner)
                if definition is None and not t.classes.is_part(inner):
                    return None
                if definition is not None:
                    defined |= definition[0]
                    needed |= definition[1]
            return (defined, needed) if defined or needed else None
        if isinstance(statement, tree.LocalFunction):
            variable, writes = t.scopes.of_name[statement.name], 0
        elif isinstance(statement, tree.FunctionStatement) and isinstance(statement.target, Name):
            variable, writes = t.scopes.of_name[statement.target], 1
            if not variable.is_global or self._is_read_first(variable):
                return None
        else:
            return None
        if len(variable.writes) != writes or statement.function in t.training.closures:
            return None
        if variable in t.modules.shared:
            return None
        return {variable}, t.functions.outer_variables(statement.function)

    def _born_inside(self, indent: str) -> list[str]:
        """Globals that only functions assign: main has them first, as nil."""
        t = self.t
        names = sorted(
            t.names.of_variable(variable)
            for variable in t.scopes.globals.values()
            if variable.writes
            and variable not in t.types.packages  # another name of a function of a library
            and t.modules.owners.get(variable, self.file) is self.file
            and variable not in t.modules.shared
            and variable not in t.modules.aliases  # which each page imports
            and (t.scope not in variable.writers or self._is_read_first(variable))
            and not t.training.is_dropped(variable)
            and not t.graphs.is_part(variable)
        )
        return [f"{indent}{name} = None" for name in names]

    def _is_read_first(self, variable: Variable) -> bool:
        """Whether a program asks for a global before it gives it a value: it is nil then.

        Functions that ask for another function of the module run when that is there.
        """
        written = min(variable.writes, key=lambda name: name.span.start)
        home = self.t.surroundings.home.get(written)
        itself = tree.direct_nodes(home) if isinstance(home, tree.Assign) else []  # ``size = size or 10``
        early = [n for n in variable.reads if n.span.start < written.span.start or n in itself]
        functions = {s.target for s in self.file.block.statements if isinstance(s, tree.FunctionStatement)}
        if early and functions.issuperset(variable.writes):
            at_once = set(walk_function(self.file.block))
            early = [name for name in early if name in at_once]
        return bool(early)

    def _default_dtype(self, main: list[str]) -> list[str]:
        text = "\n".join([*main, *(line for lines in self.t.top for line in lines)])
        always = any(line.startswith(f"{INDENT}torch.set_default_dtype") for line in main)
        if always or not _makes_tensors(text):
            return []
        return [f"{INDENT}torch.set_default_dtype(torch.float64)"]

    def _imports(self, code: str) -> list[str]:
        code = re.sub(r"(?m)#.*$", "", _without_texts(code))
        # most are not there at all, which is found out sooner without a pattern
        modules = [n for n in _STANDARD if f"{n}." in code and re.search(rf"(?<![\w.]){n}\.", code)]
        others = [line for name, used, line in _OTHERS if f"{name}." in code and used.search(code)]
        lines = []
        if modules:
            lines += ["", *(f"import {name}" for name in modules)]
        if others:
            lines += ["", *others]
        return lines


def _makes_tensors(code: str) -> bool:
    """Whether lines of a page may make tensors, or call functions of the library that do."""
    text = _without_texts(code)
    if re.search(r"\b(torch|nn|F)\.", text):
        return True
    return page_library.makes_tensors(frozenset(_LIBRARY.findall(text)))


def _without_texts(code: str) -> str:
    """Code without what its strings say; those with code in them stay."""
    return re.sub(
        r"""\b(f?)("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""",
        lambda match: match[0].replace("#", " ") if match[1] else '""',
        code,
    )


def _definitions(lines: list[str]) -> list[list[str]]:
    """The classes and functions that a statement has written, each with the comments before it."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        before = blocks[-1]
        top = line[:1] not in ("", " ")
        if top and any(other.startswith((" ", "class ", "def ")) for other in before):
            blocks.append([])
        blocks[-1].append(line)
    return [kept for block in blocks if (kept := _stripped(block))]


def _behind_definition(lines: list[str]) -> list[list[str]]:
    """A definition, and what stands behind it at the same level: what puts a function into a table."""
    last = max((i for i, line in enumerate(lines) if line.startswith((" ", "def ", "class "))), default=-1)
    return [lines[: last + 1], lines[last + 1 :]] if last >= 0 else [lines]


def _stripped(lines: list[str]) -> list[str]:
    out = list(lines)
    while out and not out[-1].strip():
        out.pop()
    while out and not out[0].strip():
        out.pop(0)
    return out


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
