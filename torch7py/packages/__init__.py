"""The rest of the Torch7 ecosystem, one file or folder a package. Knows no Lua."""
