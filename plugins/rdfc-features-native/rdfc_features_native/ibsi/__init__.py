"""Features as the Image Biomarker Standardisation Initiative defines them, on the same matrices."""
