"""The results as text for people: a module for each part of it, and the whole in `page`."""
