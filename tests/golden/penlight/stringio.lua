local stringio = require 'pl.stringio'
local f = stringio.create()
show(f:write('hello', ' ', 3, '\n'))
f:writef('%d-%s', 7, 'x')
f:write('one', nil, 'lost')
show(f:value(), tostring(f), f:close(), f:seek())

f = stringio.open 'first\nsecond\n\nlast'
show(f:read(), f:read '*L', f:read '*l', f:read '*l', f:read '*l')
f = stringio.open '10 20.5 -3e2x'
show(f:read('*n', '*n', '*n'))
show(f:read '*a')
f = stringio.open 'abcdef'
show(f:read(2), f:read(3), f:read(9), f:read(1))
show(f:seek 'set', f:read(1), f:seek('cur', 2), f:read(1), f:seek('end', -1), f:read '*a', f:seek('set', 3))
show(f:read '*a', f:read(1), f:read '*a')
for line in stringio.lines 'a\nb\n\nc' do show(line) end
for x, y in stringio.lines('1 2 3 4', '*n', '*n') do show(x, y) end
for part in stringio.open('abcde'):lines(2) do show(part) end
failure(function() return stringio.open('a'):read '*z' end)
show(stringio.open(''):read(), stringio.open('x'):close())
