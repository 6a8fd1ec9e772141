import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from rdfc_core.errors import StudyError
from rdfc_core.scaffold.writer import WRITTEN, write_plugin

NAME = "own-part"


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, Path]:
    """A new plugin of each kind."""
    folder = tmp_path_factory.mktemp("plugins")
    return {kind: write_plugin(kind, NAME, folder) for kind in WRITTEN}


@pytest.fixture(scope="module")
def outcomes(written, tmp_path_factory) -> dict[str, list[str]]:
    """Kind → what became of each test of its plugin, all run by one pytest outside this one."""
    report = tmp_path_factory.mktemp("report") / "junit.xml"
    above = written["dataset"].parent
    settings = ["-c", os.devnull, "--rootdir", str(above), "--import-mode=importlib"]
    settings += ["-p", "no:cacheprovider", f"--junitxml={report}"]
    search = os.pathsep.join(str(folder) for folder in written.values())
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *settings, *(f"{f.name}/tests" for f in written.values())],
        cwd=above,
        # Without byte code: other tests look at what was written.
        env={
            **os.environ,
            "PYTHONPATH": search,
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.exists(), run.stdout + run.stderr
    found: dict[str, list[str]] = {kind: [] for kind in written}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        kind = next(k for k, folder in written.items() if folder.name in case.attrib["classname"])
        problems = [child.attrib["message"] for child in case]
        found[kind].append(f"{case.attrib['name']}: {problems[0] if problems else 'passed'}")
    return found


@pytest.mark.parametrize("kind", WRITTEN)
def test_the_tests_of_a_new_plugin_pass(kind, outcomes):
    assert len(outcomes[kind]) >= 3
    assert [line for line in outcomes[kind] if not line.endswith(": passed")] == []


def test_new_plugins_are_clean_by_their_own_settings(written):
    ruff = [sys.executable, "-m", "ruff"]
    folders = [str(folder) for folder in written.values()]
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        run = subprocess.run([*ruff, *command, *folders], capture_output=True, text=True)
        assert run.returncode == 0, run.stdout


def test_no_word_of_the_template_is_left(written):
    for folder in written.values():
        for file in folder.rglob("*"):
            assert "example" not in file.name.lower()
            if file.is_file():
                text = file.read_text(encoding="utf-8").replace("example_tumours", "")
                assert "example" not in text.lower(), file


def test_a_plugin_is_a_distribution_of_its_own_with_an_entry_point(written):
    folder = written["image_encoder"]
    assert folder.name == "rdfc-image-encoder-own-part"
    assert sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()) == [
        "README.md",
        "pyproject.toml",
        "rdfc_image_encoder_own_part/__init__.py",
        "rdfc_image_encoder_own_part/config.py",
        "rdfc_image_encoder_own_part/encoder.py",
        "rdfc_image_encoder_own_part/py.typed",
        "tests/test_own_part.py",
    ]
    text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    assert '[project.entry-points.rdfc]\nown-part = "rdfc_image_encoder_own_part"' in text


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("ConvNext", "How about 'convnext'"),
        ("my_encoder", "How about 'my-encoder'"),
        ("3d-net", "How about 'd-net'"),
        ("two--hyphens", "How about 'two-hyphens'"),
        ("-", "begin with a letter"),
        ("../elsewhere", "How about 'elsewhere'"),
        ("x" * 31, "at most 30"),
    ],
)
def test_a_name_that_does_not_serve_is_refused_with_one_that_does(name, suggestion, tmp_path):
    with pytest.raises(StudyError, match=suggestion):
        write_plugin("image_encoder", name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "name", "written_class"),
    [("view", "tower", "TowerPlugin"), ("image_encoder", "none", "NonePlugin")],
)
def test_a_name_that_means_something_in_the_module_gets_another_class_name(
    kind, name, written_class, tmp_path
):
    folder = write_plugin(kind, name, tmp_path)
    files = list(folder.glob("rdfc_*/*.py"))
    for file in files:
        compile(file.read_text(encoding="utf-8"), str(file), "exec")
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert any(line.startswith(f"class {written_class}(") for line in lines)


def test_a_name_that_is_installed_is_refused(tmp_path):
    with pytest.raises(StudyError, match="There is a reader 'pictures' already"):
        write_plugin("reader", "pictures", tmp_path)


def test_an_unknown_kind_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(StudyError, match=r"no kind 'encoder'\. Use one of: dataset, reader"):
        write_plugin("encoder", "tiny", tmp_path)


def test_an_existing_folder_is_not_touched(tmp_path):
    folder = write_plugin("executor", "tiny", tmp_path)
    (folder / "README.md").write_text("mine")
    with pytest.raises(StudyError, match="rdfc-executor-tiny exists"):
        write_plugin("executor", "tiny", tmp_path)
    assert (folder / "README.md").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match="cannot be written: Not a directory"):
        write_plugin("executor", "tiny", tmp_path / "file")
