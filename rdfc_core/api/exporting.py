"""What a run gives for use without rdfc."""

from __future__ import annotations

from pathlib import Path

from rdfc_core.plugin.registry import installed
from rdfc_core.results.vocabulary import SELECTED


class RunExport:
    """The part of a `Run` that writes its models in other formats."""

    folder: Path

    def export(
        self,
        out: str | Path,
        format: str = "onnx",
        *,
        method: str = SELECTED,
        split: str | None = None,
        view: str = "image",
        overwrite: bool = False,
    ) -> list[Path]:
        """Write the run's model in a format that needs no rdfc.

        Args:
            out: The folder for the files.
            format: ``onnx``: from prepared pictures and measured features to what `predict` says;
                ``safetensors``: the weights of an image encoder; ``monai``: the encoder as a bundle
                of MONAI.
            method: Of ``onnx``: as of `predict`.
            split: Whose model; None: of ``onnx`` the mean over all of the run, otherwise the only
                one.
            view: Of the other formats: whose network.
            overwrite: Replace files that are in ``out``.

        Returns:
            The files that were written.

        Raises:
            StudyError: If something that is asked for is not there, or cannot be exported.
            DataError: If no classifier was trained.
            PluginError: If a network cannot be exported, or would say something else.
        """
        from rdfc_core.export.exporting import export
        from rdfc_core.pipeline.open_run import OpenRun

        opened, target = OpenRun(self.folder, installed()), Path(out).expanduser()
        return export(opened, target, format, method, split, view, overwrite)
