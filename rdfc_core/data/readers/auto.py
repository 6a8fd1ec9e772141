"""Chooses, for each file, the first installed reader that is meant for it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from rdfc_core.case import Case, Volume
from rdfc_core.config.resolve import ResolvedPart
from rdfc_core.contract.volumes import require_volume
from rdfc_core.errors import DataError, PluginError
from rdfc_core.interfaces.reader import Reader
from rdfc_core.plugin.attribution import held_to_contract
from rdfc_core.plugin.registry import Registry
from rdfc_core.utils.paths import as_stored, undecodable

log = logging.getLogger("rdfc")


class AutoReader(Reader):
    """Several readers as one.

    Args:
        readers: Tried in this order.
    """

    def __init__(self, readers: Sequence[Reader]) -> None:
        self._readers = tuple(readers)

    @classmethod
    def installed(
        cls, registry: Registry, configured: Mapping[str, ResolvedPart] | None = None
    ) -> AutoReader:
        """All readers that are installed and available.

        Args:
            registry: Where they come from.
            configured: Those with options of their own, by name; the rest have their defaults.
        """
        chosen = {name: part.build(registry) for name, part in (configured or {}).items()}
        readers = list(chosen.values())
        for component, _ in registry.components("reader"):
            if component.unavailable is None and component.name not in chosen:
                try:
                    readers.append(component.build(component.load_config()()))
                except PluginError as error:  # perhaps no file needs it: the others go on
                    log.warning("%s", error)
        if not readers:
            raise PluginError("No reader is installed. Reinstall rdfc-core.")
        return cls(readers)

    def given_to(self, cases: Sequence[Case]) -> list[Case]:
        """The cases, each with a reader: its own if the data set gave it one, otherwise this.

        Files that this reader is to read are named as the disk spells them.

        Raises:
            DataError: If a name of a case is no text.
        """
        read = [
            case
            if case.reader
            else replace(case, image=as_stored(case.image), mask=as_stored(case.mask), reader=self)
            for case in cases
        ]
        for case in read:
            _refuse_undecodable(case)
        return read

    def reads(self, path: Path) -> bool:
        """Whether any reader is meant for the path."""
        return any(reader.reads(path) for reader in self._readers)

    def read_image(self, path: Path) -> Volume:
        """As the reader for this path gives it.

        Raises:
            DataError: If there is no reader for it, or the file is damaged.
        """
        return self._read("read_image", path)

    def read_mask(self, path: Path) -> Volume:
        """As the reader for this path gives it.

        Raises:
            DataError: If there is no reader for it, or the file is damaged.
        """
        return self._read("read_mask", path)

    def identity(self, path: Path) -> str:
        """That of the reader for this path.

        Raises:
            DataError: If there is no reader for it.
        """
        return self._for(path).identity(path)

    def mask_identity(self, path: Path) -> str:
        """That of the reader for this path.

        Raises:
            DataError: If there is no reader for it.
        """
        return self._for(path).mask_identity(path)

    def files(self, path: Path) -> Sequence[Path]:
        """Those of the reader for this path.

        Raises:
            DataError: If there is no reader for it.
        """
        return self._for(path).files(path)

    def fingerprint(self, path: Path) -> str:
        """As the reader for this path gives it.

        Raises:
            DataError: If there is no reader for it.
        """
        return self._for(path).fingerprint(path)

    def _read(self, method: Literal["read_image", "read_mask"], path: Path) -> Volume:
        reader = self._for(path)
        volume: Volume = getattr(reader, method)(path)
        with held_to_contract(reader):
            require_volume(volume, f"{type(reader).__name__}.{method}({path.name})")
        return volume

    def _for(self, path: Path) -> Reader:
        for reader in self._readers:
            if reader.reads(path):
                return reader
        raise DataError(
            f"no installed reader is meant for {path.name}. Convert the file to PNG, TIFF, NIfTI, "
            "NRRD or MHA, or install a plugin that reads it."
        )


def _refuse_undecodable(case: Case) -> None:
    named = {
        "id": case.case_id,
        "patient": case.patient_id,
        "label": case.label or "",
        "image": str(case.image),
        "mask": str(case.mask),
    }
    for what, text in named.items():
        if shown := undecodable(text):
            raise DataError(
                f"Case {undecodable(case.case_id) or case.case_id}: the {what} {shown} holds bytes "
                "that are no UTF-8, and no table can name it. Rename the file or folder."
            )
