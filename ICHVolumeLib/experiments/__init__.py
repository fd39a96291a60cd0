"""Comparisons of training runs that are worth repeating."""
