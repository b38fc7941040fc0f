local config, stringio = require 'pl.config', require 'pl.stringio'
local function try(text, options) show(config.read(stringio.open(text), options)) end
try [[
# a comment
read.timeout=10
; another
write.timeout = 5.5
ports = 1002,1003,1004

name = some one  
long = one \
  two \
three
quoted = "some text"
size = 10 kB
flag = true
negative = -3
date = 2015-01-02
]]
try [[
top = 1
[Section one]
a-b = x,y
c=d
[two]
e = 1, 2
]]
try('flag = true\nother=false', {convert_boolean = true})
try('a.b = 1', {variabilize = false})
try('a = 1', {convert_numbers = false})
try('a =  x  ', {trim_space = false})
try('a = "x"', {trim_quotes = true})
try('a: 1\nb:2', {keysep = ':'})
try('a 1\nb  two words', {keysep = ' '})
try('10,20\n30, x')
try('10 20\n30 40', {list_delim = ' '})
try('a = b', {ignore_assign = true})
try('root:x:0:0:root:/root\nme:x:1000:2:/home/me', {smart = true})
try('/dev/sda1 / ext4 rw 0 1\nproc /proc proc ro 0 0', {smart = true})
try('Port 22\nHostKey /etc/key\n', {smart = true})
try('x = "a b"\ny = \'c\'', {smart = true})
try('a = 1,2', {list_delim = ';'})
try('a = ')
show(config.read(3 == 4 or {}))
show(config.read 'no such file')
for line in config.lines(stringio.open 'a\n\n #b\nc\\\nd') do show(line) end
