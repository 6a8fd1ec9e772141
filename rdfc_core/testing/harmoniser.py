"""What rdfc relies on in a `Harmoniser`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rdfc_core.contract.arrays import same
from rdfc_core.contract.global_state import left_alone
from rdfc_core.contract.harmonisers import require_sentences, require_transformed
from rdfc_core.contract.promises import expect_error, require, require_kind, through_pickle
from rdfc_core.errors import DataError
from rdfc_core.testing.assertions import conformance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rdfc_core.interfaces import Harmoniser
    from rdfc_core.interfaces.harmoniser import Columns

CASES, FEATURES = 48, 9
SITES = ("north", "south", "west")
UNKNOWN = "a site that nobody was trained on"


@conformance
def check_harmoniser(
    harmoniser: Harmoniser,
    columns: Sequence[dict[str, str]] | None = None,
) -> None:
    """Check a harmoniser on made-up features of three sites, some of them missing.

    Args:
        harmoniser: Built, and not fitted yet.
        columns: Of 48 cases, whose first column names three sites of at least ten cases each;
            None: sites in the first of `Harmoniser.columns`, and numbers in the others.

    Raises:
        AssertionError: If fitting remembers earlier cases or depends on their order, what was
            learnt changes when other cases are transformed or adapted to, a case's row depends on
            the cases beside it, the state does not hold what was learnt, missing values move, a
            case of a site that nothing is known of passes before `adapt`, or what is given is
            changed.
    """
    from rdfc_core.interfaces import Harmoniser

    who = require_kind(harmoniser, Harmoniser)
    named = harmoniser.columns
    require(
        isinstance(named, tuple) and named and all(isinstance(n, str) and n for n in named),
        f"{who}.columns has to be a non-empty tuple of names of columns.",
    )
    values, told = _cases(named, columns)
    blank = through_pickle(harmoniser, who)
    _check_fit(harmoniser, through_pickle(blank, who), values, told, who)
    _check_transform(harmoniser, values, told, who)
    _check_others(harmoniser, values, told, who)
    blank.load_state({key: value.copy() for key, value in harmoniser.state().items()})
    require(
        same(blank.transform(values.copy(), told), harmoniser.transform(values.copy(), told)),
        f"{who}.state() does not hold all that fit learnt: another object that loads it transforms "
        "otherwise.",
    )
    try:
        through_pickle(blank, who).load_state({})
    except ValueError:
        return
    require(
        False, f"{who}.load_state({{}}) raised nothing; raise ValueError where arrays are missing."
    )


def _cases(
    named: Sequence[str], given: Sequence[dict[str, str]] | None
) -> tuple[NDArray[np.float64], list[dict[str, str]]]:
    generator = np.random.default_rng(5)
    sites = [SITES[place % 3] for place in range(CASES)]
    drawn = generator.normal(50, 9, (CASES, len(named)))
    told = [
        {name: f"{drawn[row, place]:.1f}" for place, name in enumerate(named)} | {named[0]: site}
        for row, site in enumerate(sites)
    ]
    told = [dict(row) for row in given] if given is not None else told
    values = generator.normal(0, 1, (CASES, FEATURES)) * 10.0 ** np.arange(-4, 5)
    shift = {row[named[0]]: place for place, row in enumerate(told[:3])}
    place = np.array([shift.get(row[named[0]], 0) for row in told])[:, None]
    values = values * (1 + 0.3 * place) + place * 10.0 ** np.arange(-4, 5)
    values[4, 2] = values[11, 2] = np.nan
    return values, told


def _fit(one: Harmoniser, values: NDArray[np.float64], told: Columns, who: str) -> dict[str, Any]:
    given = values.copy()
    with left_alone(f"{who}.fit()"):
        one.fit(given, told)
    require(same(given, values), f"{who}.fit() changed the features that it was given; copy them.")
    state = one.state()
    require(
        isinstance(state, dict)
        and all(
            isinstance(key, str) and isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
            for key, value in state.items()
        ),
        f"{who}.state() has to be a dict of numpy arrays of numbers.",
    )
    return {key: value.copy() for key, value in state.items()}


def _check_fit(
    one: Harmoniser,
    fresh: Harmoniser,
    values: NDArray[np.float64],
    told: list[dict[str, str]],
    who: str,
) -> None:
    half = CASES // 2
    with expect_error(DataError, f"{who}.fit() of no case"):
        fresh.fit(values[:0], [])
    _fit(one, values[:half] * 3 + 1, told[:half], who)
    state = _fit(one, values, told, who)
    _require_equal(state, _fit(fresh, values, told, who), f"{who}.fit() remembers earlier cases")
    other = _fit(fresh, values[::-1], told[::-1], who)
    for key, value in state.items():
        require(
            value.shape == other[key].shape
            and np.allclose(value, other[key], rtol=1e-5, atol=1e-8, equal_nan=True),
            f"{who}.fit() learnt another {key!r} from the same cases in another order; make it "
            "independent of their order.",
        )


def _check_transform(
    one: Harmoniser, values: NDArray[np.float64], told: list[dict[str, str]], who: str
) -> None:
    given = values.copy()
    with left_alone(f"{who}.transform()"):
        whole = one.transform(given, told)
    require(same(given, values), f"{who}.transform() changed what it was given; copy it.")
    require_transformed(values, whole, who)
    for row in (0, 1, 4):
        alone = one.transform(values[row : row + 1].copy(), told[row : row + 1])
        require(
            np.allclose(alone, whole[row : row + 1], rtol=1e-9, equal_nan=True),
            f"{who}.transform() gave a case another row alone than among others; fit learns from "
            "many cases, transform must not.",
        )


def _check_others(
    one: Harmoniser, values: NDArray[np.float64], told: list[dict[str, str]], who: str
) -> None:
    """Cases that it was not fitted on change nothing of what was learnt."""
    name = one.columns[0]
    before = {key: value.copy() for key, value in one.state().items()}
    known = one.transform(values.copy(), told)
    with expect_error(DataError, f"{who}.transform() of a case of an unknown {name}"):
        one.transform(values[:1].copy(), [{**told[0], name: UNKNOWN}])
    elsewhere = [{**row, name: UNKNOWN} for row in told]
    require_sentences(one.adapt(7 * values + 100, elsewhere), who)
    _require_equal(before, one.state(), f"{who}.adapt() of other cases changes what fit has learnt")
    one.transform(9 * values - 50, told)
    _require_equal(before, one.state(), f"{who}.transform() changes what fit has learnt")
    require(
        same(known, one.transform(values.copy(), told)),
        f"{who}.adapt() of other cases changes how those of known sites are transformed; learn of "
        "new sites alone.",
    )
    one.adapt(values, told)


def _require_equal(before: dict[str, Any], after: dict[str, Any], what: str) -> None:
    for key, value in before.items():
        require(
            key in after and same(value, after[key]),
            f"{what} in {key!r}; learn from the cases that fit is given, and from no other.",
        )
