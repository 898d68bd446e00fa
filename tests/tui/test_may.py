"""``may NOUN VERB``: whether one may, and if not, why; in batch and after ``:``."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from tests.rpc.small_site import SmallSite
from tests.tui.tenants import console_of, prepared, tenants, token_of

__all__ = ["prepared", "tenants"]

ROOT = Path(__file__).parents[2]


async def asked(site: SmallSite, token: str, words: str) -> tuple[int, str]:
    """Ask in batch mode, as who has the token; give the exit code and what was said."""
    [(_, port)] = site.daemon.tcp_addresses
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "haas_console",
            "--url",
            f"http://127.0.0.1:{port}",
            *words.split(),
        ),
        cwd=ROOT,
        env={**os.environ, "HAAS_TOKEN": token},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode().strip()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("may network create red", 0, "yes"),
        ("may node allocate", 0, "yes"),
        ("may switch register", 4, "no: for admins only"),
        ("may project add-member red", 4, "no: for an owner of red"),
        ("may network create blue", 4, "no: you are in no project blue"),
        ("may network create never-heard-of", 4, "no: you are in no project never-heard-of"),
    ],
)
async def test_the_answer_is_a_word_and_an_exit_code(
    tenants: SmallSite, words: str, code: int, said: str
) -> None:
    token = await token_of(tenants, "rita")
    assert await asked(tenants, token, words) == (code, said)
    code_of_json, document = await asked(tenants, token, f"{words} --json")
    assert code_of_json == code
    why = None if code == 0 else said.removeprefix("no: ")
    assert json.loads(document) == {"may": code == 0, "why": why}


async def test_a_read_only_token_may_change_nothing(tenants: SmallSite) -> None:
    token = await token_of(tenants, "rita", readonly=True)
    assert await asked(tenants, token, "may node list") == (0, "yes")
    refused = (4, "no: your token is read-only")
    assert await asked(tenants, token, "may network create red") == refused


async def test_the_console_answers_at_the_bottom(tenants: SmallSite) -> None:
    async with console_of(tenants, await token_of(tenants, "rita"), project="red") as hands:
        await hands.type(":may network create\r")
        assert hands.bar("message").strip() == "yes"
        await hands.type(":may user create\r")
        assert hands.bar("message").strip() == "no: for admins only"
        await hands.type(":may ne\tcr\t\r")
        assert hands.bar("message").strip() == "yes"
        await hands.type(":may network paint\r")
        assert 'there is no command "network paint"' in hands.bar("message")
