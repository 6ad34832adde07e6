"""Experiments of DLwP chapter 5 that are no rung of the ladder."""
