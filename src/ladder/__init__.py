"""Ladder: up the five rungs of small-data image classification, reproducibly."""
