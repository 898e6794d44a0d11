from __future__ import annotations

import subprocess
import sys

import pytest

from brain.llm.prompt import load_prompt


def test_the_assistants_prompt_is_there_with_its_version() -> None:
    prompt = load_prompt("assistant")
    assert (prompt.name, prompt.languages) == ("assistant", ("en", "pt"))
    assert prompt.version >= 1
    assert prompt.text.startswith("You are Resync")
    assert "propose_action" in prompt.text


def test_an_unknown_prompt_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        load_prompt("poet")


def test_no_sdk_is_imported_before_a_model_is_opened() -> None:
    code = (
        "import sys, brain.llm.factory, brain.llm.loop, brain.llm.prompt\n"
        "print({'openai', 'anthropic', 'httpx2'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
