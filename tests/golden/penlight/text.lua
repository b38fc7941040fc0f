local text = require 'pl.text'
show(text.indent('one\ntwo\n', 3), text.indent('x', 2, '-'), text.indent('', 2), text.indent('a\n\nb', 1))
show(text.dedent '    One\n\n  Two\n   Three\n', text.dedent 'flat\n  not\n', text.dedent '', text.dedent '\n\n', text.dedent '  x')
show(text.dedent '\t\ttabs\n\t\t\tmore', text.dedent '   \n  a\n \n')
local words = 'the quick  brown fox jumped over extraordinarily lazy dogs\nand went on  '
for _, width in ipairs {5, 7, 10, 16, 40, 100} do show(text.wrap(words, width), text.wrap(words, width, true)) end
show(text.wrap '', text.wrap(('word '):rep(30)), text.fill(words, 20), text.fill('abcdef', 4, true), text.wrap('abc  defgh', 3))
local T = text.Template
show(T '$one and ${two}$3_x':substitute {one = 1, two = 'b', ['3_x'] = 'c'}, T 'for $i':safe_substitute {}, T '$a ${b}':safe_substitute {a = 2})
failure(function() return T '$one':substitute {} end)
failure(T, 3)
failure(function() return T '$one':substitute 'x' end)
show(T 'for $i = 1, $n do\n  $body\nend':indent_substitute {i = 'k', n = 3, body = 'one\ntwo', x = 5})
show(T 'a\n    $inner\nb $x':indent_substitute {inner = T 'p $x\nq', x = 5})
failure(function() return T '$one':indent_substitute {} end)
show(T.new 'x$y':substitute {y = '%1'})
