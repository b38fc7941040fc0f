"""trepl: the colours of Torch7's interactive console."""

from __future__ import annotations

from torch7py.ops.support import unsupported
from torch7py.packages.registry import package

__all__: list[str] = []

package("trepl", __name__, with_torch=True, projects=8)
package("trepl.colors", __name__, requires=("sys",), lua="colors.lua")
package("trepl.colorize", __name__, lua="colorize.lua")

for _name in ("import", "who"):
    unsupported(f"trepl.{_name}", "only at the prompt, `torch7py repl`")
unsupported("trepl.repl", "the prompt is `torch7py repl`")
