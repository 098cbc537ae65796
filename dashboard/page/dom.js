/** Creates and changes elements. Content is always inserted as text, so nothing in an event is parsed as HTML. */

/**
 * An element with attributes and children.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * The element with this id in the page's HTML.
 *
 * @template {HTMLElement} Type
 * @param {string} id
 * @param {new () => Type} type
 * @returns {Type}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} #${id}`);
  return found;
}

/**
 * Changes a text only if it differs, to avoid needless layout.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string | null} value null removes it
 */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * Keeps the children of an element in sync with a list of items. Each item keeps its element, so that focus, selection
 * and open details are preserved.
 *
 * @template Item
 */
export class KeyedList {
  /** @type {Map<string | number, { element: HTMLElement, version: unknown }>} */
  #known = new Map();
  #parent;
  #options;

  /**
   * @param {HTMLElement} parent nothing else may change its children
   * @param {{
   *   key: (item: Item) => string | number,
   *   version: (item: Item) => unknown,
   *   create: (item: Item) => HTMLElement,
   *   update: (element: HTMLElement, item: Item) => void,
   * }} options `update` is called for a new element, and when the version has changed
   */
  constructor(parent, options) {
    this.#parent = parent;
    this.#options = options;
  }

  /** @param {readonly Item[]} items */
  render(items) {
    const { key, version, create, update } = this.#options;
    /** @type {Map<string | number, { element: HTMLElement, version: unknown }>} */
    const known = new Map();
    for (const item of items) {
      const entry = this.#known.get(key(item)) ?? { element: create(item), version: undefined };
      known.set(key(item), entry);
      const now = version(item);
      if (entry.version === now && now !== undefined) continue;
      entry.version = now;
      update(entry.element, item);
    }
    for (const [name, { element }] of this.#known) if (!known.has(name)) element.remove();
    this.#known = known;
    let next = this.#parent.firstElementChild;
    for (const { element } of known.values()) {
      if (next !== null && element === next) next = next.nextElementSibling;
      else this.#parent.insertBefore(element, next);
    }
  }

  /** @param {string | number} key */
  element(key) {
    return this.#known.get(key)?.element;
  }
}
