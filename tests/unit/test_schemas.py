"""Generated files and the list of packages agree with the code."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from haas_rpcd import schemagen
from haas_rpcd.demo.datacentre import DataCentre

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(schemagen.files()))
def test_a_generated_file_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text() == schemagen.files()[name], "run  make schemas"


async def test_the_site_schema_accepts_a_real_site_and_refuses_a_typo() -> None:
    schema = json.loads((ROOT / "schemas/site.schema.json").read_text())
    centre = DataCentre()
    await centre.start()
    try:
        site = tomllib.loads(centre.site())
    finally:
        await centre.stop()
    jsonschema.validate(site, schema)
    site["switches"]["sw1"]["dialekt"] = "cisco_ios"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(site, schema)


def test_the_list_of_packages_names_every_package() -> None:
    named = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    )
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for program in ("haas_console", "haas_rpcd")
        for path in (ROOT / program).rglob("__init__.py")
    }
    assert named == folders | {"haas_schemas"}
