local xml = require 'pl.xml'
local function parse(s, ...) return xml.basic_parse(s, ...) end
local d = xml.parse("<?xml version='1.0'?>\n<nodes><node id='1'>alice</node><node id='2'>bob &amp; co</node></nodes>", false, true)
show(d, d.tag, #d, d[2].attr, d[2][1])
show(xml.tostring(d, '', '  '), d:tostring(1, 3), xml.tostring(d, '', '  ', '  ', true), d:tostring('', '\t', nil, '<?mine?>'))
show(xml.new 'main', xml.new('main', {hello = 'world'}), xml.elem('top', 'hello world'), xml.elem('main', xml.new 'child'))
show(xml.elem('main', {'this ', 'is ', 'nice'}), xml.elem('main', {'a', xml.elem('b', {'c', d = 'e'}), 'f', g = 'h'}))
local mom, kid = xml.tags ' mom , kid '
show(mom {kid 'Bob', kid {'Annie', age = '3'}}, select('#', xml.tags {'a', 'b', 'c'}))
d = xml.new 'main'
show(d:addtag('one', {x = 'y'}):addtag 'two':text 'inner':up():add_child(xml.new 'three'):reset():text 'end':add_direct_child(xml.new 'last'))
show(d:set_attrib('k', 'v'), d:set_attribs {k = "it's"}, d:get_attribs())
show(d:get_text(), d:first_childtag(), d:child_with_name 'last', d:child_with_name 'none', d:get_elements_with_name 'two')
show(d:get_elements_with_name('two', true))
for child in d:children() do show(child) end
for child in d:childtags() do show(child) end
for child in d:matching_tags 'last' do show(child) end
d:maptags(function(e) if e.tag ~= 'last' then return xml.elem('new', e.tag) end end)
show(d)
xml.walk(parse '<a><b><c/></b>text<d/></a>', false, function(tag) io.write(tag, ' ') end)
xml.walk(parse '<a><b><c/></b>text<d/></a>', true, function(tag) io.write(tag, ' ') end)
io.write '\n'
show(xml.xml_escape [["'<>&]], xml.xml_unescape '&quot;&apos;&lt;&gt;&amp;&other;', xml.is_tag(d), xml.is_tag 'x')
d = parse '<a x="1">text<b>$c</b></a>'
show(xml.clone(d), d:filter(function(s, kind, parent) return kind .. ':' .. s .. ':' .. tostring(parent and parent.tag) end))
local function compare(a, b) show(xml.compare(parse(a), parse(b))) end
compare('<a><b x="1">t</b></a>', '<a>  <b x=\'1\'>t</b></a>')
compare('<a/>', '<b/>')
compare('<a>x</a>', '<a>y</a>')
compare('<a><b/></a>', '<a/>')
compare('<a x="1"/>', '<a x="2"/>')
compare('<a/>', '<a x="2"/>')
compare('<a>x</a>', '<a><x/></a>')
show(xml.compare('x', 'x'), xml.compare(1, 1))

show(parse '<a> <b/> </a>', parse('<a> <b/> </a>', true), parse '<!DOCTYPE x>\n<a/>', parse 'before<a/>after', parse '')
show(parse '<a><!-- comment > <b/> --><c/><!--none--></a>', parse '<a>&lt;x&gt;</a>', parse '<ns:a-b_c d:e="f"/>'.attr)
show(xml.parsehtml '<HTML><BR><p Class="x">text<br/>more</P><IMG SRC=a.png></HTML>')
show(xml.parsehtml('<a href=x>y</a>').attr, xml.tostring {tag = 'a', attr = {['space\1name'] = 'v'}})
failure(parse, '<a><b></a></b>')
failure(parse, '<a>')
failure(parse, '</a>')
failure(xml.new, 3)
failure(xml.new, 'a', 'b')
show(xml.parse('no such file', true, true))

local template = parse '<p class="$kind">$name is $1</p>'
show(template:subst {kind = 'x', name = 'ann', 'one'})
show(template:subst {{kind = 'x', name = 'ann', 1}, {name = 'bob'}, tag = 'all'})
show(template.subst('<i>$x</i>', {{x = 1}, {x = 2}}))
show(template:subst {})
show(template.subst(3, {x = 1}))
local function match(s, pattern)
   show(parse(s):match(pattern))
end
match('<a><b x="1">t</b></a>', '<b x="$x">$t</b>')
match('<a><b x="1">t</b></a>', '<b x="2">$t</b>')
match('<a><b>one</b><c/><d>two</d></a>', '<a><b>$1</b><d>$2</d></a>')
match('<w><temp v="3"/><temp v="4"/></w>', '<w>{{<temp v="$0"/>}}</w>')
match('<w><t n="a" v="3"/><t n="b" v="4"/></w>', '<w>{{<t n="$_" v="$0"/>}}</w>')
match('<w><t n="a" v="3"/><t n="b" v="4"/></w>', '<w>{{<t n="$n" v="$v"/>}}</w>')
match('<a><b><c>x</c></b></a>', '<tag-><c>$x</c></tag->')
match('<a>text</a>', '<a>text</a>')
match('<a>text</a>', '<none/>')
