-- pl.xml: XML as tables. An element is a table with a tag, its attributes in attr, and its children in order: elements
-- and texts. Its metatable has the methods.
--
-- Arguments: core {fail}, host, xml. The package pl.utils is loaded before.

local core, _, xml = ...
local fail = core.fail
local utils = require 'pl.utils'

local Element = {__type = 'doc'}
Element.__index = Element

local function is_text(x) return type(x) == 'string' end
function xml.is_tag(x) return type(x) == 'table' and is_text(x.tag) end
local is_tag = xml.is_tag

---------------------------------------------------------------------------------------------------------
-- Making documents

function xml.new(tag, attr)
   if not is_text(tag) then fail("expected 'tag' to be a string value, got: %s", type(tag)) end
   attr = attr or {}
   if type(attr) ~= 'table' then fail("expected 'attr' to be a table value, got: %s", type(attr)) end
   return setmetatable({tag = tag, attr = attr, last_add = {}}, Element)
end

-- xml.elem(tag, items): items are a text, an element, or a table of children with attributes at its names.
function xml.elem(tag, items)
   local element = xml.new(tag)
   if is_text(items) or is_tag(items) then items = {items} end
   for key, item in pairs(type(items) == 'table' and items or {}) do
      if is_text(key) then
         element.attr[key] = item
         table.insert(element.attr, key)
      else
         element[key] = item
      end
   end
   return element
end

-- xml.tags 'a, b' or {'a', 'b'}: for each name a function of items that makes such an element.
function xml.tags(names)
   if is_text(names) then names = utils.split(names:match '^%s*(.-)%s*$', '%s*,%s*') end
   local makers = {}
   for i, name in ipairs(names) do
      makers[i] = function(items) return xml.elem(name, items) end
   end
   return unpack(makers)
end

-- `last_add` has the elements that were opened within this one; children are added to the last.
function Element:add_direct_child(child)
   table.insert(self, child)
   return self
end
function Element:add_child(child)
   local into = self.last_add[#self.last_add] or self
   table.insert(into, child)
   return self
end
Element.text = Element.add_child
function Element:addtag(tag, attr)
   local element = xml.new(tag, attr)
   self:add_child(element)
   table.insert(self.last_add, element)
   return self
end
function Element:up()
   table.remove(self.last_add)
   return self
end
function Element:reset()
   while #self.last_add > 0 do self:up() end
   return self
end

function Element:set_attrib(name, value)
   self.attr[name] = value
   return self
end
function Element:set_attribs(attributes)
   for name, value in pairs(attributes) do self:set_attrib(name, value) end
   return self
end
function Element:get_attribs() return self.attr end

---------------------------------------------------------------------------------------------------------
-- Going through documents

-- Over the children for which f says true.
local function those(element, f)
   local i = 0
   return function()
      repeat i = i + 1 until element[i] == nil or f(element[i])
      return element[i]
   end
end

function Element:children() return those(self, function() return true end) end
function Element:childtags() return those(self, function(child) return type(child) == 'table' end) end

-- element:matching_tags([tag[, namespace]]): over children with the tag and the attribute xmlns.
function Element:matching_tags(tag, namespace)
   namespace = namespace or self.attr.xmlns
   return those(self, function(child)
      return (not tag or child.tag == tag) and (not namespace or is_tag(child) and child.attr.xmlns == namespace)
   end)
end

function Element:child_with_name(tag)
   return those(self, function(child) return is_tag(child) and child.tag == tag end)()
end
function Element:first_childtag() return those(self, is_tag)() end

-- element:get_elements_with_name(tag[, children_only]): a list of all elements in it with the tag.
function Element:get_elements_with_name(tag, children_only)
   local children = {}
   local function look(element)
      for child in Element.childtags(element) do
         if child.tag == tag then table.insert(children, child) end
         if not children_only then look(child) end
      end
   end
   look(self)
   return children
end

function Element:get_text()
   local texts = {}
   for text in those(self, is_text) do table.insert(texts, text) end
   return table.concat(texts)
end

-- element:maptags(f): replaces each child element by f(child); nil removes it.
function Element:maptags(f)
   local i = 1
   while i <= #self do
      local replacement = self[i]
      if is_tag(replacement) then replacement = f(replacement) end
      if replacement == nil then
         table.remove(self, i)
      else
         self[i], i = replacement, i + 1
      end
   end
   return self
end

-- xml.walk(element, children_first, f): f(tag, element) for it and all elements in it.
function xml.walk(root, children_first, f)
   local seen = {}
   local function visit(element)
      if not children_first then f(element.tag, element) end
      for _, child in ipairs(element) do
         if is_tag(child) then
            if seen[child] then fail 'recursion detected' end
            seen[child] = true
            visit(child)
         end
      end
      if children_first then f(element.tag, element) end
   end
   visit(root)
end

-- xml.clone(element[, f]): a copy in which f(text, kind, parent) replaces each text; kind is the attribute's name,
-- '*TAG' or '*TEXT'.
function xml.clone(root, f)
   local seen = {}
   local function copy(x, kind, parent)
      if type(x) ~= 'table' then
         if f and is_text(x) then return (f(x, kind, parent)) end
         return x
      end
      if seen[x] then fail 'recursion detected' end
      seen[x] = true
      local element = {tag = copy(x.tag, '*TAG', parent), attr = x.attr and {}}
      for name, value in pairs(x.attr or {}) do
         if is_text(name) then element.attr[name] = copy(value, name, x) end
      end
      for _, child in ipairs(x) do table.insert(element, (copy(child, '*TEXT', x))) end
      return setmetatable(element, getmetatable(x))
   end
   return copy(root)
end
Element.filter = xml.clone

local function differing_attributes(a, b)
   for name, value in pairs(a) do
      if not is_text(name) then
         if b[name] ~= nil and b[name] ~= value then return 'mismatch attrib order' end
      elseif b[name] ~= value then
         return 'mismatch attrib'
      end
   end
end

-- xml.compare(a, b): whether two documents are equal; else false and the difference.
function xml.compare(x, y)
   local seen = {}
   local function difference(a, b)
      if type(a) ~= type(b) then return 'type mismatch' end
      if is_text(a) then return a ~= b and ('text %s ~= text %s'):format(a, b) or nil end
      if type(a) ~= 'table' then return 'not a document' end
      if seen[a] then return 'recursive document' end
      seen[a] = true
      if a.tag ~= b.tag then return ('tag  %s ~= tag %s'):format(a.tag, b.tag) end
      if #a ~= #b then return ('size %d ~= size %d for tag %s'):format(#a, #b, a.tag) end
      local reason = differing_attributes(a.attr, b.attr) or differing_attributes(b.attr, a.attr)
      for i = 1, reason and 0 or #a do
         reason = reason or difference(a[i], b[i])
      end
      return reason
   end
   local reason = difference(x, y)
   if reason then return false, reason end
   return true
end

---------------------------------------------------------------------------------------------------------
-- Writing

local NAMES = {["'"] = 'apos', ['"'] = 'quot', ['<'] = 'lt', ['>'] = 'gt', ['&'] = 'amp'}
local CHARACTERS = {}
for character, name in pairs(NAMES) do CHARACTERS[name] = character end

function xml.xml_escape(text)
   return (string.gsub(text, '[\'"<>&]', function(character) return '&' .. NAMES[character] .. ';' end))
end
function xml.xml_unescape(text) return (text:gsub('&(%a+);', CHARACTERS)) end
local escape, unescape = xml.xml_escape, xml.xml_unescape

-- An element's attributes as texts. A name with \1 in it has its namespace before that.
local function attribute_texts(attr, outer_namespace, before)
   local texts, spaces = {}, 0
   local function add(name, value)
      local namespace, rest = name:match '^([^\1]*)\1(.*)$'
      if namespace then
         spaces = spaces + 1
         table.insert(texts, (" xmlns:ns%d='%s' ns%d:%s='%s'"):format(spaces, escape(namespace), spaces, rest, escape(value)))
      elseif name ~= 'xmlns' or value ~= outer_namespace then
         table.insert(texts, before .. name .. "='" .. escape(value) .. "'")
      end
   end
   if #attr > 0 then
      for _, name in ipairs(attr) do add(name, attr[name]) end
   else
      for name, value in pairs(attr) do add(name, value) end
   end
   return table.concat(texts)
end

local function indentation(x) return type(x) == 'number' and (' '):rep(x) or x end

-- xml.tostring(element[, indent[, step[, attribute_indent[, preface]]]]): its text; with `step` each element is on a
-- separate line. The indents are strings or numbers of blanks, the preface is a text or true for the usual one.
function xml.tostring(root, indent, step, attribute_indent, preface)
   step, attribute_indent = indentation(step), indentation(attribute_indent)
   local parts = {}
   if preface then parts[1] = is_text(preface) and preface or "<?xml version='1.0'?>" end
   local function write(element, namespace, margin)
      local line = step and '\n' .. margin or ''
      local before = attribute_indent and '\n' .. margin .. attribute_indent or ' '
      table.insert(parts, line .. '<' .. element.tag .. attribute_texts(element.attr, namespace, before))
      if #element == 0 then
         table.insert(parts, (attribute_indent and '\n' .. margin or '') .. '/>')
         return
      end
      table.insert(parts, '>')
      local has_elements = false
      for _, child in ipairs(element) do
         if is_tag(child) then
            has_elements = true
            write(child, element.attr.xmlns, margin and margin .. (step or ''))
         else
            table.insert(parts, escape(child))
         end
      end
      table.insert(parts, (has_elements and line or '') .. '</' .. element.tag .. '>')
   end
   write(root, nil, indentation(indent))
   return table.concat(parts)
end
Element.tostring, Element.__tostring = xml.tostring, xml.tostring

---------------------------------------------------------------------------------------------------------
-- Reading

-- Elements of HTML that have no end.
local EMPTY = {}
for tag in ('area base br col embed frame hr img input isindex link meta option param'):gmatch '%a+' do EMPTY[tag] = true end

local function attributes_of(text, html)
   local attr = {}
   for name, _, value in text:gmatch '([%w:%-_]+)%s*=%s*(["\'])(.-)%2' do
      attr[html and name:lower() or name] = unescape(value)
   end
   for name, value in (html and text or ''):gmatch '([%w:%-_]+)%s*=%s*([^"\']+)%s*' do
      attr[name:lower()] = unescape(value)
   end
   return attr
end

-- The position of the last character of a comment; `stop` is that of the first > in it.
local function end_of_comment(s, label, rest, stop)
   if label:find '%-%-$' and rest == '' then return stop end
   local _, last = s:find('-->', rest:find '%-%-$' and stop - 2 or stop, true)
   return last or fail 'unclosed comment'
end

-- xml.basic_parse(s[, all_text[, html]]): the document in a string. Texts of blanks are left out unless `all_text`; tags of
-- HTML may be in capitals and need no end where they are empty.
function xml.basic_parse(s, all_text, html)
   local top = {}
   local open = {top}
   local function add_text(text)
      if all_text or text:find '%S' then table.insert(top, unescape(text)) end
   end
   local at = s:match '^%s*<%?[^%?]+%?>%s*()' or s:match '^%s*<!DOCTYPE.->%s*()' or 1
   while true do
      local first, last, sign, label, rest, slash = s:find('<([/!]?)([%w:%-_]+)(.-)(/?)>', at)
      if not first then break end
      if sign == '!' then
         last = end_of_comment(s, label, rest, last)
      else
         local text = s:sub(at, first - 1)
         if html then label = label:lower() end
         add_text(text)
         if slash == '/' or html and EMPTY[label] then
            table.insert(top, setmetatable({tag = label, attr = attributes_of(rest, html), empty = 1}, Element))
         elseif sign == '' then
            top = setmetatable({tag = label, attr = attributes_of(rest, html)}, Element)
            table.insert(open, top)
         else
            local closed = table.remove(open)
            top = open[#open]
            if not top then fail('nothing to close with %s:%s', label, text) end
            if closed.tag ~= label then fail('trying to close %s with %s %s', closed.tag, label, text) end
            table.insert(top, closed)
         end
      end
      at = last + 1
   end
   add_text(s:sub(at))
   if #open > 1 then fail('unclosed %s', top.tag) end
   return is_text(top[1]) and top[2] or top[1]
end

function xml.parsehtml(s) return xml.basic_parse(s, false, true) end

-- xml.parse(text or name[, is_file[, basic]]): a document, or nil and an error. It is read with lxp.lom where the program
-- can require that, unless `basic`.
function xml.parse(text, is_file, basic)
   local installed, lom
   if not basic then installed, lom = pcall(require, 'lxp.lom') end
   local err
   if is_file then
      text, err = utils.readfile(text)
      if not text then return nil, err end
   end
   if not installed then return xml.basic_parse(text) end
   local root
   root, err = lom.parse(text)
   if not root then return nil, err end
   xml.walk(root, false, function(_, element) setmetatable(element, Element) end)
   return root
end

---------------------------------------------------------------------------------------------------------
-- Templates: documents with $names in them

local parsed = {}

local function template_of(x)
   if is_text(x) then
      parsed[x] = parsed[x] or xml.parse(x, false, true)
      return parsed[x]
   end
   if is_tag(x) then return x end
   return nil, 'template is not a document'
end

-- element.subst(template, values or a list of them): a copy with the values of the names, $1 the first in a list; of a
-- list of values a list of copies, or with `tag` in it an element with them.
function Element.subst(template, data)
   if type(data) ~= 'table' or not next(data) then return nil, 'data must be a non-empty table' end
   local root, err = template_of(template)
   if not root then return nil, err end
   local function filled(values)
      return xml.clone(root, function(text)
         return (text:gsub('%$(%w+)', function(name)
            if values[name] ~= nil then return values[name] end
            return values[tonumber(name)]
         end))
      end)
   end
   if type(data[1]) ~= 'table' then return filled(data) end
   local copies = {}
   for i, values in ipairs(data) do copies[i] = filled(values) end
   return data.tag and xml.elem(data.tag, copies) or copies
end

local function key_of(name) return name:find '^%d+$' and tonumber(name) or name end

-- Put the captures of a repeated element into the result: under the name captured by _, or at the end.
local function add_captures(into, captures)
   if next(captures) == nil then return end
   local name = captures._
   captures._ = nil
   local first, value = next(captures)
   if first == nil then return end
   if first == 0 and next(captures, first) == nil then captures = value end
   if name then into[name] = captures else table.insert(into, captures) end
end

local match

local function attributes_match(attr, expected, captures)
   if next(expected or {}) == nil then return true end
   if next(attr or {}) == nil then return false end
   for name, pattern in pairs(expected) do
      if not match(attr[name], pattern, captures) then return false end
   end
   return true
end

-- Whether the children have those of the pattern among them, in their order. The first text is looked at, later ones not.
local function children_match(element, pattern, captures)
   local i, j, matched = 1, 1, true
   local function advance()
      j = j + 1
      if is_text(element[j]) then j = j + 1 end
      return j <= #element
   end
   repeat
      local template = pattern[i]
      if is_tag(template) and template.repeated then
         repeat
            local one = {}
            matched = match(element[j], template, one)
            if matched then add_captures(captures, one) end
         until not advance()
         i = i + 1
      else
         matched = match(element[j], template, captures)
         if matched then i = i + 1 end
      end
   until not advance() or i > #pattern
   return i > #pattern or matched
end

-- A pattern's $name matches any text, a tag that ends in - any tag. With `deep` the match may be further down.
function match(x, pattern, captures, deep)
   if x == nil then x = '' end
   if is_text(x) then
      if not is_text(pattern) then return false end
      if pattern:sub(1, 1) ~= '$' then return x == pattern end
      captures[key_of(pattern:sub(2))] = x
      return true
   end
   if not is_tag(pattern) then return false end
   local name = pattern.tag:match '^(.-)%-$'
   if name then captures[key_of(name)] = x.tag end
   local matched = (name or x.tag == pattern.tag) and attributes_match(x.attr, pattern.attr, captures)
   if matched and #pattern > 0 then matched = children_match(x, pattern, captures) end
   if matched then return true end
   if deep then
      for child in Element.childtags(x) do
         if match(child, pattern, captures, true) then return true end
      end
   end
   return false
end

-- element:match(pattern): a table of the captures by name, and whether it matched. Of an element between {{ and }}
-- there may be several.
function Element:match(pattern)
   local template, err = template_of(pattern)
   if not template then return nil, err end
   xml.walk(template, false, function(_, element)
      local before, inner, after = element[1], element[2], element[3]
      if is_text(before) and is_tag(inner) and is_text(after) and before:find '{{' and after:find '}}' then
         table.remove(element, 1)
         table.remove(element, 2)
         inner.repeated = true
      end
   end)
   local captures = {}
   return captures, match(self, template, captures, true)
end
