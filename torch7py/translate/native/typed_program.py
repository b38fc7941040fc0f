"""A program with its names resolved and its types inferred, once for all the forms in which its pages are written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from torch7py.translate.inference import infer
from torch7py.translate.native.project import Project, gather
from torch7py.translate.observed import Form, Observed
from torch7py.translate.scopes import Scopes, resolve
from torch7py.translate.tree import Expression
from torch7py.translate.types import Types

__all__ = ["TypedProgram"]


class TypedProgram:
    """A script with the files that it requires. ``observed``: what a run of it has shown.

    The types hang on one thing alone that the forms of a page choose, which is whether tables stay what they are.

    Raises LuaSyntaxError.
    """

    def __init__(self, source: bytes, file: str, observed: Observed) -> None:
        self.observed = observed
        self.project: Project = gather(source, file, observed)
        self._types: dict[bool, Types] = {}

    @cached_property
    def scopes(self) -> Scopes:
        return resolve(self.project.program)

    @cached_property
    def loaded(self) -> Mapping[Expression, Form]:
        """What the files hold that calls load, as far as a run has shown it."""
        files = (*self.project.files, self.project.script)
        return self.observed.forms_of_calls({file.name: file.block for file in files})

    def types(self, tables_stay: bool) -> Types:
        """The types, where tables with metatables become objects of classes or stay what they are."""
        if tables_stay not in self._types:
            project = self.project
            self._types[tables_stay] = infer(
                project.program, self.scopes, project.functions(), project.checks, tables_stay, self.loaded
            )
        return self._types[tables_stay]
