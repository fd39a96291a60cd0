"""Data only: the shipped network weights and their manifest (read by ICHVolumeLib.network.weights)."""
