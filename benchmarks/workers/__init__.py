"""The modules that run in processes of their own: one for each kind of measurement."""
