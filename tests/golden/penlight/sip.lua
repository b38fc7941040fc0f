local sip = require 'pl.sip'
local function try(spec, text, options)
   local found = {}
   local matches, err = sip.compile(spec, options)
   if not matches then return show(spec, matches, err) end
   show(spec, text, matches(text, found), found)
end
try('$v=$q', 'name="dolly"')
try("$v=$q", "name='dolly'")
try('($q{first},$q{second})', '("john","smith")')
try('$v{name} = $i{value}', 'size=-12')
try('$f,$f', '10.5 , 2e3')
try('$v $v', 'abcd')
try('$v $v', 'abc de')
try('$v  $i', 'abc 12')
try('$p:$i:', 'some/file.c:20: trouble')
try('$o', '--long-name')
try('$(', 'call(a, (b))')
try('${{inside}', '{x}')
try('$[', '[x, y]')
try('$<{t}', '<tag>')
try('$S{head} $', 'first all the rest')
try('$v$', 'first all the rest')
try('$v{a} $', 'first all the rest')
try('$d $l $u $x', '12 abc DEF 1f')
try('$D', '12 abc')
try('a.b*c', 'a.b*c')
try('no fields', 'no   fields')
try('$z', 'x')
try('$v', '  x', {at_start = true})
try('$v', 'x', {at_start = true})
try('$i/$i/$i', 'on 3/4/2015')
try('$q $q', [['a b' "c"]])
show(sip.create_pattern '$v = $q')
show(sip.create_pattern '$v{x} = $q{y}')
show(sip.create_pattern('($f) $v', {at_start = true}))
show(sip.create_pattern '$v $', sip.create_pattern 'a $i b')
local found = {}
show(sip.match('$v{n}=$i{v}', 'a=1', found), found)
show(sip.match('$v{n}=$i{v}', 'nothing', found), found)
show(sip.match_at_start('$i:$v', '12:ab', {}), sip.match_at_start('$i:$v', 'x 12:ab', {}))
local lines = {'a=1', 'none', 'b=2', 'go north'}
local function file()
   local i = 0
   local f = {}
   function f.read()
      i = i + 1
      return lines[i]
   end
   function f.lines() return f.read end
   return f
end
for name, value in sip.fields('$v=$i', file()) do show(name, value) end
show(sip.fields('$v', nil))
sip.pattern('go $v', function(where) show('going', where) end)
show(sip.read(file(), {{'$v{key}=$i{value}', function(t) show(t) end}}))
show(sip.read(nil))
sip.custom_pattern('H', '(#%x%x)')
try('$H', 'colour #fF')
failure(sip.match, 1, 'x', {})
failure(sip.match, '$v', 'x')
