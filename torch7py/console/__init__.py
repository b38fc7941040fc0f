"""A console without a terminal: what a prompt and a notebook need to evaluate, complete and explain Lua."""
