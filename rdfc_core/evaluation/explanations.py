"""Why methods say what they say, on a split: families of features, and where the encoder looks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from rdfc_core.case import Case
from rdfc_core.evaluation import baselines, grad_cam, linear_probe
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.classifiers import Features
from rdfc_core.evaluation.grad_cam import Layer
from rdfc_core.evaluation.permutation_importance import Family
from rdfc_core.extraction.extract import Extraction
from rdfc_core.models.model import Model
from rdfc_core.results.schema import Looked
from rdfc_core.views.image_view import ImageView
from rdfc_core.views.overlay import overlays
from rdfc_core.views.preparers import PicturePreparer

NO_PICTURE = (
    "The judged model has no picture view of rdfc's own, so that there is no encoder to ask where "
    "it looks."
)
NO_MAP = (
    "No layer group of the image encoder gives a map over the picture (those of a vision "
    "transformer are rows of tokens), so that Grad-CAM has nothing to show."
)


@dataclass
class Explained:
    """What the splits of a run have told so far.

    Args:
        families: Family of features → what conventional radiomics says with it permuted.
        looked: Where the first split's encoder looked.
        why_not: Why it cannot be said where, or "".
    """

    families: dict[Family, list[Prediction]] = field(default_factory=lambda: defaultdict(list))
    looked: list[Looked] = field(default_factory=list)
    why_not: str = ""

    def add(
        self,
        test: linear_probe.Bench,
        model: Model,
        outputs: linear_probe.Outputs,
        collated: baselines.Collated,
        extraction: Extraction,
    ) -> None:
        """Explain one split more.

        Args:
            test: Its labelled cases.
            model: Its trained model, with a classifier.
            outputs: What the model makes of the bench's cases.
            collated: These cases, as the model's views collate them.
            extraction: All cases.
        """
        for family, prediction in baselines.families(test, model, collated, extraction):
            self.families[family].append(prediction)
        if not self.looked and not self.why_not:  # one network's maps are enough to look at
            self._look(test, model, outputs["features"], extraction)

    def _look(
        self, test: linear_probe.Bench, model: Model, features: Features, extraction: Extraction
    ) -> None:
        probe, towers = model.classifier, model.pretext.encoders()
        name = next((n for n in probe.views if towers[n].picture_shape), None) if probe else None
        view = model.views[name] if name is not None else None
        if probe is None or name is None or not isinstance(view, ImageView):
            self.why_not = NO_PICTURE
            return
        start = len(test.split.train)
        tested = test.cases[start:]
        said = probe.predict({n: one[start:] for n, one in features.items()})
        chosen = grad_cam.telling_cases(test.truth[start:], said)
        tower = towers[name]
        device = next((p.device for p in tower.parameters()), None)
        widths = {n: one.shape[1] for n, one in features.items()}
        network = grad_cam.probed(tower, name, probe, widths).to(device).eval()
        shown = extraction.of(name, [tested[place].case_id for place in chosen])
        pictures = view.collate(shown).to(device)
        layer = grad_cam.spatial_layer(tower, pictures[:1])
        if layer is None:
            self.why_not = NO_MAP
            return
        targets = said[chosen].argmax(axis=1).tolist()
        heat = grad_cam.grad_cam(network, layer.module, pictures, targets)
        for place, target, own in zip(chosen, targets, heat, strict=True):
            about = (test.split.name, model.classes[target], float(said[place, target]), layer)
            self.looked.append(_looked(tested[place], view, own, *about))


def _looked(
    case: Case,
    view: ImageView,
    heat: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    split: str,
    predicted: str,
    probability: float,
    layer: Layer,
) -> Looked:
    """The case drawn: of several planes the one with the most of the tumour."""
    with_mask = view.config.model_copy(update={"mask_channel": True, "channels": "grey"})
    planes = PicturePreparer(with_mask, view.encoder.spatial_dims).prepare(case.load()).array
    if heat.ndim == 3:  # (2, Z, h, w): picture and mask
        pictures, masks = planes.astype(np.float32)
    else:  # (2 C, h, w): the planes are channels
        pictures, masks = np.split(planes.astype(np.float32), 2)
    plane = int(masks.sum(axis=(1, 2)).argmax())
    if heat.ndim == 3:
        heat = heat[min(len(heat) - 1, plane * len(heat) // len(masks))]
    return Looked(
        split,
        case.case_id,
        str(case.label),
        predicted,
        probability,
        layer.name,
        " × ".join(map(str, layer.cells)),
        *overlays(pictures[plane], masks[plane], heat),
    )
