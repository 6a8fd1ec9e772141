"""How pictures are varied at random in training."""
