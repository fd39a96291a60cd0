"""The training loop: plans, losses, batches, checkpoints, curves."""
