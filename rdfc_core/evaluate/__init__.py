"""How good the learnt features are: linear probes, neighbours, controls, intervals."""
