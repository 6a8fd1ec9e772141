"""rdfc-executor-dask: extraction on a Dask cluster, rdfc's executor ``dask``."""

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> list[Component]:
    """The executor ``dask``."""
    return [
        Component(
            "executor",
            "dask",
            "Extraction by the workers of a Dask cluster, over TLS if wanted",
            "rdfc_executor_dask.executor:DaskExecutor",
            "rdfc_executor_dask.config:DaskConfig",
        )
    ]
