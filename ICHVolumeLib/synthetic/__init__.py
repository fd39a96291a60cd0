"""Patients made by code: heads, bleeds, what only looks like a bleed, and a scanner."""
