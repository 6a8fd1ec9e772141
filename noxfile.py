"""Checks and tests. `uv run nox` runs the default sessions; `nox -t matrix` all Pythons."""

import os
import shutil
import string
import subprocess
import tempfile
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYTHONS = ["3.11", "3.12", "3.13"]
THIRD_PARTY = ROOT / "tests" / "third_party"
SCHEMAS = {
    "vendor.github-workflows": ".github/workflows/*.yml",
    "vendor.github-issue-forms": ".github/ISSUE_TEMPLATE/[!c]*.yml",
    "vendor.github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
    "vendor.citation-file-format": "CITATION.cff",
}
"""Schemas that come with check-jsonschema, and the files that have to follow them."""

PARALLEL = ("-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder")
"""A process a core. Tests of a file stay together, since they share what a file trains once; files
of few tests, which by default come last, are often the longest."""

nox.needs_version = ">=2025.2"
nox.options.sessions = ["lint", "types", "tests", "docs", "site", "distributions"]
nox.options.error_on_missing_interpreters = True
nox.options.default_venv_backend = "uv"


def _pyenv_on_path() -> None:
    """Let nox find the interpreters that pyenv has installed but not activated."""
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True)
        found = sorted(Path(root.stdout.strip(), "versions").glob("3.1[1-9]*/bin"))
        os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *map(str, found)])


_pyenv_on_path()
# Networks this small only lose by a second thread: two on busy cores wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Tests start many processes: where Python keeps no bytecode, each compiles all of torch again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Ruff, and the files that GitHub and citation tools read, by their schemas."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    for schema, pattern in SCHEMAS.items():
        found = sorted(map(str, ROOT.glob(pattern)))
        session.run("check-jsonschema", "--quiet", "--builtin-schema", schema, *found)


@nox.session(venv_backend="none")
def types(session: nox.Session) -> None:
    """Strict type check of core and plugins."""
    session.run("mypy")


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """All tests, in the environment that `uv run` has set up."""
    session.run("pytest", *PARALLEL, *session.posargs)


@nox.session(venv_backend="none")
def coverage(session: nox.Session) -> None:
    """Branch coverage of core and plugins by the tests, worker processes included."""
    session.run("coverage", "erase")
    try:
        session.run("coverage", "run", "-m", "pytest", *PARALLEL, *session.posargs)
    finally:  # the figure of a run with a failing test is still one
        session.run("coverage", "combine", "--quiet")
        session.run("coverage", "html", "--quiet")
        session.run("coverage", "report")


@nox.session(venv_backend="none")
def portability(session: nox.Session) -> None:
    """Imports and a study where the system lacks what Windows lacks; among the tests, too."""
    session.run("pytest", "tests/test_portability.py", *session.posargs)


@nox.session(venv_backend="none")
def fuzz(session: nox.Session) -> None:
    """At least 10,000 malformed inputs of every kind; a few hundred are among the tests."""
    # In a process of its own, so that time and memory are those of the inputs.
    session.run("pytest", "tests/fuzz", *session.posargs, env={"RDFC_FUZZ": "12000"})


@nox.session(venv_backend="none")
def dicom_files(session: nox.Session) -> None:
    """pydicom's own test files, with those of pydicom-data: each is read or refused in words."""
    folder = session.create_tmp()
    install = ("uv", "pip", "install", "--quiet", "--target", folder, "pydicom-data")
    session.run(*install, external=True)
    tests = "plugins/rdfc-reader-dicom/tests/test_pydicom_files.py"
    session.run("pytest", tests, *session.posargs, env={"PYTHONPATH": folder})


@nox.session(venv_backend="none")
def ibsi(session: nox.Session) -> None:
    """Compliance with the IBSI's phantoms in the folder RDFC_IBSI; `-- --write` renews the page."""
    session.run("python", "tests/benchmarks/ibsi.py", *session.posargs)


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """The commands of README and docs run (`-- --whole`: to the end); the reference is current."""
    session.run("python", "-m", "tests.docs_commands", *session.posargs)


@nox.session(venv_backend="none")
def site(session: nox.Session) -> None:
    """The documentation as a site in build/site; a broken link ends the build."""
    how = session.posargs or ["build", "--strict", "--site-dir", "build/site"]
    session.run("mkdocs", *how, env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session(python="3.11", venv_backend="uv")
def notebook(session: nox.Session) -> None:
    """The tutorials' notebooks, top to bottom, from wheels in a fresh environment."""
    folder = Path(session.create_tmp()).resolve()
    wheels = _build_wheels(session, folder)
    _install_wheels(session, wheels, "nbclient>=0.10", "ipykernel>=6.29")
    script = str(ROOT / "tests" / "notebooks.py")
    session.chdir(folder)  # away from the sources: the wheels have to do
    session.run("python", script, *session.posargs, env={"OMP_NUM_THREADS": "1"})


@nox.session(python="3.11", venv_backend="uv")
def distributions(session: nox.Session) -> None:
    """Wheels in a fresh environment: core, plugins, a third party's, and newly written ones."""
    folder = Path(session.create_tmp()).resolve()
    # Copied, since setuptools builds in the source folder and takes along what lies there.
    copied = shutil.copytree(THIRD_PARTY, folder / "third_party", dirs_exist_ok=True)
    theirs = sorted(Path(copied).glob("rdfc-*"))
    wheels = _build_wheels(session, folder, *theirs)
    _install_wheels(session, wheels, "pytest")
    session.chdir(folder)  # away from the sources: the wheels have to do
    session.run("rdfc", "plugins", "list")
    for source in theirs:
        _conform(session, source)
        run = ["rdfc", "run", str(source / "study.yaml"), "--out", f"run-{source.name}"]
        session.run(*run, "--store", "store", "--overwrite")
    _extraction_alone(session, wheels)
    _new_plugins(session, Path(tempfile.mkdtemp(dir=folder)))


def _extraction_alone(session: nox.Session, wheels: Path) -> None:
    """An environment without the extra `train`: no torch, and what works without."""
    folder = wheels.with_name(f"{wheels.name}-light")
    session.run("uv", "venv", "--quiet", "--python", "3.11", str(folder), external=True)
    python = str(folder / "bin" / "python")
    install = ["uv", "pip", "install", "--quiet", "--python", python, "--find-links", str(wheels)]
    session.run(*install, "rdfc-features-native", "rdfc-dataset-manifest", external=True)
    session.run(python, str(ROOT / "tests" / "light_environment.py"), external=True)


def _conform(session: nox.Session, *sources: Path) -> None:
    """Run the distributions' own tests, with nothing of this project's settings."""
    settings = ["-q", "-c", os.devnull, "--import-mode=importlib", "-p", "no:cacheprovider"]
    session.run("pytest", *settings, *[str(source / "tests") for source in sources])


def _build_wheels(session: nox.Session, folder: Path, *others: Path) -> Path:
    """A new folder with the wheels of core, of its plugins, and of the other sources."""
    wheels = Path(tempfile.mkdtemp(dir=folder))
    build = ["uv", "build", "--quiet", "--wheel", "--out-dir", str(wheels)]
    session.run(*build, "--all-packages", str(ROOT), external=True)
    for source in others:
        session.run(*build, str(source), external=True)
    return wheels


def _install_wheels(session: nox.Session, wheels: Path, *others: str) -> None:
    chosen = [str(w) for w in sorted(wheels.glob("*.whl")) if "pyradiomics" not in w.name]
    session.run("uv", "pip", "install", "--quiet", *others, *chosen, external=True)


def _new_plugins(session: nox.Session, folder: Path) -> None:
    """What `rdfc plugins new` writes, for every kind, is built, installed and passes its tests."""
    kinds = session.run(
        "python", "-c", "from rdfc_core.plugin.component import KINDS; print(*KINDS)", silent=True
    )
    # Each a name of its own, so that one type check can hold the tests of all.
    for letter, kind in zip(string.ascii_lowercase, str(kinds).split(), strict=False):
        session.run("rdfc", "plugins", "new", kind, f"sample-{letter}", "--out", str(folder))
    made = sorted(path for path in folder.iterdir() if path.is_dir())
    session.run("uv", "pip", "install", "--quiet", "--no-deps", *map(str, made), external=True)
    session.run("rdfc", "plugins", "list")
    _conform(session, *made)
    names = list(map(str, made))  # each with the settings of its own
    session.run("ruff", "check", "--quiet", *names, external=True)
    session.run("ruff", "format", "--quiet", "--check", *names, external=True)
    python = shutil.which("python", path=session.bin)
    check = ["mypy", "--config-file", str(made[0] / "pyproject.toml")]
    check += ["--python-executable", str(python), "--cache-dir", str(folder / "mypy-cache")]
    sources = [str(part) for path in made for part in (*path.glob("rdfc_*"), path / "tests")]
    session.run(*check, *sources, external=True)


@nox.session(python=PYTHONS, tags=["matrix"], venv_backend="venv")
def plain_pip(session: nox.Session) -> None:
    """`pip install 'rdfc-core[paper]'` from wheels into an empty environment, and a study in it."""
    folder = Path(session.create_tmp()).resolve()
    wheels = _build_wheels(session, folder)
    session.run("pip", "install", "--quiet", "--find-links", str(wheels), "rdfc-core[paper]")
    session.chdir(folder)
    session.run("pip", "check")
    session.run("rdfc", "plugins", "list")
    quick = ["--set", "pretrain.steps=2", "--set", "evaluate.bootstrap=100"]
    quick += ["--set", "evaluate.supervised.epochs=2", "--set", "evaluate.supervised.min_steps=0"]
    study = [
        "--dataset",
        "phantom:cases=48,image_size=[48,48]",
        "--encoder",
        "timm:model=resnet10_half",
    ]
    run = ["rdfc", "run", *study, *quick, "--out", "run", "--store", "store", "--overwrite"]
    session.run(*run, env={"OMP_NUM_THREADS": "1"})


@nox.session(python=PYTHONS, tags=["matrix"], venv_backend="uv")
def matrix(session: nox.Session) -> None:
    """All tests on every supported Python; PyRadiomics only where it can be built."""
    session.run(
        "uv",
        "sync",
        "--quiet",
        "--active",
        "--python",
        str(session.virtualenv.location),
        external=True,
        env={"UV_PROJECT_ENVIRONMENT": session.virtualenv.location},
    )
    session.run("pytest", *PARALLEL, *session.posargs)
