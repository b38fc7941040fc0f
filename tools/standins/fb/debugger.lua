-- Facebook's debugger, which its test files require and do not use.
return {}
