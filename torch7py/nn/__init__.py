"""The layers of ``nn``, each a torch.nn.Module with the Torch7 protocol. Knows no Lua."""
