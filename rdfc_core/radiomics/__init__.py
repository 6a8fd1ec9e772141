"""PyRadiomics parameter files, which every extractor understands."""
