"""The clients that `make clients` makes compile, and take a program through all that it does with a hub."""

import os
import sys
from pathlib import Path

from tests.clients.callers import (
    JOURNEYS,
    NEWTONSOFT,
    NODE_MODULES,
    STRICT_TYPESCRIPT,
    check_whole,
    generated,
    needs,
    run,
    sources,
    through,
    tool,
)
from tests.http import RunningHub

ANNOTATIONS = Path("/usr/share/java/geronimo-annotation-1.3-spec.jar")
GUZZLE = Path("/usr/share/php/GuzzleHttp/autoload.php")


def test_an_office_works_with_the_python_client(hub: RunningHub, tmp_path: Path) -> None:
    client = generated("python", tmp_path)

    check_whole(through(hub, sys.executable, JOURNEYS / "journey.py", folder=tmp_path, PYTHONPATH=client))


def test_an_office_works_with_the_typescript_client(hub: RunningHub, tmp_path: Path) -> None:
    compiler = needs(NODE_MODULES / "typescript" / "bin" / "tsc")
    node = tool("node")
    client = generated("typescript", tmp_path)
    (client / "src").rename(tmp_path / "client")
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    journey = tmp_path / "journey.ts"
    journey.write_bytes((JOURNEYS / "journey.ts").read_bytes())

    run(node, compiler, *STRICT_TYPESCRIPT, journey, folder=tmp_path)

    check_whole(through(hub, node, journey.with_suffix(".js"), folder=tmp_path))


def test_an_office_works_with_the_csharp_client(hub: RunningHub, tmp_path: Path) -> None:
    compiler, mono, json_library = tool("mcs"), tool("mono"), needs(NEWTONSOFT)
    client = generated("csharp", tmp_path)
    program = tmp_path / "journey.exe"
    libraries = (
        "System.Net.Http",
        "System.Web",
        "System.ComponentModel.DataAnnotations",
        "System.Runtime.Serialization",
        json_library,
    )

    run(
        compiler,
        "-langversion:latest",
        f"-out:{program}",
        *(f"-r:{each}" for each in libraries),
        *sources(client / "src", ".cs"),
        JOURNEYS / "Journey.cs",
        folder=tmp_path,
    )

    check_whole(through(hub, mono, program, folder=tmp_path, MONO_PATH=json_library.parent))


def test_an_office_works_with_the_php_client(hub: RunningHub, tmp_path: Path) -> None:
    php = tool("php")
    needs(GUZZLE)
    client = generated("php", tmp_path)

    lint = "foreach (array_slice($argv, 1) as $file) { opcache_compile_file($file) || exit($file); }"
    run(php, "-d", "opcache.enable_cli=1", "-r", lint, "--", *sources(client / "lib", ".php"), folder=tmp_path)

    check_whole(through(hub, php, JOURNEYS / "journey.php", client, folder=tmp_path))


def test_an_office_works_with_the_java_client(hub: RunningHub, tmp_path: Path) -> None:
    compiler, java, annotations = tool("javac"), tool("java"), needs(ANNOTATIONS)
    client = generated("java", tmp_path)
    libraries = os.pathsep.join(map(str, (jackson(), annotations)))
    classes = tmp_path / "classes"

    run(
        compiler,
        *("-nowarn", "-proc:none", "-J-XX:TieredStopAtLevel=1"),
        *("-d", classes),
        *("-cp", libraries),
        *sources(client / "src", ".java"),
        JOURNEYS / "Journey.java",
        folder=tmp_path,
    )

    command = (java, "-XX:TieredStopAtLevel=1", "-cp", f"{classes}{os.pathsep}{libraries}", "Journey")
    check_whole(through(hub, *command, folder=tmp_path))


def jackson() -> Path:
    """The generator is a Java program with Jackson inside, which its clients need."""
    import openapi_generator_cli  # noqa: PLC0415 - it is not there where clients are not tested

    return Path(openapi_generator_cli.__file__).with_name("openapi-generator.jar")
