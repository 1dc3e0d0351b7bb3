"""Blocks that are no commands are what their language says, and values of the chart are ones that it takes."""

import ast
import csv
import json
import subprocess
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from tests.docs.markdown import PAGES, ROOT, Block, blocks
from tests.programs import need

CHART = ROOT / "helm" / "sms-hub"
# Others are pictures, fragments of a language that needs more around it (C#, SQL), or plain text.
READ = ("json", "yaml", "python", "js", "php", "csv")
KNOWN = {*READ, "sh", "", "text", "mermaid", "csharp", "sql"}
ALL = [each for page in PAGES for each in blocks(page)]
SAMPLES = [each for each in ALL if each.language in READ]
VALUES = [each for each in SAMPLES if each.language == "yaml" and "kubernetes" in each.page.name]


def test_every_block_is_in_a_language_that_is_looked_at() -> None:
    assert [each.place for each in ALL if each.language not in KNOWN] == []


@pytest.mark.parametrize("block", SAMPLES, ids=[each.place for each in SAMPLES])
def test_a_sample_can_be_read(block: Block, tmp_path: Path) -> None:
    match block.language:
        case "json":
            json.loads(block.text)
        case "yaml":
            assert isinstance(yaml.safe_load(block.text), dict)
        case "python":
            ast.parse(block.text)
        case "js":
            _looked_at(tmp_path / "sample.mjs", block.text, "node", "--check")
        case "php":
            _looked_at(tmp_path / "sample.php", f"<?php\n{block.text}", "php", "-l")
        case "csv":
            assert len({len(row) for row in csv.reader(block.text.splitlines())}) == 1


def _looked_at(file: Path, text: str, *command: str) -> None:
    need(command[0])
    file.write_text(text, encoding="utf-8")
    looked = subprocess.run([*command, file], capture_output=True, text=True, check=False)
    assert looked.returncode == 0, looked.stdout + looked.stderr


@pytest.mark.parametrize("block", VALUES, ids=[each.place for each in VALUES])
def test_values_of_the_chart_are_of_its_schema(block: Block) -> None:
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    assert list(jsonschema_rs.validator_for(schema).iter_errors(yaml.safe_load(block.text))) == []
