"""The recurrent layers of ``rnn`` and ``dpnn``. Knows no Lua."""
