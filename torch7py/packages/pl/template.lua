-- pl.template: texts with Lua in them. A line that starts with # is Lua, $(expression) is a value.
--
--   template.substitute('# for i = 1, n do\nline $(i)\n# end\n', {n = 2})   gives 'line 1\nline 2\n'
--
-- Arguments: core, host, template. The package pl.utils is loaded before.

local _, _, template = ...
local utils = require 'pl.utils'

-- The pieces of code that put a part of the text between two Lua lines. With `joined` the ends of lines after the last
-- expression are left out of the text; they stay in the code, whose lines are those of the template.
local function add_text(code, text, expression, joined)
   local at = 1
   for first, inner, after in text:gmatch(expression) do
      table.insert(code, (' __put(%q); __put((%s) or "");'):format(text:sub(at, first - 1), inner:sub(2, -2)))
      at = after
   end
   local rest, ends = text:sub(at), 0
   if joined then rest, ends = rest:gsub('\n', '') end
   if rest ~= '' then table.insert(code, (' __put(%q);'):format(rest)) end
   table.insert(code, ('\n'):rep(ends))
end

local function code_of(text, escape, inline, brackets, joined)
   local expression = '()' .. utils.escape(inline) .. '(%b' .. brackets .. ')()'
   local lua_line = utils.escape(escape) .. '+([^\n]*\n?)'
   local code, at = {'return function(__put) '}, 1
   while true do
      local start, _, last, line = at, text:find('^' .. lua_line, at)
      if not last then
         start, last, line = text:find('\n' .. lua_line, at)
         add_text(code, text:sub(at, start), expression, joined)
         if not last then break end
      end
      table.insert(code, line .. (line:sub(-1) == '\n' and '' or '\n'))
      at = last + 1
   end
   table.insert(code, ' end')
   return table.concat(code)
end

-- compiled:render([env[, parent[, debug]]]): the text, or nil and an error; the code third, where it is kept.
local function render(self, env, parent, debug_it)
   env = env or {}
   if parent then setmetatable(env, {__index = parent}) end
   setmetatable(self.env, {__index = env})
   local parts = {}
   local function put(value) parts[#parts + 1] = tostring(value) end
   local ok, err = xpcall(function() self.fn(put) end, debug.traceback)
   if ok then return table.concat(parts), nil, self.code end
   if self.code and debug_it then print(self.code) end
   return nil, err, self.code
end

-- template.compile(text[, options]): a template to render, or nil, an error and the code. The options are chunk_name,
-- escape, inline_escape, inline_brackets, newline (leave ends of lines out) and debug (keep the code).
function template.compile(text, options)
   options = options or {}
   local code = code_of(text, options.escape or '#', options.inline_escape or '$', options.inline_brackets or '()',
                        options.newline)
   local env = {}
   local make, err = utils.load(code, options.chunk_name or 'TMP', 't', env)
   if not make then return nil, err, code end
   return {fn = make(), env = env, render = render, code = options.debug and code or nil}
end

-- template.substitute(text[, env]): the text with the values of env, which may set _parent, _escape, _inline_escape,
-- _brackets, _chunk_name and _debug.
function template.substitute(text, env)
   env = env or {}
   local compiled, err = template.compile(text, {
      chunk_name = rawget(env, '_chunk_name'),
      escape = rawget(env, '_escape'),
      inline_escape = rawget(env, '_inline_escape'),
      inline_brackets = rawget(env, '_brackets'),
      debug = rawget(env, '_debug'),
   })
   if not compiled then return nil, err end
   return compiled:render(env, rawget(env, '_parent'), rawget(env, '_debug'))
end
