-- sys.fpath: the function sys.fpath as a package of its own. The package sys is loaded before.

return require('sys').fpath
