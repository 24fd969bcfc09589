// Making elements. Whatever comes from outside becomes text or a checked address, never markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with attributes and children; children are elements, or anything else as text. null and undefined are
 * left out, of attributes and of children alike. Attributes that could run or style something are refused.
 */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for an element of SVG. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** Put these children into an element, in place of those it has. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

/** Set an element's text, if it has another one: a screen reader need not hear the same twice. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The element of this id; a page without it is a fault of ours, so say which. */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element #${id}`);
  return found;
}

/** A time (epoch ms) as an element, with `text` to be read. */
export const timeOf = (ms, text) => h("time", { datetime: new Date(ms).toISOString() }, text);

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (/^(on|style$|srcdoc$)/i.test(name)) throw new Error(`attribute ${name} is not set from code`);
    if (name === "href" && !/^(\/(?!\/)|https?:\/\/|#)/i.test(value)) throw new Error(`not an address: ${value}`);
    element.setAttribute(name, value);
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children) {
  return children
    .flat()
    .filter((child) => child !== null && child !== undefined)
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}
