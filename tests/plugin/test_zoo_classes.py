"""Components that are broken before anything is computed: told as they are loaded or built."""

from __future__ import annotations

import pytest

EXTRACTORS = {
    "function": ("def Animal(config): pass", "Animal is no FeatureExtractor; derive it"),
    "baseless": ("class Animal(Plain): pass", "Animal is no FeatureExtractor; derive it"),
    "stranger": ("class Animal(Encoding): pass", "Animal is no FeatureExtractor; derive it"),
    "half": ("class Animal(Plain, FeatureExtractor): pass", "implement extract, names, recipe"),
    "absent": ("", "has no attribute 'Animal'. Write package.module:Class"),
    "named-once": ("class Animal(Measuring):\n    names = ('a',)", "Animal.names cannot be called"),
    "deaf": (
        "class Animal(Measuring):\n    def extract(self): pass",
        "Animal.extract cannot be called as extract(tumour)",
    ),
    "greedy": (
        "class Animal(Measuring):\n    def names(self, ndim, more): pass",
        "Animal.names cannot be called as names(ndim)",
    ),
    "unbuildable": (
        "class Animal(Measuring):\n    def __init__(self): pass",
        "cannot be built as Animal(config)",
    ),
    "partial": (
        "class Animal(Measuring):\n    def __init__(self, config, encoder): pass",
        "cannot be built as Animal(config)",
    ),
    "failing": (
        "class Animal(Measuring):\n    def __init__(self, config): raise ValueError('no licence')",
        "failed to be built: ValueError: no licence",
    ),
    "exiting-late": ("sys.exit(4)", "SystemExit: 4 (in zoo_exiting_late_parts, line "),
    "lacking": ("import no_such_library", "Install no_such_library, or announce it"),
}

OPTIONS = {
    "open": (
        "class Options(BaseModel):\n    model_config = ConfigDict(frozen=True)",
        "Options has to set model_config",
    ),
    "melting": (
        "class Options(BaseModel):\n    model_config = ConfigDict(extra='forbid')",
        "Options has to set model_config",
    ),
    "plain": ("class Options: pass", "Options is no pydantic model"),
    "named": (
        "class Options(BaseModel):\n    model_config = ConfigDict(frozen=True, extra='forbid')\n"
        "    name: str = ''",
        "has an option called 'name', which a study cannot hold",
    ),
    "optionless": ("", "has no attribute 'Options'"),
}


@pytest.mark.parametrize("name", EXTRACTORS)
def test_a_class_that_is_none_of_its_kind_is_refused_as_it_is_loaded(
    animal, rdfc_here, blame, study_file, name
):
    parts, reason = EXTRACTORS[name]
    animal(name, kind="feature_extractor", parts=parts)
    done = rdfc_here("extract", study_file, f"--set=features={name}")
    blame(done, name, f"feature extractor {name!r} of", reason)
    assert len(done.err.strip().splitlines()) <= 2  # what is loading, and the sentence


@pytest.mark.parametrize("name", OPTIONS)
def test_options_that_let_anything_pass_are_refused(animal, rdfc_here, blame, study_file, name):
    parts, reason = OPTIONS[name]
    animal(
        name,
        kind="feature_extractor",
        parts=f"{parts}\n\nclass Animal(Measuring): pass",
        options=True,
    )
    blame(rdfc_here("extract", study_file, f"--set=features={name}"), name, reason)


def test_a_method_where_a_property_is_promised_is_refused(animal, rdfc_here, blame, study_file):
    parts = "class Animal(Listing):\n    def classes(self): return ('a', 'b')"
    animal("callable-classes", kind="dataset", parts=parts)
    done = rdfc_here("extract", study_file, "--set=dataset=callable-classes")
    blame(done, "callable-classes", "Animal.classes is a method and has to be a property")


def test_an_encoder_of_four_dimensions_is_refused(animal, rdfc_here, blame, study_file):
    animal("tesseract", kind="image_encoder", parts="class Animal(Encoding):\n    spatial_dims = 4")
    done = rdfc_here("extract", study_file, "--set=encoder=tesseract")
    blame(done, "tesseract", "spatial_dims is 4; it has to be 2 or 3")


def test_a_reader_that_cannot_be_built_leaves_the_others_to_read(
    animal, rdfc_here, blame, study_file
):
    parts = "class Animal(Reading):\n    def __init__(self, config): raise OSError('no scanner')"
    animal("sick-reader", kind="reader", parts=parts)
    done = rdfc_here("extract", study_file, "--set=features=outline", "--executor=local:workers=0")
    blame(done, "sick-reader", "reader 'sick-reader'", "OSError: no scanner", code=0)


@pytest.mark.parametrize(
    ("name", "parts", "reason"),
    [
        ("loud-class", "print('loaded')\nclass Animal(Measuring): pass", "prints 'loaded'"),
        ("roving", "os.chdir('/')\nclass Animal(Measuring): pass", "changed the working directory"),
    ],
)
def test_what_loading_a_class_does_besides_is_undone_and_told(
    animal, rdfc_here, blame, study_file, name, parts, reason
):
    animal(name, kind="feature_extractor", parts=parts)
    done = rdfc_here(
        "extract", study_file, f"--set=features={name}", "--executor=local:workers=0", "--json"
    )
    blame(done, name, reason, code=0)
    assert done.out.startswith("{")
