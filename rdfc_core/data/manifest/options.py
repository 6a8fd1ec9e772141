"""What a user says about the files that are to be listed."""

from rdfc_core.interfaces.layout import LayoutOptions, SeveralMasks

__all__ = ["SEVERAL_MASKS", "LayoutOptions", "SeveralMasks"]

SEVERAL_MASKS: dict[str, SeveralMasks] = {"leave-out": "leave-out", "cases": "cases"}
"""What may be done about an image with several masks, by the word that says so."""
