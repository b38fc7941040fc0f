-- m:replace(f): replaces m and every module below it by f(module), outer ones first.
--
-- Done in Lua, whose lists of modules count: f may change them, and a script, or torch.save, reads them at every depth
-- afterwards.
--
-- Arguments: module.

local module = ...

module.redefine(torch.getmetatable('nn.Module'), 'replace', function(self, callback)
   local result = callback(self)
   local list = self.modules
   if list then
      for i, m in ipairs(list) do list[i] = m:replace(callback) end
   end
   return result
end)
