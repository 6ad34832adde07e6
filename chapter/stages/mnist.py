"""Fetches MNIST's digits (DLwP 5.1)."""

from ladder import artifacts, errors, paths
from ladder.experiments import mnist, plan


def main() -> None:
    artifacts.write_npz(plan.MNIST, mnist.fetch(paths.PARTIAL / "mnist"))


if __name__ == "__main__":
    errors.run(main)
