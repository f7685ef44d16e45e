// A bench: its tables and comparisons, the plot, and every attempt.

const NOTES =
  "pass@1: share of the answers that pass all hidden tests, the unbiased estimate. Misled: answers that pass the feedback tests and fail hidden ones; they count as wrong. Calls and tokens: of worker and meta-agent together. p: two-sided, by a sign-flip test over queries. Intervals: 95 %, by a bootstrap over queries.";
const attempt_states = new Map();

/** Returns a bench; `number` remembers what was filtered and sorted. */
function bench_view(bench, number) {
  if (!attempt_states.has(number)) attempt_states.set(number, { text: "", chosen: {}, sort: "", descending: false, rows: MOST_ROWS });
  const roles = bench.simulated.map((role) => role.replace("_", "-")).join(" and ");
  const made = [];
  if (roles) made.push(tag("warn loud", `SIMULATION: ${roles} simulated; the figures say nothing of any model`));
  if (bench.leaky) made.push(tag("bad loud", "LEAKY: tests that score also steered, so that figures are too good"));
  return make(
    "article",
    { class: "bench" },
    make("p", { class: "kicker" }, `Bench ${bench.folder}`),
    make("h1", {}, bench.title),
    made.length ? make("p", { class: "marks" }, made) : "",
    bench.notes.map((text) => make("p", { class: "notice" }, text)),
    bench.cells.map(cell_view),
    bench.cells.length ? make("p", { class: "hint" }, NOTES) : "",
    bench.command ? disclosure("Command", () => plain(bench.command)) : "",
    bench.attempts.length ? section(2, "Attempts", left_out(bench), attempt_table(bench, attempt_states.get(number))) : "",
  );
}

function cell_view(cell) {
  const told_above = /^(SIMULATION|LEAKY)/;
  return section(
    2,
    `${cell.benchmark}, worker ${cell.worker}`,
    cell.told.filter((text) => !told_above.test(text)).map((text) => make("p", {}, text)),
    figures("Designers", cell.results, new Set(cell.points.filter((point) => point.leaky).map((point) => point.designer))),
    cost_plot(cell),
    cell.fitting.rows.length ? disclosure("Fitting", () => figures("Fitting", cell.fitting, new Set())) : "",
    cell.pairs.rows.length ? disclosure(`Designers in pairs, on the same queries (${cell.pairs.rows.length})`, () => figures("Designers in pairs", cell.pairs, new Set()), cell.pairs.rows.length <= 6) : "",
  );
}

function figures(label, { head, rows }, leaky) {
  const kind = (index) => (index ? "number" : "");
  return make(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": label },
    make(
      "table",
      { class: "figures" },
      make("thead", {}, make("tr", {}, head.map((name, index) => make("th", { scope: "col", class: kind(index) }, name)))),
      make("tbody", {}, rows.map(([name, ...rest]) => make("tr", { class: leaky.has(name) ? "leaky" : "" }, make("th", { scope: "row" }, name), rest.map((text) => make("td", { class: "number" }, text))))),
    ),
  );
}

/** Returns how many designs are not in the page, and how to look at them. */
function left_out(bench) {
  const without = bench.attempts.filter((own) => !own.design).length;
  if (!without) return make("p", { class: "hint" }, "Each query leads to the single design, with its rounds.");
  return make(
    "p",
    { class: "notice" },
    `The designs of ${count(without)} of ${plural(bench.attempts.length, "attempt")} are left out of this page; those that failed are kept first. To look at one: `,
    make("code", {}, `flowreasoner report RUN --store ${bench.store}`),
  );
}
