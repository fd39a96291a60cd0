"""Beginning a training run from released weights: batch norms again, wider layers, silent channels anew."""
