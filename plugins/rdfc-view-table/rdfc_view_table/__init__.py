"""rdfc-view-table: clinical columns, numbers and categories, as rdfc's view ``table``."""

from collections.abc import Sequence

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> Sequence[Component]:
    """The view ``table``."""
    return [
        Component(
            "view",
            "table",
            "Columns of the data set, such as age, sex and laboratory values",
            "rdfc_view_table.view:TableView",
            "rdfc_view_table.config:TableViewConfig",
        )
    ]
