"""A real Prometheus and a real Alertmanager, which watch a hub with the rules of the chart."""

import json
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.e2e.running import eventually
from tests.observability.files import RULES
from tests.patience import PATIENCE_S
from tests.ports import free_port

PROMETHEUS = shutil.which("prometheus")
ALERTMANAGER = shutil.which("prometheus-alertmanager")

needs_prometheus = pytest.mark.skipif(
    PROMETHEUS is None or ALERTMANAGER is None,
    reason="needs Debian's prometheus and prometheus-alertmanager, which `make test-all` installs",
)


class _Server:
    """A process that answers at `url`."""

    def __init__(self, folder: Path, name: str, port: int, arguments: Sequence[str | Path | None]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / f"{name}.log"
        self._http = httpx.Client(base_url=self.url, verify=False, timeout=PATIENCE_S, trust_env=False)
        with self._log.open("w") as log:
            self._process = subprocess.Popen([str(each) for each in arguments], cwd=folder, stdout=log, stderr=log)
        try:
            eventually(self._is_ready, what=f"{name} is ready")
        except BaseException:
            self.close()
            raise

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            return self._http.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def close(self) -> None:
        self._http.close()
        self._process.kill()
        self._process.wait()


class Alertmanager(_Server):
    """Tells `receiver` at once of each alert."""

    def __init__(self, folder: Path, receiver: str) -> None:
        config = {
            "route": {
                "receiver": "somebody",
                "group_by": ["alertname"],
                "group_wait": "0s",
                "group_interval": "1s",
                "repeat_interval": "1h",
            },
            "receivers": [{"name": "somebody", "webhook_configs": [{"url": receiver}]}],
        }
        file = folder / "alertmanager.yaml"
        file.write_text(yaml.safe_dump(config))
        port = free_port()
        arguments = [
            *(ALERTMANAGER, f"--config.file={file}", f"--storage.path={folder / 'alertmanager'}"),
            # Without the latter it opens a port to the world, for others of its kind.
            *(f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="),
        ]
        super().__init__(folder, "alertmanager", port, arguments)


class Prometheus(_Server):
    """Looks each second at `jobs`, by the ports of their processes; no alert waits for longer than `patience`."""

    def __init__(
        self, folder: Path, jobs: Mapping[str, Sequence[int]], alertmanager: Alertmanager, *, patience: str
    ) -> None:
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(_impatient(file, folder, patience)) for file in sorted(RULES.glob("*.yaml"))],
            "alerting": {
                "alertmanagers": [{"static_configs": [{"targets": [alertmanager.url.removeprefix("http://")]}]}]
            },
            "scrape_configs": [
                {
                    "job_name": job,
                    "static_configs": [
                        {"targets": [f"127.0.0.1:{port}" for port in ports], "labels": {"namespace": "sms"}}
                    ],
                }
                for job, ports in jobs.items()
            ],
        }
        file = folder / "prometheus.yaml"
        file.write_text(yaml.safe_dump(config))
        port = free_port()
        arguments = [
            *(PROMETHEUS, f"--config.file={file}", f"--storage.tsdb.path={folder / 'prometheus'}"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"),
        ]
        super().__init__(folder, "prometheus", port, arguments)

    def range(self, expr: str, *, start: float, end: float, step: float = 1.0) -> Sequence[Mapping[str, Any]]:
        """Series with `metric` and `values`, as Grafana gets them."""
        form = {"query": expr, "start": str(start), "end": str(end), "step": str(step)}
        answer = self._http.post("/api/v1/query_range", data=form)
        assert answer.status_code == 200, f"{expr}: {answer.text}"
        found: Sequence[Mapping[str, Any]] = answer.json()["data"]["result"]
        return found


def _impatient(file: Path, folder: Path, patience: str) -> Path:
    """A copy of the rules in which no alert waits for longer."""
    rules = yaml.safe_load(file.read_text(encoding="utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                rule["for"] = patience
    copy = folder / f"rules-{file.name}"
    copy.write_text(yaml.safe_dump(rules))
    return copy


class OnCall:
    """Somebody who is called by Alertmanager, and keeps what he is told."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, Any]] = []
        told = self.told

        class Ear(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", free_port()), Ear)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def names(self, *, status: str = "firing", since: int = 0) -> set[str]:
        """Of the alerts that he was told of after the first `since`."""
        return {alert["labels"]["alertname"] for alert in self.told[since:] if alert["status"] == status}
