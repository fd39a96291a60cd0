"""The networks and their weights; reading weights needs no torch."""
