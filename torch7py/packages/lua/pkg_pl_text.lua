-- pl.text: the operator on strings, under its older name.
--
-- Arguments: core, host, text.

local _, _, text = ...
text.format_operator = require('pl.stringx').format_operator
