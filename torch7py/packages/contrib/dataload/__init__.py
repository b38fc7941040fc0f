"""dataload: loaders of data sets, which give batches of inputs and targets."""

from __future__ import annotations

from torch7py.ops.support import restricted, unsupported
from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "dataload",
    __name__,
    requires=("torch", "paths", "xlua", "torchx", "sys", "image", "lfs", "moses"),
    lua="dataload.lua",
)
package("dataload._env", __name__, requires=("dataload",), lua="env.lua")


restricted("dataload.downloadfile", "downloads nothing: a file that is missing is an error with its address")
restricted(
    "dataload.AsyncIterator",
    "one copy of the loader, in the program's own thread: batches come in order, with its random numbers",
)
restricted("dataload.loadSentiment140", "of files whose words are separated already: twokenize.py is not run")
for _name in ("ImageClass", "MultiImageSequence"):
    restricted(
        f"dataload.{_name}", "files in the order of their names, where the original has the file system's"
    )
unsupported("dataload.test", "the package's own tests are not part of this one")
