local input, stringio = require 'pl.input', require 'pl.stringio'
local function all(...)
   for a, b, c in ... do show(a, b, c) end
   print '--'
end
all(input.numbers '10 x -2.5 and 3e2\n+4')
all(input.words 'some, words: here\nand_there')
all(input.words(stringio.open 'from a\nfile'))
all(input.alltokens(input.create_getter 'a1 b2', '%a%d', string.upper))
all(input.fields(2, ' ', '10 20 30\n  40   50\n\n60 70'))
all(input.fields({1, 3}, ',', '1,2,3\n4,5,6'))
all(input.fields({2}, nil, stringio.open '1 2\n3 4 5'))
all(input.fields(2, ' ', 'a 1\nb 2', {no_fail = true}))
all(input.fields(2, ' ', '07 1', {no_convert = true}))
all(input.fields(1, ':', 'x:1', {no_fail = true}))
local get = input.create_getter 'one\ntwo'
show(get(), get(), get())
failure(input.create_getter, {})
