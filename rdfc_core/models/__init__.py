"""The trained model, saved and loaded."""
