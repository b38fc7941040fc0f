"""threads: pools of Lua states that run jobs."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("threads", __name__, ".locks", requires=("torch",), lua="threads.lua", with_torch=True, projects=25)
package("threads.threads", __name__, requires=("threads",), lua="pool.lua")
package("threads.queue", __name__, requires=("threads",), lua="queue.lua")
package("threads.safe", __name__, requires=("threads",), lua="safe.lua")
package("threads.serialize", __name__, requires=("torch",), lua="serialize.lua")
package("threads.sharedserialize", __name__, requires=("torch", "tds"), lua="sharedserialize.lua")
package("threads.worker", __name__, requires=("threads",), lua="worker.lua")
