"""The documentation is true: its blocks run, its lists are complete, its links lead somewhere."""

import json
import re
import runpy
import shutil
from pathlib import Path

import pytest
from attacks import ATTACKS
from chat_server import ChatServer
from cli import invoke
from documents import blocks, run_page

import flowreasoner
from flowreasoner.errors import FlowReasonerError
from flowreasoner_plugins.manager import load_plugins

ROOT = Path(__file__).parents[1]
NEEDS = {"metagpt.md": "metagpt"}
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")])


def _answers(body):
    """A model for the pages: designs when asked to, and otherwise writes `add_times`."""
    if body["messages"][0]["role"] == "system":
        return (
            "<modification>one call</modification>\n<graph>\nclass Workflow:\n"
            "    async def __call__(self, problem, entry_point):\n"
            "        s = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction='')\n"
            "        return s['response']\n</graph>"
        )
    return (
        "```python\ndef add_times(a, b):\n    h, m, i, n = map(int, f'{a}:{b}'.split(':'))\n"
        "    t = 60 * (h + i) + m + n\n    return f'{t // 60}:{t % 60:02d}'\n```"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_runs(page, tmp_path, monkeypatch):
    if page.name in NEEDS:
        pytest.importorskip(NEEDS[page.name])
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", "examples")
    with ChatServer(_answers) as server:
        for scheme in ("OPENAI", "DEEPSEEK", "OPENROUTER", "OLLAMA", "VLLM"):
            monkeypatch.setenv(f"{scheme}_BASE_URL", server.url)
            monkeypatch.setenv(f"{scheme}_API_KEY", "test-key")
        assert run_page(page) == len(blocks(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_plugin_page_is_one_working_plugin_with_every_hook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in blocks(ROOT / "docs" / "plugins.md"):
        if block.language == "python":
            exec(block.text, namespace)
    plugins = load_plugins(
        entry_points=False,
        extra={
            "page": type(
                "Page", (), {k: staticmethod(v) if k.startswith("flowreasoner_") else v for k, v in namespace.items()}
            )
        },
    )
    assert not plugins.problems
    assert len(next(info for info in plugins.infos if info.name == "page").hooks) == 12
    for kind, name in [
        ("operators", "Summarize"),
        ("chat_models", "echo"),
        ("designers", "hasty"),
        ("methods", "shortest"),
        ("backends", "outline"),
        ("test_formats", "table"),
        ("metrics", "brevity"),
        ("reward_terms", "explained"),
        ("benchmarks", "leap"),
        ("sandboxes", "mine"),
        ("commands", "greet"),
    ]:
        assert plugins.pick(kind, name)
    assert plugins.observers


def test_the_language_page_lists_every_code():
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs" / "workflow-language.md").read_text(), re.MULTILINE))
    text = "\n".join(file.read_text() for file in (ROOT / "core/flowreasoner/workflow").glob("*.py"))
    text += (ROOT / "core/flowreasoner/designers/proposal.py").read_text()
    codes = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)",?\s+"(?:error|warning)"', text))
    codes |= set(re.findall(r'refuse\(\s*\w+,\s*"([a-z-]+)"', text)) | set(
        re.findall(r'warn\(\s*\w+,\s*"([a-z-]+)"', text)
    )
    assert codes <= listed
    assert all(f'"{code}"' in text or code.startswith("prompt-") for code in listed)


COMMANDS = (
    *("", "solve", "run", "grade", "bench", "verify", "check", "export", "runs", "report", "plugins", "doctor"),
    *("distill", "sft", "grpo", "train", "recipes", "recipes plan"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_page_shows_the_help_as_it_is(command):
    shown = invoke(*[*command.split(), "--help"], terminal_width=100).stdout
    assert shown in (ROOT / "docs" / "cli.md").read_text(), "run: python scripts/generate.py"


def test_the_table_of_memory_is_what_the_planner_says():
    made = runpy.run_path(str(ROOT / "scripts" / "generate.py"), run_name="generate")
    assert (ROOT / "docs" / "training.md").read_text() == made["training_page"](), "run: python scripts/generate.py"


def test_exit_codes_are_documented_where_people_look():
    for page in ("README.md", "docs/cli.md"):
        text = (ROOT / page).read_text()
        for code in ("0", "1", "2", "3", "130"):
            assert re.search(rf"^\| {code} +\|", text, re.MULTILINE), (page, code)


def test_all_lists_exactly_what_can_be_used():
    assert sorted(flowreasoner.__all__) == sorted([*flowreasoner._HOME_OF, "__version__"])
    for name in flowreasoner.__all__:
        value = getattr(flowreasoner, name)
        assert name == "__version__" or value.__doc__, name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        flowreasoner.nothing  # noqa: B018


def test_every_error_belongs_to_the_one_tree_and_says_when():
    from flowreasoner import errors

    for name in errors.__all__:
        kind = getattr(errors, name)
        assert issubclass(kind, FlowReasonerError)
        assert kind.__doc__


def test_packages_say_that_they_are_typed():
    for folder in (
        "core/flowreasoner",
        "flowreasoner_plugins",
        "adapters/flowreasoner_adapters",
        "training/flowreasoner_training",
    ):
        assert (ROOT / folder / "py.typed").exists()


def test_the_table_of_attacks_is_what_the_results_say_and_they_say_that_all_were_contained():
    made = runpy.run_path(str(ROOT / "scripts" / "generate.py"), run_name="generate")
    page = (ROOT / "docs" / "sandbox.md").read_text()
    assert page == made["sandbox_page"](), "run: python scripts/generate.py"
    results = json.loads((ROOT / "benchmarks" / "results" / "attacks.json").read_text())
    for tier in ("jail", "landlock"):
        assert results["tiers"][tier].keys() == set(ATTACKS)
    assert "Not contained: none." in page
