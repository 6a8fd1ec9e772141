"""What rdfc relies on in components: checks that `rdfc_core.testing` and every run call.

Each raises `ContractError` with one sentence. What worker processes load is free of torch.
"""
