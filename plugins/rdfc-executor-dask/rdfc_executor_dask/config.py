"""Options of the executor ``dask``; reading them loads no Dask."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator


class DaskConfig(BaseModel):
    """Which cluster works, and how it is spoken to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str = Field(
        min_length=1, description="The scheduler, such as tcp://host:8786 or tls://host:8786."
    )
    tls_ca: Path | None = Field(None, description="Certificate of the authority, PEM (TLS).")
    tls_cert: Path | None = Field(None, description="Certificate of this client, PEM (TLS).")
    tls_key: Path | None = Field(None, description="Key of this client, PEM (TLS).")
    wait_seconds: float = Field(
        60, gt=0, description="How long to wait for the scheduler, and for a worker of it."
    )
    timeout_seconds: float | None = Field(
        1800,
        gt=0,
        description="A case that takes longer, the wait for other work of the cluster included, "
        "is given up; null: never.",
    )

    @model_validator(mode="after")
    def _tls_is_whole(self) -> DaskConfig:
        files = {name: getattr(self, name) for name in ("tls_ca", "tls_cert", "tls_key")}
        missing = [name for name, file in files.items() if file is None]
        if self.address.startswith("tls://") and missing:
            raise ValueError(f"a tls:// address needs {', '.join(missing)}, too")
        if not self.address.startswith("tls://") and len(missing) < len(files):
            raise ValueError("certificates are for a tls:// address; write tls:// or drop them")
        return self
