"""Scores that clinicians know, from volumes and what only a person can enter."""
