-- A vocabulary and a list of pictures in JSON, read, counted and written again.
local cjson = require 'cjson'
local utils = {}
function utils.read_json(path)
   local file = io.open(path, 'r')
   local text = file:read()
   file:close()
   return cjson.decode(text)
end
function utils.write_json(path, value)
   local file = io.open(path, 'w')
   file:write(cjson.encode(value))
   file:close()
end
function utils.count_keys(t)
   local n = 0
   for k, v in pairs(t) do n = n + 1 end
   return n
end
local start = io.open('words.json', 'w')
start:write('{"words": {"1": "zebra", "2": "oak"}, "pictures": [{"split": "train", "id": 11, "boxes": [1, 2.5]},'
   .. ' {"split": "val", "id": 12, "boxes": []}, {"split": "train", "id": 13, "boxes": [4]}]}')
start:close()

torch.class('Loader')
function Loader:__init(path)
   self.info = utils.read_json(path)
   self.words = self.info.words
   self.splits = {}
   for i, picture in pairs(self.info.pictures) do
      local split = picture.split
      if not self.splits[split] then self.splits[split] = {} end
      table.insert(self.splits[split], i)
   end
end
function Loader:word(number) return self.words[tostring(number)] end
function Loader:id(number) return self.info.pictures[number].id end

local loader = Loader('words.json')
print(utils.count_keys(loader.words), loader:word(2), loader:word(7) == nil)
for _, place in ipairs(loader.splits.train) do print(place, loader:id(place)) end
print(#loader.splits.val, #loader.info.pictures, #loader.info.pictures[1].boxes)

local found = {}
for i = 1, 3 do table.insert(found, {image_id = loader:id(i), caption = 'a ' .. loader:word(1), score = i / 4}) end
utils.write_json('found.json', found)
local file = io.open('found.json')
local again = cjson.decode(file:read('*a'))
file:close()
print(#found, again[3].caption, again[2].score)

-- Loops in which the order of the entries makes no difference, and one in which it does.
local lengths, letters, weights = {}, 0, 0
for word, id in pairs({oak = 3, yew = 4, alder = 0.1}) do
   lengths[word] = #word
   letters = letters + #word
   if id > 3 then letters = letters + 10 end
   weights = weights + id
end
print(lengths.oak, lengths.alder, letters, weights)
local names, twice = {}, {}
for word, length in pairs(lengths) do
   twice[word] = length * 2
end
for word in pairs(twice) do table.insert(names, word:upper()) end
print(table.concat(names, ' '), twice.yew)
