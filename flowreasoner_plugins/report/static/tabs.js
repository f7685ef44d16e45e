// Tabs after the ARIA pattern: arrow keys, Home and End choose; a panel is made when it is shown first.

let tab_count = 0;

/**
 * Returns tabs.
 *
 * label: what they are for; items: each with `label` (a list of children) and `panel` (a function that makes one).
 */
function tabs(label, items, { selected = 0, kind = "", chosen = () => {} } = {}) {
  const number = ++tab_count;
  const list = make("div", { role: "tablist", "aria-label": label, class: "scroll" });
  const buttons = items.map((item, index) =>
    make("button", { type: "button", role: "tab", id: `tab-${number}-${index}`, "aria-controls": `panel-${number}-${index}` }, item.label),
  );
  const panels = items.map((item, index) => {
    const panel = make("div", { role: "tabpanel", id: `panel-${number}-${index}`, "aria-labelledby": `tab-${number}-${index}`, class: "panel" });
    panel.complete = () => {
      if (!panel.childElementCount) panel.append(...[item.panel()].flat(Infinity));
    };
    return panel;
  });
  const select = (index, focus = false) => {
    buttons.forEach((button, other) => {
      button.setAttribute("aria-selected", other === index);
      button.tabIndex = other === index ? 0 : -1;
      panels[other].hidden = other !== index;
    });
    panels[index].complete();
    if (focus) buttons[index].focus();
    chosen(index);
  };
  buttons.forEach((button, index) => button.addEventListener("click", () => select(index)));
  list.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement);
    const last = buttons.length - 1;
    const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    select(to, true);
  });
  list.append(...buttons);
  select(selected);
  return make("div", { class: `tabs ${kind}` }, list, ...panels);
}

// On paper, every round is shown.
addEventListener("beforeprint", () => {
  for (const panel of document.querySelectorAll(".rounds > .panel")) panel.complete();
});
