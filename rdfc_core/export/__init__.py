"""A trained run for use without rdfc: ONNX, weights of its image encoder, a MONAI bundle."""
