"""How often Lua asks Python whether what it knows of a small model still holds."""

from __future__ import annotations

import pytest

from torch7py.nn.step_program import StepProgram

__all__ = ["looks"]


def looks(monkeypatch: pytest.MonkeyPatch) -> list[StepProgram]:
    """The lists of instructions that Lua asks for from now on, one entry for each time."""
    asked: list[StepProgram] = []
    holds = StepProgram.holds

    def counted(program: StepProgram) -> bool:
        asked.append(program)
        return holds(program)

    monkeypatch.setattr(StepProgram, "holds", counted)
    return asked
