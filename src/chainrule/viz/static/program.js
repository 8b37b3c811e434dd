// Shows an array program beside the scalars that it came from; Python computed all that is shown.

/**
 * What a line is, and the line.
 * @typedef {[string, string]} Line
 *
 * A box of a drawing, how it is lit ("made", "part" or "read"), and what stands below it.
 * @typedef {[number, string, string]} Mark
 *
 * @typedef {object} Picture
 * @property {string} svg  an SVG document; empty if there is none
 * @property {([number, number] | null)[]} leads  of each box the instruction that computes it, and
 *   the place in its list; -1 if it is not listed
 *
 * @typedef {object} Member
 * @property {string} name
 * @property {string} number
 * @property {Line[]} lines
 * @property {number[]} boxes  those that it lights up, where all values are drawn
 *
 * @typedef {object} Instruction
 * @property {string} name
 * @property {number} size
 * @property {string} text
 * @property {string} phase  "given", "forward" or "backward"
 * @property {boolean} returned
 * @property {string} summary
 * @property {Line[]} facts
 * @property {Mark[]} marks
 * @property {Member[]} members  the first of its elements
 * @property {number} sample  which of the samples shows how the first is computed; -1 for none
 *
 * How one scalar is computed, drawn where not all are.
 * @typedef {object} Sample
 * @property {string} name
 * @property {Picture} picture
 *
 * @typedef {object} Show
 * @property {string} title
 * @property {string} about
 * @property {boolean} whole  whether all values are drawn
 * @property {Picture} picture
 * @property {Instruction[]} instructions
 * @property {Sample[]} samples
 * @property {string} source
 */

/**
 * Show a program in an element.
 * @param {HTMLElement} root  gets what is shown, and the keys are listened to here
 * @param {Show} show
 * @returns {() => void} takes everything away again
 */
export function render(root, show) {
  const page = element("main", "cx cp");
  const bar = makeBar();
  const program = makeProgram(show, (i) => choose(i, -1));
  const scalars = makeScalars(show, choose);
  const told = element("section", "cp-told", { "aria-live": "polite" });
  const detail = makeDetail((i) => choose(place, i));
  const both = element("div", "cp-both");
  const below = element("div", "cp-both");
  both.append(program.node, scalars.node);
  below.append(told, detail.node);
  page.append(
    element("h1", "", {}, show.title),
    element("p", "cx-about", {}, show.about),
    bar.node,
    both,
    below,
    makeSource(show.source),
  );
  root.append(page);

  let place = 0;
  let member = -1;

  /**
   * @param {number} instruction
   * @param {number} chosen  which of its listed elements, -1 for all
   */
  function choose(instruction, chosen) {
    const last = show.instructions.length - 1;
    place = Math.max(0, Math.min(instruction, last));
    const made = show.instructions[place];
    member = Math.min(chosen, made.members.length - 1);
    bar.show(place, last + 1, made.phase);
    program.show(place);
    scalars.show(made, member);
    told.replaceChildren(...facts(made));
    detail.show(made, member);
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const to = STEPS[event.key];
    if (!to || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    choose(to(place), -1);
  }

  bar.listen((to) => choose(to(place), -1));
  root.addEventListener("keydown", onKey);
  choose(firstComputed(show), -1);

  return () => {
    root.removeEventListener("keydown", onKey);
    page.remove();
  };
}

/**
 * Where each key or button goes.
 * @type {Record<string, (place: number) => number>}
 */
const STEPS = {
  Home: () => 0,
  ArrowLeft: (place) => place - 1,
  ArrowRight: (place) => place + 1,
  End: () => Infinity,
};

/** @param {Show} show */
function firstComputed(show) {
  return Math.max(0, show.instructions.findIndex((made) => made.phase !== "given"));
}

// ---- controls ----

/** @type {[string, string, string][]} */
const BUTTONS = [
  ["Home", "First instruction (Home)", "M3 2h2v12H3zM14 2v12L6 8z"],
  ["ArrowLeft", "Instruction before (left arrow)", "M12 2v12L4 8z"],
  ["ArrowRight", "Next instruction (right arrow)", "M4 2v12l8-6z"],
  ["End", "Last instruction (End)", "M2 2v12l8-6zM11 2h2v12h-2z"],
];

function makeBar() {
  const node = element("div", "cx-controls");
  const bar = element("div", "cx-bar", { role: "group", "aria-label": "Instructions" });
  const buttons = BUTTONS.map(([key, title, path]) => {
    const button = element("button", "", { type: "button", title, "aria-label": title });
    button.append(icon(path));
    return /** @type {const} */ ([key, button]);
  });
  const slider = /** @type {HTMLInputElement} */ (
    element("input", "cx-slider", { type: "range", min: "0", "aria-label": "Instruction" })
  );
  const count = element("span", "cx-count");
  bar.append(...buttons.map(([, button]) => button), slider, count);
  node.append(bar);

  return {
    node,
    /**
     * @param {number} place
     * @param {number} length
     * @param {string} phase
     */
    show(place, length, phase) {
      slider.max = String(length - 1);
      slider.value = String(place);
      count.textContent = `${phase}, instruction ${place + 1} of ${length}`;
      slider.setAttribute("aria-valuetext", count.textContent);
    },
    /** @param {(to: (place: number) => number) => void} go */
    listen(go) {
      for (const [key, button] of buttons) button.addEventListener("click", () => go(STEPS[key]));
      slider.addEventListener("input", () => go(() => Number(slider.value)));
    },
  };
}

/** @param {string} path */
function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "path");
  drawn.setAttribute("d", path);
  svg.append(drawn);
  return svg;
}

// ---- lists ----

let lists = 0; // of the page, for the ids of their options

/**
 * A list of which one line is chosen, by mouse or keyboard.
 * @param {string} label
 * @param {(place: number) => void} choose
 */
function makeList(label, choose) {
  const name = `cp-list-${lists++}`;
  const node = element("div", "cp-list", { role: "listbox", "aria-label": label, tabindex: "0" });
  /** @type {HTMLElement[]} */
  let options = [];
  let chosen = -1;
  node.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    choose(Math.max(0, Math.min(chosen + by, options.length - 1)));
  });

  /**
   * @param {HTMLElement} to
   * @param {string} kind
   */
  function add(to, kind) {
    const place = options.length;
    const option = element("div", kind, { role: "option", id: `${name}-${place}` });
    option.addEventListener("click", () => choose(place));
    options.push(option);
    to.append(option);
    return option;
  }

  return {
    node,
    add,
    /** @param {[string, string][]} lines  each in two columns */
    fill(lines) {
      options = [];
      node.replaceChildren();
      for (const [left, right] of lines) {
        const option = add(node, "cp-member");
        option.append(element("span", "", {}, left), element("span", "cp-number", {}, right));
      }
    },
    /** @param {number} place  -1 for none */
    show(place) {
      chosen = place;
      options.forEach((option, i) => option.setAttribute("aria-selected", String(i === place)));
      if (place < 0) {
        node.removeAttribute("aria-activedescendant");
        return;
      }
      node.setAttribute("aria-activedescendant", options[place].id);
      uncover(node, options[place]);
    },
  };
}

/**
 * Scroll a frame alone, as little as shows a part of it; the page stays where its reader is.
 * @param {HTMLElement} frame
 * @param {Element} part
 */
function uncover(frame, part) {
  const outer = frame.getBoundingClientRect();
  const inner = part.getBoundingClientRect();
  frame.scrollTop += Math.min(0, inner.top - outer.top) || Math.max(0, inner.bottom - outer.bottom);
}

const PHASES = ["given", "forward", "backward"];

/**
 * @param {Show} show
 * @param {(place: number) => void} choose
 */
function makeProgram(show, choose) {
  const list = makeList("The array program", choose);
  list.node.classList.add("cp-program");
  for (const phase of PHASES) {
    const chosen = show.instructions.filter((made) => made.phase === phase);
    if (!chosen.length) continue;
    const group = element("div", "cp-phase", { role: "group", "aria-label": phase });
    group.append(element("div", "cp-heading", { "aria-hidden": "true" }, phase));
    for (const made of chosen) {
      const option = list.add(group, "cp-instruction");
      const name = element("span", "cp-name", {}, `${made.name}[${made.size}]`);
      const line = element("code", "");
      line.append(name, ` = ${made.text}`);
      const result = made.returned ? "; returned" : "";
      option.append(line, element("span", "cp-words", {}, made.summary + result));
    }
    list.node.append(group);
  }
  return list;
}

// ---- drawings ----

/** @type {[string, string][]} */
const LEGEND = [
  ["made", "computed by the instruction"],
  ["part", "a step inside it"],
  ["read", "read by it"],
];

/**
 * @param {Show} show
 * @param {(instruction: number, member: number) => void} lead
 */
function makeScalars(show, lead) {
  const node = element("section", "cp-scalars", { "aria-label": "The scalars" });
  const picture = makePicture(show.picture, "All scalars", lead);
  const legend = element("ul", "cx-legend", { "aria-label": "What the boxes mean" });
  for (const [kind, text] of LEGEND) {
    if (kind === "part" && !show.whole) continue;
    const item = element("li", "");
    item.append(element("span", `cx-key cp-key-${kind}`, { "aria-hidden": "true" }), text);
    legend.append(item);
  }
  const none = "These are too many groups of scalars to be drawn.";
  const drawn = show.picture.svg ? [picture.node, legend] : [element("p", "cp-none", {}, none)];
  const sample = element("div", "cp-sample");
  node.append(...drawn, ...(show.whole ? [] : [sample]));

  /**
   * @param {Instruction} made
   * @param {number} member
   */
  function update(made, member) {
    picture.show(made.marks, member < 0 ? null : made.members[member].boxes);
    if (show.whole) return;
    const chosen = show.samples[made.sample];
    sample.replaceChildren();
    if (!chosen) return;
    const last = chosen.picture.leads.length - 1;
    const drawing = makePicture(chosen.picture, `How ${chosen.name} is computed`, lead);
    sample.append(element("h3", "", {}, `${chosen.name}, drawn scalar by scalar`), drawing.node);
    drawing.show([[last, "made", ""]], null);
  }
  return { node, show: update };
}

const SMALLEST = 0.7; // a drawing that would be smaller is scrolled

/**
 * A drawing whose boxes lead to instructions, by mouse or keyboard.
 * @param {Picture} picture
 * @param {string} label
 * @param {(instruction: number, member: number) => void} lead
 */
function makePicture(picture, label, lead) {
  const node = element("div", "cx-picture", { role: "region", "aria-label": label });
  if (!picture.svg) return { node, show: () => {} };
  const parsed = new DOMParser().parseFromString(picture.svg, "image/svg+xml");
  const svg = document.importNode(parsed.documentElement, true);
  svg.setAttribute("role", "group");
  svg.style.minWidth = `${SMALLEST * Number(svg.getAttribute("width"))}px`;
  node.append(svg);
  const boxes = picture.leads.map((to, i) => makeBox(svg, i, to, lead));
  const open = boxes.filter((box) => box?.leads);
  open[0]?.group.setAttribute("tabindex", "0");
  svg.addEventListener("keydown", (event) => step(event, open));

  /**
   * @param {Mark[]} marks
   * @param {number[] | null} chosen  the boxes of one element, if one is chosen
   */
  function update(marks, chosen) {
    const strong = new Set(chosen ?? marks.map(([box]) => box));
    const lit = new Map(marks.map(([box, how, below]) => [box, { how, below }]));
    boxes.forEach((box, i) => box?.show(lit.get(i), strong.has(i)));
    for (const edge of svg.querySelectorAll("[data-edge]")) {
      const [from, to] = (edge.getAttribute("data-edge") ?? "").split(" ").map(Number);
      const into = lit.get(to)?.how;
      const on = strong.has(from) && strong.has(to) && into !== undefined && into !== "read";
      edge.classList.toggle("cx-lit", on);
    }
    const made = [...strong].filter((i) => lit.get(i)?.how === "made");
    center(node, (made.length ? made : [...strong]).flatMap((i) => boxes[i]?.group ?? []));
  }
  return { node, show: update };
}

/**
 * The up and down arrows go from box to box.
 * @param {KeyboardEvent} event
 * @param {(Box | null)[]} boxes
 */
function step(event, boxes) {
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const at = boxes.findIndex((box) => box?.group === event.target);
  const next = by && at >= 0 ? boxes[at + by] : null;
  if (!next) return;
  event.preventDefault();
  boxes[at]?.group.setAttribute("tabindex", "-1");
  next.group.setAttribute("tabindex", "0");
  next.group.focus();
}

/**
 * @typedef {object} Box
 * @property {SVGElement} group
 * @property {boolean} leads
 * @property {(lit: {how: string, below: string} | undefined, strong: boolean) => void} show
 */

/**
 * @param {Element} svg
 * @param {number} place
 * @param {[number, number] | null} to
 * @param {(instruction: number, member: number) => void} lead
 * @returns {Box | null}
 */
function makeBox(svg, place, to, lead) {
  const group = /** @type {SVGElement | null} */ (
    svg.querySelector(`[data-value="${place}"], [data-group="${place}"]`)
  );
  const frame = group?.querySelector("rect.cr-box");
  if (!group || !frame) return null;
  const badge = makeBadge(frame);
  group.append(badge);
  if (to) {
    const title = group.querySelector("title")?.textContent ?? "";
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", "-1");
    group.setAttribute("aria-label", title);
    group.addEventListener("click", () => lead(...to));
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      lead(...to);
    });
  }
  return {
    group,
    leads: to !== null,
    show(lit, strong) {
      badge.textContent = lit?.below ?? "";
      group.setAttribute("data-lit", lit?.how ?? "");
      group.classList.toggle("cp-strong", strong);
    },
  };
}

/** @param {Element} frame */
function makeBadge(frame) {
  const badge = document.createElementNS("http://www.w3.org/2000/svg", "text");
  const [x, y, width, height] = ["x", "y", "width", "height"].map((key) =>
    Number(frame.getAttribute(key)),
  );
  badge.setAttribute("class", "cx-badge");
  badge.setAttribute("x", String(x + width / 2));
  badge.setAttribute("y", String(y + height + 11));
  return badge;
}

/**
 * Scroll a frame alone, so that the middle of some parts of it is seen.
 * @param {HTMLElement} frame
 * @param {Element[]} parts
 */
function center(frame, parts) {
  if (!parts.length) return;
  const outer = frame.getBoundingClientRect();
  const inner = parts.map((part) => part.getBoundingClientRect());
  const left = Math.min(...inner.map((box) => box.left));
  const right = Math.max(...inner.map((box) => box.right));
  const top = Math.min(...inner.map((box) => box.top));
  const bottom = Math.max(...inner.map((box) => box.bottom));
  frame.scrollLeft += (left + right) / 2 - outer.left - outer.width / 2;
  frame.scrollTop += (top + bottom) / 2 - outer.top - outer.height / 2;
}

// ---- what is told of an instruction ----

/** @param {Instruction} made */
function facts(made) {
  const heading = element("h2", "", {}, `${made.name}: ${made.summary}`);
  const rest = made.facts.filter(([kind]) => kind !== "computes");
  return [heading, card("", rest)];
}

/**
 * The first elements of an instruction, and one of them spelled out.
 * @param {(place: number) => void} choose
 */
function makeDetail(choose) {
  const node = element("section", "cp-detail");
  const heading = element("h2", "");
  const list = makeList("Its values", choose);
  const one = element("div", "cp-one");
  const spelled = element("div", "");
  const more = element("p", "cp-more");
  one.append(list.node, spelled);
  node.append(heading, one, more);

  /**
   * @param {Instruction} made
   * @param {number} member
   */
  function update(made, member) {
    const listed = made.members.length;
    const left = made.size - listed;
    heading.textContent = left ? `Its first ${listed} values` : "Its values";
    more.textContent = left ? `and ${left.toLocaleString("en")} more, computed alike` : "";
    list.fill(made.members.map((each) => [ending(each.name), each.number]));
    list.show(member);
    list.node.hidden = !listed;
    const shown = made.members[Math.max(member, 0)];
    spelled.replaceChildren(shown ? card(shown.name, shown.lines) : "none");
  }
  return { node, show: update };
}

/**
 * @param {string} title
 * @param {Line[]} lines
 */
function card(title, lines) {
  const node = element("div", "cx-card");
  if (title) node.append(element("h3", "", {}, title));
  const list = element("dl", "");
  let before = "";
  for (const [kind, line] of lines) {
    if (kind !== before) list.append(element("dt", "", {}, kind));
    list.append(element("dd", kind === "runs as" ? "cp-code" : "", {}, line));
    before = kind;
  }
  node.append(list);
  return node;
}

const LONGEST = 26; // letters of a name in a list

/**
 * The end of a name that is too long, which tells it from its neighbours.
 * @param {string} name
 */
function ending(name) {
  return name.length > LONGEST ? `…${name.slice(1 - LONGEST)}` : name;
}

/** @param {string} source */
function makeSource(source) {
  const node = element("details", "cp-source");
  const text = element("pre", "", { tabindex: "0", "aria-label": "Generated source" }, source);
  node.append(element("summary", "", {}, "The source that runs"), text);
  return node;
}

/**
 * @param {string} tag
 * @param {string} kind  its class
 * @param {Record<string, string>} attributes
 * @param {string} text
 * @returns {HTMLElement}
 */
function element(tag, kind, attributes = {}, text = "") {
  const node = document.createElement(tag);
  if (kind) node.className = kind;
  for (const name in attributes) node.setAttribute(name, attributes[name]);
  if (text) node.textContent = text;
  return node;
}
