"""The packages there are, a line each."""

from __future__ import annotations

from torch7py.packages.registry import package

package("torch", "torch7py.ops.all")
package("nn", "torch7py.nn.all", requires=("torch",))
package("dpnn", "torch7py.rnn.dpnn", requires=("nn",), table="dpnn")
package("rnn", "torch7py.rnn.all", requires=("dpnn",))
package("optim", "torch7py.packages.optim.all", requires=("torch", "xlua"), chunk="pkg_optim.lua")
package("paths", "torch7py.packages.paths", chunk="pkg_paths.lua")
package("sys", "torch7py.packages.sys", requires=("paths",), chunk="pkg_sys.lua")
package("xlua", "torch7py.packages.xlua", requires=("torch", "sys"), chunk="pkg_xlua.lua")
