"""The ``torch7py`` command, one file a subcommand."""
