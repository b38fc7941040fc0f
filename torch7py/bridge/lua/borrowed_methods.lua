-- Methods of a built-in class that a script calls on a module of another (nn/borrowed_methods.py).
--
-- The fields that only the lender has are raw in the module: Python gets them for the call, and what it makes of them
-- comes back.
--
-- Arguments: core, host, peers, methods, walking. Result: the function `lend(m, key, method, ...)`, which calls a method
-- of the class of that key.

local core, host, peers, methods, walking = ...

local next, pcall, error, rawget, rawset = next, pcall, error, rawget, rawset
local handle_of, finish, give_field, enter = core.handle_of, core.finish, peers.give_field, walking.enter
local is_plain_table = peers.is_plain_table

local function same_content(a, b)
   for key, value in next, a do if b[key] ~= value then return false end end
   for key in next, b do if a[key] == nil then return false end end
   return true
end

local function refill(old, new)
   for key in next, old do if new[key] == nil then old[key] = nil end end
   for key, value in next, new do old[key] = value end
end

return function(m, key, method, ...)
   enter(m)   -- as its own class: children are not what they are to the lender
   local handle = handle_of[m]
   local names, before = {core.raw(host.lend, handle, key)}, {}
   local found = methods.marked[m]
   if found then host.mark(handle, found) end   -- the lender may call more of them than the module's own class
   for i = 1, #names do
      local name = names[i]
      local value = rawget(m, name)
      if value ~= nil then give_field(handle, name, value) end
      before[name] = finish(pcall(host.get_field, handle, name))
   end
   local function done(ok, ...)
      for i = 1, #names do
         local name = names[i]
         local old, new = before[name], finish(pcall(host.get_field, handle, name))
         local held = rawget(m, name)
         if is_plain_table(old) and is_plain_table(new) then
            if is_plain_table(held) then refill(held, new)
            elseif not same_content(old, new) then rawset(m, name, new) end
         elseif old ~= new then
            rawset(m, name, new)
         end
      end
      host.take_back()
      if found then host.mark(handle, found) end
      if not ok then error((...), 0) end
      return ...
   end
   return done(pcall(method, m, ...))
end
