// Draws a workflow: dagre finds places, this makes the picture. Boxes are the calls' places in the source.

const BOX = { padding: 12, line: 17, top: 22 };
const measure = (() => {
  const context = document.createElement("canvas").getContext("2d");
  return (text, font) => {
    context.font = font;
    return context.measureText(text).width;
  };
})();

/** Returns what a run did at a place: how often, how long, how much. */
function done_at(calls, name) {
  const own = calls.filter((call) => call.site === name);
  const total = (of) => own.reduce((sum, call) => sum + of(call), 0);
  return {
    calls: own.length,
    seconds: total((call) => (call.end === null || call.start === null ? 0 : call.end - call.start)),
    tokens: total((call) => call.cost.tokens),
    usd: total((call) => call.cost.usd),
    unpriced: total((call) => call.cost.unpriced),
    cached: total((call) => call.cost.cached),
    failed: own.filter((call) => call.status === "failed").length,
    cancelled: own.filter((call) => call.status === "cancelled").length,
  };
}

/** Returns the lines of text in a box: the operator, the place, and what happened there. */
function box_lines(node, did, ran) {
  const lines = [
    { text: node.operator, class: "operator", font: "600 14px system-ui, sans-serif" },
    { text: `${node.name}, line ${node.line}`, class: "place", font: "12px system-ui, sans-serif" },
  ];
  const say = (text, kind = "did") => lines.push({ text, class: kind, font: "12px system-ui, sans-serif" });
  if (!ran) return lines;
  if (!did.calls) {
    say("not called in this run");
    return lines;
  }
  say(`${plural(did.calls, "call")}, ${clock(did.seconds)}, ${count(did.tokens)} tokens`);
  const more = [];
  if (did.usd || did.unpriced) more.push(price(did.usd, did.unpriced));
  if (did.cached) more.push(`${count(did.cached)} cached`);
  if (did.cancelled) more.push(`${count(did.cancelled)} cancelled`);
  if (more.length) say(more.join(", "));
  if (did.failed) say(`${count(did.failed)} failed`, "failed");
  return lines;
}

/**
 * Returns the picture of a workflow.
 *
 * drawing: nodes and edges; calls: those of one run, or null where there was none; choose: called with a place's name.
 */
function graph(drawing, calls, choose) {
  const layout = new dagre.graphlib.Graph({ multigraph: true });
  layout.setGraph({ rankdir: NARROW.matches ? "TB" : "LR", nodesep: 26, ranksep: 30, marginx: 10, marginy: 10 });
  const boxes = new Map();
  for (const node of drawing.nodes) {
    const did = done_at(calls ?? [], node.name);
    const lines = box_lines(node, did, calls !== null);
    const width = Math.max(...lines.map((line) => measure(line.text, line.font))) + 2 * BOX.padding;
    boxes.set(node.name, { node, did, lines });
    layout.setNode(node.name, { width, height: BOX.top + BOX.line * (lines.length - 1) + 12 });
  }
  for (const [name, text] of [["(start)", "query"], ["(answer)", "answer"]]) {
    boxes.set(name, { text });
    layout.setNode(name, { width: measure(text, "13px system-ui, sans-serif") + 2 * BOX.padding, height: 30 });
  }
  drawing.edges.forEach((edge, index) => layout.setEdge(edge.from, edge.to, { kind: edge.kind }, String(index)));
  dagre.layout(layout);
  return picture(layout, boxes, choose);
}

function picture(layout, boxes, choose) {
  const { width, height } = layout.graph();
  const svg = draw("svg", { width: Math.ceil(width), height: Math.ceil(height), viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`, class: "graph", role: "group", "aria-label": "The workflow as a graph" });
  const idle = (name) => boxes.get(name).did?.calls === 0;
  for (const edge of layout.edges()) {
    const { points, kind } = layout.edge(edge);
    const quiet = idle(edge.v) || idle(edge.w);
    const loop = edge.v === edge.w ? around(layout.node(edge.v)) : null;
    svg.append(draw("path", { d: loop?.path ?? curve(points), class: `edge ${kind}${quiet ? " idle" : ""}` }), arrow(loop?.end ?? points, quiet));
  }
  for (const name of layout.nodes()) svg.append(box(layout.node(name), boxes.get(name), choose));
  return make("div", { class: "scroll graph-frame", tabindex: 0, role: "region", "aria-label": "Graph of the workflow" }, svg);
}

/** Returns a line from a box back to it, on the side where dagre leaves room, and the points that its arrow follows. */
function around({ x, y, width, height }) {
  if (NARROW.matches) {
    const right = x + width / 2;
    return { path: `M${right},${y - 13} C${right + 34},${y - 13} ${right + 34},${y + 13} ${right},${y + 13}`, end: [{ x: right + 9, y: y + 13 }, { x: right, y: y + 13 }] };
  }
  const bottom = y + height / 2;
  return { path: `M${x + 22},${bottom} C${x + 22},${bottom + 32} ${x - 22},${bottom + 32} ${x - 22},${bottom}`, end: [{ x: x - 22, y: bottom + 9 }, { x: x - 22, y: bottom }] };
}

/** Returns a smooth line through points. */
function curve(points) {
  const [first, ...rest] = points;
  let path = `M${first.x},${first.y}`;
  rest.slice(0, -1).forEach((point, index) => {
    const next = rest[index + 1];
    const last = index === rest.length - 2;
    const end = last ? next : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    path += ` Q${point.x},${point.y} ${end.x},${end.y}`;
  });
  return rest.length === 1 ? `${path} L${rest[0].x},${rest[0].y}` : path;
}

function arrow(points, quiet) {
  const [from, to] = points.slice(-2);
  const angle = (Math.atan2(to.y - from.y, to.x - from.x) * 180) / Math.PI;
  return draw("path", { d: "M0,0 L-9,-4 L-9,4 Z", class: quiet ? "arrow idle" : "arrow", transform: `translate(${to.x},${to.y}) rotate(${angle})` });
}

function box(place, { node, did, lines, text }, choose) {
  const { x, y, width, height } = place;
  const at = { x: x - width / 2, y: y - height / 2, width, height };
  if (text) {
    return draw("g", { class: "end" }, draw("rect", { ...at, rx: height / 2 }), draw("text", { x, y: y + 4.5, "text-anchor": "middle" }, text));
  }
  const called = did.calls > 0;
  const kind = `node${node.beside ? " beside" : ""}${lines.length > 2 && !called ? " idle" : ""}${did.failed ? " broken" : ""}`;
  const beside = node.beside ? ", calls of it may run at the same time" : "";
  const group = draw("g", { class: kind, "aria-label": lines.map((line) => line.text).join(", ") + beside });
  if (node.beside) group.append(draw("rect", { ...at, x: at.x + 5, y: at.y + 5, rx: 7, class: "behind" }));
  group.append(draw("rect", { ...at, rx: 7 }));
  lines.forEach((line, index) => group.append(draw("text", { x: at.x + BOX.padding, y: at.y + BOX.top + BOX.line * index, class: line.class }, line.text)));
  if (called) {
    for (const [name, value] of [["role", "button"], ["tabindex", 0]]) group.setAttribute(name, value);
    group.addEventListener("click", () => choose(node.name));
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose(node.name);
    });
  }
  return group;
}
