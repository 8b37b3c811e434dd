// Goes through the moments of a training: what the model said where, and how good that was.

const PACE = 400; // milliseconds from moment to moment while playing

/**
 * Make the moments in a page answer to its slider and its button.
 * @param {HTMLElement} root
 * @returns {() => void} takes this away again
 */
export function render(root) {
  const moments = [...root.querySelectorAll(".ch-moment")];
  if (moments.length === 0) return () => {};
  const controls = find(root, ".moments", HTMLElement);
  const slider = find(controls, "input", HTMLInputElement);
  const button = find(controls, "button", HTMLButtonElement);
  const told = find(root, ".told", HTMLElement);
  const cursor = find(root, ".ch-cursor", SVGElement);
  const last = moments.length - 1;
  /** @type {number | undefined} */
  let timer;

  /** @param {number} place */
  function show(place) {
    moments.forEach((moment, i) => moment.toggleAttribute("hidden", i !== place));
    const text = moments[place].getAttribute("data-told") ?? "";
    told.textContent = text;
    slider.value = String(place);
    slider.setAttribute("aria-valuetext", text);
    mark(cursor, Number(moments[place].getAttribute("data-updates")));
  }

  function pause() {
    clearInterval(timer);
    timer = undefined;
    label(button, "Play", "\u25b6");
  }

  function advance() {
    const place = Math.min(Number(slider.value) + 1, last);
    show(place);
    if (place === last) pause();
  }

  function play() {
    if (timer !== undefined) {
      pause();
      return;
    }
    if (Number(slider.value) === last) show(0);
    label(button, "Pause", "\u23f8");
    timer = setInterval(advance, PACE);
  }

  function slide() {
    pause();
    show(Number(slider.value));
  }

  button.addEventListener("click", play);
  slider.addEventListener("input", slide);
  controls.hidden = false;
  show(last);

  return () => {
    pause();
    button.removeEventListener("click", play);
    slider.removeEventListener("input", slide);
    controls.hidden = true;
  };
}

/**
 * What a selector finds, of a type that it must have.
 * @template {Element} T
 * @param {Element} root
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 */
function find(root, selector, type) {
  const found = root.querySelector(selector);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${selector}`);
}

/**
 * Stand the cursor of the curves at a step.
 * @param {SVGElement} cursor
 * @param {number} step
 */
function mark(cursor, step) {
  const span = find(/** @type {Element} */ (cursor.ownerSVGElement), "[data-last]", SVGElement);
  const [left, right, last] = ["left", "right", "last"].map((key) => Number(span.dataset[key]));
  cursor.setAttribute("transform", `translate(${left + ((right - left) * step) / last})`);
  cursor.removeAttribute("hidden");
}

/**
 * @param {HTMLElement} button
 * @param {string} name
 * @param {string} sign
 */
function label(button, name, sign) {
  button.setAttribute("aria-label", name);
  button.textContent = sign;
}
