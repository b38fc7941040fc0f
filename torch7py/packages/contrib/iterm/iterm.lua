-- iterm: a program that shows its images in the terminal runs, and shows none.
--
-- Arguments: core {fail}, host, iterm.

local core, _, iterm = ...
local fail = core.fail
local torch, type = torch, type
local notified = false

local function shown()
   if not notified then
      notified = true
      io.stderr:write('iterm: nothing is shown here; image.save and gnuplot make files\n')
   end
end

-- iterm.display(image[, options]): a tensor, a table of them, or the name of a file.
function iterm.display(image)
   if type(image) ~= 'string' and type(image) ~= 'table' and not torch.isTensor(image) then
      fail('iterm.display: a tensor, a table of tensors or a file name expected, not a %s', torch.type(image))
   end
   shown()
end

iterm.image = iterm.display
