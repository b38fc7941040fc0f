-- cephes: the C functions by themselves take numbers alone, as these do too; some numbers.
--
-- Arguments: core, host, cephes.

local _, _, cephes = ...
cephes.ffi = cephes
cephes.nan, cephes.inf = 0 / 0, math.huge
