-- cjson.safe: cjson whose encode and decode answer nil and a message instead of an error.
--
-- Arguments: core {fill_cjson_safe, set by cjson}, host, cjson.safe.

local core, _, safe = ...
core.fill_cjson_safe(safe)
