// Makes elements. Data gets into the page as text nodes and attribute values alone, never as markup.

/** Returns an element with attributes and children; a child that is no element becomes a text node. */
function make(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** Returns an SVG element, in the same way. */
function draw(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** Returns a section under a heading of the given level. */
function section(level, title, ...children) {
  return make("section", {}, make(`h${level}`, {}, title), ...children);
}

/** Returns something that is opened on demand; its content is made when it is opened first. */
function disclosure(summary, content, open = false) {
  const element = make("details", {}, make("summary", {}, summary));
  const open_first = () => {
    if (element.childElementCount === 1) element.append(...[content()].flat(Infinity));
  };
  element.addEventListener("toggle", open_first);
  if (open) {
    element.open = true;
    open_first();
  }
  return element;
}

/** Returns a short mark such as a status; kinds are good, bad, warn and quiet. */
function tag(kind, text) {
  return make("span", { class: `tag ${kind}` }, text);
}

/** Returns pairs of a name and what it stands for; pairs without a value are left out. */
function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return make("dl", { class: "facts" }, known.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

/** Returns whether the page is as narrow as on a phone. */
const NARROW = matchMedia("(max-width: 640px)");
