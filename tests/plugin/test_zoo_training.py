"""Encoders, objectives, memories and pretexts that break their contract, and data sets."""

from __future__ import annotations

import json

import pytest
import yaml

HERE = "--executor=local:workers=0"

ENCODERS = {
    "seeding-build": (
        "    def build(self, channels):\n        torch.manual_seed(0)\n"
        "        return super().build(channels)",
        "Animal.build() seeds torch's global generator, by which others draw too",
    ),
    "without-pooling": (
        "    def build(self, channels): return nn.Conv2d(channels, 4, 3)",
        "for a batch of 2; give (2, F): pool over space",
    ),
    "of-tuples": (
        "    def build(self, channels):\n"
        "        class Two(nn.Module):\n"
        "            def forward(self, batch): return batch, batch\n"
        "        return Two()",
        "gave a tuple for a batch of 2",
    ),
    "networkless": ("    def build(self, channels): return None", "gave NoneType, not a torch.nn"),
    "with-nan": (
        "    def build(self, channels):\n"
        "        network = super().build(channels)\n"
        "        nn.init.constant_(network[0].bias, float('nan'))\n"
        "        return network",
        "gave features that are NaN or infinite",
    ),
    "switching-off": (
        "    def build(self, channels):\n        torch.set_grad_enabled(False)\n"
        "        return super().build(channels)",
        "left torch with gradients switched on or off",
    ),
}

OBJECTIVES = {
    "unreduced": (
        "    def forward(self, a, b, memory): return (a - b).sum(1), {}",
        "give one finite",
    ),
    "detached": (
        "    def forward(self, a, b, memory): return (a - b).detach().sum(), {}",
        "the loss carries no gradient",
    ),
    "logging-floats": (
        "    def forward(self, a, b, memory): return super().forward(a, b, memory)[0], {'x': 1.0}",
        "the log 'x' has to be a scalar tensor",
    ),
    "of-losses": (
        "    def forward(self, a, b, memory): return super().forward(a, b, memory)[0]",
        "has to return the loss and the scalars to log",
    ),
}

MEMORIES = {
    "self-centred": (
        "    def negatives(self, k, exclude, generator):\n"
        "        super().negatives(k, exclude, generator)\n"
        "        drawn = torch.randint(self.rows, (len(exclude), k), generator=generator)\n"
        "        return self.table[drawn]",
        "drew case 0 as its own negative",
    ),
    "gambling": (
        "    def negatives(self, k, exclude, generator):\n"
        "        return super().negatives(k, exclude, torch.default_generator)",
        "draws from torch's global generator",
    ),
    "stubborn": (
        "    def update(self, indices, embeddings): pass",
        "did not bring the rows nearer",
    ),
    "losing-rows": (
        "    def all_chunks(self): yield torch.arange(self.rows - 1), self.table[:-1]",
        "give each exactly once",
    ),
}

QUEUES = {
    "anonymous-queue": (
        "    def push(self, indices, embeddings):\n"
        "        super().push(torch.arange(len(indices)), embeddings)",
        "push() of the cases 7 and 2 left [0, 1] in the queue",
    ),
    "self-contrasting": (
        "    def similarities(self, anchors, exclude):\n"
        "        return super().similarities(anchors, torch.full_like(exclude, -2))",
        "counts rows of the anchor's own case",
    ),
    "last-in-first-out": (
        "    def push(self, indices, embeddings):\n"
        "        if not (self.cases >= 0).all(): super().push(indices, embeddings)",
        "let the oldest go first",
    ),
    "forgetful": (
        "    def __init__(self, config):\n        super().__init__(config)\n"
        "        self.register_buffer('cases', self.cases, persistent=False)",
        "keep all of it in buffers",
    ),
}

PROJECTORS = {
    "of-own-width": (
        "    def build(self, features, width): return nn.Linear(features, 7)",
        "has out_features 4 and gave (5, 7)",
    ),
    "sharing-weights": (
        "    layer = nn.LazyLinear(4)\n    def build(self, features, width): return self.layer",
        "gave the same weights twice",
    ),
    "halting": (
        "    def build(self, features, width):\n"
        "        network = nn.Linear(features, width)\n"
        "        network.register_forward_pre_hook(lambda layer, given: (given[0].detach(),))\n"
        "        return network",
        "stops the gradient",
    ),
}

STEPPER = (
    "    def build(self, groups, learning_rate):\n"
    "        return torch.optim.SGD([dict(g) for g in groups], lr=learning_rate)"
)
OPTIMISERS = {
    "deaf-to-rates": (
        STEPPER.replace("torch.optim.SGD(", "Deaf(") + "\n\nclass Deaf(torch.optim.SGD):\n"
        "    @torch.no_grad()\n"
        "    def step(self, closure=None):\n"
        "        for group in self.param_groups:\n"
        "            for weight in group['params']: weight.sub_(0.01 * weight.grad)",
        "moves weights where the learning rate is 0",
    ),
    "of-one-group": (
        STEPPER.replace("[dict(g) for g in groups]", "[p for g in groups for p in g['params']]"),
        "hold each group as it is given",
    ),
    "uphill": (STEPPER.replace("lr=", "maximize=True, lr="), "step against the gradient"),
}

SCHEDULES = {
    "in-percent": (
        "    def factor(self, step, steps): return 100 * (1 - step / steps)",
        "give a number from 0 to 1",
    ),
    "counting-calls": (
        "    calls = 0\n"
        "    def factor(self, step, steps):\n"
        "        self.calls += 1\n"
        "        return 1 / self.calls",
        "depend on step and steps alone",
    ),
}

PRETEXTS = {
    "of-scalars": (
        "    def forward(self, batch): return super().forward(batch).loss",
        "gave Tensor; give a PretextOutput",
    ),
    "of-few-rows": (
        "    def forward(self, batch):\n        output = super().forward(batch)\n"
        "        return output._replace(embeddings={'image': torch.ones(1, 4)})",
        "embeddings 'image' have to be (B, D)",
    ),
    "of-strangers": (
        "    def encoders(self): return {'x': self.towers['image']}",
        "encoders() gave ['x'] for the views",
    ),
    "without-towers": ("    def encoders(self): return {}", "encoders() gave [] for the views"),
    "holding-nothing": (
        "    def encoders(self):\n        from copy import deepcopy\n"
        "        return {'image': deepcopy(self.towers['image'])}",
        "does not hold the tower 'image' as a module",
    ),
    "with-a-borrowed-teacher": (
        "    def further_towers(self):\n        from copy import deepcopy\n"
        "        return [deepcopy(self.towers['image'])]",
        "give towers that the task holds as modules",
    ),
    "seeding-task": (
        "    def build(self, towers, cases, generator):\n        torch.manual_seed(0)\n"
        "        super().build(towers, cases, generator)",
        "Animal.build() seeds torch's global generator",
    ),
}

TASK = """
class Task(Plain, Pretext):
    def build(self, towers, cases, generator):
        self.towers = nn.ModuleDict(towers)

    def forward(self, batch):
        rows = self.towers["image"](batch.draw("image"))
        return PretextOutput(rows.square().mean(), {}, {"image": rows.detach()})

    def encoders(self):
        return dict(self.towers)


"""
MEMORY = "from rdfc_core.scaffold.templates.memory_store.memory import Example\n\n\n"
QUEUE = "from rdfc_core.scaffold.templates.memory_queue.memory import Example\n\n\n"
QUEUE_INIT = """
class Sound(Example):
    def __init__(self, config):
        from rdfc_core.scaffold.templates.memory_queue.config import ExampleConfig
        super().__init__(ExampleConfig())


"""
MEMORY_INIT = (
    "    def __init__(self, config):\n"
    "        from rdfc_core.scaffold.templates.memory_store.config import ExampleConfig\n"
    "        super().__init__(ExampleConfig())\n\n"
)

DATASETS = {
    "of-paths": ("    def cases(self): return list(self.listed())", "which is no Case"),
    "generating-cases": (
        "    def cases(self): return iter(())",
        "gave tuple_iterator; give a list",
    ),
    "numbered": (
        "    def cases(self): return [Case(**{**one, 'label': 1}) for one in self.listed()]",
        "has the label 1; give a string, or None",
    ),
    "of-text-paths": (
        "    def cases(self): return [Case(**{**one, 'image': str(one['image'])}) "
        "for one in self.listed()]",
        "have to be pathlib.Path",
    ),
    "anonymous": (
        "    def cases(self): return [Case(**{**one, 'patient_id': ''}) for one in self.listed()]",
        "needs two non-empty ids",
    ),
    "counting-columns": (
        "    def cases(self): return [Case(**one, columns={'age': 60}) for one in self.listed()]",
        "have to be strings by their names",
    ),
    "unordered": ("    classes = ['benign', 'malignant']", "has to be a tuple of strings"),
    "repeating-classes": ("    classes = ('benign', 'benign')", "names a class twice"),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_that_breaks_its_contract_is_told_on_the_first_cases(
    animal, rdfc_here, blame, study_file, name
):
    body, reason = ENCODERS[name]
    animal(name, kind="image_encoder", parts=f"class Animal(Encoding):\n{body}")
    done = rdfc_here("extract", study_file, f"--set=encoder={name}", HERE)
    blame(done, name, f"image encoder {name!r} of", "breaks its contract", reason)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_that_gives_no_loss_is_told_at_the_first_step(
    animal, rdfc_here, blame, study_file, name
):
    body, reason = OBJECTIVES[name]
    animal(name, kind="objective", parts=f"class Animal(Agreeing):\n{body}")
    done = rdfc_here("pretrain", study_file, f"--set=objective={name}", HERE)
    blame(done, name, f"objective {name!r} of", "breaks its contract", reason)


@pytest.mark.parametrize("name", MEMORIES)
def test_a_memory_that_breaks_its_contract_is_told_before_training(
    animal, rdfc_here, blame, study_file, name
):
    body, reason = MEMORIES[name]
    animal(name, kind="memory_store", parts=f"{MEMORY}class Animal(Example):\n{MEMORY_INIT}{body}")
    done = rdfc_here("extract", study_file, f"--set=pretext.memory={name}", HERE)
    blame(done, name, f"memory store {name!r} of", "breaks its contract", reason)


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_that_breaks_its_contract_is_told_before_training(
    animal, rdfc_here, blame, study_file, name
):
    body, reason = QUEUES[name]
    animal(name, kind="memory_queue", parts=f"{QUEUE}{QUEUE_INIT}class Animal(Sound):\n{body}")
    study = yaml.safe_load(study_file.read_text("utf-8"))
    del study["objective"]
    study["pretext"] = {"name": "moco", "queue": name}
    study_file.write_text(yaml.safe_dump(study), "utf-8")
    done = rdfc_here("extract", study_file, HERE)
    blame(done, name, f"memory queue {name!r} of", "breaks its contract", reason)


def test_a_memory_with_a_row_a_case_is_not_taken_for_a_queue(rdfc_here, study_file):
    study = yaml.safe_load(study_file.read_text("utf-8"))
    del study["objective"]
    study["pretext"] = {"name": "moco", "queue": "bank"}
    study_file.write_text(yaml.safe_dump(study), "utf-8")
    done = rdfc_here("extract", study_file, HERE)
    assert done.code == 2
    assert "There is no memory queue 'bank'. Installed: fifo." in done.err


@pytest.mark.parametrize("name", PROJECTORS)
def test_a_projector_that_breaks_its_contract_is_told_before_training(
    animal, rdfc_here, blame, study_file, name
):
    body, reason = PROJECTORS[name]
    animal(name, kind="projector", parts=f"class Animal(Plain, Projector):\n{body}")
    done = rdfc_here("extract", study_file, f"--set=pretext.projector={name}", HERE)
    blame(done, name, f"projector {name!r} of", "breaks its contract", reason)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_that_breaks_its_contract_is_told_before_training(
    animal, rdfc_here, blame, study_file, name
):
    body, reason = OPTIMISERS[name]
    animal(name, kind="optimizer", parts=f"class Animal(Plain, Optimizer):\n{body}")
    done = rdfc_here("extract", study_file, f"--set=pretrain.optimizer={name}", HERE)
    blame(done, name, f"optimizer {name!r} of", "breaks its contract", reason)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_that_breaks_its_contract_is_told_before_training(
    animal, rdfc_here, blame, study_file, name
):
    body, reason = SCHEDULES[name]
    animal(name, kind="schedule", parts=f"class Animal(Plain, Schedule):\n{body}")
    done = rdfc_here("extract", study_file, f"--set=evaluate.supervised.schedule={name}", HERE)
    blame(done, name, f"schedule {name!r} of", "breaks its contract", reason)


def test_a_sound_optimiser_and_schedule_of_others_train_a_study(
    animal, rdfc_here, study_file, tmp_path
):
    animal("stepper", kind="optimizer", parts=f"class Animal(Plain, Optimizer):\n{STEPPER}")
    animal(
        "slope",
        kind="schedule",
        parts="class Animal(Plain, Schedule):\n"
        "    def factor(self, step, steps): return 1 - step / steps",
    )
    chosen = ("--set=pretrain.optimizer=stepper", "--set=pretrain.schedule=slope")
    run = tmp_path / "run"
    done = rdfc_here("pretrain", study_file, *chosen, "--out", run, HERE)
    assert done.code == 0, done.err
    written = yaml.safe_load((run / "study.yaml").read_text("utf-8"))
    assert written["pretrain"]["optimizer"] == "stepper"
    assert {"zoo-stepper", "zoo-slope"} <= written["versions"].keys()


@pytest.mark.parametrize("name", PRETEXTS)
def test_a_pretext_that_breaks_its_contract_is_told(animal, rdfc_here, blame, study_file, name):
    body, reason = PRETEXTS[name]
    animal(name, kind="pretext", parts=f"{TASK}class Animal(Task):\n{body}")
    study = yaml.safe_load(study_file.read_text("utf-8"))
    del study["objective"]
    study_file.write_text(yaml.safe_dump({**study, "pretext": name}), "utf-8")
    blame(
        rdfc_here("pretrain", study_file, HERE), name, f"pretext {name!r} of", "breaks its", reason
    )


@pytest.fixture
def listed(animal, pictures, monkeypatch):
    monkeypatch.setenv("ZOO_PICTURES", str(pictures))

    def install(name: str, body: str) -> None:
        animal(name, kind="dataset", parts=f"class Animal(Listing):\n{body}")

    return install


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_of_something_else_is_told_by_run_and_by_its_check(
    listed, rdfc_here, blame, study_file, name
):
    body, reason = DATASETS[name]
    listed(name, body)
    run = "extract", study_file, f"--set=dataset={name}", HERE
    for command in (run, ("datasets", "check", name, "--features=none")):
        blame(rdfc_here(*command), name, f"dataset {name!r} of", "breaks its contract", reason)


def test_the_check_of_a_data_set_finds_equal_ids_that_a_run_refuses(listed, rdfc_here, study_file):
    body = "    def cases(self): return [Case(**{**o, 'case_id': 'same'}) for o in self.listed()]"
    listed("clones", body)
    told = rdfc_here("extract", study_file, "--set=dataset=clones", HERE)
    assert told.code == 2
    assert "The case id 'same' stands twice" in told.err
    check = rdfc_here("datasets", "check", "clones", "--features=none", "--json")
    assert check.code == 2, check.err
    [problem] = [one for one in json.loads(check.out)["problems"] if one["field"] == "case_id"]
    assert (problem["case_id"], problem["severity"]) == ("same", "error")


def test_labels_that_no_class_has_are_told_alike_by_run_and_check(listed, rdfc_here, study_file):
    listed(
        "mislabelled",
        "    def cases(self): return [Case(**{**o, 'label': 'odd'}) for o in self.listed()]",
    )
    said = "12 cases have the label 'odd', which is none of the classes (benign, malignant)"
    done = rdfc_here("extract", study_file, "--set=dataset=mislabelled", HERE)
    assert said in " ".join(done.err.split())
    check = rdfc_here("datasets", "check", "mislabelled", "--features=none", "--json")
    assert [one for one in json.loads(check.out)["problems"] if said in one["message"]]
