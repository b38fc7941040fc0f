-- Prints what reductions give with all their digits: `TYPE SIZES REDUCTION value`. The tensors are dense ones, columns of
-- matrices, and transposed.
local numbers = {}
for seed, sizes in ipairs {{1}, {7}, {100}, {257}, {1001}, {30, 40}, {3, 50, 7}, {70003}} do
   torch.manualSeed(seed)
   local base = torch.randn(torch.LongStorage(sizes))
   for _, kind in ipairs {'torch.DoubleTensor', 'torch.FloatTensor'} do
      local x = base:type(kind)
      local forms = {dense = x, column = torch.cat(x:view(-1, 1), x:view(-1, 1), 2):select(2, 1)}
      if x:dim() > 1 then forms.transposed = x:transpose(1, 2) end
      for _, form in ipairs {'dense', 'column', 'transposed'} do
         local t = forms[form]
         if t then
            local function show(name, value)
               print(('%s %s %s %s %.17g'):format(kind, table.concat(sizes, 'x'), form, name, value))
            end
            show('sum', t:sum())
            show('mean', t:mean())
            show('norm', t:norm())
            show('norm of 1', t:norm(1))
            show('norm of 0', t:norm(0))
            if t:nElement() > 1 then
               show('var', t:var())
               show('std', t:std())
            end
            show('dist', t:dist(t:clone():mul(0.5)))
            if kind == 'torch.DoubleTensor' and t:nElement() < 65536 then
               for d = 1, t:dim() do
                  local sums = t:sum(d):contiguous():view(-1)
                  for _, i in ipairs {1, sums:size(1)} do show('sum along ' .. d, sums[i]) end
                  local means = t:mean(d):contiguous():view(-1)
                  show('mean along ' .. d, means[1])
               end
            end
         end
      end
   end
end
