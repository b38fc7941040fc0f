local url = require 'pl.url'
show(url.quote '', url.quote('', true))
show(url.quote 'a b/c?d=e&f.g-h_i+j%', url.quote('a b/c?d=e&f.g-h_i+j%', true))
show(url.quote 'line\nother', url.quote 'bytes \200\255', url.quote(3), url.quote(nil))
show(url.unquote 'a+b%20c%2fd%2Fe%', url.unquote '%0D%0Aend', url.unquote '100%zz', url.unquote(false))
for _, s in ipairs {'x y', 'a&b=c', '100% ~', 'å', '\n', '"quoted"'} do
   show(url.quote(s), url.unquote(url.quote(s)) == s, url.unquote(url.quote(s, true)) == s)
end
