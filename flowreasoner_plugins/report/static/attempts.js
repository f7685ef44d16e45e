// The attempts of a bench: filtered, sorted, and linked with the designs behind them.

const MOST_ROWS = 200;

/** Returns the columns that a bench's attempts need. */
function columns_of(attempts) {
  const several = (name) => new Set(attempts.map((own) => own[name])).size > 1;
  const kinds = { passed: "good", failed: "bad", "no answer": "quiet" };
  const all = [
    { name: "query", value: (own) => own.query, cell: (own) => (own.design ? make("a", { href: design_link(own.design) }, own.query) : own.query) },
    { name: "benchmark", value: (own) => own.benchmark, needed: several("benchmark") },
    { name: "worker", value: (own) => own.worker, needed: several("worker") },
    { name: "designer", value: (own) => own.designer },
    { name: "fit", value: (own) => own.fit, needed: several("fit") },
    { name: "seed", value: (own) => own.seed, number: true, needed: several("seed") },
    { name: "outcome", value: (own) => own.outcome, cell: (own) => [tag(kinds[own.outcome], own.outcome), own.leaky ? [" ", tag("bad", "leaky")] : ""] },
    { name: "feedback", value: (own) => own.feedback, cell: (own) => score(own.feedback), number: true },
    { name: "hidden", value: (own) => own.hidden, cell: (own) => score(own.hidden), number: true },
    { name: "rounds", value: (own) => own.rounds, number: true },
    { name: "calls", value: (own) => own.asked, cell: (own) => count(own.asked), number: true },
    { name: "tokens", value: (own) => own.tokens, cell: (own) => count(own.tokens), number: true },
    { name: "USD", value: (own) => own.usd, cell: (own) => price(own.usd, own.unpriced), number: true },
    { name: "time", value: (own) => own.seconds, cell: (own) => clock(own.seconds), number: true },
  ];
  return all.filter((column) => column.needed ?? true);
}

const by_name = new Intl.Collator("en", { numeric: true });
const compare = (one, other) => (typeof one === "number" ? one - other : by_name.compare(one, other));

/** Returns the table of attempts with its filters; `state` keeps what was chosen. */
function attempt_table(bench, state) {
  const columns = columns_of(bench.attempts);
  const body = make("tbody");
  const said = make("p", { role: "status", class: "quiet-text" });
  const more = make("button", { type: "button", class: "more" }, "Show more");
  const heads = columns.map((column) => {
    const button = make("button", { type: "button" }, column.name);
    button.addEventListener("click", () => {
      state.descending = state.sort === column.name ? !state.descending : false;
      state.sort = column.name;
      show();
    });
    return make("th", { scope: "col", class: column.number ? "number" : "" }, button);
  });
  const show = () => {
    const found = bench.attempts.filter((own) => matches(own, state));
    const column = columns.find((own) => own.name === state.sort);
    if (column) found.sort((one, other) => (state.descending ? -1 : 1) * compare(column.value(one), column.value(other)));
    heads.forEach((head, index) => {
      if (columns[index].name === state.sort) head.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    body.replaceChildren(...found.slice(0, state.rows).map((own) => make("tr", {}, columns.map((own_column) => attempt_cell(own_column, own)))));
    said.textContent = `${count(found.length)} of ${plural(bench.attempts.length, "attempt")}${found.length > state.rows ? `, the first ${count(state.rows)} shown` : ""}`;
    more.hidden = found.length <= state.rows;
  };
  more.addEventListener("click", () => {
    state.rows += MOST_ROWS;
    show();
  });
  show();
  const table = make("table", { class: "attempts" }, make("thead", {}, make("tr", {}, heads)), body);
  const filters = attempt_filters(bench.attempts, state, () => {
    state.rows = MOST_ROWS;
    show();
  });
  return [filters, said, make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Attempts" }, table), more];
}

function attempt_cell(column, own) {
  return make("td", { class: column.number ? "number" : "" }, (column.cell ?? column.value)(own));
}

function matches(own, { text, chosen }) {
  if (Object.entries(chosen).some(([name, value]) => value && own[name] !== value)) return false;
  return !text || [own.query, own.designer, own.error, own.run].some((part) => part.toLowerCase().includes(text.toLowerCase()));
}

function attempt_filters(attempts, state, changed) {
  const made = ["designer", "outcome", "benchmark", "worker"].map((name) => {
    const values = [...new Set(attempts.map((own) => own[name]))];
    if (values.length < 2) return "";
    const select = make("select", { name }, make("option", { value: "" }, "all"), values.map((value) => make("option", { value, selected: state.chosen[name] === value }, value)));
    select.addEventListener("change", () => {
      state.chosen[name] = select.value;
      changed();
    });
    return make("label", {}, make("span", {}, name), select);
  });
  const search = make("input", { type: "search", name: "text", value: state.text, placeholder: "query, designer, error, run", autocomplete: "off", spellcheck: "false" });
  search.addEventListener("input", () => {
    state.text = search.value;
    changed();
  });
  return make("div", { class: "filters", role: "search", "aria-label": "Attempts" }, made, make("label", { class: "wide" }, make("span", {}, "text"), search));
}
