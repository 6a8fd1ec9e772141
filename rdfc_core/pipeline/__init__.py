"""From a study to its results: runs, their folders, and what is done with them afterwards."""
