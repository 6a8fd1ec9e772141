"""Why methods say what they say, on a split: families of features, and where the encoder looks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from rdfc_core.case import Case
from rdfc_core.evaluation import baselines, grad_cam
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.evaluated_model import EvaluatedModel
from rdfc_core.evaluation.permutation_importance import Family
from rdfc_core.results.schema import AttentionMap
from rdfc_core.results.vocabulary import CLASSIFICATION, FEATURES
from rdfc_core.views.image_view import ImageView
from rdfc_core.views.overlay import overlays
from rdfc_core.views.preparers import PicturePreparer

NO_PICTURE = (
    "The judged model has no picture view of rdfc's own, so that there is no encoder to ask where "
    "it looks."
)
NO_CLASS = (
    "Grad-CAM shows what speaks for a class, and a regression has none, so that it is left out."
)
NO_MAP = (
    "No layer group of the image encoder gives a map over the picture (those of a vision "
    "transformer are rows of tokens), so that Grad-CAM has nothing to show."
)


@dataclass
class Explanations:
    """What the splits of a run have told so far.

    Args:
        families: Family of features → what conventional radiomics says with it permuted.
        attention_maps: Where the first split's encoder looked.
        why_not: Why it cannot be said where, or "".
    """

    families: dict[Family, list[Prediction]] = field(default_factory=lambda: defaultdict(list))
    attention_maps: list[AttentionMap] = field(default_factory=list)
    why_not: str = ""

    def add(self, own: EvaluatedModel) -> None:
        """Explain one split more.

        Args:
            own: Its trained model, with a classifier.
        """
        for family, prediction in baselines.families(own):
            self.families[family].append(prediction)
        if not self.attention_maps and not self.why_not:  # one network's maps are enough to look at
            self._look(own)

    def _look(self, own: EvaluatedModel) -> None:
        model, data, features = own.model, own.data, own.outputs[FEATURES]
        probe, towers = model.classifier, model.pretext.encoders()
        name = next((n for n in probe.views if towers[n].picture_shape), None) if probe else None
        view = model.views[name] if name is not None else None
        if data.task.name != CLASSIFICATION:
            self.why_not = NO_CLASS
            return
        if probe is None or name is None or not isinstance(view, ImageView):
            self.why_not = NO_PICTURE
            return
        start = len(data.split.train)
        tested = data.cases[start:]
        said = probe.predict({n: one[start:] for n, one in features.items()})
        chosen = grad_cam.telling_cases(data.truth[start:].astype(np.int64), said)
        tower = towers[name]
        device = next((p.device for p in tower.parameters()), None)
        widths = {n: one.shape[1] for n, one in features.items()}
        network = grad_cam.probed(tower, name, probe, widths).to(device).eval()
        shown = own.extraction.of(name, [tested[place].case_id for place in chosen])
        pictures = view.collate(shown).to(device)
        layer = grad_cam.spatial_layer(tower, pictures[:1])
        if layer is None:
            self.why_not = NO_MAP
            return
        targets = said[chosen].argmax(axis=1).tolist()
        maps = grad_cam.grad_cam(network, layer.module, pictures, targets)
        for place, target, heat in zip(chosen, targets, maps, strict=True):
            picture, overlay = _drawn(tested[place], view, heat)
            self.attention_maps.append(
                AttentionMap(
                    split=data.split.name,
                    case_id=tested[place].case_id,
                    label=str(tested[place].label),
                    predicted=model.classes[target],
                    probability=float(said[place, target]),
                    layer=layer.name,
                    cells=" × ".join(map(str, layer.cells)),
                    picture=picture,
                    overlay=overlay,
                )
            )


def _drawn(
    case: Case, view: ImageView, heat: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> tuple[bytes, bytes]:
    """The case without and with the map; of several planes the one with the most of the tumour."""
    names = view.config.images  # of several images the first is drawn
    with_mask = view.config.model_copy(
        update={
            "mask_channel": True,
            "channels": "grey",
            "images": None,
            "image": names[0] if names else view.config.image,
        }
    )
    preparer = PicturePreparer(with_mask, view.encoder.spatial_dims)
    planes = preparer.prepare(case.load(preparer.needs)).array
    if heat.ndim == 3:  # (2, Z, h, w): picture and mask
        pictures, masks = planes.astype(np.float32)
    else:  # (2 C, h, w): the planes are channels
        pictures, masks = np.split(planes.astype(np.float32), 2)
    plane = int(masks.sum(axis=(1, 2)).argmax())
    if heat.ndim == 3:
        heat = heat[min(len(heat) - 1, plane * len(heat) // len(masks))]
    return overlays(pictures[plane], masks[plane], heat)
