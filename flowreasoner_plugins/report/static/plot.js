// The plot of a bench: how many queries a designer solves, against what it costs, on a log scale.

/** Returns the plot of one cell, or a sentence where nothing has a cost. */
function cost_plot(cell) {
  const dollars = cell.points.every((point) => point.usd > 0);
  const points = cell.points.map((point) => ({ ...point, cost: dollars ? point.usd : point.tokens })).filter((point) => point.cost > 0);
  const what = dollars ? "US dollars" : "tokens";
  if (!points.length) return make("p", {}, "There is no cost to draw the designers against.");
  const width = NARROW.matches ? 340 : 900;
  const height = NARROW.matches ? 300 : 360;
  const plot = { left: 46, right: width - 20, top: 14, bottom: height - 44 };
  const logs = points.map((point) => Math.log10(point.cost));
  const room = Math.max(0.15, 0.12 * (Math.max(...logs) - Math.min(...logs)));
  const [low, high] = [Math.min(...logs) - room, Math.max(...logs) + room];
  const x = (cost) => plot.left + ((Math.log10(cost) - low) / (high - low)) * (plot.right - plot.left);
  const y = (share) => plot.bottom - share * (plot.bottom - plot.top);
  const svg = draw("svg", { class: "chart plot", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": plot_told(points, what) });
  for (const share of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
    svg.append(draw("line", { class: "grid", x1: plot.left, x2: plot.right, y1: y(share), y2: y(share) }), draw("text", { class: "axis", x: plot.left - 8, y: y(share) + 4, "text-anchor": "end" }, `${Math.round(100 * share)} %`));
  }
  for (const value of ticks(low, high)) {
    svg.append(draw("line", { class: "grid", x1: x(value), x2: x(value), y1: plot.top, y2: plot.bottom }), draw("text", { class: "axis", x: x(value), y: plot.bottom + 17, "text-anchor": "middle" }, value >= 1 ? count(value) : String(value)));
  }
  svg.append(draw("text", { class: "axis", x: (plot.left + plot.right) / 2, y: height - 6, "text-anchor": "middle" }, `${what} per query, log scale`));
  for (const point of points) svg.append(...point_marks(point, x(point.cost), y));
  svg.append(...labels(points, x, y, plot));
  return make("figure", { class: "cost-plot" }, make("figcaption", {}, make("strong", {}, "pass@1"), " on the hidden tests against cost; bars: 95 % intervals"), make("div", { class: "scroll" }, svg));
}

function point_marks(point, x, y) {
  const { value, low, high } = point.share;
  const kind = point.leaky ? " leaky" : "";
  const bar = low === null || high === null ? [] : [draw("path", { class: `interval${kind}`, d: `M${x},${y(low)} V${y(high)} M${x - 4},${y(low)} h8 M${x - 4},${y(high)} h8` })];
  return [...bar, draw("circle", { class: `point${kind}`, cx: x, cy: y(value), r: 5 })];
}

/** Returns the round numbers of a log scale. */
function ticks(low, high) {
  const found = [];
  for (let power = Math.floor(low); power <= high; power++) {
    for (const digit of [1, 2, 5]) {
      const value = Number((digit * 10 ** power).toPrecision(1));
      if (Math.log10(value) >= low && Math.log10(value) <= high) found.push(value);
    }
  }
  return found;
}

/** Returns the designers' names beside their points, each where it hides least of points, intervals and other names. */
function labels(points, x, y, plot) {
  const box = (left, top, width, height, weight) => ({ left, top, width, height, weight });
  const taken = points.flatMap((point) => {
    const at = { x: x(point.cost), y: y(point.share.value), low: y(point.share.low ?? 0), high: y(point.share.high ?? 0) };
    return [box(at.x - 6, at.y - 6, 12, 12, 20), box(at.x - 4, at.high, 8, at.low - at.high, 3)];
  });
  const shared = (one, other) =>
    Math.max(0, Math.min(one.left + one.width, other.left + other.width) - Math.max(one.left, other.left)) *
    Math.max(0, Math.min(one.top + one.height, other.top + other.height) - Math.max(one.top, other.top));
  return points.flatMap((point) => {
    const text = point.leaky ? `${point.designer} (leaky)` : point.designer;
    const width = measure(text, "13px system-ui, sans-serif");
    const places = [0, -15, 15, -30, 30, -45, 45, -60, 60, -75, 75].flatMap((down) =>
      [x(point.cost) + 10, x(point.cost) - 10 - width].map((left) => ({ ...box(left, y(point.share.value) - 8 + down, width, 16, 30), far: Math.abs(down) })),
    );
    const fits = places.filter((own) => own.left > plot.left && own.left + own.width < plot.right + 18 && own.top > 0 && own.top + 16 < plot.bottom);
    const hides = (own) => taken.reduce((sum, other) => sum + other.weight * shared(own, other), own.far);
    const best = (fits.length ? fits : places).reduce((one, other) => (hides(other) < hides(one) ? other : one));
    taken.push(best);
    const named = draw("text", { class: point.leaky ? "label leaky" : "label", x: best.left, y: best.top + 12 }, text);
    if (best.far < 20) return [named];
    const end = { x2: best.left < x(point.cost) ? best.left + width + 2 : best.left - 2, y2: best.top + 8 };
    return [draw("line", { class: "leader", x1: x(point.cost), y1: y(point.share.value), ...end }), named];
  });
}

function plot_told(points, what) {
  const each = points.map((point) => `${point.designer}: ${(100 * point.share.value).toFixed(1)} % at ${point.cost >= 1 ? count(point.cost) : point.cost.toPrecision(2)} ${what}`);
  return `pass@1 against cost. ${each.join("; ")}.`;
}
