import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.building import Workshop, missing
from tests.image.running import ContainerSite


@pytest.fixture(scope="session")
def workshop() -> Iterator[Workshop]:
    """With the image, built from what is in the working tree.

    TRY_IMAGE_FOLDER names a folder in which base and layers stay for the next time.
    """
    if os.environ.get("TRY_IMAGE", "") in {"", "0"}:
        pytest.skip("builds and runs the image, which takes minutes: `make try-image` does")
    if lacking := missing():
        pytest.skip(f"needs {', '.join(lacking)}")
    kept = os.environ.get("TRY_IMAGE_FOLDER")
    # Not pytest's own folder: three runs' images would be kept, and not in memory.
    folder = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="smshub-image-", dir="/var/tmp"))
    folder.mkdir(exist_ok=True)
    workshop = Workshop(folder)
    try:
        workshop.build()
        yield workshop
    finally:
        workshop.close()
        if not kept:
            shutil.rmtree(folder)


@pytest.fixture
def site(workshop: Workshop, tmp_path: Path) -> Iterator[ContainerSite]:
    with ContainerSite(workshop, tmp_path) as site:
        yield site
