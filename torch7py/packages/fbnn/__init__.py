"""fbnn and fbcunn: Facebook's layers beside nn's."""
