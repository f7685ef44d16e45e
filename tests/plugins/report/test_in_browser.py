"""The page in a real browser: what is seen, what keys and clicks do, and that nothing foreign runs."""

import json

import pytest
from reports import HOSTILE, a_bench, a_result, a_round, browser, keep

from flowreasoner.operators import BUILTIN
from flowreasoner_plugins.report.contents import contents
from flowreasoner_plugins.report.page import render

LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """A page with a design of three rounds and a bench; every text in it that models write is hostile."""
    folder = tmp_path_factory.mktemp("browser")
    refused = {"code": "c", "severity": "error", "line": 2, "column": 1, "message": HOSTILE, "remedy": HOSTILE}
    rounds = [a_round(1, HOSTILE), a_round(2, HOSTILE, graph="class Workflow(:\n" + HOSTILE), a_round(3, HOSTILE)]
    rounds[1]["feedback"] = {"score": 0.0, "evaluations": [], "diagnostics": [refused], "dropped": []}
    rounds[2]["feedback"]["evaluations"] *= 3
    run = keep(
        folder / "s.sqlite", *rounds, title=HOSTILE, result=a_result(HOSTILE, leaky=True, simulated_models=["worker"])
    )
    bench = a_bench(folder / "bench", 3, HOSTILE)
    cell = {"benchmark": HOSTILE, "worker": "ollama:small", "simulated": [], "queries": 3, "attempts": 1, "not_run": {}}
    share = {"value": 0.5, "low": 0.2, "high": 0.8}
    per = dict.fromkeys(("rounds", "calls", "model_calls", "meta_tokens", "usd", "seconds"), 1.0)
    cell["designers"] = {
        name: {
            **dict.fromkeys(("pass@1", "hidden", "feedback"), share),
            **dict.fromkeys(("misled", "without_answer", "leaky", "unpriced_calls"), 0),
            "per_query": per | {"worker_tokens": tokens},
        }
        for name, tokens in (("vanilla", 100.0), ("cot", 2000.0))
    }
    cell["pairs"] = [{"first": "vanilla", "second": "cot", **share, "p": 0.5, "only_first": 1, "only_second": 0}]
    (bench / "summary.json").write_text(json.dumps({"command": HOSTILE, "cells": [cell]}))
    file = folder / "report.html"
    file.write_text(render(contents([run, str(bench)], folder / "s.sqlite", BUILTIN)), encoding="utf-8")
    return file


@pytest.fixture
def opened(chromium, page_file):
    """Opens the page; whatever happens in the test, it has to stay quiet and alone."""
    contexts, said, asked = [], [], []

    def open_page(address="", **settings):
        context = chromium.new_context(**{"viewport": LAPTOP, **settings})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{page_file.as_uri()}{address}")
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            assert page.evaluate("window.ran") is None
        context.close()
    assert said == []
    assert {url.partition("#")[0] for url in asked} - {"data:,"} == {page_file.as_uri()}


def visible_tab(page):
    return page.locator(".rounds > [role=tablist] > [aria-selected=true]").inner_text().split("\n")[0]


def test_the_workflow_is_drawn_with_the_calls_that_ran(opened):
    page = opened()
    boxes = page.locator(".rounds > .panel:not([hidden]) svg.graph .node")
    assert boxes.count() == 2
    sizes = [boxes.nth(number).bounding_box() for number in range(2)]
    assert all(size["width"] > 80 and size["height"] > 40 for size in sizes)
    assert sizes[0]["x"] + sizes[0]["width"] < sizes[1]["x"]
    assert "1 call, 0.3 s, 120 tokens" in boxes.nth(0).text_content()
    assert "1 failed" in boxes.nth(1).text_content()
    assert page.locator(".graph .edge").first.bounding_box()["width"] > 10
    boxes.nth(1).focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent").count("review_1") == 1
    assert page.locator(".calls details[open]").count() == 1


def test_rounds_are_chosen_by_click_and_by_arrow_keys(opened):
    page = opened()
    assert visible_tab(page) == "Round 1"
    page.get_by_role("tab", name="Round 3").click()
    assert visible_tab(page) == "Round 3"
    assert page.locator(".rounds > .panel:not([hidden])").count() == 1
    assert page.locator(".rounds > .panel:not([hidden]) .runs [role=tab]").count() == 3
    seen = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "Home"):
        page.keyboard.press(key)
        seen.append(visible_tab(page))
        assert page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"
    assert seen == ["Round 1", "Round 2", "Round 1", "Round 3", "Round 1"]
    page.keyboard.press("ArrowRight")
    panel = page.locator(".rounds > .panel:not([hidden])")
    assert "refused before it ran" in panel.inner_text()
    assert panel.locator(".line.marked").count() == 1


def test_what_must_not_be_overlooked_is_said_above_everything(opened):
    text = opened().locator(".marks").inner_text()
    assert "SIMULATION: worker simulated" in text
    assert "LEAKY" in text


def test_on_paper_every_round_is_shown(opened, tmp_path):
    page = opened()
    assert page.pdf(path=tmp_path / "x.pdf").startswith(b"%PDF")
    page.emulate_media(media="print")
    panels = page.locator(".rounds > .panel")
    assert [panels.nth(number).locator("h3.on-paper").inner_text() for number in range(3)] == [
        "Round 1",
        "Round 2",
        "Round 3",
    ]
    assert not page.locator(".rounds > [role=tablist]").is_visible()


WANTED = """() => {
  const kinds = "a[href], summary, [role=tab][tabindex='0'], .node[tabindex], pre, .scroll[tabindex]";
  window.wanted = [...document.querySelectorAll(kinds)].filter((own) => own.checkVisibility());
  return window.wanted.length;
}"""
FOCUSED = """() => {
  const own = document.activeElement;
  const box = own.matches(".node") && own.querySelector("rect:last-of-type");
  return [window.wanted.indexOf(own), box ? getComputedStyle(box).strokeWidth : getComputedStyle(own).outlineStyle];
}"""


def test_everything_can_be_reached_with_the_keyboard_and_shows_where_it_is(opened):
    page = opened()
    wanted = page.evaluate(WANTED)
    reached = set()
    for _ in range(wanted):
        page.keyboard.press("Tab")
        at, marked = page.evaluate(FOCUSED)
        reached.add(at)
        assert marked in {"solid", "3px"}
    assert reached == set(range(wanted))


def test_attempts_are_filtered_and_sorted(opened):
    page = opened("#view-1")
    rows, status = page.locator(".attempts tbody tr"), page.get_by_role("status")
    assert (rows.count(), status.inner_text()) == (6, "6 of 6 attempts")
    page.locator("select[name=designer]").select_option("cot")
    assert set(page.locator(".attempts .tag").all_inner_texts()) == {"failed"}
    page.locator("select[name=outcome]").select_option("passed")
    assert (rows.count(), status.inner_text()) == (0, "0 of 6 attempts")
    page.locator("select[name=outcome]").select_option("")
    page.locator("input[name=text]").fill("Q/2")
    assert rows.count() == 1
    page.locator("input[name=text]").fill("")
    page.get_by_role("button", name="tokens").click()
    column = page.locator(".attempts th", has_text="tokens")
    tokens = page.locator(".attempts tbody td:nth-child(8)")
    assert (column.get_attribute("aria-sort"), tokens.all_inner_texts()) == ("ascending", ["1,300", "1,400", "1,500"])
    page.get_by_role("button", name="tokens").press("Enter")
    assert (column.get_attribute("aria-sort"), tokens.all_inner_texts()) == ("descending", ["1,500", "1,400", "1,300"])


def test_an_attempt_leads_to_its_design_and_back_to_the_bench_as_it_was(opened):
    page = opened("#view-1")
    page.locator("select[name=designer]").select_option("cot")
    page.locator(".attempts a").nth(1).click()
    page.locator("h1", has_text="cot on q/1").wait_for()
    assert page.locator("svg.graph .node").count() == 2
    page.locator(".back a").click()
    page.locator(".attempts").wait_for()
    assert page.locator(".attempts tbody tr").count() == 3
    page.go_back()
    page.locator("h1", has_text="cot on q/1").wait_for()


def test_the_figures_of_a_bench_are_drawn(opened):
    page = opened("#view-1")
    assert page.locator(".plot .point").count() == 2
    assert page.locator(".plot .label").all_text_contents() == ["vanilla", "cot"]
    assert page.locator(".figures").first.locator("tbody tr").count() == 2


@pytest.mark.parametrize("address", ["#view-0", "#view-1"])
def test_nothing_foreign_runs_even_when_everything_is_opened(opened, address):
    page = opened(address)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.evaluate("for (const own of document.querySelectorAll('[role=tab]')) own.click()")
    for _ in range(2):  # what is opened may hold more to open
        page.evaluate("for (const own of document.querySelectorAll('details')) own.open = true")
        page.wait_for_function("[...document.querySelectorAll('details')].every((own) => own.childElementCount > 1)")
    assert page.locator("main img, main script, main iframe, main a[href^='javascript']").count() == 0
    assert set(page.evaluate("[...document.links].map((own) => own.getAttribute('href')[0])")) <= {"#"}
    assert "<img src=x onerror=" in page.locator("main").inner_text()


TRESPASS = """async () => {
  const refused = [];
  addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
  const attempts = [
    () => (document.querySelector("main").innerHTML = "<b>x</b>"),
    () => document.body.append(Object.assign(document.createElement("script"), { text: "window.ran = 9" })),
    () => fetch("http://example.invalid/"),
    () => new Promise((_, failed) => Object.assign(new Image(), { onerror: failed, src: "http://example.invalid/" })),
  ];
  let stopped = 0;
  for (const attempt of attempts) {
    try { await attempt(); } catch { stopped++; }
  }
  return [stopped, refused.toSorted()];
}"""


def test_the_policy_is_in_force(chromium, page_file):
    """What got into the page all the same could neither run nor load: the browser itself refuses it."""
    page = chromium.new_page()
    page.goto(page_file.as_uri())
    stopped, refused = page.evaluate(TRESPASS)
    assert stopped == 4
    assert refused == ["connect-src", "img-src", *["require-trusted-types-for"] * 2]
    assert page.evaluate("window.ran") is None
    page.close()


@pytest.mark.parametrize("address", ["#view-0", "#view-1"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_the_screen(opened, address, scheme):
    page = opened(address, viewport=PHONE, color_scheme=scheme)
    for number in range(page.locator(".rounds > [role=tablist] > [role=tab]").count() or 1):
        if address == "#view-0":
            page.locator(".rounds > [role=tablist] > [role=tab]").nth(number).click()
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


CONTRASTS = """() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const linear = (own) => (own <= 0.03928 ? own / 12.92 : ((own + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = numbers(color).slice(0, 3).map((own) => linear(own / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const box = element.closest("g.node, g.end")?.querySelector("rect:last-of-type");
    if (box) return getComputedStyle(box).fill;
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((numbers(color)[3] ?? 1) > 0) return color;
    }
  };
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("script, option, title")) continue;
    const style = getComputedStyle(element);
    const [one, other] = [light(element.closest("svg") ? style.fill : style.color), light(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const name = `${element.tagName}.${element.getAttribute("class")}`;
    found[name] = Math.min(found[name] ?? 99, ratio);
  }
  return found;
}"""


@pytest.mark.parametrize("address", ["#view-0", "#view-1"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(opened, address, scheme):
    page = opened(address, color_scheme=scheme)
    page.evaluate("for (const own of document.querySelectorAll('.sources [role=tab]')) own.click()")
    found = page.evaluate(CONTRASTS)
    assert len(found) > 10
    assert {name: ratio for name, ratio in found.items() if ratio < 4.5} == {}
