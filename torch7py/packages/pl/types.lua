-- pl.types: predicates on the kind of a value.
--
-- Arguments: core, host, types. The package pl.utils is loaded before.

local _, _, types = ...
local type, getmetatable = type, getmetatable

local function has(value, name)
   local mt = getmetatable(value)
   return type(mt) == 'table' and mt[name] ~= nil
end

types.is_type = require('pl.utils').is_type

-- types.type(x): the name of its class, 'file', or Lua's word for it.
function types.type(x)
   local kind = type(x)
   if kind ~= 'table' and kind ~= 'userdata' then return kind end
   if io.type(x) then return 'file' end
   local mt = getmetatable(x)
   if mt == nil then return kind end
   return type(mt) == 'table' and mt._name or 'unknown ' .. kind
end

function types.is_callable(x) return type(x) == 'function' or has(x, '__call') end
function types.is_integer(x) return math.ceil(x) == x end
function types.is_indexable(x) return type(x) == 'table' or has(x, '__len') and has(x, '__index') end
function types.is_iterable(x) return type(x) == 'table' or has(x, '__pairs') end
function types.is_writeable(x) return type(x) == 'table' or has(x, '__newindex') end

-- types.is_empty(x[, ignore_spaces]): true for an empty string or table, and for any other kind of value.
function types.is_empty(x, ignore_spaces)
   if type(x) == 'table' then return next(x) == nil end
   if type(x) == 'string' then return x == '' or ignore_spaces and x:find '^%s+$' ~= nil or false end
   return true
end

local YES = {yes = true, y = true, ['true'] = true, t = true, ['1'] = true}

-- types.to_bool(x[, true_strings[, check_objects]])
function types.to_bool(x, true_strings, check_objects)
   if type(x) == 'boolean' then return x end
   if type(x) == 'number' then return x ~= 0 end
   if type(x) == 'string' then
      local word = x:lower()
      for _, other in ipairs(true_strings or {}) do
         if other == word then return true end
      end
      return YES[word] or false
   end
   return check_objects and not types.is_empty(x) or false
end
