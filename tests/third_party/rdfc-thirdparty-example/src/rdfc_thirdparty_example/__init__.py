"""Four components of rdfc from outside the project."""

from rdfc_core import Component, hookimpl

rdfc_interface = 1


@hookimpl
def rdfc_components() -> list[Component]:
    """An encoder, two views and a feature extractor."""
    here = "rdfc_thirdparty_example"
    return [
        Component(
            "image_encoder",
            "slim-cnn",
            "A small residual network of depthwise convolutions",
            f"{here}.encoder:SlimCnn",
            f"{here}.config:SlimCnnConfig",
        ),
        Component(
            "view",
            "radial-profile",
            "Mean grey value in rings from the middle to beyond the outline",
            f"{here}.view:RadialProfile",
            f"{here}.config:RadialProfileConfig",
        ),
        Component(
            "view",
            "clinical",
            "Columns of the case, such as age and sex",
            f"{here}.clinical:Clinical",
            f"{here}.config:ClinicalConfig",
        ),
        Component(
            "feature_extractor",
            "moments",
            "Ten features from moments and gradients",
            f"{here}.features:Moments",
            f"{here}.config:MomentsConfig",
        ),
    ]
