"""From a call's argument kinds to a Python function that does just that call, for whatever language calls."""
