"""Pages and drawings: models with their sizes and times, and programs beside their translations."""
