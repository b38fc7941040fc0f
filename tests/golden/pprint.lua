local pprint = require 'pprint'
local a = {1, 2, 'x"y', "it's", 'both\'"', 'line\nbreak\tend', x = 1, ['a b'] = {true, false, nil}, [2.5] = 'ten', f = print, huge = math.huge, m = -math.huge}
pprint(a) print(pprint.string(a)) print(pprint.pretty_string(a, 1))
a[#a + 1] = a pprint(a, 2)
pprint{torch.ones(2), torch.zeros(3, 7), torch.LongStorage{1, 2}, torch.Storage(30)}
pprint(setmetatable({1, 2, k = 3}, {__tostring = function() return 'own\ntext' end, __index = {q = 1}}))
pprint(setmetatable({}, {__tostring = function() error('bad', 0) end}))
pprint(nil) pprint('s') pprint(3.5) pprint({}) pprint({{}, {{}}}) pprint({a = {b = {c = {d = {e = 1}}}}})
print(pprint.printer()(1, {2}, 'x')) print(pprint.printer(1)({1, {2}}))
print(pprint.info(torch.range(1, 6):view(2, 3))) print(pprint.info({torch.ones(2), torch.zeros(3)})) print(pprint.info({torch.ones(2)}))
print(pprint.dims(torch.ones(4, 5)), pprint.dims(torch.Tensor()))
print(_G.pprint == pprint)
