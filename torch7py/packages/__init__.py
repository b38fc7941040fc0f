"""The packages that ``require`` finds, one folder each: its Python, its Lua files and the list of its names.

Packages that few programs use are in ``contrib``. ``registry.py`` is the register; docs/adding_a_package.md shows how
to add a package. The modules beside the folders serve several packages.
"""
