"""Which cases something was learnt from or judged on: their number, and a checksum of who they are.

A saved model is passed on, and ids of cases may name people: a checksum can be compared with the
run's ``cases.csv`` and tells nothing without it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

VIEW, NETWORK, STOPPING, LABELS = "view.", "network", "network-held-back", "labels"
"""What of a model learns from cases: a view's statistics (behind `VIEW` its name), the pretrained
network, the decision when pretraining ends, and what labels train."""


class CaseSet(BaseModel):
    """A set of cases.

    Args:
        cases: How many.
        sha256: Of each case's id and the fingerprint of its content, in the order of the ids.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cases: int
    sha256: str

    @classmethod
    def of(cls, case_ids: Iterable[str], fingerprints: Mapping[str, str]) -> CaseSet:
        """That of the cases, each counted once.

        Args:
            case_ids: In any order.
            fingerprints: Case id → fingerprint of its content.
        """
        ids = sorted(set(case_ids))
        digest = hashlib.sha256()
        for case_id in ids:
            digest.update(f"{case_id}\0{fingerprints.get(case_id, '')}\n".encode())
        return cls(cases=len(ids), sha256=digest.hexdigest())
