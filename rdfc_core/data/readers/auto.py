"""Finds, for each file, the one reader that is meant for it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rdfc_core.case import Case, Volume, mask_of, place_of
from rdfc_core.config.resolve import ResolvedPart
from rdfc_core.contract.volumes import require_volume
from rdfc_core.data.readers.record import ReaderRecord
from rdfc_core.errors import DataError, PluginError
from rdfc_core.interfaces.layout import Layout
from rdfc_core.interfaces.reader import Reader
from rdfc_core.plugin.attribution import held_to_contract
from rdfc_core.plugin.registry import Registry
from rdfc_core.utils.paths import as_stored, undecodable

log = logging.getLogger("rdfc")


@dataclass(frozen=True)
class NamedReader:
    """A reader that is installed.

    Args:
        name: Of the component.
        reader: Built.
        distribution: That it comes from.
        version: Of the distribution.
        chosen: Whether the study names it: it then goes before those that the study does not name.
        options: As the study or the reader's defaults have them, as plain data.
    """

    name: str
    reader: Reader
    distribution: str = ""
    chosen: bool = False
    options: Mapping[str, object] | None = None
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name!r} ({self.distribution})" if self.distribution else repr(self.name)


class AutoReader(Reader):
    """Several readers as one: each file is read by the one that claims it.

    Args:
        readers: All that may be asked; those without a name are known by their class.
    """

    def __init__(self, readers: Sequence[Reader | NamedReader]) -> None:
        self._readers = tuple(
            one if isinstance(one, NamedReader) else NamedReader(type(one).__name__, one)
            for one in readers
        )
        self._found: dict[Path, NamedReader] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"_readers": self._readers, "_found": {}}  # it goes to workers with every case

    @classmethod
    def installed(
        cls, registry: Registry, configured: Mapping[str, ResolvedPart] | None = None
    ) -> AutoReader:
        """All readers that are installed and available.

        Args:
            registry: Where they come from.
            configured: Those that the study names, with their options; the rest have their
                defaults, and are asked for files that none of these claims.
        """
        configured = configured or {}
        readers = []
        for component, source in registry.components("reader"):
            part = configured.get(component.name)
            if part is None and component.unavailable is not None:
                continue
            try:
                config = part.config if part else component.load_config()()
                reader = part.build(registry) if part else component.build(config)
            except PluginError as error:  # perhaps no file needs it: the others go on
                if part is not None:
                    raise
                log.warning("%s", error)
                continue
            chosen = part is not None
            options = config.model_dump(mode="json")
            readers.append(
                NamedReader(
                    component.name, reader, source.distribution, chosen, options, source.version
                )
            )
        if not readers:
            raise PluginError("No reader is installed. Reinstall rdfc-core.")
        return cls(readers)

    def given_to(self, cases: Sequence[Case]) -> list[Case]:
        """The cases, each with a reader: its own if the data set gave it one, otherwise this.

        Files that this reader is to read are named as the disk spells them.

        Raises:
            DataError: If two readers claim a file, or a name of a case is no text.
        """
        given = []
        for case in cases:
            if case.reader is None:
                for path in case.paths:
                    if self.named_for(path) is None:
                        self._refuse_two(path, case.case_id)
                case = replace(case.with_files(as_stored), reader=self)
            _refuse_undecodable(case)
            given.append(case)
        return given

    def layouts(self) -> list[Layout]:
        """The layouts that the readers bring along."""
        found = (one.reader.layout() for one in self._readers)
        return [layout for layout in found if layout is not None]

    def reads(self, path: Path) -> bool:
        """Whether any reader is meant for the path."""
        return any(one.reader.reads(path) for one in self._readers)

    def read_image(self, path: Path) -> Volume:
        """As the reader for this path gives it.

        Raises:
            DataError: If there is no reader for it, or two, or the file is damaged.
        """
        reader = self._for(path)
        return _sound(reader, reader.read_image(path), "read_image", path)

    def read_mask(self, path: Path, image: Volume | None = None) -> Volume:
        """As the reader for this path gives it.

        Raises:
            DataError: If there is no reader for it, or two, or the file is damaged.
        """
        reader = self._for(path)
        return _sound(reader, mask_of(reader, path, image), "read_mask", path)

    def place(self, path: Path) -> Path:
        """As the reader for this path has it; the path itself where there is none, or two."""
        named = self.named_for(path)
        return path if named is None else place_of(named.reader, path)

    def identity(self, path: Path) -> str:
        """That of the reader for this path.

        Raises:
            DataError: If there is no reader for it, or two.
        """
        return self._for(path).identity(path)

    def mask_identity(self, path: Path) -> str:
        """That of the reader for this path.

        Raises:
            DataError: If there is no reader for it, or two.
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
            DataError: If there is no reader for it, or two.
        """
        return self._for(path).fingerprint(path)

    def _for(self, path: Path) -> Reader:
        named = self.named_for(path)
        if named is not None:
            return named.reader
        self._refuse_two(path)
        raise DataError(
            f"no installed reader is meant for {path.name}. Convert the file to PNG, TIFF, NIfTI, "
            "NRRD or MHA, or install a plugin that reads it."
        )

    def _claims(self, path: Path) -> list[NamedReader]:
        """The readers that claim a file; of them those that the study names, if there is one."""
        claims = [one for one in self._readers if one.reader.reads(path)]
        return [one for one in claims if one.chosen] or claims

    def named_for(self, path: Path) -> NamedReader | None:
        """The reader for a path; None if there is none, or more than one."""
        found = self._found.get(path)
        if found is None:
            claims = self._claims(path)
            if len(claims) != 1:
                return None
            found = self._found[path] = claims[0]
        return found

    def _refuse_two(self, path: Path, case_id: str | None = None) -> None:
        """Two readers may make different images of one file: which, is for the user to say."""
        claims = self._claims(path)
        if len(claims) < 2:
            return
        names = " and ".join(map(str, claims))
        if all(one.chosen for one in claims):
            fix = "The study names both under readers: leave all but one of them out."
        else:
            fix = (
                f"Name one in the study, such as readers: {{{claims[0].name}: {{}}}} (--set "
                f"readers.{claims[0].name}={{}}), or uninstall the other."
            )
        whose = "" if case_id is None else f"Case {case_id}: "
        raise DataError(f"{whose}two readers claim {path.name}: {names}. {fix}")


def readers_of(cases: Sequence[Case]) -> dict[str, ReaderRecord]:
    """Name → what is recorded of each reader that reads a file of the cases.

    Args:
        cases: Each with a reader; one that the data set gave them is known by its class.
    """
    found: dict[str, ReaderRecord] = {}
    for case in cases:
        for path in case.paths:
            named = _reader_for(case.reader, path)
            if named is not None and named.name not in found:
                found[named.name] = ReaderRecord(
                    identity=_identity(named.reader, path),
                    distribution=named.distribution,
                    version=named.version,
                    options=dict(named.options or {}),
                )
    return dict(sorted(found.items()))


def _reader_for(reader: Any, path: Path) -> NamedReader | None:
    """None where none is meant for the file: the case itself will say so."""
    if isinstance(reader, AutoReader):
        return reader.named_for(path)
    return None if reader is None else NamedReader(type(reader).__name__, reader)


def _identity(reader: Any, path: Path) -> str:
    """Class and version alone: a reader may have more to say of single kinds of files."""
    return Reader.identity(reader, path) if isinstance(reader, Reader) else reader.identity(path)


def _refuse_undecodable(case: Case) -> None:
    named = {
        "id": case.case_id,
        "patient": case.patient_id,
        "label": case.label or "",
        "image": str(case.image),
        "mask": str(case.mask),
        **{f"image {name}": str(path) for name, path in case.images.items()},
        **{f"mask {name}": str(path) for name, path in case.masks.items()},
    }
    for what, text in named.items():
        if shown := undecodable(text):
            raise DataError(
                f"Case {undecodable(case.case_id) or case.case_id}: the {what} {shown} holds bytes "
                "that are no UTF-8, and no table can name it. Rename the file or folder."
            )


def _sound(reader: Reader, volume: Volume, method: str, path: Path) -> Volume:
    """What a reader gave, once it is known to be a volume.

    Raises:
        PluginError: If it is not.
    """
    with held_to_contract(reader):
        require_volume(volume, f"{type(reader).__name__}.{method}({path.name})")
    return volume
