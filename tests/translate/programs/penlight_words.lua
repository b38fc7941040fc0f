-- counts the words of a text, as programs that read corpora do
local stringx = require 'pl.stringx'
local pl = require('pl.import_into')()
local tds = require 'tds'
require 'paths'

local text = [[
the quick  brown fox
jumps over the lazy dog , the end

a fox is a fox
]]

local vocabulary, counts = tds.hash(), tds.Hash()
local words = tds.Vec()
for _, line in ipairs(pl.utils.split(text, '\n')) do
   line = stringx.strip(line)
   for _, word in ipairs(stringx.split(line)) do
      word = stringx.replace(word, ',', '<comma>')
      if counts[word] == nil then
         counts[word] = 0
         words:insert(word)
         vocabulary[word] = #words
      end
      counts[word] = counts[word] + 1
   end
end
print(#vocabulary, #words, #counts)
for i = 1, #words do
   if counts[words[i]] > 1 then print(i, words[i], counts[words[i]]) end
end
words:sort(function(a, b) return a < b end)
print(words[1], words[#words], vocabulary.fox)
vocabulary['fox'] = nil
print(#vocabulary, vocabulary['fox'] == nil)

-- Rows of a table as text.
local rows = {}
for _, row in ipairs(stringx.split('a,1;b,22;c,', ';')) do
   local cells = stringx.split(row, ',')
   table.insert(rows, stringx.ljust(cells[1], 3) .. '|' .. stringx.rjust(cells[2], 4, '.'))
   print(#cells, stringx.count(row, ','), stringx.startswith(row, 'b'), stringx.endswith(row, ','))
end
print(table.concat(rows, '\n'))
print(#stringx.split('', ','), #stringx.split(',', ','), #stringx.split('  ', ','), #pl.utils.split('x--y--', '--', true))
for _, piece in ipairs(pl.utils.split('one1two22three', '%d+')) do print(piece) end
print(stringx.lfind('banana', 'nan'), stringx.lfind('banana', 'x'), stringx.strip('..a.b..', '.'))
print(pl.path.basename(pl.path.join('some', 'file.txt')), pl.path.exists('nowhere.at.all') and 'there' or 'gone')
