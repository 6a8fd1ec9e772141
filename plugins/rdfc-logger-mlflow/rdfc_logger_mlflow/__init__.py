"""rdfc-logger-mlflow: runs in MLflow, as rdfc's logger ``mlflow``."""

from collections.abc import Sequence

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> Sequence[Component]:
    """The logger ``mlflow``."""
    return [
        Component(
            "logger",
            "mlflow",
            "Metrics, options, results and the report in MLflow",
            "rdfc_logger_mlflow.logger:MLflowLogger",
            "rdfc_logger_mlflow.config:MLflowConfig",
        )
    ]
