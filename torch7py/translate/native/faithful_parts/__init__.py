"""Statements without a native form, written in the faithful style between native ones.

A value may pass from one style to the other where both have it as the same object: numbers, text, truth values and
tensors. What else a statement uses must be its own, or be read natively where it stands: a field of a table, its
length, a setting, what a function of the program gives. The statement then counts as faithful, and the report says
why; where something else would pass, it stays untranslated.
"""

from __future__ import annotations

from torch7py.translate.native.faithful_parts.parts import Parts

__all__ = ["Parts"]
