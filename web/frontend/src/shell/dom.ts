/** The little that is needed to build pages without a framework. */
type Child = Node | string | number | null | undefined | false;
type Handler = (event: Event) => void;
type Value = string | number | boolean | null | undefined | Handler;

const SVG = "http://www.w3.org/2000/svg";

function fillIn(element: Element, values: Readonly<Record<string, Value>>, children: Child[]): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  put(element, ...children);
}

/** An HTML element; a value that is a function listens to the event after `on`. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  values: Readonly<Record<string, Value>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  fillIn(element, values, children);
  return element;
}

export function svg(
  tag: string,
  values: Readonly<Record<string, Value>> = {},
  ...children: Child[]
): SVGElement {
  const element = document.createElementNS(SVG, tag) as SVGElement;
  fillIn(element, values, children);
  return element;
}

export function put(parent: Element, ...children: Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
}

export function replace(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  put(parent, ...children);
}

/** Write a text only where it differs, so that nothing is announced or laid out again in vain. */
export function write(element: Element, words: string): void {
  if (element.textContent !== words) element.textContent = words;
}

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element as T;
}

export function icon(name: string): SVGElement {
  return svg(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    svg("use", { href: `#i-${name}` }),
  );
}

interface Row<T> {
  readonly element: HTMLElement;
  readonly update: (item: T) => void;
}

/** Keeps a list's elements by key: what stays keeps its focus, what moved moves. */
export class KeyedList<T> {
  private readonly rows = new Map<string, Row<T>>();

  constructor(
    private readonly parent: HTMLElement,
    private readonly keyOf: (item: T) => string,
    private readonly create: (item: T) => Row<T>,
  ) {}

  show(items: readonly T[]): void {
    const wanted = new Set<string>();
    let place: ChildNode | null = this.parent.firstChild;
    for (const item of items) {
      const key = this.keyOf(item);
      wanted.add(key);
      let row = this.rows.get(key);
      if (!row) {
        row = this.create(item);
        this.rows.set(key, row);
      }
      row.update(item);
      if (row.element === place) place = place.nextSibling;
      else this.parent.insertBefore(row.element, place);
    }
    for (const [key, row] of this.rows) {
      if (wanted.has(key)) continue;
      row.element.remove();
      this.rows.delete(key);
    }
    // What the list did not make (a skeleton, an empty state) goes.
    while (place) {
      const next: ChildNode | null = place.nextSibling;
      place.remove();
      place = next;
    }
  }

  element(key: string): HTMLElement | null {
    return this.rows.get(key)?.element ?? null;
  }

  clear(): void {
    this.rows.clear();
    this.parent.replaceChildren();
  }
}
