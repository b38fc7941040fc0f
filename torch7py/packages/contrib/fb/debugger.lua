-- fb.debugger: for programs that require it and stop nowhere.
--
-- Arguments: core {fail}, host, debugger.

local core, _, debugger = ...

function debugger.enter() core.fail 'fb.debugger.enter: there is no debugger here' end
