-- pl: Penlight's modules, as globals when they are first named, and `%` on strings.
--
-- Arguments: core, host, pl.

local _, _, pl = ...
local import_into = require 'pl.import_into'

import_into(pl)
import_into(_G)
require('pl.stringx').format_operator()
if rawget(_G, 'PENLIGHT_STRICT') then require 'pl.strict' end
