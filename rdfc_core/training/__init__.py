"""How networks are trained: budgets, batches, optimisers, devices and their parts."""
