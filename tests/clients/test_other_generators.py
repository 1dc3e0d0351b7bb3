"""What other generators, which people use as well, make of the document compiles and works."""

import os
import sys
from pathlib import Path

from tests.clients.callers import (
    DOCUMENT,
    JOURNEYS,
    NEWTONSOFT,
    NODE_MODULES,
    NSWAG,
    STRICT_TYPESCRIPT,
    check_beginning,
    needs,
    run,
    through,
    tool,
)
from tests.http import RunningHub


def test_an_office_works_with_a_client_of_nswag(hub: RunningHub, tmp_path: Path) -> None:
    compiler, mono, generator = tool("mcs"), tool("mono"), needs(NSWAG / "NSwag.exe")
    client, program = tmp_path / "Client.cs", tmp_path / "journey.exe"
    libraries = ("System.Net.Http", "System.ComponentModel.DataAnnotations", "System.Runtime.Serialization", NEWTONSOFT)

    run(
        mono,
        generator,
        "openapi2csclient",
        f"/input:{DOCUMENT}",
        f"/output:{client}",
        "/namespace:SmsHub",
        "/generateOptionalPropertiesAsNullable:true",
        folder=tmp_path,
    )
    run(
        compiler,
        "-langversion:latest",
        f"-out:{program}",
        *(f"-r:{each}" for each in libraries),
        client,
        JOURNEYS / "nswag.cs",
        folder=tmp_path,
    )

    check_beginning(through(hub, mono, program, folder=tmp_path, MONO_PATH=NSWAG))


def test_an_office_works_with_a_client_of_openapi_python_client(hub: RunningHub, tmp_path: Path) -> None:
    generator = tool("openapi-python-client")
    # It shapes what it makes with ruff.
    path = f"{Path(generator).parent}{os.pathsep}{os.environ['PATH']}"

    # It warns that it leaves out what takes CSV.
    run(
        generator,
        "generate",
        *("--path", DOCUMENT),
        *("--meta", "none"),
        *("--output-path", tmp_path / "smshub"),
        folder=tmp_path,
        PATH=path,
    )

    journey = JOURNEYS / "openapi_python_client.py"
    check_beginning(through(hub, sys.executable, journey, folder=tmp_path, PYTHONPATH=tmp_path))


def test_an_office_works_with_openapi_fetch(hub: RunningHub, tmp_path: Path) -> None:
    node = tool("node")
    compiler = needs(NODE_MODULES / "typescript" / "bin" / "tsc")
    generator = needs(NODE_MODULES / "openapi-typescript" / "bin" / "cli.js")
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    journey = tmp_path / "journey.ts"
    journey.write_bytes((JOURNEYS / "openapi_fetch.ts").read_bytes())

    run(node, generator, DOCUMENT, "-o", tmp_path / "hub.d.ts", folder=tmp_path)
    run(node, compiler, *STRICT_TYPESCRIPT, journey, folder=tmp_path)

    check_beginning(through(hub, node, journey.with_suffix(".js"), folder=tmp_path))
