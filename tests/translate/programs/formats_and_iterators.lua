-- Patterns that are known when the program runs, and iterators that end otherwise than by nil alone.
local function printf(pattern, ...) io.write(string.format(pattern, ...)) end
printf('%d of %5.2f is %s and 100%%\n', 3, 2.5, 'x')
printf('nothing\n')
local function log(level, text, ...)
   print(('[%s] '):format(level) .. text:format(...))
end
log('info', 'epoch %03d: %s %g', 7, 1, 0.25)
local patterns = {short = '%.1f', long = '%.4f'}
for _, name in ipairs({'short', 'long'}) do print(name, string.format(patterns[name], math.pi), (patterns[name]):format(2)) end
local values = {1, 2, 3}
print(string.format('%d-%d-%d', unpack(values)))
local function neighbours(list)
   local i = 0
   return function()
      i = i + 1
      if i < #list then return list[i], list[i + 1] end
   end
end
for a, b in neighbours({1, 4, 9}) do io.write(b - a, ' ') end
local function upTo(names, n)
   local i = 0
   return function() i = i + 1 return names[i], i * n end
end
for name, k in upTo({'a', 'b'}, 3) do print(name, k) end
local function words(list)
   local i = 0
   return function() i = i + 1 return list[i] end
end
for word in words({'p', 'q'}) do print(word) end
local function items(list)
   local i = 0
   return function()
      i = i + 1
      local item = list[i]
      return item
   end
end
for item in items({5, 6}) do print(item) end
