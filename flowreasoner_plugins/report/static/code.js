// Shows source: line numbers that are not copied along, and a little colour. Texts of any kind are only ever text.

const KEYWORDS = new Set(
  ("and as assert async await break class continue def del elif else except False finally for from global if import " +
    "in is lambda None nonlocal not or pass raise return True try while with yield").split(" "),
);
const TOKEN =
  /(?<comment>#[^\n]*)|(?<string>"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)|(?<number>\b\d[\w.]*)|(?<word>[A-Za-z_]\w*)/g;

/** Yields the parts of a Python text, each with its kind; empty for what has none. */
function* tokens(text) {
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > end) yield ["", text.slice(end, match.index)];
    const { word } = match.groups;
    const kind = word ? (KEYWORDS.has(word) ? "keyword" : "") : Object.keys(match.groups).find((name) => match.groups[name]);
    yield [kind, match[0]];
    end = match.index + match[0].length;
  }
  if (end < text.length) yield ["", text.slice(end)];
}

/** Returns a text's lines, each as a list of text nodes and coloured spans. */
function coloured(text) {
  const lines = [[]];
  for (const [kind, part] of tokens(text)) {
    part.split("\n").forEach((piece, index) => {
      if (index) lines.push([]);
      if (piece) lines.at(-1).push(kind ? make("span", { class: kind }, piece) : piece);
    });
  }
  return lines;
}

/** Returns Python source; lines in `marked` stand out. */
function source(text, marked = new Set()) {
  const lines = coloured(text.replace(/\n$/, ""));
  const made = lines.map((line, index) => make("span", { class: marked.has(index + 1) ? "line marked" : "line" }, ...line, "\n"));
  return make("pre", { class: "code numbered", tabindex: 0 }, make("code", {}, ...made));
}

/** Returns a text as it is. */
function plain(text) {
  return make("pre", { class: "code plain", tabindex: 0 }, text);
}

/** Returns a text as source where it looks like a program, else as it is. */
function answer_of(text) {
  return /^(?:async def|def|class|import|from) /m.test(text) && !/^```/m.test(text) ? source(text) : plain(text);
}

/** Returns the lines of two texts, with marks at those that are in one only. */
function difference(lines) {
  const names = { "+": "added", "-": "removed", " ": "same" };
  const made = lines.map(([mark, text]) => make("span", { class: `line ${names[mark]}` }, `${mark} ${text}\n`));
  return make("pre", { class: "code changes", tabindex: 0 }, make("code", {}, ...made));
}
