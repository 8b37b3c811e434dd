// Shows the steps that Python computed: backpropagation forward and backward, op by op.

/**
 * A number as in the picture and with all digits, or a mark and its class.
 * @typedef {[string, string]} Text
 *
 * @typedef {object} Card
 * @property {string} title
 * @property {[string, string][]} lines  what a line is, and the line
 * @property {string} note
 * @property {boolean} wrong
 *
 * @typedef {object} Step
 * @property {string} heading
 * @property {string} note
 * @property {boolean} wrong
 * @property {Card[]} cards
 * @property {number} active  the value that is computed or passes on, -1 for none
 * @property {string[]} edges  those that it uses, as in data-edge
 * @property {number[]} data  for each value, the place of its text in `texts`
 * @property {number[]} grad
 * @property {number[]} marks
 *
 * @typedef {object} Show
 * @property {string} title
 * @property {string} picture  an SVG document
 * @property {string[]} names
 * @property {string[]} kinds
 * @property {Step[]} forward
 * @property {{name: string, about: string, steps: Step[]}[]} ways
 * @property {Text[]} texts
 *
 * What is seen of it: a step, counted from 1, the name of a way, and whether it goes on by itself.
 * @typedef {{step: number, way: string, playing: boolean}} State
 *
 * Keeps the state, and tells of changes by events named "change:step" and so on. In a notebook it
 * is anywidget's model, which Python reads and sets too.
 * @typedef {object} Model
 * @property {<K extends keyof State>(name: K) => State[K]} get
 * @property {<K extends keyof State>(name: K, value: State[K]) => void} set
 * @property {() => void} save_changes
 * @property {(event: string, listener: () => void) => void} on
 * @property {(event: string, listener: () => void) => void} off
 */

const PACE = 1500; // milliseconds from step to step while playing

// By this a notebook shows the steps; a page calls render() itself.
export default {
  /** @param {{model: Model & {get: (name: "show") => DataView<ArrayBuffer>}, el: HTMLElement}} _ */
  async render({ model, el }) {
    return render(el, await unpacked(model.get("show")), model);
  },
};

/**
 * @param {DataView<ArrayBuffer>} packed  JSON, compressed by gzip
 * @returns {Promise<Show>}
 */
function unpacked(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

/**
 * Show the steps in an element.
 * @param {HTMLElement} root  gets what is shown, and the keys are listened to here
 * @param {Show} show
 * @param {Model} model
 * @returns {() => void} takes everything away again
 */
function render(root, show, model = ownModel({ step: 1, way: show.ways[0].name, playing: false })) {
  const view = makeView(root, show);
  const actions = makeActions(show, model);
  /** @type {number | undefined} */
  let timer;

  function update() {
    view.show(model.get("step"), model.get("way"), model.get("playing"));
    clearTimeout(timer);
    if (model.get("playing")) timer = setTimeout(actions.advance, PACE);
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const key = KEYS[event.key];
    if (!key || event.altKey || event.ctrlKey || event.metaKey) return;
    if (hasOwnUse(event)) return;
    event.preventDefault();
    event.stopPropagation(); // a notebook has uses of its own for them
    actions[key]();
  }

  view.listen(actions);
  root.addEventListener("keydown", onKey);
  for (const event of CHANGES) model.on(event, update);
  update();

  return () => {
    clearTimeout(timer);
    root.removeEventListener("keydown", onKey);
    for (const event of CHANGES) model.off(event, update);
    view.node.remove();
  };
}

const CHANGES = ["change:step", "change:way", "change:playing"];

/**
 * The model of a page that stands alone.
 * @param {State} state
 * @returns {Model}
 */
function ownModel(state) {
  const events = new EventTarget();
  return {
    get: (name) => state[name],
    set(name, value) {
      if (state[name] === value) return;
      state[name] = value;
      events.dispatchEvent(new Event(`change:${name}`));
    },
    save_changes() {},
    on: (event, listener) => events.addEventListener(event, listener),
    off: (event, listener) => events.removeEventListener(event, listener),
  };
}

// ---- what is done ----

/** @typedef {ReturnType<typeof makeActions>} Actions */

/**
 * What buttons and keys do.
 * @param {Show} show
 * @param {Model} model
 */
function makeActions(show, model) {
  const length = show.forward.length + show.ways[0].steps.length;
  const place = () => model.get("step");

  /**
   * @param {number} to
   * @param {boolean} playing  unless there is nothing more to come
   */
  function go(to, playing = false) {
    const step = Math.max(1, Math.min(to, length));
    model.set("step", step);
    model.set("playing", playing && step < length);
    model.save_changes();
  }

  return {
    first: () => go(1),
    back: () => go(place() - 1),
    next: () => go(place() + 1),
    last: () => go(length),
    advance: () => go(place() + 1, true),
    play() {
      if (model.get("playing")) go(place());
      else go(place() === length ? 1 : place() + 1, true);
    },
    /** @param {number} to */
    goTo: (to) => go(to),
    /** @param {string} way */
    choose(way) {
      model.set("way", way);
      go(place());
    },
  };
}

/** @typedef {"first" | "back" | "play" | "next" | "last"} Action */

/** @type {Record<string, Action>} */
const KEYS = {
  ArrowLeft: "back",
  ArrowRight: "next",
  Home: "first",
  End: "last",
  " ": "play",
};

/**
 * Whether what has the focus does something itself with the key.
 * @param {KeyboardEvent} event
 */
function hasOwnUse(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const button = target instanceof HTMLButtonElement;
  return event.key === " " ? button : target instanceof HTMLInputElement;
}

// ---- what is seen ----

/**
 * @param {HTMLElement} root
 * @param {Show} show
 */
function makeView(root, show) {
  const controls = makeControls(show);
  const picture = makePicture(show);
  const story = element("section", "cx-story", { "aria-live": "polite", "aria-atomic": "true" });
  const table = makeTable(show);
  const panels = element("div", "cx-panels");
  panels.append(story, table.node);
  const alone = root === document.body;
  // In a notebook it gets the keys by a click, anywhere in it.
  const node = alone ? element("main", "cx") : element("div", "cx", { tabindex: "-1" });
  const head = element("h1", "", {}, show.title);
  node.append(head, controls.node, picture.node, legend(), panels);
  root.append(node);
  /** @type {Step | undefined} */
  let shown;

  /**
   * @param {number} place
   * @param {string} name  of the way
   * @param {boolean} playing
   */
  function update(place, name, playing) {
    const way = show.ways.find((way) => way.name === name) ?? show.ways[0];
    const steps = [...show.forward, ...way.steps];
    controls.show(place, steps.length, way, playing);
    const step = steps[place - 1];
    if (step === shown) return; // so that it is not read out again
    shown = step;
    picture.show(step);
    table.show(step);
    story.replaceChildren(...told(step));
  }
  return { node, show: update, listen: controls.listen };
}

// ---- controls ----

/** @type {[Action, string][]} */
const BUTTONS = [
  ["first", "First step (Home)"],
  ["back", "Step back (left arrow)"],
  ["play", "Play (space)"],
  ["next", "Step forward (right arrow)"],
  ["last", "Last step (End)"],
];

/** @param {Show} show */
function makeControls(show) {
  const node = element("div", "cx-controls");
  const bar = element("div", "cx-bar", { role: "group", "aria-label": "Steps" });
  /** @type {Record<string, HTMLElement>} */
  const buttons = {};
  for (const [name, title] of BUTTONS) {
    buttons[name] = element("button", `cx-${name}`, { type: "button", title, "aria-label": title });
    buttons[name].append(icon(name));
    bar.append(buttons[name]);
  }
  const slider = /** @type {HTMLInputElement} */ (
    element("input", "cx-slider", { type: "range", min: "1", "aria-label": "Step" })
  );
  const count = element("span", "cx-count");
  bar.append(slider, count);
  const { ways, choices } = makeWays(show);
  const about = element("p", "cx-about");
  node.append(ways, about, bar);

  return {
    node,
    /**
     * @param {number} place
     * @param {number} length
     * @param {Show["ways"][0]} way
     * @param {boolean} playing
     */
    show(place, length, way, playing) {
      slider.max = String(length);
      slider.value = String(place);
      const phase = place <= show.forward.length ? "forward" : "backward";
      count.textContent = `${phase}, step ${place} of ${length}`;
      slider.setAttribute("aria-valuetext", count.textContent);
      about.textContent = way.about;
      for (const choice of choices) {
        choice.setAttribute("aria-pressed", String(choice.textContent === way.name));
      }
      const title = playing ? "Pause (space)" : "Play (space)";
      buttons.play.title = title;
      buttons.play.setAttribute("aria-label", title);
      buttons.play.replaceChildren(icon(playing ? "pause" : "play"));
    },
    /** @param {Actions} actions */
    listen(actions) {
      for (const [name] of BUTTONS) buttons[name].addEventListener("click", actions[name]);
      slider.addEventListener("input", () => actions.goTo(Number(slider.value)));
      show.ways.forEach(({ name }, i) =>
        choices[i].addEventListener("click", () => actions.choose(name)),
      );
    },
  };
}

/** @param {Show} show */
function makeWays(show) {
  const ways = element("div", "cx-ways", { role: "group", "aria-label": "Way backward" });
  ways.append(element("span", "", { "aria-hidden": "true" }, "Backward"));
  const choices = show.ways.map((way) => element("button", "", { type: "button" }, way.name));
  ways.append(...choices);
  return { ways, choices };
}

/** @type {Record<string, string>} */
const ICONS = {
  first: "M3 2h2v12H3zM14 2v12L6 8z",
  back: "M12 2v12L4 8z",
  play: "M4 2v12l9-6z",
  pause: "M4 2h3v12H4zM9 2h3v12H9z",
  next: "M3 2v12l6-6zM10 2h3v12h-3z",
  last: "M2 2v12l8-6zM11 2h2v12h-2z",
};

/** @param {string} name */
function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

// ---- the picture ----

/** @param {Show} show */
function makePicture(show) {
  const node = element("div", "cx-picture", {
    role: "region",
    "aria-label": "The graph; the table below says the same",
    tabindex: "0",
  });
  const parsed = new DOMParser().parseFromString(show.picture, "image/svg+xml");
  const svg = document.importNode(parsed.documentElement, true);
  svg.querySelector("style")?.remove(); // the page's own lets a notebook's theme choose
  node.append(svg);
  const boxes = show.names.map((_, i) => makeBox(svg, i));

  /** @param {Step} step */
  function update(step) {
    boxes.forEach((box, i) => {
      const [data, grad, mark] = [step.data, step.grad, step.marks].map((x) => show.texts[x[i]]);
      box?.show(data, grad, mark, i === step.active);
    });
    for (const edge of svg.querySelectorAll("[data-edge]")) {
      const lit = step.edges.includes(edge.getAttribute("data-edge") ?? "");
      edge.classList.toggle("cx-lit", lit);
    }
    const group = boxes[step.active]?.group;
    if (group) center(node, group);
  }
  return { node, show: update };
}

/**
 * Scroll the picture alone, so that the page stays where its reader is.
 * @param {HTMLElement} frame
 * @param {Element} group
 */
function center(frame, group) {
  const outer = frame.getBoundingClientRect();
  const inner = group.getBoundingClientRect();
  frame.scrollLeft += inner.x + inner.width / 2 - outer.x - outer.width / 2;
  frame.scrollTop += inner.y + inner.height / 2 - outer.y - outer.height / 2;
}

/**
 * One value of the picture; none for a number, which stays as it is.
 * @param {Element} svg
 * @param {number} place
 */
function makeBox(svg, place) {
  const group = svg.querySelector(`[data-value="${place}"]`);
  const grad = group?.querySelector(".cr-grad");
  if (!group || !grad) return null;
  const data = [...group.querySelectorAll(".cr-data")].at(-1);
  const rect = group.querySelector("rect.cr-box");
  const badge = document.createElementNS("http://www.w3.org/2000/svg", "text");
  badge.setAttribute("class", "cx-badge");
  const [x, y, width, height] = ["x", "y", "width", "height"].map((key) =>
    Number(rect?.getAttribute(key)),
  );
  badge.setAttribute("x", String(x + width / 2));
  badge.setAttribute("y", String(y + height + 11));
  group.append(badge);
  const name = group.querySelector("title")?.textContent?.split(", data ")[0] ?? "";

  /**
   * @param {Text} dataText
   * @param {Text} gradText
   * @param {Text} mark
   * @param {boolean} active
   */
  function show(dataText, gradText, mark, active) {
    write(data, dataText[0]);
    write(grad, gradText[0]);
    badge.textContent = mark[0];
    group?.setAttribute("data-mark", mark[1]);
    group?.classList.toggle("cx-active", active);
    const title = group?.querySelector("title");
    if (title) title.textContent = `${name}, data ${dataText[1]}, gradient ${gradText[1]}`;
  }
  return { group, show };
}

/**
 * Write a number, as wide as so many characters are.
 * @param {Element | null | undefined} text
 * @param {string} number
 */
function write(text, number) {
  if (!text || text.textContent === number) return;
  const before = text.textContent ?? "";
  const length = Number(text.getAttribute("textLength"));
  const em = text.getAttribute("data-em") ?? length / before.length;
  text.setAttribute("data-em", String(em));
  text.setAttribute("textLength", String(Math.max(1, number.length) * Number(em)));
  text.textContent = number;
}

function legend() {
  const node = element("ul", "cx-legend", { "aria-label": "What the boxes mean" });
  const kinds = [
    ["unknown", "to come"],
    ["active", "at work"],
    ["waits", "waits for gradients"],
    ["complete", "gradient complete"],
    ["passed", "passed on"],
    ["wrong", "wrong"],
  ];
  for (const [kind, text] of kinds) {
    const item = element("li", "");
    item.append(element("span", `cx-key cx-key-${kind}`, { "aria-hidden": "true" }), text);
    node.append(item);
  }
  return node;
}

// ---- what is told of a step ----

/** @param {Step} step */
function told(step) {
  const nodes = [element("h2", "", {}, step.heading)];
  if (step.note) nodes.push(note(step.note, step.wrong));
  for (const card of step.cards) {
    const node = element("div", "cx-card");
    if (card.title) node.append(element("h3", "", {}, card.title));
    const list = element("dl", "");
    for (const [kind, line] of card.lines) {
      list.append(element("dt", "", {}, kind), element("dd", "", {}, line));
    }
    node.append(list);
    if (card.note) node.append(note(card.note, card.wrong));
    nodes.push(node);
  }
  return nodes;
}

/**
 * @param {string} text
 * @param {boolean} wrong
 */
function note(text, wrong) {
  return element("p", wrong ? "cx-note cx-wrong" : "cx-note", {}, text);
}

/** @param {Show} show */
function makeTable(show) {
  const node = element("table", "cx-table");
  node.append(element("caption", "", {}, "All values"));
  const head = element("tr", "");
  for (const name of ["value", "made by", "data", "gradient", "state"]) {
    head.append(element("th", "", { scope: "col" }, name));
  }
  node.append(head);
  const rows = show.names.map((name, i) => {
    if (show.kinds[i] === "constant") return null;
    const row = element("tr", "", { "data-name": name });
    row.append(element("th", "", { scope: "row" }, name), element("td", "", {}, show.kinds[i]));
    const cells = ["data", "grad", "mark"].map((kind) => element("td", `cx-${kind}`));
    row.append(...cells);
    node.append(row);
    return { row, cells };
  });

  /** @param {Step} step */
  function update(step) {
    rows.forEach((row, i) => {
      if (!row) return;
      const [data, grad, mark] = [step.data, step.grad, step.marks].map((x) => show.texts[x[i]]);
      row.cells.forEach((cell, k) => (cell.textContent = [data[1], grad[1], mark[0]][k]));
      row.row.setAttribute("data-mark", mark[1]);
      row.row.classList.toggle("cx-active", i === step.active);
    });
  }
  return { node, show: update };
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
