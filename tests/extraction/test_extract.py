"""Extraction: made once, kept, made again only where something changed; failures cost only
themselves."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing.context import ForkServerContext as Processes
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps

from rdfc_core.case import Case, Volume
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.data.readers.pictures import PictureReader
from rdfc_core.extraction import features_table
from rdfc_core.extraction.extract import Extraction, extract
from rdfc_core.extraction.features_table import write_parquet
from rdfc_core.extraction.fingerprints import fingerprints
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.extraction.store import Store
from rdfc_core.utils.progress import Progress
from rdfc_core.views.feature_view import FeatureView
from rdfc_core.views.options import FeatureViewConfig
from rdfc_core.views.size import Size
from tests.support import jobs, small_study
from tests.support.small_parts import GreyView, GreyViewConfig
from tests.support.small_preparers import OutlineConfig, OutlineFeatures

HERE = LocalExecutor(LocalExecutorConfig(workers=0))
WORKER = LocalExecutor(LocalExecutorConfig(workers=1))

ReadCases = Callable[[Path, AutoReader], list[Case]]


def feature_view(**options: float) -> FeatureView:
    config = FeatureViewConfig(extractor="outline")  # type: ignore[arg-type]
    return FeatureView(config, OutlineFeatures(OutlineConfig(**options)))


def views() -> dict[str, FeatureView | GreyView]:
    return {"radiomics": feature_view(), "greys": GreyView(GreyViewConfig())}


def run(cases: Sequence[Case], store: Store, **options: float) -> Extraction:
    return extract(cases, {"radiomics": feature_view(**options)}, store, HERE)


@pytest.fixture
def own(pictures: Path, tmp_path: Path, reader: AutoReader, cases_of: ReadCases) -> list[Case]:
    """Eight cases whose files a test may change."""
    shutil.copytree(pictures, tmp_path / "own")
    return cases_of(tmp_path / "own", reader)[:8]


def test_every_view_of_every_case_is_prepared_in_the_given_order(cases, store):
    found = extract(cases, views(), store, HERE)
    assert [case.case_id for case in found.cases] == [case.case_id for case in cases]
    assert found.made == len(cases)
    assert not found.failures
    first = cases[3].load()
    np.testing.assert_array_equal(
        found.prepared["radiomics"][cases[3].case_id].array,
        OutlineFeatures(OutlineConfig()).extract(first).values,
    )
    assert [one.array.shape for one in found.of("greys", ["case-002", "case-000"])] == [(16,)] * 2


def test_the_second_extraction_makes_nothing_and_gives_the_same(cases, store):
    first = extract(cases, views(), store, HERE)
    second = extract(cases, views(), store, HERE)
    assert (first.made, second.made) == (len(cases), 0)
    for case in cases:
        for view in ("radiomics", "greys"):
            np.testing.assert_array_equal(
                first.prepared[view][case.case_id].array, second.prepared[view][case.case_id].array
            )


def test_a_new_view_is_added_without_making_the_others_again(cases, store):
    run(cases, store)
    both = extract(cases, views(), store, HERE)
    assert both.made == len(cases)
    with_size = extract(cases, {**views(), "size": Size()}, store, HERE)
    assert with_size.made == len(cases)
    assert extract(cases, {**views(), "size": Size()}, store, HERE).made == 0


def invert(path: Path) -> None:
    Image.fromarray(255 - np.array(Image.open(path))).save(path)


def test_a_changed_image_is_made_anew_and_the_others_are_not(own, store):
    before = run(own, store)
    invert(own[2].image)
    after = run(own, store)
    assert after.made == 1
    name = own[2].case_id
    assert before.fingerprints[name] != after.fingerprints[name]
    mean = after.prepared["radiomics"][name].array[0]
    assert mean == pytest.approx(255 - before.prepared["radiomics"][name].array[0])


def test_a_changed_mask_is_made_anew(own, store):
    run(own, store)
    mask = np.array(Image.open(own[1].mask))
    mask[20, 20] = 255 - mask[20, 20]
    Image.fromarray(mask).save(own[1].mask)
    assert run(own, store).made == 1


def test_another_mask_value_or_component_is_made_anew(own, store):
    run(own, store)
    assert run([replace(own[0], mask_value=255), *own[1:]], store).made == 1
    assert run([replace(own[0], component="largest"), *own[1:]], store).made == 1


def test_another_recipe_is_made_anew_and_the_first_is_still_there(own, store):
    run(own, store)
    assert run(own, store, percentile=20).made == len(own)
    assert run(own, store).made == 0


def test_files_that_move_and_cases_that_are_renamed_are_not_made_anew(
    own, store, tmp_path, reader, cases_of
):
    run(own, store)
    (tmp_path / "own").rename(tmp_path / "elsewhere")
    moved = cases_of(tmp_path / "elsewhere", reader)[:8]
    assert run(moved, store).made == 0
    renamed = [replace(case, case_id=f"x-{case.case_id}", label=None) for case in moved]
    assert run(renamed, store).made == 0


def test_an_image_and_mask_that_change_places_are_another_case(own, store):
    run(own, store)
    swapped = replace(own[0], image=own[0].mask, mask=own[0].image)
    assert run([swapped], store).made == 1


def test_a_failing_case_is_named_and_the_others_are_done(own, store):
    own[0].image.write_bytes(b"no picture")
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(own[1].mask)
    own[2].mask.unlink()
    Image.fromarray(np.full((40, 40), 9, np.uint8)).save(own[3].image)
    found = extract(own, {"radiomics": feature_view(needs_contrast=True)}, store, HERE)
    assert [failure.case_id for failure in found.failures] == [f"case-{i:03d}" for i in range(4)]
    for failure, expected in zip(
        found.failures, ("case-000.png", "is empty", "does not exist", "grey value"), strict=True
    ):
        assert failure.reason.startswith(f"Case {failure.case_id}: ")
        assert expected in failure.reason
        assert failure.fixable
    assert [case.case_id for case in found.cases] == [f"case-{i:03d}" for i in range(4, 8)]
    assert set(found.prepared["radiomics"]) == {case.case_id for case in found.cases}
    # Those whose files could be read have one, whatever became of them.
    assert set(found.fingerprints) == {case.case_id for case in own} - {"case-002"}


def test_a_failure_is_not_kept_and_is_tried_again(own, store):
    good = own[0].image.read_bytes()
    own[0].image.write_bytes(b"no picture")
    assert len(run(own, store).failures) == 1
    own[0].image.write_bytes(good)
    after = run(own, store)
    assert (after.made, len(after.failures)) == (1, 0)


def test_a_reader_that_reads_otherwise_makes_what_is_stored_anew(own, store, monkeypatch):
    assert run(own, store).made == len(own)
    assert run(own, store).made == 0
    monkeypatch.setattr(PictureReader, "version", 99)
    assert run(own, store).made == len(own)


def test_a_view_that_breaks_is_our_fault_not_the_users(own, store):
    found = extract(own, {"broken": jobs.Breaks()}, store, HERE)
    assert len(found.failures) == len(own)
    assert found.failures[0].reason.startswith("Case case-000: This is a fault of")
    assert "ZeroDivisionError: division by zero" in found.failures[0].reason
    assert not found.failures[0].fixable


def test_a_worker_that_is_killed_is_named_and_costs_only_its_case(own, store):
    Image.fromarray(np.full((40, 40), jobs.DEADLY, np.uint8)).save(own[3].image)
    own[5].image.write_bytes(b"no picture")
    found = extract(own, {"deadly": jobs.Deadly()}, store, WORKER)
    killed, unreadable = found.failures
    assert (killed.case_id, unreadable.case_id) == ("case-003", "case-005")
    assert "case-003" in killed.reason
    assert "worker process was killed twice" in killed.reason
    assert not killed.fixable
    assert unreadable.fixable
    survivors = [case for case in found.cases if case.case_id != "case-003"]
    assert len(survivors) == len(own) - 2
    again = extract(survivors, {"deadly": jobs.Deadly()}, store, HERE)
    assert again.made == 0  # they were kept


def test_an_extraction_killed_at_any_moment_goes_on_where_it_was(
    own, tmp_path, store, processes: Processes
):
    worked = tmp_path / "worked"
    args = (own, store.path, worked)
    for lines in (1, 3, 6):
        process = processes.Process(target=jobs.extract_slowly, args=args)
        process.start()
        jobs.wait_for_lines(worked, lines)
        process.kill()
        process.join()
        assert process.exitcode == -9
    process = processes.Process(target=jobs.extract_slowly, args=args)
    process.start()
    process.join(timeout=120)
    assert process.exitcode == 0
    done = worked.read_text(encoding="utf-8").split()
    # One case may have been in hand at each of the three kills; no other was done twice.
    assert set(done) == {str(case.load().image.array[0, 0]) for case in own}
    assert len(done) <= len(own) + 3
    assert extract(own, {"slow": jobs.Slow(worked)}, store, HERE).made == 0
    assert worked.read_text(encoding="utf-8").split() == done


def test_two_processes_extract_into_one_store_at_once(own, tmp_path, store, processes: Processes):
    together = [
        processes.Process(target=jobs.extract_slowly, args=(part, store.path, tmp_path / name))
        for name, part in (("one", own[:6]), ("two", own[2:]))
    ]
    for process in together:
        process.start()
    for process in together:
        process.join(timeout=120)
        assert process.exitcode == 0
    found = extract(own, {"slow": jobs.Slow(tmp_path / "three")}, store, HERE)
    assert found.made == 0
    assert [one.array.tolist() for one in found.of("slow", [c.case_id for c in own])] == [
        [float(case.load().image.array[0, 0])] for case in own
    ]


def test_feature_vectors_are_written_as_a_table_with_nulls_for_missing_ones(own, store, tmp_path):
    tiny = np.zeros((40, 40), np.uint8)
    tiny[5, 5] = 255
    Image.fromarray(tiny).save(own[2].mask)
    found = extract(own, views(), store, HERE)
    write_parquet(tmp_path / "features.parquet", found)
    table = pq.read_table(tmp_path / "features.parquet").to_pydict()
    assert table["case_id"] == [case.case_id for case in own]
    assert table["label"] == [case.label for case in own]
    column = table["radiomics.original_firstorder_Entropy"]
    assert [place for place, value in enumerate(column) if value is None] == [2]
    assert column[0] == found.prepared["radiomics"]["case-000"].array[7]
    assert len([name for name in table if name.startswith("radiomics.")]) == 12


def test_progress_counts_cases_from_the_store_too(own, store):
    counted = small_study.Counted()
    run(own[:5], store)
    extract(own, {"radiomics": feature_view()}, store, HERE, counted)
    assert counted.totals == {"Extracting features": (8, 8)}


def test_the_size_control_holds_logarithms_of_area_and_sides(own):
    tumour = own[0].load()
    size = Size().prepare(tumour)
    rows, columns = (s.stop - s.start for s in tumour.box)
    assert size.names == ("log_content", "log_side_0", "log_side_1")
    expected = np.log([tumour.mask.sum(), min(rows, columns), max(rows, columns)])
    np.testing.assert_allclose(size.array, expected)


class ReplacingReader(PictureReader):
    """Replaces an image by another one, just before or just after it is read."""

    when = "before"

    def read_image(self, path: Path) -> Volume:
        if self.when == "before":
            self._replace(path)
        image = super().read_image(path)
        if self.when == "after":
            self._replace(path)
        return image

    def _replace(self, path: Path) -> None:
        ImageOps.invert(Image.open(path)).save(path)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_image_that_is_replaced_after_its_fingerprint_is_not_stored(own, store, when):
    reader = ReplacingReader()
    reader.when = when
    replaced = replace(own[0], reader=reader)
    found = extract([replaced, own[1]], {"radiomics": feature_view()}, store, HERE)
    [failure] = found.failures
    assert failure.case_id == own[0].case_id
    assert "was replaced while this run was reading" in failure.reason
    assert failure.retry
    assert store.count() == 1
    # Neither content of the file has anything of the other one's in the store.
    for _ in range(2):
        again = extract(own[:1], {"radiomics": feature_view()}, store, HERE)
        measured = feature_view().prepare(own[0].load())
        np.testing.assert_array_equal(
            again.prepared["radiomics"][own[0].case_id].array, measured.array
        )
        ImageOps.invert(Image.open(own[0].image)).save(own[0].image)


def test_fingerprints_of_an_earlier_extraction_are_not_kept(own, store):
    view = {"radiomics": feature_view()}
    first = extract(own[:1], view, store, HERE)
    ImageOps.invert(Image.open(own[0].image)).save(own[0].image)
    assert extract(own[:1], view, store, HERE).fingerprints != first.fingerprints


def test_an_image_of_several_cases_is_hashed_once(own, monkeypatch):
    read: list[Path] = []
    before = PictureReader.fingerprint

    def counted(reader: PictureReader, path: Path) -> str:
        read.append(path)
        return before(reader, path)

    monkeypatch.setattr(PictureReader, "fingerprint", counted)
    several = [replace(own[0], case_id=f"part-{i}", mask=own[i].mask) for i in range(3)]
    files: dict[tuple[int, Path], str] = {}
    prints = [case.fingerprint(files) for case in several]
    assert read.count(own[0].image) == 1
    assert prints == list(fingerprints(several, Progress())[0].values())
    assert len(set(prints)) == 3


def test_what_is_left_in_the_store_is_read_when_it_is_asked_for(own, store):
    found = extract(own, views(), store, HERE, left_in_store=("greys",))
    there = extract(own, views(), store, HERE).prepared["greys"]
    assert not isinstance(found.prepared["greys"], dict)
    assert list(found.prepared["greys"]) == list(there)
    for case_id, one in found.prepared["greys"].items():
        np.testing.assert_array_equal(one.array, there[case_id].array)
        assert found.prepared["greys"][case_id] is not one


def test_a_table_written_in_parts_is_the_table(own, store, tmp_path, monkeypatch):
    found = run(own, store)
    write_parquet(tmp_path / "whole.parquet", found)
    monkeypatch.setattr(features_table, "ROWS", 3)
    write_parquet(tmp_path / "parts.parquet", found)
    whole, parts = (pq.read_table(tmp_path / f"{n}.parquet") for n in ("whole", "parts"))
    assert parts.equals(whole)
    assert whole.num_rows == 8
