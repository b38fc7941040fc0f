"""The ``torch`` package as plain Python over torch.Tensor. Knows no Lua and no nn."""
