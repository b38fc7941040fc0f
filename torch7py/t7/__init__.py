"""The ``.t7`` serialization format. Knows no Lua."""
