"""Cases taken the way a study takes them: fingerprint, reading, views, store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rdfc_core.case import Case
from rdfc_core.config.resolve import resolve_part
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.errors import DataError, RdfcError
from rdfc_core.extraction import extract
from rdfc_core.extraction.failures import Failure
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.interfaces import FeatureExtractor, Preparer
from rdfc_core.plugin.component import Part
from rdfc_core.plugin.registry import Registry
from rdfc_core.views.options import ImageViewConfig
from rdfc_core.views.preparers import FeaturePreparer, PicturePreparer
from rdfc_core.views.size import Size
from rdfc_core.views.thumbnail import Thumbnail
from tests.fuzz.guard import Guard, check_sentence


class Drive:
    """Prepares cases in this process, and tells what a study would say of them.

    Args:
        guard: Whose store is filled.
        registry: Where readers come from.
        settings: Of the radiomics.
    """

    def __init__(self, guard: Guard, registry: Registry, **settings: Any) -> None:
        self.reader = AutoReader.installed(registry)
        self.store = Store(guard.store / "store.sqlite")
        self.views: dict[str, Preparer] = {
            "radiomics": FeaturePreparer(_extractor(registry, settings)),
            "image": PicturePreparer(ImageViewConfig(), 2),
            "wide": PicturePreparer(ImageViewConfig(aspect="keep", margin=0.2), 2),
            "size": Size(),
            "picture": Thumbnail(),
        }

    def prepare(self, cases: Sequence[Case]) -> Any:
        """All views of the cases.

        Raises:
            RdfcError: If none is left: the first reason.
            AssertionError: If a reason is not for users to mend.
        """
        given = self.reader.given_to(cases)
        executor = LocalExecutor(LocalExecutorConfig(workers=0))
        found = extract.extract(given, self.views, self.store, executor)
        refusals = [_told(failure) for failure in found.failures]
        if refusals and not found.cases:
            raise refusals[0]
        return found


def _extractor(registry: Registry, settings: dict[str, Any]) -> FeatureExtractor:
    """Shape and grey values alone."""
    classes: dict[str, list[str]] = {"shape": [], "shape2D": [], "firstorder": []}
    parameters = {"featureClass": classes, "setting": {"binWidth": 0.5, **settings}}
    part = Part(name="native", options={"parameters": parameters})
    resolved = resolve_part("feature_extractor", part, registry, "extractor")
    extractor: FeatureExtractor = resolved.build(registry)
    return extractor


def _told(failure: Failure) -> RdfcError:
    assert failure.fixable, failure.reason
    check_sentence(failure.reason)
    return DataError(failure.reason)
