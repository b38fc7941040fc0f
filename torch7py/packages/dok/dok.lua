-- dok: the functions for arguments and help that xlua has too. There is no help browser.
--
-- Arguments: core, host, dok.

local _, _, dok = ...
dok.unpack, dok.usage, dok.error = xlua.unpack, xlua.usage, xlua.error
