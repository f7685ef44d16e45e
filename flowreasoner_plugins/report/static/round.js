// One round of a design: what the meta-agent did, what its workflow did, and what the tests said.

/** Returns a round as a list of sections. */
function round_view(round) {
  const workflow = CONTENTS.workflows[round.workflow];
  return [
    round_head(round),
    remarks(round, workflow),
    section(3, "Workflow", runs(round, workflow)),
    round.evaluations.some((run) => run.tests.length || run.note) ? section(3, "Tests", test_table(round), notes(round)) : "",
    section(3, "Source", sources(round, workflow)),
    round.turns.length ? disclosure(`Messages of the meta-agent and the checker (${round.turns.length})`, () => round.turns.map(([role, text]) => make("div", { class: "turn" }, make("h4", {}, role), plain(text)))) : "",
  ];
}

function round_head(round) {
  const { evaluations: all } = round;
  const single = all.length > 1 ? ` mean of ${all.length} runs` : all.length ? " in one run" : "";
  return make(
    "div",
    { class: "round-head" },
    make("p", { class: "figure" }, make("b", {}, score(round.score)), all.length ? make("span", {}, single) : tag("bad", "refused before it ran")),
    make(
      "div",
      { class: "words" },
      round.modification ? make("p", { class: "modification" }, round.modification) : "",
      round.reasoning ? disclosure("Reasoning of the meta-agent", () => make("p", { class: "prose" }, round.reasoning), round.reasoning.length < 280) : "",
      make("p", { class: "quiet-text" }, round.designing.asked ? `Designing it: ${spent(round.designing)}. ` : "", `The whole round: ${spent(round.cost)}.`),
    ),
  );
}

/** Returns what the checker and the sandbox had to say. */
function remarks(round, workflow) {
  const items = [
    ...round.diagnostics.map((own) => make("li", {}, tag(own.severity === "error" ? "bad" : "warn", own.severity), own.line ? ` line ${own.line}: ` : " ", own.message, " ", make("code", {}, own.code), `; ${own.remedy}`)),
    ...workflow.repairs.map((text) => make("li", {}, tag("quiet", "repaired"), " ", text)),
    ...round.dropped.map((text) => make("li", {}, tag("warn", "run left out"), " ", text)),
  ];
  return items.length ? section(3, "The checker", make("ul", { class: "remarks" }, items)) : "";
}

function runs(round, workflow) {
  if (!round.evaluations.length) {
    return workflow.drawing ? graph(workflow.drawing, null, () => {}) : make("p", {}, workflow.undrawn);
  }
  const items = round.evaluations.map((run, index) => ({
    label: [`Run ${index + 1}`, " ", tag(run.score >= 1 ? "good" : run.error ? "bad" : "warn", run.error ? "failed" : score(run.score))],
    panel: () => run_view(run, workflow),
  }));
  return tabs("Runs of this workflow", items, { kind: "runs" });
}

function run_view(run, workflow) {
  const { element, choose } = call_list(run.calls);
  const hint = "A box is a place in the source that calls an operator; its seconds and tokens are the sum of its calls. Dashed lines: a test or an error decides.";
  return [
    run.error ? make("p", { class: "bad-text" }, run.error) : "",
    workflow.drawing ? [graph(workflow.drawing, run.calls, choose), make("p", { class: "hint" }, hint)] : make("p", {}, workflow.undrawn),
    run.calls.length ? element : make("p", {}, "No operator was called."),
    make("p", { class: "quiet-text" }, `The whole run: ${clock(run.seconds)}, ${spent(run.cost)}.`),
    run.answer === null ? "" : disclosure("Answer of this run", () => answer_of(run.answer)),
    run.log.length ? disclosure(`Log (${plural(run.log.length, "line")})`, () => plain(run.log.join("\n"))) : "",
  ];
}

/** Returns a table of tests by runs, what failed first. */
function test_table(round) {
  const rows = new Map();
  round.evaluations.forEach((run, index) => {
    for (const test of run.tests) {
      if (!rows.has(test.id)) rows.set(test.id, { test, results: [] });
      rows.get(test.id).results[index] = test;
    }
  });
  if (!rows.size) return "";
  const failures = ({ results }) => results.filter((test) => test && test.outcome !== "pass").length;
  const ordered = [...rows.values()].sort((one, other) => failures(other) - failures(one));
  const head = ["test", ...round.evaluations.map((_, index) => `run ${index + 1}`)];
  return make(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "Tests" },
    make(
      "table",
      { class: "tests" },
      make("thead", {}, make("tr", {}, head.map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, ordered.map((row) => test_row(row, round.evaluations.length))),
    ),
  );
}

function test_row({ test, results }, count_of_runs) {
  const details = [...new Set(results.filter((own) => own?.detail).map((own) => own.detail))];
  const cell = (own) => make("td", {}, own ? tag(own.outcome === "pass" ? "good" : "bad", own.outcome.replace("_", " ")) : tag("quiet", "no answer"));
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, make("code", {}, test.source || test.id), details.map((text) => make("p", { class: "detail" }, text))),
    Array.from({ length: count_of_runs }, (_, index) => cell(results[index])),
  );
}

function notes(round) {
  const told_once = [...new Set(round.evaluations.map((run) => run.note).filter(Boolean))];
  return told_once.map((text) => make("p", {}, text));
}

function sources(round, workflow) {
  const marked = new Set(round.diagnostics.map((own) => own.line));
  const items = [{ label: ["Workflow"], panel: () => (workflow.source ? source(workflow.source, marked) : make("p", {}, "There is none.")) }];
  if (round.changes) items.push({ label: [`Changes since round ${round.since}`], panel: () => difference(round.changes) });
  if (workflow.prompts === null ? workflow.prompt : Object.keys(workflow.prompts).length) items.push({ label: ["Prompts"], panel: () => prompts(workflow) });
  if (round.prompt_changes) items.push({ label: ["Changes of the prompts"], panel: () => difference(round.prompt_changes) });
  return tabs("Source of the workflow", items, { kind: "sources" });
}

function prompts(workflow) {
  if (workflow.prompts === null) return source(workflow.prompt);
  return Object.entries(workflow.prompts).map(([name, text]) => make("div", { class: "value" }, make("h4", {}, make("code", {}, name)), plain(text)));
}
