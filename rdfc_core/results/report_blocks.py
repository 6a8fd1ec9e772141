"""What sections of the report by plugins are made of, and how a run folder keeps them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rdfc_core.results.files import SECTIONS
from rdfc_core.utils.atomic import MOST_TEXT, replacing, within

PNG = b"\x89PNG\r\n\x1a\n"
MOST_PICTURE_BYTES = 4 * 2**20
MOST_BLOCKS = 50
MOST_CELLS = 20_000


class _Block(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )


class TextBlock(_Block):
    """A paragraph of plain text: what looks like HTML is shown as it is written."""

    kind: Literal["text"] = "text"
    text: str = Field(min_length=1, max_length=20_000)


class TableBlock(_Block):
    """A table, its first column the names of rows.

    Numbers are aligned and shown with three decimals, whole numbers as they are, None as a dash.
    """

    kind: Literal["table"] = "table"
    columns: tuple[str, ...] = Field(min_length=1, max_length=50)
    rows: tuple[tuple[str | int | float | None, ...], ...]
    caption: str = Field("", max_length=500)

    @model_validator(mode="after")
    def _rectangular(self) -> TableBlock:
        wrong = [row for row in self.rows if len(row) != len(self.columns)]
        if wrong:
            raise ValueError(f"{len(self.columns)} columns, and a row of {len(wrong[0])} cells")
        if len(self.rows) * len(self.columns) > MOST_CELLS:
            raise ValueError(f"more than {MOST_CELLS} cells; a report is to be read")
        return self


class FigureBlock(_Block):
    """A picture with its caption, which is read out where nobody sees it."""

    kind: Literal["figure"] = "figure"
    png: bytes = Field(
        max_length=MOST_PICTURE_BYTES,
        description="The file's bytes, as `matplotlib`'s savefig(file, format='png') writes them.",
    )
    caption: str = Field(
        min_length=1, max_length=1000, description="What it shows; stands below it."
    )

    @field_validator("png")
    @classmethod
    def _is_png(cls, png: bytes) -> bytes:
        if not png.startswith(PNG):
            raise ValueError("no PNG; savefig(file, format='png') gives one")
        return png


Block = TextBlock | TableBlock | FigureBlock
"""What a section is made of: paragraphs, tables and figures, in any order."""


class RecordedSection(BaseModel):
    """A section as a run folder keeps it, so that a report needs no plugin."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )

    title: str = Field(min_length=1, max_length=100)
    by: str = Field(description="The component and its distribution, with version.")
    blocks: tuple[Annotated[Block, Field(discriminator="kind")], ...] = Field(
        (), max_length=MOST_BLOCKS
    )
    fault: str | None = Field(None, description="Why it could not be made.")


class RecordedSections(BaseModel):
    """All sections of a run by plugins, in the order of their names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sections: tuple[RecordedSection, ...] = ()

    def write(self, folder: Path) -> None:
        """Into the run folder; a run without any has no such file."""
        path = folder / SECTIONS
        if not self.sections:
            path.unlink(missing_ok=True)
            return
        with replacing(path) as partial:
            partial.write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> RecordedSections:
        """From the file.

        Raises:
            OSError: If it cannot be read.
            ValueError: If it holds anything else.
        """
        text = within(path, MOST_TEXT).read_text(encoding="utf-8")
        return cls.model_validate_json(text)
