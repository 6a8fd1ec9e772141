"""What the templates of each kind of plugin are, and how a study names them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KindTemplate:
    """What differs from kind to kind.

    Args:
        module: Name of the module that holds the class.
        summary: What the generated component is.
        needs: Distributions that it imports, beyond rdfc-core and pydantic.
        use: How a study names it.
    """

    module: str
    summary: str
    needs: tuple[str, ...]
    use: str


TEMPLATES = {
    "dataset": KindTemplate(
        "dataset",
        "Pictures in one folder a class",
        (),
        "dataset: {name: example-name, root: path/to/the/folder}",
    ),
    "reader": KindTemplate(
        "reader",
        "NumPy archives with their spacing",
        ("numpy>=2",),
        "dataset: manifest:root=path/to/a/folder # its .npz files are read by this plugin",
    ),
    "feature_extractor": KindTemplate(
        "extractor",
        "Six features of grey values and size",
        ("numpy>=2",),
        "views:\n  radiomics:\n    extractor: {name: example-name, bins: 32}",
    ),
    "harmoniser": KindTemplate(
        "harmoniser",
        "The median of each site brought to that of all cases",
        ("numpy>=2",),
        "dataset: {name: manifest, root: DIR, columns: [scanner]}\n"
        "views:\n  radiomics:\n    harmonise: {name: example-name, site: scanner}",
    ),
    "image_encoder": KindTemplate(
        "encoder",
        "A small convolutional network",
        ("torch>=2.10",),
        "views:\n  image:\n    encoder: {name: example-name, width: 16}",
    ),
    "view": KindTemplate(
        "view",
        "Quantiles of the grey values inside the outline",
        ("numpy>=2", "torch>=2.10"),
        "views:\n  quantiles: {name: example-name, quantiles: 16}\n"
        "  image:\n    encoder: {name: timm, model: resnet18}",
    ),
    "objective": KindTemplate(
        "objective",
        "A hinge on the cosines to the own case and to others",
        ("torch>=2.10",),
        "pretext:\n  objective: {name: example-name, margin: 0.5}",
    ),
    "memory_store": KindTemplate(
        "memory",
        "One embedding a case, moved towards each new one",
        ("torch>=2.10",),
        "pretext:\n  memory: {name: example-name, momentum: 0.5}",
    ),
    "memory_queue": KindTemplate(
        "memory",
        "The newest embeddings, in the order in which they came",
        ("torch>=2.10",),
        "pretext: {name: moco, queue: {name: example-name, size: 1024}}",
    ),
    "projector": KindTemplate(
        "projector",
        "Two layers, the hidden one wider than the features",
        ("torch>=2.10",),
        "pretext:\n  projector: {name: example-name, expansion: 4}",
    ),
    "pretext": KindTemplate(
        "pretext",
        "Two views correlate, dimension by dimension",
        ("torch>=2.10",),
        "pretext: {name: example-name, width: 32}",
    ),
    "optimizer": KindTemplate(
        "optimizer",
        "Lion: sign descent with momentum",
        ("torch>=2.10",),
        "pretrain:\n  optimizer: {name: example-name, memory: 0.99}\n  learning_rate: 0.0003",
    ),
    "schedule": KindTemplate(
        "schedule",
        "A straight line from the peak to a share of it",
        (),
        "pretrain:\n  schedule: {name: example-name, end: 0.1}",
    ),
    "evaluator": KindTemplate(
        "evaluator",
        "The nearest mean of a class among learnt features",
        ("numpy>=2",),
        "evaluate:\n  evaluators: [{name: example-name, temperature: 0.1}]",
    ),
    "metric": KindTemplate(
        "metric",
        "F-beta of one class",
        ("numpy>=2",),
        "evaluate:\n  metrics: [{name: example-name, positive: malignant, beta: 2}]",
    ),
    "query_strategy": KindTemplate(
        "strategy",
        "The densest cases, each of another patient",
        ("numpy>=2",),
        "evaluate:\n  query_strategies: [{name: example-name, neighbours: 5}]",
    ),
    "report_section": KindTemplate(
        "section",
        "The methods of a run by rank",
        (),
        "# nothing to name: each installed section is in the report of every run",
    ),
    "logger": KindTemplate(
        "logger",
        "Metrics of a run as a CSV table",
        (),
        "# on the command line: rdfc run study.yaml --logger example-name:metrics=[loss]",
    ),
    "executor": KindTemplate(
        "executor",
        "Jobs in threads",
        (),
        "# on the command line: rdfc run study.yaml --executor example-name:threads=4",
    ),
}
