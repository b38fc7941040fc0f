"""rex_pcre: Perl's regular expressions."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("rex_pcre", __name__, ".expressions", lua="rex_pcre.lua", makes_global=True)
