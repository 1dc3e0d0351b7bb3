"""Where other processes find the very code that this one runs."""

import os
from pathlib import Path

import domain

_ROOT = Path(__file__).parents[1]


def import_path() -> str:
    """For PYTHONPATH: the hub, and the tests."""
    (package,) = domain.__path__
    return os.pathsep.join([str(Path(package).parent), str(_ROOT)])
