def patch(s): return s
