-- sys.colors: sys.COLORS as a package of its own. The package sys is loaded before.

return require('sys').COLORS
