"""Parameter sets that come with rdfc, as PyRadiomics parameter files, and the words they know."""
