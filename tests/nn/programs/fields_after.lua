-- What the fields of every module are after calls that change, copy or save it.
--
-- Arguments: a Lua file that returns cases {expression, input, seed}, and perhaps one that returns what is to be done, by the
-- number of the case. Each line: the number of the case, what was done after
-- a forward and a backward, and what is in the fields that most modules have: sizes, types of numbers, and numbers in which
-- every element counts; or `error`.
local write = dofile(arg[0]:match('^(.*/)') .. 'inputs.lua')
local cases = dofile(arg[1])
local wanted = arg[2] and dofile(arg[2])
local FIELDS = {'output', 'gradInput', 'weight', 'bias', 'gradWeight', 'gradBias'}

local function text(v, depth)
   if torch.isTensor(v) then
      local kind = torch.type(v):sub(7, 7)
      if v:nElement() == 0 then return kind .. '[]' end
      local flat = v:double():contiguous():view(-1)
      return kind .. table.concat(v:size():totable(), 'x') .. ':' .. ('%.4g'):format(flat:dot(torch.range(1, flat:size(1)):mul(0.37):cos()))
   end
   if type(v) == 'table' and not torch.typename(v) and depth < 5 then
      local parts = {}
      for i = 1, #v do parts[i] = text(v[i], depth + 1) end
      return '{' .. table.concat(parts, ' ') .. '}'
   end
   return type(v)
end

local VARIANTS = {
   {'nothing', function(m) return m end},
   {'double', function(m) m:double() return m end},
   {'float', function(m) m:float() return m end},
   {'clearState', function(m) m:clearState() return m end},
   {'clone', function(m) return m:clone() end},
   {'shared', function(m) return m:clone('weight', 'bias', 'gradWeight', 'gradBias') end},
   {'saved', function(m) return torch.deserialize(torch.serialize(m)) end},
   {'evaluate', function(m) m:evaluate() return m end},
   {'updated', function(m) m:updateParameters(0.1) return m end},
   {'flat', function(m) m:getParameters() return m end},
   {'reset', function(m) torch.manualSeed(5) m:reset() return m end},
}

local function is_wanted(number, variant)
   if not wanted then return true end
   for _, name in ipairs(wanted[number] or {}) do
      if name == variant then return true end
   end
end

for number, case in ipairs(cases) do
   local expr, input, seed = unpack(case)
   for _, variant in ipairs(VARIANTS) do
      if is_wanted(number, variant[1]) then
         local ok, found = pcall(function()
            local m, x = make(expr, seed), make(input, seed)
            torch.manualSeed(seed)
            local y = m:forward(x)
            m:zeroGradParameters()
            m:backward(x, gradient(y))
            m = variant[2](m)
            local parts = {}
            for _, field in ipairs(FIELDS) do
               if m[field] ~= nil then parts[#parts + 1] = field .. '=' .. text(m[field], 0) end
            end
            return parts[1] and table.concat(parts, ' ') or 'none'
         end)
         write(('%d %s %s\n'):format(number, variant[1], ok and found or 'error'))
      end
   end
end
