"""nngraph: graphs of modules written as function calls."""
