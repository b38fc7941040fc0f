-- sys.colors: sys.COLORS as a separate package. The package sys is loaded before.

return require('sys').COLORS
