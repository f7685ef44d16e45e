"""The page as a file: what may run in it, and what of foreign texts gets into it."""

import base64
import hashlib
import json
import re
from importlib.resources import files

import pytest
from reports import HOSTILE, a_bench, a_result, a_round, keep

from flowreasoner.operators import BUILTIN
from flowreasoner_plugins.report.contents import contents
from flowreasoner_plugins.report.page import as_json_block, render

STATIC = files("flowreasoner_plugins.report") / "static"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    keep(folder / "s.sqlite", a_round(1, HOSTILE), title=HOSTILE, result=a_result(HOSTILE))
    return render(contents(["last", str(a_bench(folder / "bench", 1, HOSTILE))], folder / "s.sqlite", BUILTIN))


def policy(page):
    (found,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    return dict(part.split(" ", 1) for part in found.split("; "))


def test_the_policy_names_our_scripts_and_styles_and_nothing_else(page):
    scripts, styles = (
        re.findall(r"<script>(.*?)</script>", page, re.DOTALL),
        re.findall(r"<style>(.*?)</style>", page, re.DOTALL),
    )
    assert (len(scripts), len(styles)) == (2, 1)
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts + styles
    ]
    assert policy(page) == {
        "default-src": "'none'",
        "script-src": " ".join(hashes[:2]),
        "style-src": hashes[2],
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
    }


def test_hostile_texts_stay_inside_the_data(page):
    block = re.search(r'<script type="application/json" id="contents">(.*?)</script>', page, re.DOTALL)
    assert block is not None
    assert block[1].isascii()
    assert not set("<>&") & set(block[1])
    assert "onerror" not in page.replace(block[1], "")
    assert "onerror" in json.dumps(json.loads(block[1]))
    assert len(re.findall(r"<script", page)) == len(re.findall(r"</script", page)) == 3


def test_data_comes_back_from_the_block_as_it_went_in():
    value = {"a": [HOSTILE, "\ud800", "é\u2028", 1.5, None, True]}
    assert json.loads(as_json_block(value)) == value


def test_the_page_names_no_other_file_and_no_place_on_the_network(page):
    outside = re.sub(r'<script type="application/json".*?</script>', "", page, flags=re.DOTALL)
    assert not re.findall(
        r"""(?:src|href)\s*=\s*["'](?!data:|#)""", re.sub(r"<script>.*?</script>", "", outside, flags=re.DOTALL)
    )
    assert set(re.findall(r"https?://[^\s\"'`]+", outside)) == {"http://www.w3.org/2000/svg"}
    assert "sourceMappingURL" not in page
    assert "@import" not in page
    assert "url(" not in page


def test_no_script_of_ours_makes_markup_or_code_of_text():
    scripts = {path.name: path.read_text() for path in STATIC.iterdir() if path.name.endswith(".js")}
    vendored = {path.name: path.read_text() for path in (STATIC / "vendor").iterdir() if path.name.endswith(".js")}
    assert "page.js" in scripts
    for name, text in {**scripts, **vendored}.items():
        found = re.findall(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function|DOMParser|\.style\b|srcdoc", text
        )
        assert not found, name


def test_every_script_is_in_the_page(page):
    for path in STATIC.iterdir():
        if path.name.endswith((".js", ".css")):
            assert path.read_text() in page, path.name


def test_the_vendored_library_is_what_its_note_says_and_comes_with_its_licence(page):
    note = (STATIC / "vendor" / "README.md").read_text()
    assert hashlib.sha256((STATIC / "vendor" / "dagre.min.js").read_bytes()).hexdigest() in note
    assert (STATIC / "vendor" / "dagre.LICENSE.txt").read_text() in page
