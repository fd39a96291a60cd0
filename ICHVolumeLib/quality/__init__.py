"""What may be wrong with a scan, in sentences for a neurosurgeon."""
