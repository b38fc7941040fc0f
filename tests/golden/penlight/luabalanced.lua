local lb = require 'pl.luabalanced'
show(lb.match_expression('if x^2 + x > 5 then print(x) end', 4))
show(lb.match_string [["test\"123" .. "more"]])
for _, s in ipairs {"'a' b", '[[x]]y', '[=[x]]]=] z', '[x]', 'no', '""', [["\\"]]} do show(lb.match_string(s)) end
for _, s in ipairs {'(a(b)[c]{d}) e', '{")"} x', "[ ']' ]]", '[[a]] b', 'x', '([[)]])y', '()'} do
   show(lb.match_bracketed(s))
end
for _, s in ipairs {'a + b, c', 'a b', 'not a b', 'a and not b c', 'x == y = z', 'f(x) g', '{1, 2}[1] x', '"s" x', 'a.b.c:d "x" y',
                    'a <= b and c ~= d; e', 'a -- comment\n b', 'a --[[ long ]] + c d', '1.5e3 x', '#t do', '-x^2 then', 'a)', 'a]',
                    '', 'function(x) return x end, 3', 'a or b or c if', 'a .. [[b c]] .. d e'} do
   show(s, lb.match_expression(s))
end
show(lb.match_namelist 'a,b , c = 3', lb.match_namelist('1'), lb.match_namelist('x y', 3))
show(lb.match_explist 'a+b, f(c, d), {e} for x')
show(lb.match_explist('x = a,  b', 5))
show(lb.gsub('a = "x" -- note\nb = [[y]] - c', function(kind, piece)
   show(kind, piece)
   if kind == 's' then return '<' .. piece .. '>' end
end))
show(lb.gsub('--[[c]]x', function(kind) return kind end), lb.gsub('', error), lb.gsub('t[1] - 2', function() end))
failure(lb.match_string, '"open')
failure(lb.match_bracketed, '(open')
failure(lb.match_bracketed, '(a]')
