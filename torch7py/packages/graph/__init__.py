"""graph: directed graphs, in order and drawn."""
