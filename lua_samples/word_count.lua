-- Reads a file line by line: counts its words, finds numbers and settings in it, and writes a report to another.
--
--    word_count.lua
require 'torch'

local text = [[
# The tortoise and the hare
speed = 12
A hare laughed at a tortoise: "You are slow!" said the hare.
"I may be slow," said the tortoise, "but I will win a race."
distance = 1500
The hare ran, and slept; the tortoise walked, and walked.
At 10 o'clock the tortoise had won. The hare woke at 11.
]]
local path, reportPath = os.tmpname(), os.tmpname()
local out = assert(io.open(path, 'w'))
out:write(text)
out:close()

local counts, settings, numbers = {}, {}, {}
local lines, title = 0
for line in io.lines(path) do
   lines = lines + 1
   local key, value = line:match('^(%a+)%s*=%s*(%d+)$')
   if line:sub(1, 1) == '#' then
      title = line:gsub('^#%s*', '')
   elseif key then
      settings[key] = tonumber(value)
   else
      for word in line:lower():gmatch("[%a']+") do
         counts[word] = (counts[word] or 0) + 1
      end
      for number in line:gmatch('%d+') do table.insert(numbers, tonumber(number)) end
   end
end

print('"' .. title .. '"' .. ' has ' .. lines .. ' lines')
for key, value in pairs(settings) do print(key, value) end
print('numbers: ' .. table.concat(numbers, ' '))

-- The most frequent words first, those of the same frequency by the alphabet.
local words = {}
for word in pairs(counts) do words[#words + 1] = word end
table.sort(words, function(a, b)
   if counts[a] ~= counts[b] then return counts[a] > counts[b] end
   return a < b
end)
for rank = 1, 5 do
   local word = words[rank]
   print(string.format('%d. %-10s %3d %s', rank, word, counts[word], ('*'):rep(counts[word])))
end

-- Words by their length: a table of lists.
local byLength, longest = {}, 0
for _, word in ipairs(words) do
   local length = #word
   if not byLength[length] then byLength[length] = {} end
   table.insert(byLength[length], word)
   longest = math.max(longest, length)
end
local report = assert(io.open(reportPath, 'w'))
for length = longest, 1, -1 do
   local list = byLength[length]
   if list then
      table.sort(list)
      report:write(length, ': ', table.concat(list, ' '), '\n')
   end
end
report:close()

local input = assert(io.open(reportPath))
print(input:read('*l'))
local rest = input:read('*a')
input:close()
local _, more = rest:gsub('\n', '\n')
print(more .. ' more lines, ' .. (rest:find('hare') and 'with' or 'without') .. ' a hare')
print((text:gsub('%s+', ' '):sub(1, 40)) .. '...')
os.remove(path)
os.remove(reportPath)
