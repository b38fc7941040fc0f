-- Deep comparison of values, for torch.Tester.
--
-- Arguments: torch. Result: difference = function(got, expected, tolerance) -> nil when the two are equal, else
-- where and how they differ; and tensors = the same for two tensors, with a flag that ignores their shapes.

local torch = ...

local type, tostring, pairs, abs = type, tostring, pairs, math.abs

local EXACT = {['torch.DoubleTensor'] = true, ['torch.FloatTensor'] = true}

-- How far two tensors or storages of as many elements are apart, when that is more than the tolerance.
local function far(word, a, b, tolerance)
   if not EXACT[a:type()] then a, b = a:double(), b:double() end
   local most = a:clone():add(-1, b):abs():max()
   if most <= tolerance then return nil end
   return ('%sEQ(==) violation: max diff=%s, tolerance=%s'):format(word, tostring(most), tostring(tolerance))
end

local function tensors(a, b, tolerance, any_shape)
   if not any_shape and a:dim() ~= b:dim() then
      return ('The tensors have different dimensions: %d and %d'):format(a:dim(), b:dim())
   end
   if a:type() ~= b:type() then
      return ('The tensors have different types: %s and %s'):format(a:type(), b:type())
   end
   local same = any_shape and a:nElement() == b:nElement() or a:isSameSizeAs(b)
   if not same then return 'The tensors have different sizes' end
   if a:nElement() == 0 then return nil end
   return far('Tensor', a, b, tolerance)
end

local function storages(a, b, tolerance)
   if a:size() ~= b:size() then
      return ('The storages have different sizes: %d and %d'):format(a:size(), b:size())
   end
   if torch.type(a) ~= torch.type(b) then
      return ('The storages have different types: %s and %s'):format(torch.type(a), torch.type(b))
   end
   if a:size() == 0 then return nil end
   local tensor = torch.getconstructortable((torch.type(a):gsub('Storage$', 'Tensor')))
   return far('Storage', tensor(a), tensor(b), tolerance)
end

local function numbers(a, b, tolerance)
   if abs(a - b) <= tolerance then return nil end
   local text = ('EQ failed: %s ~= %s'):format(tostring(a), tostring(b))
   return tolerance > 0 and text .. ' with tolerance=' .. tostring(tolerance) or text
end

-- Everything but tables.
local function plain(a, b, tolerance)
   if type(a) ~= type(b) then
      return ('EQ failed: values have different types (first: %s, second: %s)'):format(type(a), type(b))
   end
   if type(a) == 'number' then return numbers(a, b, tolerance) end
   if torch.isTensor(a) and torch.isTensor(b) then return tensors(a, b, tolerance) end
   if torch.isStorage(a) and torch.isStorage(b) then return storages(a, b, tolerance) end
   if a == b then return nil end
   return ('EQ failed: %s (%s) ~= %s (%s)'):format(tostring(a), type(a), tostring(b), type(b))
end

-- Nearest entries first, so that of two deep structures the outermost difference is named. Pairs that were met
-- before, as in cyclic tables, are not entered again.
local function tables(first, second, tolerance)
   local waiting, met = {{first, second}}, {}
   local at = 1
   while waiting[at] do
      local a, b, path = unpack(waiting[at], 1, 3)
      waiting[at] = false
      at = at + 1
      met[a] = met[a] or {}
      if not met[a][b] then
         met[a][b] = true
         for key, value in pairs(a) do
            local name = path and path .. '.' .. tostring(key) or tostring(key)
            local other = b[key]
            if other == nil then
               return ('Entry %s missing in second table (is %s in first)'):format(name, tostring(value))
            elseif type(value) == 'table' and type(other) == 'table' then
               waiting[#waiting + 1] = {value, other, name}
            else
               local text = plain(value, other, tolerance)
               if text then return ('At table location %s: %s'):format(name, text) end
            end
         end
         for key, value in pairs(b) do
            if a[key] == nil then
               local name = path and path .. '.' .. tostring(key) or tostring(key)
               return ('Entry %s missing in first table (is %s in second)'):format(name, tostring(value))
            end
         end
      end
   end
   return nil
end

local function difference(got, expected, tolerance)
   if type(got) == 'table' and type(expected) == 'table' then return tables(got, expected, tolerance) end
   return plain(got, expected, tolerance)
end

return difference, tensors
