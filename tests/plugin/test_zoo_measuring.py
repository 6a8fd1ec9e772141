"""Components that break their contract on the first cases: told before all are measured."""

from __future__ import annotations

import json

import pytest

HERE = "--executor=local:workers=0"

EXTRACTORS = {
    "bare": ("    def extract(self, tumour): return np.ones(12)", "gave ndarray and has to give"),
    "single": (
        "    def extract(self, tumour): return Features(np.ones(12, np.float32))",
        "Animal.extract() gave float32 values of shape (12,) for 12 names; give float64, (12,)",
    ),
    "short": (
        "    def extract(self, tumour): return Features(np.ones(3))",
        "gave float64 values of shape (3,) for 12 names",
    ),
    "square": (
        "    def extract(self, tumour): return Features(np.ones((1, 12)))",
        "gave float64 values of shape (1, 12) for 12 names",
    ),
    "of-lists": (
        "    def extract(self, tumour): return Features([1.0] * 12)",
        "gave a list for 12 names",
    ),
    "listing-names": ("    def names(self, ndim): return ['a']", "non-empty tuple of strings"),
    "nameless": ("    def names(self, ndim): return ()", "non-empty tuple of strings"),
    "naming-twice": ("    def names(self, ndim): return ('a', 'a')", "names a feature twice"),
    "scratching": (
        "    def extract(self, tumour):\n        tumour.image.array[0, 0] += 1\n"
        "        return super().extract(tumour)",
        "changed the tumour it was given; work on a copy",
    ),
    "eroding": (
        "    def extract(self, tumour):\n        tumour.mask[:20] = False\n"
        "        return super().extract(tumour)",
        "changed the tumour it was given; work on a copy",
    ),
    "sowing": (
        "    def extract(self, tumour):\n        np.random.seed(0)\n"
        "        return super().extract(tumour)",
        "seeds or draws from NumPy's global generator",
    ),
    "dicing": (
        "    def extract(self, tumour):\n        random.random()\n"
        "        return super().extract(tumour)",
        "seeds or draws from Python's module random",
    ),
    "watering": (
        "    def extract(self, tumour):\n        torch.manual_seed(0)\n"
        "        return super().extract(tumour)",
        "seeds torch's global generator",
    ),
    "wandering": (
        "    def extract(self, tumour):\n        os.chdir('/')\n"
        "        return super().extract(tumour)",
        "changed the working directory to /",
    ),
    "constant": (
        "    def extract(self, tumour): return Features(np.arange(12.0))",
        "gave the same 12 values for two different tumours",
    ),
    "counting-one": (
        "    def names(self, ndim): return ('count',)\n"
        "    def extract(self, tumour): return Features(np.ones(1))",
        "gave the same value for all",
    ),
    "without-json": ("    def recipe(self): return {'v': np.int64(1)}", "is no JSON"),
    "without-recipe": ("    def recipe(self): return {}", "has to be a non-empty dict"),
    "fickle": ("    def recipe(self): return {'v': random.random()}", "changed between calls"),
}

VIEWS = {
    "unprepared": ("    def prepare(self, tumour): return np.ones(8)", "gave ndarray and has to"),
    "of-objects": (
        "    def prepare(self, tumour): return Prepared(np.array([None]))",
        "gave object values of shape (1,); it has to give a non-empty array of numbers",
    ),
    "empty": ("    def prepare(self, tumour): return Prepared(np.ones(0))", "non-empty array"),
    "misnamed": (
        "    def prepare(self, tumour): return Prepared(np.ones(8), ('a',))",
        "gave 1 different names for an array of shape (8,)",
    ),
    "unexplained": (
        "    def prepare(self, tumour): return Prepared(np.array([np.nan]), ('a',))",
        "feature a is nan and its reason in missing is None",
    ),
    "infinite": (
        "    def prepare(self, tumour): return Prepared(np.full(8, np.inf))",
        "gave NaN or infinite values; NaN is for named features alone",
    ),
    "doubling-types": (
        "    def collate(self, prepared): return super().collate(prepared).double()",
        "gave torch.float64 on cpu; give float32",
    ),
    "dropping-rows": (
        "    def collate(self, prepared): return super().collate(prepared)[1:]",
        "for 2 cases; it has to give a tensor with one row for each",
    ),
    "with-holes": (
        "    def collate(self, prepared): return super().collate(prepared) * torch.nan",
        "left NaN or infinite values; fill them",
    ),
    "forgetful": (
        "    def state(self): return {'mean': np.zeros(8)}",
        "a new view with the same state collates differently",
    ),
    "wordy": (
        "    def state(self): return {**super().state(), 'why': np.array(['x'])}",
        "keep plain numbers",
    ),
    "stateless": ("    def state(self): return [self.mean]", "has to be a dict of numpy arrays"),
    "shaking": (
        "    def augment(self, batch, generator): return batch + torch.rand(batch.shape)",
        "draws from torch's global generator",
    ),
    "shifting": (
        "    def augment(self, batch, generator): return batch.add_(1)",
        "changed the batch; return a new one",
    ),
    "halving": (
        "    def augment(self, batch, generator): return batch.half()",
        "torch.float16 of (2, 8) torch.float32; keep shape, type and",
    ),
    "towerless": ("    def tower(self): return nn.Linear(8, 8)", "gave Linear, not a Tower"),
    "widthless": (
        "    def tower(self):\n        tower = Straight()\n        del tower.out_features\n"
        "        return tower",
        "has out_features None",
    ),
    "boasting": (
        "    def tower(self):\n        tower = Straight()\n        tower.out_features = 9\n"
        "        return tower",
        "has out_features 9 and gave (2, 8)",
    ),
    "reseeding-tower": (
        "    def tower(self):\n        torch.manual_seed(0)\n        return Straight()",
        "Animal.tower() seeds torch's global generator",
    ),
}


@pytest.mark.parametrize("name", EXTRACTORS)
def test_an_extractor_that_breaks_its_contract_is_told_on_the_first_cases(
    animal, rdfc_here, blame, study_file, name
):
    body, reason = EXTRACTORS[name]
    animal(name, kind="feature_extractor", parts=f"class Animal(Measuring):\n{body}")
    done = rdfc_here("extract", study_file, f"--set=features={name}", HERE)
    blame(done, name, f"feature extractor {name!r} of", "breaks its contract", reason)
    assert "check_feature_extractor" in done.err


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_that_breaks_its_contract_is_told_on_the_first_cases(
    animal, rdfc_here, blame, study_file, name
):
    body, reason = VIEWS[name]
    animal(name, kind="view", parts=f"class Animal(Looking):\n{body}")
    done = rdfc_here("extract", study_file, f"--set=views.greys.name={name}", HERE)
    blame(done, name, f"view {name!r} of", "breaks its contract", reason)


def test_an_error_of_an_extractor_s_code_is_its_own(animal, rdfc_here, blame, study_file):
    parts = "class Animal(Measuring):\n    def extract(self, tumour): return {}['area']"
    animal("stumbling", kind="feature_extractor", parts=parts)
    done = rdfc_here("extract", study_file, "--set=features=stumbling", HERE)
    blame(done, "stumbling", "This is a fault of the plugin", "KeyError: 'area'", code=1)


def test_infinite_features_count_as_missing_and_are_told(animal, rdfc_here, blame, study_file):
    body = (
        "class Animal(Measuring):\n    def extract(self, tumour):\n"
        "        found = super().extract(tumour)\n        found.values[3] = np.inf\n"
        "        return found"
    )
    animal("soaring", kind="feature_extractor", parts=body)
    done = rdfc_here("extract", study_file, "--set=features=soaring", HERE)
    blame(done, "soaring", "infinite", "f3", "36 cases", code=0)


def test_what_a_plugin_prints_at_work_stays_out_of_the_result(animal, rdfc_here, study_file):
    body = (
        "class Animal(Measuring):\n    def extract(self, tumour):\n        print('measuring')\n"
        "        return super().extract(tumour)"
    )
    animal("chatty", kind="feature_extractor", parts=body)
    done = rdfc_here("extract", study_file, "--set=features=chatty", "--json", HERE)
    assert done.code == 0, done.err
    assert json.loads(done.out)["failed"] == []
    assert "measuring" in done.err


EXECUTORS = {
    "losing": ("list(outcomes)[1:]", "ended with 1 of 2 jobs left (first: 0)"),
    "repeating": ("[*outcomes, Outcome(0)]", "gave an outcome for job 0 of 2, which is not left"),
    "inventing": ("[Outcome(99)]", "gave an outcome for job 99 of 2"),
    "of-values": ("[one.value for one in outcomes]", "run() gave a _Made; give an Outcome"),
}


@pytest.mark.parametrize("name", EXECUTORS)
def test_an_executor_that_miscounts_is_told(animal, rdfc_here, blame, study_file, name):
    given, reason = EXECUTORS[name]
    body = (
        "class Animal(Plain, Executor):\n    def run(self, function, jobs):\n"
        "        outcomes = (Outcome(n, function(job)) for n, job in enumerate(jobs))\n"
        f"        return iter({given})"
    )
    animal(name, kind="executor", parts=body)
    done = rdfc_here("extract", study_file, "--executor", name)
    blame(done, name, f"executor {name!r} of", reason)


READERS = {
    "of-arrays": ("np.ones((9, 9))", "gave ndarray, not a Volume"),
    "of-none": ("None", "gave NoneType, not a Volume"),
    "of-words": ("Volume.of(np.full((9, 9), 'x'), (1.0, 1.0))", "has values of type"),
    "flat": ("Volume.of(np.ones((9, 9)), (0.0, 1.0))", "give one positive number"),
}


@pytest.mark.parametrize("name", READERS)
def test_a_reader_of_something_else_is_told(animal, rdfc_here, blame, study_file, name):
    given, reason = READERS[name]
    body = f"class Animal(Reading):\n    def read_image(self, path): return {given}"
    animal(name, kind="reader", parts=body)
    done = rdfc_here("extract", study_file, f"--set=readers.{name}={{}}", HERE)
    blame(done, name, f"reader {name!r} of", reason)
