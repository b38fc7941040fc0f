local rex = require 'rex_pcre'
local function show(...) local o = {} for i = 1, select('#', ...) do o[i] = tostring((select(i, ...))) end print(table.concat(o, ' | ')) end
local S = {'hello world', 'k=v, q=z', 'aaa', '', 'axbxx', 'foo123bar45', 'caf\233 na\239ve', 'a,b,,c', 'The Rain in Spain'}
local Pt = {'l+', '(\\w+)=(\\w+)', 'a*', 'x*', '(\\d+)', '(?<n>\\w)(\\d)?', '\\bS\\w+', ',', '(a)|(b)', '', '[[:alpha:]]+', '(?i)the', '^a', 'z$', '(?=x)', '\\s*', '.'}
for _, s in ipairs(S) do for _, p in ipairs(Pt) do
  io.write(s, ' ~ ', p, ': ')
  show('find', rex.find(s, p)) show('match', rex.match(s, p, 2)) show('neg', rex.find(s, p, -3))
  local o = {} for a, b in rex.gmatch(s, p) do o[#o + 1] = tostring(a) .. '/' .. tostring(b) end print('gmatch', table.concat(o, ';'))
  o = {} for a, b in rex.split(s, p) do o[#o + 1] = tostring(a) .. '/' .. tostring(b) end print('split', table.concat(o, ';'))
  show('gsub', rex.gsub(s, p, '<%0>')) show('gsub2', rex.gsub(s, p, function(a) return a and '[' .. a .. ']' end, 2)) show('gsubt', rex.gsub(s, p, {a = 'A', x = 'Y'}))
  if rex.count then show('count', rex.count(s, p)) end
  local q = rex.new(p, 'i') show(q:find(s)) local a, b, c = q:tfind(s) show(a, b, c and tostring(c[1]), c and tostring(c.n))
end end
show(rex.gsub('abcabc', '[ab]', 'z', function(f, t, r) return f ~= 2, f > 3 end))
show((pcall(rex.new, "("))) show(rex.match("AB", "b", 1, "i"), rex.match("a\nb", "a.b", 1, "s"))
