"""The faithful style: any Lua program, statement by statement, on the operators of ``torch7py.lua_compat``."""

from __future__ import annotations

from torch7py.translate.faithful.page import Page, compile_chunk, translate_faithful

__all__ = ["Page", "compile_chunk", "translate_faithful"]
