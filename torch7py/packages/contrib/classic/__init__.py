"""classic: classes with mixins, and methods that subclasses must define."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("classic", __name__, requires=("torch",), lua="classic.lua", makes_global=True)
package("classic.torch", __name__, requires=("classic",), lua="torch.lua")
