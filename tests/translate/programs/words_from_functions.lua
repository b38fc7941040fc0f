-- Matches that a function gives, and that are kept for two loops, of which the second finds what the first has left.
local function words(text) return string.gmatch(text, '%a+') end
local counts, total = {}, 0
for word in words('the cat and the dog and the bird') do
   counts[word] = (counts[word] or 0) + 1
   total = total + 1
end
print(counts.the, counts.dog, total)
local function numbers(text) return text:gmatch('(%d+);') end
for digits in numbers('12;3;x4;') do print(digits, #digits) end
local kept = ('a b c'):gmatch('%S')
for letter in kept do
   print(letter)
   if letter == 'b' then break end
end
for letter in kept do print('then', letter) end
