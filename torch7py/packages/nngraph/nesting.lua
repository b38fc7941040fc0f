-- nngraph.nesting: operations on tensors, applied to nested tables of tensors.
--
-- Arguments: core, host, nesting.

local _, _, nesting = ...
local isTensor = torch.isTensor

-- A copy with separate memory.
function nesting.cloneNested(value)
   if isTensor(value) then return value:clone() end
   local copy = {}
   for key, inner in pairs(value) do copy[key] = nesting.cloneNested(inner) end
   return copy
end

function nesting.fillNested(value, number)
   if isTensor(value) then value:fill(number) return end
   for _, inner in pairs(value) do nesting.fillNested(inner, number) end
end

-- Give `output` the structure of `input`: missing entries are cloned, surplus ones dropped.
function nesting.resizeNestedAs(output, input)
   if isTensor(output) then output:resizeAs(input) return end
   for key, inner in pairs(input) do
      if output[key] then nesting.resizeNestedAs(output[key], inner) else output[key] = nesting.cloneNested(inner) end
   end
   for key in pairs(output) do
      if not input[key] then output[key] = nil end
   end
end

-- Both must have the same keys.
function nesting.copyNested(output, input)
   if isTensor(output) then output:copy(input) return end
   for key, inner in pairs(input) do
      if output[key] == nil then error(('copyNested: the output has no key %s'):format(tostring(key)), 2) end
      nesting.copyNested(output[key], inner)
   end
   for key in pairs(output) do
      if not input[key] then error(('copyNested: the input has no key %s'):format(tostring(key)), 2) end
   end
end

-- `output` may have keys that `input` has not; these stay.
function nesting.addNestedTo(output, input)
   if isTensor(output) then output:add(input) return end
   for key, inner in pairs(input) do
      if output[key] == nil then error(('addNestedTo: the output has no key %s'):format(tostring(key)), 2) end
      nesting.addNestedTo(output[key], inner)
   end
end
