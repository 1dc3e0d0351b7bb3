"""Runs the suite again and again, each time in another order, and says which tests did not pass every time.

`python -m tests.flaky 10` runs the quick part ten times; what follows the number goes to pytest in its place, such as
`tests/e2e` or `-m long`. The seed of an order is that run's number: `SHUFFLE=7 pytest …` has the same.
"""

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

QUICK = ("-m", "not long")


def not_passed(seed: int, selection: Sequence[str], folder: Path) -> set[str]:
    report = folder / f"{seed}.xml"
    command = ["-m", "pytest", "-n", "auto", "--dist", "worksteal", "--quiet", f"--junitxml={report}", *selection]
    ended = subprocess.run([sys.executable, *command], env={**os.environ, "SHUFFLE": str(seed)}, check=False)
    if ended.returncode not in {0, 1}:
        sys.exit(f"Run {seed} came to no end: pytest ended with {ended.returncode}.")
    return {
        f"{case.get('classname')}::{case.get('name')}"
        for case in ET.parse(report).iter("testcase")
        if case.find("failure") is not None or case.find("error") is not None
    }


def main() -> None:
    runs, selection = int(sys.argv[1]), sys.argv[2:] or QUICK
    failures: dict[str, list[int]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, runs + 1):
            for test in not_passed(seed, selection, Path(folder)):
                failures[test].append(seed)
    for test, seeds in sorted(failures.items()):
        print(f"{len(seeds)} of {runs}: {test} (SHUFFLE={', '.join(map(str, seeds))})")
    if failures:
        sys.exit(1)
    print(f"In each of {runs} runs all tests passed.")


if __name__ == "__main__":
    main()
