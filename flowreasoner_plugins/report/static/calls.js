// The calls of one run, in the program's order, each with when it ran, what it cost, what it was given and gave.

/** Returns the list of calls, and a function that opens those at a place of the source. */
function call_list(calls) {
  const end = Math.max(1e-9, ...calls.map((call) => call.end ?? call.start ?? 0));
  const rows = calls.map((call) => ({ call, row: call_row(call, end) }));
  const head = make("div", { class: "call-head", "aria-hidden": "true" }, ["", "call", "when", "time", "tokens", "USD"].map((name) => make("span", {}, name)));
  const list = make("ol", { class: "calls" }, rows.map(({ row }) => make("li", {}, row)));
  const choose = (name) => {
    const chosen = rows.filter(({ call, row }) => (row.open = call.site === name));
    chosen[0].row.firstElementChild.focus();
    chosen[0].row.scrollIntoView({ block: "nearest" });
  };
  return { element: make("div", { class: "call-table" }, head, list), choose };
}

function call_row(call, end) {
  const ran = call.start !== null && call.end !== null;
  const marks = [];
  if (call.status !== "ok") marks.push(tag(call.status === "failed" ? "bad" : "quiet", call.status));
  if (call.cost.cached) marks.push(tag("quiet", "cached"));
  const summary = [
    make("span", { class: "path" }, call.path),
    make("span", { class: "name" }, make("b", {}, call.operator), " ", make("span", { class: "quiet-text" }, call.site), " ", ...marks),
    make("span", { class: "when" }, ran ? when(call, end) : ""),
    make("span", { class: "amount" }, ran ? clock(call.end - call.start) : ""),
    make("span", { class: "amount" }, count(call.cost.tokens), make("span", { class: "unit" }, " tokens")),
    make("span", { class: "amount" }, price(call.cost.usd, call.cost.unpriced)),
  ];
  return disclosure(summary, () => call_details(call));
}

/** Returns a bar from when a call began to when it ended, within its run. */
function when(call, end) {
  const from = (100 * call.start) / end;
  const long = Math.max(0.8, (100 * (call.end - call.start)) / end);
  const words = `${clock(call.start)} to ${clock(call.end)} after the run began`;
  return draw(
    "svg",
    { class: `bar ${call.status}`, viewBox: "0 0 100 8", preserveAspectRatio: "none", role: "img", "aria-label": words },
    draw("title", {}, words),
    draw("rect", { class: "whole", x: 0, y: 3, width: 100, height: 2 }),
    draw("rect", { x: Math.min(from, 99.2), y: 0, width: long, height: 8 }),
  );
}

function call_details(call) {
  const texts = (values) => Object.entries(values).map(([name, text]) => make("div", { class: "value" }, make("h5", {}, name), answer_of(text)));
  return make(
    "div",
    { class: "call-details" },
    call.error ? make("p", { class: "bad-text" }, call.error) : "",
    make("p", { class: "quiet-text" }, spent(call.cost)),
    make("div", { class: "columns" }, make("div", {}, make("h4", {}, "given"), texts(call.inputs)), make("div", {}, make("h4", {}, "gave"), texts(call.outputs))),
  );
}
