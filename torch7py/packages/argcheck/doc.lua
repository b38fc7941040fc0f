-- argcheck.doc: the documentation in rules, collected between record() and stop().
--
-- Arguments: core, host, argcheck.doc.

local _, _, doc = ...
local kept

function doc.record() kept = {} end

function doc.stop()
   local text = table.concat(kept)
   kept = nil
   return text
end

function doc.doc(text)
   if kept then table.insert(kept, text) end
end

setmetatable(doc, {__call = function(_, ...) return doc.doc(...) end})
