-- What layers make of inputs of other shapes: for each variant of a case's input its name and what came out.
-- Arguments: make (a new layer), input, whether it is a criterion, its target. Result: {variant = outcome}.

local make, input, criterion, target = ...

-- A value as text: sizes and sum of a tensor, numbers to eight digits.
local function text(value)
   if torch.isTensor(value) then
      if value:dim() == 0 then return 'empty' end
      return table.concat(value:size():totable(), 'x') .. '=' .. string.format('%.8g', value:double():sum())
   end
   if type(value) == 'table' then
      local parts = {}
      for i = 1, #value do parts[i] = text(value[i]) end
      return '{' .. table.concat(parts, ',') .. '}'
   end
   return type(value) == 'number' and string.format('%.8g', value) or value == nil and 'nil' or type(value)
end

local function copy(value)
   if torch.isTensor(value) then return value:clone() end
   if type(value) ~= 'table' then return value end
   local list = {}
   for i = 1, #value do list[i] = copy(value[i]) end
   return list
end

local function shaped(t, first, last)
   local sizes = t:size():totable()
   if first then table.insert(sizes, 1, first) end
   sizes[#sizes + 1] = last
   return sizes
end

local NIL = {}

-- Name and function of what is made of a tensor; nil where that cannot be.
local TENSORS = {
   {'same', function(t) return t end},
   {'1x', function(t) return t:view(unpack(shaped(t, 1))) end},
   {'x1', function(t) return t:view(unpack(shaped(t, nil, 1))) end},
   {'2x', function(t) return t:view(unpack(shaped(t, 1))):expand(unpack(shaped(t, 2))):clone() end},
   {'first', function(t) return t:dim() > 1 and t[1] or nil end},
   {'last', function(t) return t:dim() > 1 and t:select(t:dim(), 1):clone() or nil end},
   {'shorter', function(t) return t:size(1) > 1 and t:narrow(1, 1, t:size(1) - 1):clone() or nil end},
   {'longer', function(t) return torch.cat(t, t:narrow(1, 1, 1), 1) end},
   {'narrower', function(t)
      local d = t:dim()
      return d > 1 and t:size(d) > 1 and t:narrow(d, 1, t:size(d) - 1):clone() or nil
   end},
   {'wider', function(t)
      local d = t:dim()
      return d > 1 and torch.cat(t, t:narrow(d, 1, 1), d) or nil
   end},
   {'mid', function(t) return t:dim() > 2 and torch.cat(t, t:narrow(2, 1, 1), 2) or nil end},
   {'transposed', function(t)
      local d = t:dim()
      return d > 1 and t:transpose(1, d):clone():transpose(1, d) or nil
   end},
   {'strided', function(t)
      local sizes = shaped(t, nil, 2)
      local view = torch.zeros(unpack(sizes)):typeAs(t):select(#sizes, 2)
      view:copy(t)
      return view
   end},
   {'flat', function(t) return t:dim() > 1 and t:view(-1) or nil end},
   {'empty', function(t) return t.new() end},
   {'float', function(t) return t:float() end},
   {'number', function(t) return t:view(-1)[1] end},
   {'nil', function() return NIL end},
}

local function with(list, i, value)
   local new = copy(list)
   new[i] = value
   return new
end

local function variants(value)
   local found = {}
   local function put(name, ok, made)
      if ok and made ~= nil then found[#found + 1] = {name, made} end
   end
   if torch.isTensor(value) then
      for _, v in ipairs(TENSORS) do put(v[1], pcall(v[2], value:clone())) end
   elseif type(value) == 'table' then
      for i = 1, #value do
         for _, v in ipairs(torch.isTensor(value[i]) and TENSORS or {}) do
            if v[1] ~= 'same' and v[1] ~= 'nil' then
               local ok, made = pcall(v[2], value[i]:clone())
               if made ~= nil then put(i .. v[1], ok, with(value, i, made)) end
            end
         end
      end
      put('more', true, with(value, #value + 1, copy(value[#value])))
      if #value > 0 then put('fewer', true, with(value, #value, nil)) end
      if #value > 1 then put('swapped', true, with(with(value, 1, value[#value]), #value, value[1])) end
      put('bare', true, copy(value[1]))
   end
   put('wrapped', true, {value})
   return found
end

local outcomes = {}

local function try(name, first, second)
   torch.manualSeed(7)
   math.randomseed(7)
   local m = make()
   torch.manualSeed(8)
   local results = {pcall(function()
      local output = m:forward(first, second)
      if not criterion then return text(output) end
      return text(output) .. ' ' .. text(m:backward(first, second))
   end)}
   outcomes[name] = results[1] and 'ok ' .. results[2] or 'err'
end

local function or_nil(value)
   if value == NIL then return nil end
   return copy(value)
end

for _, v in ipairs(variants(input)) do try(v[1], or_nil(v[2]), copy(target)) end
if criterion then
   for _, v in ipairs(variants(target)) do try('t ' .. v[1], copy(input), or_nil(v[2])) end
end
return outcomes
