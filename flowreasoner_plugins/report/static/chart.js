// The chart of scores: the mean of each round as a line, each run as a dot.

/** Returns the chart of a design's scores by round. */
function score_chart(design) {
  const { rounds } = design;
  const width = NARROW.matches ? 330 : 520;
  const height = 210;
  const plot = { left: 34, right: width - 14, top: 22, bottom: height - 30 };
  const step = (plot.right - plot.left) / rounds.length;
  const x = (index) => plot.left + step * (index + 0.5);
  const y = (value) => plot.bottom - value * (plot.bottom - plot.top);
  const svg = draw("svg", { class: "chart", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": told(design) });
  for (const value of [0, 0.25, 0.5, 0.75, 1]) {
    svg.append(draw("line", { class: "grid", x1: plot.left, x2: plot.right, y1: y(value), y2: y(value) }));
    if (value % 0.5 === 0) svg.append(draw("text", { class: "axis", x: plot.left - 7, y: y(value) + 4, "text-anchor": "end" }, score(value).replace(/0$/, "")));
  }
  if (rounds.length > 1) svg.append(draw("polyline", { class: "mean", points: rounds.map((round, index) => `${x(index)},${y(round.score)}`).join(" ") }));
  const every = Math.ceil(rounds.length / (width / 34));
  rounds.forEach((round, index) => {
    svg.append(...round_marks(round, x(index), y, Math.min(7, step / 6)));
    if (index % every === 0) svg.append(draw("text", { class: "axis", x: x(index), y: height - 10, "text-anchor": "middle" }, round.number));
    if (round.number === design.best_round) {
      svg.append(draw("circle", { class: "ring", cx: x(index), cy: y(round.score), r: 9 }));
      svg.append(draw("text", { class: "best", x: x(index), y: y(round.score) - 13, "text-anchor": "middle" }, "best"));
    }
  });
  return make(
    "figure",
    { class: "score-chart" },
    make("figcaption", {}, make("strong", {}, "Score by round"), " on the feedback tests; line: mean, dots: single runs"),
    make("div", { class: "scroll" }, svg),
  );
}

function round_marks(round, x, y, gap) {
  if (!round.evaluations.length) {
    const at = y(0);
    return [draw("path", { class: "refused", d: `M${x - 5},${at - 5} L${x + 5},${at + 5} M${x - 5},${at + 5} L${x + 5},${at - 5}` })];
  }
  const middle = (round.evaluations.length - 1) / 2;
  const dots = round.evaluations.map((run, index) => draw("circle", { class: "dot", cx: x + (index - middle) * gap, cy: y(run.score), r: 3 }));
  return [...dots, draw("circle", { class: "point", cx: x, cy: y(round.score), r: 4.5 })];
}

/** Returns the chart in words. */
function told(design) {
  const rounds = design.rounds.map((round) => {
    const runs = round.evaluations.map((run) => score(run.score)).join(", ");
    return `round ${round.number}: ${runs ? `${score(round.score)} (${runs})` : "refused"}`;
  });
  return `Score by round. ${rounds.join("; ")}.`;
}
