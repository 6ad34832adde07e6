"""Bring pictures, read them, divide them, draw views of them."""
