"""What 3D networks cost on a processor: time and memory a case, in training and in use.

    python tests/benchmarks/volume_encoders.py [--size 32 48 48] [--batch 8]

Each network is measured in a process of its own: processor milliseconds a case of a forward and
backward pass, and of a forward pass alone (the median of three), and by how much the peak of the
memory grows when a training batch is twice as large, a case.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

NETWORKS = {
    "resnet10": {"model": "resnet10"},
    "resnet10, half width": {"model": "resnet10", "width": 0.5},
    "resnet18": {"model": "resnet18"},
    "densenet121": {"model": "densenet121"},
}
ROUNDS = 3


def one(options: dict[str, object], size: list[int], batch: int) -> dict[str, float]:
    """Measure in this process."""
    import torch

    from rdfc_encoder_monai.config import MonaiConfig
    from rdfc_encoder_monai.encoder import MonaiEncoder

    torch.set_num_threads(1)
    network = MonaiEncoder(MonaiConfig(**options)).build(1)

    def train(cases: int) -> float:
        start = time.process_time()
        network.zero_grad()
        network(torch.rand(cases, 1, *size)).square().mean().backward()
        return (time.process_time() - start) * 1000 / cases

    train(2)  # what is made once
    times = [train(batch) for _ in range(ROUNDS)]
    small = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    train(2 * batch)
    large = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    network.eval()
    seen = []
    with torch.inference_mode():
        for _ in range(ROUNDS):
            start = time.process_time()
            network(torch.rand(batch, 1, *size))
            seen.append((time.process_time() - start) * 1000 / batch)
    return {
        "training": statistics.median(times),
        "use": statistics.median(seen),
        "megabytes": (large - small) / 1024 / batch,
    }


def main() -> None:
    """Print a line a network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=3, default=[32, 48, 48])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(one(json.loads(asked.one), asked.size, asked.batch)))
        return
    print("network | training, ms a case | in use, ms a case | training, MB a case")
    for name, options in NETWORKS.items():
        command = [sys.executable, __file__, "--one", json.dumps(options)]
        command += ["--size", *map(str, asked.size), "--batch", str(asked.batch)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
        print(
            f"{name} | {found['training']:.0f} | {found['use']:.0f} | {found['megabytes']:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
