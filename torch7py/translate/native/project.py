"""A program of several files: the script and those of its own that it requires, read as one tree.

Each required file stands before the script as a function without parameters whose body is the file: so its locals are
its own, its globals are everybody's, and what it returns is what ``require`` gives. The bytes of each file are counted
on from the last one's, so that places stay in order.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from torch7py.packages.registry import came_with_torch, packages
from torch7py.translate import tree
from torch7py.translate.argument_checks import ArgumentChecks, find_argument_checks
from torch7py.translate.native.class_libraries import read_class_libraries
from torch7py.translate.native.desugar import (
    BESIDE,
    Folders,
    Scanned,
    SearchPath,
    classes_of_packages,
    written_out,
)
from torch7py.translate.native.device_transfer import DeviceTransfers, read_as_methods
from torch7py.translate.native.globals_by_name import read_globals
from torch7py.translate.native.lapp import write_options
from torch7py.translate.native.library_functions import read_library_functions
from torch7py.translate.native.lua_packages import (
    is_in_lua,
    is_part,
    path_of,
    source_of,
    with_parts_required,
)
from torch7py.translate.native.node_chains import read_chains
from torch7py.translate.native.repeated_files import written_as_functions
from torch7py.translate.native.source_files import SourceFile
from torch7py.translate.native.source_offsets import shift
from torch7py.translate.native.split_assignments import split_constructions
from torch7py.translate.native.tree_replacement import replace_in
from torch7py.translate.native.unset_globals import leave_out_branches
from torch7py.translate.observed import NOTHING_SEEN, Observed
from torch7py.translate.parse import parse
from torch7py.translate.tree import Around, Block, Call, Expression, Name, Span, Statement, String
from torch7py.translate.tree_queries import dotted

__all__ = ["Project", "gather"]

# Calls that run a file by a name that is looked for, and by a path.
_NAMES = {"require", "torch.reload"}
_PATHS = {"dofile", "include", "paths.dofile"}
# Libraries that are there before a file of their name is looked for.
_PRELOADED = set("string table math io os debug coroutine package bit jit ffi".split())


@dataclass(eq=False)
class Project:
    """The script, the files that it requires (each after those that it needs itself), and all as one program."""

    script: SourceFile
    files: list[SourceFile] = field(default_factory=list)
    program: Block = field(default_factory=lambda: Block((), None, ()))
    requires: dict[Call, SourceFile] = field(default_factory=dict)
    moves: DeviceTransfers = field(default_factory=DeviceTransfers)
    checks: dict[tree.Function, ArgumentChecks] = field(default_factory=dict)
    added: set[str] = field(default_factory=set)  # to libraries: functions that have names now

    def functions(self) -> dict[Call, tree.Function]:
        """The calls that run a file, and the function that it is taken for."""
        return {call: file.function for call, file in self.requires.items() if file.function is not None}


def gather(source: bytes, file: str, observed: Observed = NOTHING_SEEN) -> Project:
    """Read a script and the files of its own that it requires. ``observed``: what a run has shown.

    Raises LuaSyntaxError.
    """
    source = with_parts_required(source)
    project = _Gathering(Path(file), observed).project(source, file)
    users = _users_of_classes(project)
    return _Gathering(Path(file), observed, users).project(source, file) if users else project


# The files of a program, each with the classes of packages that it gets and the text of all that may call methods.
_Users: TypeAlias = dict[Path, dict[bytes, bytes]]


def _users_of_classes(project: Project) -> _Users:
    """Which file of several gets a class of a package: the first that uses it, for all of them."""
    files = [*project.files, project.script]
    text = b"\n".join(file.source for file in files)
    names = classes_of_packages(text) if project.files else []
    users: _Users = {file.path.resolve(): {} for file in files} if names else {}
    for name in names:
        first = next(file for file in files if name in file.source)
        users[first.path.resolve()][name] = text
    return users


class _Gathering:
    def __init__(self, path: Path, observed: Observed, users: _Users | None = None) -> None:
        self.observed = observed
        self.users = users
        self.script_folder, self.script_name = path.parent, path.name
        self.above = _plain(path.parent / "..")
        self.folders = [self.script_folder, self.above]  # where it may be run, and its files required from
        self.folder = self.script_folder  # of these the one where it is
        self.before: list[Path] = []  # where else required files are looked for, before that and after it
        self.behind: list[Path] = []
        self.files: dict[Path, SourceFile] = {}
        self.packages: dict[Path, str] = {}  # the files of packages, with their names
        self.missed: list[Path] = []  # files that are run and are not in the folder
        self.reading: list[Path] = [path.resolve()]  # files that require others, outermost first
        self.order: list[SourceFile] = []
        self.requires: dict[Call, SourceFile] = {}
        self.at = 0
        self.moves = DeviceTransfers()
        self.checks: dict[tree.Function, ArgumentChecks] = {}
        self.scanned: dict[Path, Scanned] = {}  # what is known of a folder's files

    def project(self, source: bytes, file: str) -> Project:
        if b"package.path" in source:
            path = SearchPath(source, file)
            source = path.written()
            self.before, self.behind = (
                [self._search_folder(p) for p in places] for places in (path.before, path.behind)
            )
        folders = Folders(self.folders, self.script_folder, self.scanned)
        source = written_out(source, file, folders, self.observed, self._classes(self.reading[0]))
        block = self._parsed(source, file, self.script_folder)
        folder = next((f for f in self.folders if self._has_all(block, f)), self.folder)
        package_folder = self._project_package(block)
        if package_folder is not None:
            folder, self.behind = package_folder, [*self.behind, self.script_folder]
        if folder != self.folder:
            self.folder, self.files, self.order, self.at = folder, {}, [], 0
            block = self._parsed(source, file, self.script_folder)
        script = SourceFile(Path(file).name, block, Path(file), source=source)
        for call in _calls(block):
            required = self._file_of(call, self.script_folder)
            if required is not None:
                self.requires[call] = required
        written_as_functions(self.order, script, self.requires)
        blocks = [*(source_file.block for source_file in self.order), script.block]
        leave_out_branches(blocks, self.requires.keys())
        added = read_library_functions([*(source_file.block for source_file in self.order), block])
        stand_ins: list[Statement] = []
        for source_file in self.order:
            assert source_file.function is not None
            position = source_file.function.span
            stand_ins.append(
                tree.LocalFunction(
                    position, Around(), Name(position, f"file {source_file.name}"), source_file.function
                )
            )
        program = Block((*stand_ins, *block.statements), block.opening, block.closing)
        return Project(script, self.order, program, self.requires, self.moves, self.checks, added)

    def _search_folder(self, entry: str) -> Path:
        """A folder that a program adds to ``package.path``."""
        if entry.startswith(BESIDE):
            return _plain(self.script_folder / entry.removeprefix(BESIDE).lstrip("/"))
        places = [_plain(self.script_folder / entry), _plain(self.above / entry)]
        return next((folder for folder in places if folder.is_dir()), places[0])

    def _project_package(self, block: Block) -> Path | None:
        """Where the package is that a program is a part of, whose other files it requires by the package's name."""
        script_folder = self.script_folder.resolve()
        for stem in self._stems(block):
            if self._search(stem) is None and not _in(self.above, stem):
                for folder in (script_folder, *script_folder.parents):
                    if folder.name == stem.partition("/")[0] and _in(folder.parent, stem):
                        return folder.parent
        return None

    def _stems(self, block: Block) -> list[str]:
        """The files that a program requires, those beside it by their paths and packages left out."""
        wanted = [call.arguments[-1] for call in _calls(block) if dotted(call.callee) == "require"]
        names = [name.value for name in wanted if isinstance(name, String)]
        return [plain_name(name) for name in names if not _is_beside(name) and not self._is_package(name)]

    def _has_all(self, block: Block, folder: Path) -> bool:
        """Whether a folder has all files that are run, as far as they are no packages and are there at all."""
        for call in _calls(block):
            name = call.arguments[-1]
            assert isinstance(name, String)
            beside = self._beside(call, name.value, self.script_folder)
            if beside is not None:
                self.missed.append(beside)
        if not all(file.resolve().is_relative_to(folder.resolve()) for file in self.missed):
            return False
        stems = self._stems(block)
        # what has an init.lua there is another package beside this one
        there = [s for s in stems if _in(self.script_folder, s) or (self.above / f"{s}.lua").is_file()]
        return all(_in(folder, stem) for stem in there)

    def _parsed(self, source: bytes, name: str, folder: Path) -> Block:
        """A file's tree. What it needs comes before it: if that is anything, its places are counted anew."""
        first = self.at
        block, moves = self._tree(source, name, first)
        for call in _calls(block):
            self._file_of(call, folder)
        if self.at != first:
            shift(block, self.at - first)
        self.moves.update(moves)
        functions, checks = find_argument_checks(block)
        if functions:
            replace_in(block, functions)
            self.checks.update(checks)
        return block

    def _tree(self, source: bytes, file: str, at: int) -> tuple[Block, DeviceTransfers]:
        block = parse(source, file, at)
        write_options(block)
        read_chains(block)
        read_globals(block)
        read_class_libraries(block, self._is_package)
        names = [call.arguments[0] for call in _calls(block)]
        alone = all(isinstance(name, String) and self._is_package(name.value) for name in names)
        moves = read_as_methods(block, alone)
        split_constructions(block)
        return block, moves

    def _file_of(self, call: Call, folder: Path) -> SourceFile | None:
        path = self._path(call, folder)
        if path is None:
            return None
        key = path.resolve()
        source_file = self.files.get(key)
        if source_file is None:
            source_file = self._read(path, key)
        return source_file

    def _path(self, call: Call, folder: Path) -> Path | None:
        """The file that a call runs; None where it is none of the program's own."""
        name = call.arguments[-1]
        assert isinstance(name, String)
        file_path = self._beside(call, name.value, folder)
        if dotted(call.callee) in _NAMES and file_path is None:
            stem = plain_name(name.value)
            if is_part(name.value) or (is_in_lua(name.value) and self._is_package(name.value)):
                self.packages[path_of(name.value).resolve()] = name.value
                return path_of(name.value)
            if stem.startswith(("/", "..")) or self._is_package(name.value) or name.value in _PRELOADED:
                return None
            file_path = self._search(stem)
        if file_path is None or not self._outside(file_path):
            return file_path
        self.missed.append(file_path)
        return None

    def _is_package(self, name: str) -> bool:
        """Whether ``require`` finds a package. One that did not come with Torch comes after a file of its name; a file
        that requires its own name means the package."""
        if name not in packages:
            return False
        file = self.folder / f"{plain_name(name)}.lua"
        return came_with_torch(name) or not file.is_file() or file.resolve() in self.reading

    def _search(self, stem: str) -> Path | None:
        """The file that ``require`` finds: in the script's own folder last, wherever the program runs."""
        places = [*self.before, self.folder, *self.behind, self.script_folder]
        return next((path for folder in places if (path := _in(folder, stem)) is not None), None)

    def _outside(self, path: Path) -> bool:
        """Whether a file cannot have a page: it is not where the program is, or its page would be another's."""
        key = path.resolve()
        name = None if key == self.reading[0] else self._name(key)
        return name in (None, self.script_name) or any(
            file.name == name and other != key for other, file in self.files.items()
        )

    def _name(self, key: Path) -> str | None:
        """A file's path from the program's folder, or from where it is required; a package's name."""
        if key in self.packages:
            return f"{self.packages[key]}.lua"
        places = [self.folder, self.above] if self.before or self.behind else [self.folder]
        for root in (*places, *self.before, *self.behind):
            if key.is_relative_to(root.resolve()):
                return key.relative_to(root.resolve()).as_posix()
        return None

    def _beside(self, call: Call, name: str, folder: Path) -> Path | None:
        """The file that a call finds from its own folder: by a path, or by a name that begins with a dot.

        A path of ``dofile`` is from where the program runs, and from the file's folder where that is taken to be it.
        """
        if dotted(call.callee) not in _NAMES:
            places = [self.folder, folder] if dotted(call.callee) == "dofile" else [folder]
            paths = [place / name for place in places if name.endswith(".lua") and (place / name).is_file()]
            return _plain(paths[0]) if paths else None
        return _in(folder, name.removesuffix(".lua")) if _is_beside(name) else None

    def _classes(self, key: Path) -> dict[bytes, bytes] | None:
        """The classes of packages that a file gets; None where it gets those that it uses itself."""
        return None if self.users is None else self.users.get(key, {})

    def _read(self, path: Path, key: Path) -> SourceFile:
        name = self._name(key)
        assert name is not None
        folders = Folders([self.folder], path.parent, self.scanned)
        package = self.packages.get(key)
        text = with_parts_required(path.read_bytes()) if package is None else source_of(package)
        source = written_out(text, name, folders, self.observed, self._classes(key))
        source_file = SourceFile(
            name, Block((), None, ()), path, source=source, is_package=package is not None
        )
        self.files[key] = source_file
        self.reading.append(key)
        block = self._parsed(source, name, path.parent)
        position = Span(1, 1, self.at, self.at + len(source))
        self.at += len(source) + 1
        source_file.block = block
        source_file.function = tree.Function(position, (), False, block, name)
        for call in _calls(block):
            required = self._file_of(call, path.parent)
            if required is not None:
                self.requires[call] = required
        self.reading.pop()
        self.order.append(source_file)
        return source_file


def _is_beside(name: str) -> bool:
    """Whether ``require`` takes a name for a path from the folder of the file that asks: ``..``, ``./loader``."""
    return name.startswith(".")


def plain_name(name: str) -> str:
    """The path of a required file without its ending: ``data/loader`` for ``data.loader``."""
    plain = name.removesuffix(".lua").removeprefix("./")
    return plain if "/" in plain else plain.replace(".", "/")


def _in(folder: Path, stem: str) -> Path | None:
    """The file that ``require`` finds in a folder."""
    candidates = (folder / f"{stem}.lua", folder / stem / "init.lua")
    return next((_plain(path) for path in candidates if path.is_file()), None)


def _plain(path: Path) -> Path:
    """A path without ``..`` in its middle, as a report shows it."""
    return Path(os.path.normpath(path))


def _calls(block: Block) -> list[Call]:
    """The calls that name a file to be run."""
    calls = []
    for node in tree.every(block, Call):
        if len(node.arguments) == 1 and isinstance(node.arguments[0], String):
            name = dotted(node.callee)
            if name in _NAMES or name in _PATHS:
                calls.append(node)
        elif (
            len(node.arguments) == 2
            and isinstance(node.arguments[1], String)
            and dotted(node.callee) == "torch.include"
            and _names_project_file(node.arguments[0])  # whose first file is the one that includes the others
        ):
            calls.append(node)
    return calls


def _names_project_file(node: Expression) -> bool:
    return isinstance(node, String) and node.value not in packages
