-- Errors that a program catches: Lua puts the place before a message, Python does not
local function read(count)
   if count == 0 then error('nothing to read') end
   return count / 2
end

for count = 0, 1 do
   local ok, result = pcall(read, count)
   if ok then print('read ' .. result) else print('failed: ' .. result) end
end

local ok, message = pcall(function() assert(false, 'not so') end)
print(ok, message)

local good, value = pcall(function() return 5 end)
if not good then error(value) end
print(value + 1)
