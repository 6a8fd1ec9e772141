"""What extraction costs around the engine: reading, starting, memory, and a second core.

    python tests/benchmarks/radiomics_limits.py [reading start memory cores]

reading  A CT of 512 × 512 × 100 with a tumour of about 50,000 voxels, image and mask as .nii.gz:
         CPU seconds, medians, of reading both by SimpleITK alone and by rdfc, and of the whole
         (read, check, measure 1,316 features), each in turn on one core.
start    Seconds from the first import to the first tumour's features (1,379, of a small volume), in
         fresh processes with Numba's cache warm: the median, on the clock and of CPU.
memory   Peak memory of a fresh process above what it holds after its imports and a first small
         tumour, while it reads and measures that CT, beside one decoded volume. Linux only.
cores    That CT so many times (--jobs) through the local executor, by one worker and by two, in
         turn: seconds on the clock with the workers' start and without it (from the first result to
         the last), and the CPU seconds of all workers, which tell whether others were in the way.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import SimpleITK as sitk  # noqa: N813
from tumours import ct_tumour

from rdfc_core.case import Case, Volume
from rdfc_core.data.readers.volumes import VolumeReader
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_features_native.config import NativeConfig
from rdfc_features_native.extractor import NativeExtractor

CLASSES = ("shape", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")
PARAMETERS = {
    "imageType": {"Original": {}, "Wavelet": {}, "LoG": {"sigma": [1.0, 2.0, 3.0, 4.0, 5.0]}},
    "featureClass": {name: [] for name in CLASSES},
    "setting": {"binWidth": 25},
}
FIRST = """
import json, time
clock, cpu = time.perf_counter(), time.process_time()
import numpy as np
from rdfc_core.case import Tumour, Volume
from rdfc_features_native.config import NativeConfig
from rdfc_features_native.extractor import NativeExtractor
grid = np.ogrid[-10:11, -16:17, -16:17]
mask = sum(g**2 for g in grid) < 100
image = np.random.default_rng(0).normal(0, 100, mask.shape)
extractor = NativeExtractor(NativeConfig(parameters="ct-3d"))
extractor.extract(Tumour(Volume.of(image, (3.0, 0.8, 0.8)), mask))
seconds = [time.perf_counter() - clock, time.process_time() - cpu]
"""

PEAK = """
import re, sys
from pathlib import Path
from rdfc_core.case import Case
from rdfc_core.data.readers.volumes import VolumeReader
def mib(field):  # not by getrusage, whose peak is the parent's where that was larger
    found = re.search(rf"{field}:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 2**10
image_path, mask_path, small_path, parameters = json.loads(sys.argv[1])
extractor = NativeExtractor(NativeConfig(parameters=parameters))
extractor.extract(Tumour(Volume.of(image, (3.0, 0.8, 0.8)), mask))
VolumeReader().read_image(Path(small_path))
Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
before = mib("VmRSS")
extractor.extract(Case("a", "a", Path(image_path), Path(mask_path), reader=VolumeReader()).load())
print(json.dumps([before, mib("VmHWM")]))
"""


def write_case(folder: Path, voxels: int = 50_000) -> Case:
    """The benchmark's CT and its tumour as .nii.gz."""
    tumour = ct_tumour(voxels)
    image, mask = folder / "image.nii.gz", folder / "mask.nii.gz"
    inside = Volume.of(tumour.mask.astype(np.uint8), tumour.image.spacing_mm)
    sitk.WriteImage(tumour.image.to_sitk(), str(image))
    sitk.WriteImage(inside.to_sitk(), str(mask))
    sitk.WriteImage(inside.crop((slice(0, 4),) * 3).to_sitk(), str(folder / "small.nii.gz"))
    return Case("ct", "ct", image, mask, reader=VolumeReader())


def reading(case: Case, repeats: int) -> None:
    """Print what the whole takes beside reading alone."""
    extractor = NativeExtractor(NativeConfig(parameters=PARAMETERS))
    paths, reader = [case.image, case.mask], VolumeReader()
    extractor.extract(case.load())
    calls: dict[str, Callable[[], object]] = {
        "SimpleITK reads": lambda: [sitk.ReadImage(str(path)) for path in paths],
        "rdfc reads": lambda: [reader.read_image(path) for path in paths],
        "rdfc reads and checks": case.load,
        "whole": lambda: extractor.extract(case.load()),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.process_time()
            call()
            times[name].append(time.process_time() - start)
    medians = {name: statistics.median(each) for name, each in times.items()}
    whole = medians["whole"]
    for name, seconds in medians.items():
        print(f"{name:>22}: {seconds:.3f} s, whole / this {whole / seconds:.2f}")


def start(repeats: int) -> None:
    """Print how long the first tumour takes."""
    program = f"{FIRST}print(json.dumps(seconds))"
    _python(program)  # fills Numba's cache
    runs = np.array([json.loads(_python(program)) for _ in range(repeats)])
    clock, cpu = np.median(runs, axis=0)
    print(f"first import to first features: {clock:.2f} s on the clock, {cpu:.2f} CPU seconds")


def memory(case: Case) -> None:
    """Print the peak above an imported process."""
    paths = [str(case.image), str(case.mask), str(case.mask.with_name("small.nii.gz"))]
    before, peak = json.loads(_python(FIRST + PEAK, json.dumps([*paths, PARAMETERS])))
    volume = VolumeReader().read_image(case.image).array.nbytes / 2**20
    print(
        f"peak above the imported process: {peak - before:.0f} MiB ({peak:.0f} − {before:.0f}), "
        f"of which one decoded volume is {volume:.0f} MiB"
    )


class Measure:
    """One job of a worker: a case's features, with the extractor made once a process."""

    def __init__(self) -> None:
        self.extractor: NativeExtractor | None = None

    def __call__(self, case: Case) -> int:
        """How many features were measured."""
        self.extractor = self.extractor or NativeExtractor(NativeConfig(parameters=PARAMETERS))
        return len(self.extractor.extract(case.load()).values)


def cores(case: Case, jobs: int, repeats: int) -> None:
    """Print how much a second worker helps."""
    times: dict[int, list[tuple[float, float, float]]] = {1: [], 2: []}
    for _ in range(repeats):
        for workers, runs in times.items():
            start, before = time.perf_counter(), _children_seconds()
            ends = []
            executor = LocalExecutor(LocalExecutorConfig(workers=workers))
            for outcome in executor.run(Measure(), [case] * jobs):
                assert outcome.error is None, outcome.error
                ends.append(time.perf_counter())
            time.sleep(1)  # until the workers have ended and been counted
            steady = (ends[-1] - ends[workers - 1]) / (jobs - workers)
            runs.append((ends[-1] - start, steady, _children_seconds() - before))
            print(
                f"{workers} worker(s), {jobs} cases: {runs[-1][0]:.1f} s, {steady:.3f} s a case "
                f"once started, {runs[-1][2]:.1f} CPU seconds",
                flush=True,
            )
    one, two = (np.median(runs, axis=0) for runs in times.values())
    print(f"two workers over one: {one[0] / two[0]:.2f} ×, {one[1] / two[1]:.2f} × once started")


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _python(program: str, *arguments: str) -> str:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parts = ("reading", "start", "memory", "cores")
    parser.add_argument("parts", nargs="*", default=parts, help=", ".join(parts))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=100)
    chosen = parser.parse_args()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        case = write_case(Path(folder))
        if "reading" in chosen.parts:
            reading(case, chosen.repeats)
        if "start" in chosen.parts:
            start(chosen.repeats)
        if "memory" in chosen.parts:
            memory(case)
        if "cores" in chosen.parts:
            cores(case, chosen.jobs, min(chosen.repeats, 3))


if __name__ == "__main__":
    main()
