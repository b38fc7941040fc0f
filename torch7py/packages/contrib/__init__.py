"""Packages that at most six of the 91 counted projects use, by the same rules as those one folder up."""
