// A design: what was asked, what came of it, and every round.

const STOPPED = { perfect: "a perfect round", rounds: "all rounds were made", budget: "the budget ended" };
const chosen_rounds = new Map();

/** Returns a design; `key` remembers which round was looked at. */
function design_view(design, key, back) {
  const several = design.rounds.length > 1 || design.rounds[0]?.evaluations.length > 1;
  return make(
    "article",
    { class: "design" },
    back,
    make("p", { class: "kicker" }, `Run ${design.run}, begun ${design.began}`),
    make("h1", {}, design.title || design.query || design.run),
    marks(design),
    unfinished(design),
    make("div", { class: "overview" }, make("div", {}, verdict(design), design_facts(design)), several ? score_chart(design) : ""),
    make(
      "div",
      { class: "columns" },
      design.problem ? section(2, "Problem", make("p", { class: "hint" }, "As the first operator call had it."), plain(design.problem)) : "",
      design.answer ? section(2, "Answer", make("p", { class: "hint" }, `The best answer of round ${design.best_round}.`), answer_of(design.answer)) : "",
    ),
    design.rounds.length ? section(2, "Rounds", round_tabs(design, key)) : make("p", {}, "No round was finished."),
  );
}

/** Returns the marks that must not be overlooked, and the status. */
function marks(design) {
  const simulated = design.simulated.map((role) => role.replace("_", "-")).join(" and ");
  const made = [];
  if (simulated) made.push(tag("warn loud", `SIMULATION: ${simulated} simulated; the figures say nothing of any model`));
  if (design.leaky) made.push(tag("bad loud", "LEAKY: the tests that score also steered, so that the score is too good"));
  if (design.status !== "finished") made.push(tag("bad", design.status));
  return made.length ? make("p", { class: "marks" }, made) : "";
}

function unfinished(design) {
  if (design.status === "finished") return "";
  const rounds = `${plural(design.rounds.length, "finished round")} ${design.rounds.length === 1 ? "is" : "are"} shown`;
  const why = { running: "This run has not ended: it is at work, or was killed", interrupted: "This run was interrupted", failed: "This run ended without an answer" }[design.status] ?? design.status;
  const on = design.resumable && design.status !== "failed" ? [" Go on with: ", make("code", {}, `flowreasoner solve --resume ${design.run}`)] : "";
  return make("p", { class: "notice" }, `${why}; ${rounds}.`, on, design.error ? make("span", { class: "bad-text" }, ` ${design.error}`) : "");
}

function verdict(design) {
  if (!design.ended) return "";
  const hidden = design.hidden_score !== null;
  const passed = hidden ? (design.hidden_passed ? "the answer passes all hidden tests" : `the answer passes ${Math.floor(100 * design.hidden_score)} % of the hidden tests`) : "on the feedback tests; there are no hidden ones";
  return make("p", { class: "verdict" }, make("b", { class: hidden ? (design.hidden_passed ? "good-text" : "bad-text") : "" }, score(design.score)), make("span", {}, passed));
}

function design_facts(design) {
  const { models, cost, sandbox } = design;
  return facts([
    ["benchmark", design.benchmark],
    ["query", design.query],
    ["designer", design.designer],
    ["meta-agent", models.meta_agent],
    ["worker", models.worker],
    ["feedback score", design.ended ? `${score(design.feedback_score)}, round ${design.best_round}` : ""],
    ["rounds", `${design.rounds.length}${design.stopped ? `; ${STOPPED[design.stopped] ?? design.stopped}` : ""}`],
    ["tests", design.tests],
    ["seed", design.seed],
    ["sandbox", sandbox ? `${sandbox.tier}${sandbox.isolated ? "" : ", which does not isolate"}` : ""],
    ["cost", `${price(cost.usd, cost.unpriced)}${cost.cached_usd ? `, of which the cache saved ${money(cost.cached_usd)}` : ""}`],
    ["model calls", `${count(cost.asked)}${cost.cached ? `, ${count(cost.cached)} from the cache` : ""}`],
    ["operator calls", count(cost.calls)],
    ["tokens", count(cost.tokens)],
    ["time", design.seconds ? clock(design.seconds) : ""],
  ]);
}

function round_tabs(design, key) {
  const items = design.rounds.map((round) => ({
    label: [
      make("span", { class: "number" }, `Round ${round.number}`),
      make("span", { class: "score" }, round.evaluations.length ? score(round.score) : "refused", round.number === design.best_round ? " best" : ""),
    ],
    panel: () => [make("h3", { class: "on-paper" }, `Round ${round.number}`), round_view(round)],
  }));
  const best = design.rounds.findIndex((round) => round.number === design.best_round);
  const selected = chosen_rounds.get(key) ?? Math.max(0, best);
  return tabs("Rounds", items, { selected, kind: "rounds", chosen: (index) => chosen_rounds.set(key, index) });
}
