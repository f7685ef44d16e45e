// What is shown when: the address after # names a view or a design.

const CONTENTS = JSON.parse(document.getElementById("contents").textContent);
const view_link = (number) => `#view-${number}`;
const design_link = (key) => `#design-${key}`;

/** Returns what a view is called in the navigation. */
function view_name(view) {
  if (view.kind === "bench") return `Bench ${view.title}`;
  const design = CONTENTS.designs[view.design];
  return design.title || design.run;
}

/** Returns the view and the design that an address names; null where it names none. */
function addressed(address) {
  const [, number] = /^#view-(\d+)$/.exec(address) ?? [];
  if (CONTENTS.views[number]) return { number: Number(number), design: CONTENTS.views[number].design ?? null };
  const [, key] = /^#design-([\w.-]+)$/.exec(address) ?? [];
  if (!key) return null;
  if (!Object.hasOwn(CONTENTS.designs, key)) return null;
  const own = CONTENTS.views.findIndex((view) => view.design === key);
  const bench = CONTENTS.views.findIndex((view) => view.attempts?.some((attempt) => attempt.design === key));
  return { number: Math.max(own, bench), design: key };
}

let shown_address = "";

function show() {
  if (location.hash !== shown_address && location.hash && !addressed(location.hash)) return; // a link within the view
  const at = addressed(location.hash) ?? addressed("#view-0");
  const first = shown_address === "";
  shown_address = location.hash || "#view-0";
  const view = CONTENTS.views[at.number];
  const back = view.kind === "bench" && at.design !== null ? make("p", { class: "back" }, make("a", { href: view_link(at.number) }, `Back to the bench ${view.title}`)) : "";
  const article = at.design === null ? bench_view(view, at.number) : design_view(CONTENTS.designs[at.design], at.design, back);
  const main = document.getElementById("main");
  main.replaceChildren(article);
  document.title = `${article.querySelector("h1").textContent} - FlowReasoner report`;
  navigation(at.number);
  if (first) return;
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
}

function navigation(current) {
  const links = CONTENTS.views.map((view, number) => make("li", {}, make("a", { href: view_link(number), "aria-current": number === current ? "page" : null }, view_name(view))));
  const nav = links.length > 1 ? make("nav", { "aria-label": "What this page holds", class: "scroll" }, make("ul", {}, links)) : "";
  document.getElementById("top").replaceChildren(make("p", { class: "brand" }, "FlowReasoner report"), nav);
}

document.getElementById("bottom").append(make("p", {}, `Written ${CONTENTS.written} by flowreasoner ${CONTENTS.version}. This file needs no network and no other file.`));
addEventListener("hashchange", show);
NARROW.addEventListener("change", () => {
  if (!matchMedia("print").matches) show(); // paper is narrow too, and what was made for it must stay
});
show();
