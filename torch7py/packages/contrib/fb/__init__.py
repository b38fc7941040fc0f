"""fb: the modules ``fb.debugger`` and ``fb.ffivector`` of Facebook's libraries."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("fb.debugger", __name__, lua="debugger.lua", projects=6)
package("fb.ffivector", __name__, requires=("torch",), lua="ffivector.lua", projects=6)
