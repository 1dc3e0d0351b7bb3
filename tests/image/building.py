"""The image as its Dockerfile makes it, on a base of Debian's own packages, so that no registry is asked."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
VERSION = "9.9.9"
REVISION = "f00dfeed"
SOURCE = "https://sms.example/source"
IMAGE = f"localhost/sms-hub:{VERSION}"

_TOOLS = ("make", "buildah", "debootstrap", "podman", "runc")
_PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
_BASE = "localhost/python-base:3.11"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def missing() -> Sequence[str]:
    """What this machine lacks for it."""
    return [tool for tool in _TOOLS if shutil.which(tool, path=_PATH) is None] + (["root"] if os.geteuid() else [])


class Workshop:
    """A folder with images and containers of its own, none of which the machine's other containers see."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._storage = [
            *("--root", str(folder / "storage"), "--runroot", str(folder / "run")),
            *("--storage-driver", "overlay"),
        ]

    def build(self) -> None:
        """Builds the image, and the base before it unless it is there from before."""
        if not self.buildah("images", "--quiet", "--filter", f"reference={_BASE}"):
            self._build_base()
        _run(
            [
                *("make", "--directory", str(ROOT), "image", f"BUILDER={shlex.join(['buildah', *self._storage])}"),
                *("BUILD_FLAGS=--isolation chroot --pull-never --layers", f"BASE_IMAGE={_BASE}"),
                *(f"IMAGE={IMAGE.partition(':')[0]}", f"VERSION={VERSION}", f"REVISION={REVISION}", f"SOURCE={SOURCE}"),
            ]
        )

    def config(self) -> Mapping[str, Any]:
        """What the image says of itself."""
        config: Mapping[str, Any] = json.loads(self.buildah("inspect", "--type", "image", IMAGE))["OCIv1"]["config"]
        return config

    def buildah(self, *arguments: str) -> str:
        return _run(["buildah", *self._storage, *arguments])

    def podman(self, *arguments: str) -> str:
        return _run([*self.podman_command, *arguments])

    @property
    def podman_command(self) -> Sequence[str]:
        # With these two it needs neither systemd nor the newest cgroups.
        return ["podman", *self._storage, "--cgroup-manager", "cgroupfs", "--runtime", "runc"]

    def close(self) -> None:
        """Ends every container. The images stay in the folder."""
        self.podman("rm", "--all", "--force", "--time", "0")
        self.buildah("rm", "--all")

    def _build_base(self) -> None:
        root = self._folder / "base"
        packages = "python3,python3-venv,ca-certificates"
        _run(["debootstrap", "--variant=minbase", f"--include={packages}", "bookworm", str(root)])
        # Whom this machine trusts, the build trusts as well: there may be a proxy with a certificate of its own.
        shutil.copyfile(_CERTIFICATES, root / _CERTIFICATES.relative_to("/"))
        (root / "etc/pip.conf").write_text(f"[global]\ncert = {_CERTIFICATES}\n")
        archive = self._folder / "base.tar"
        _run(["tar", "--directory", str(root), "--create", "--file", str(archive), "."])
        container = self.buildah("from", "scratch")
        self.buildah("add", container, str(archive), "/")
        self.buildah("config", "--env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", container)
        self.buildah("commit", "--rm", container, _BASE)
        archive.unlink()
        shutil.rmtree(root)


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, "PATH": _PATH},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout.strip()
