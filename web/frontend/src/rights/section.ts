/** What the sections of the rights page share: a table that grows by pages, buttons. */
import { read, type Page } from "../api/client";
import { h, replace } from "../shell/dom";
import { emptyState, errorState, skeleton } from "../shell/states";
import { text } from "../shell/text";

export type Cell = Node | string;
type Query = Readonly<Record<string, string | number | boolean | null>>;

interface Columns<T> {
  readonly caption: string;
  readonly head: readonly string[];
  /** The first cell names the row. */
  readonly cells: (item: T) => readonly Cell[];
  readonly empty: readonly [title: string, advice: string];
}

const STEP = 100;

/** A list of the API as a table: its first page now, more where somebody asks. */
export class PagedTable<T> {
  private items: T[] = [];
  private next: string | null = null;

  constructor(
    private readonly place: HTMLElement,
    private readonly path: string,
    private readonly query: () => Query,
    private readonly columns: Columns<T>,
  ) {
    replace(place, skeleton(5));
  }

  async load(more = false): Promise<void> {
    try {
      const page: Page<T> = await read<Page<T>>(this.path, {
        ...this.query(),
        limit: STEP,
        cursor: more ? this.next : null,
      });
      this.items = more ? [...this.items, ...page.items] : [...page.items];
      this.next = page.next;
      this.draw();
    } catch (error) {
      replace(this.place, errorState(error, () => void this.load(more)));
    }
  }

  private draw(): void {
    const { caption, head, cells, empty } = this.columns;
    if (this.items.length === 0) {
      replace(this.place, emptyState(...empty));
      return;
    }
    replace(
      this.place,
      h(
        "table",
        { class: "table table-cards" },
        h("caption", { class: "visually-hidden" }, caption),
        h("thead", {}, h("tr", {}, ...head.map((words) => h("th", { scope: "col" }, words)))),
        h(
          "tbody",
          {},
          ...this.items.map((item) => {
            const [first = "", ...rest] = cells(item);
            return h(
              "tr",
              {},
              h("th", { scope: "row" }, first),
              ...rest.map((cell, index) => h("td", { "data-label": head[index + 1] ?? "" }, cell)),
            );
          }),
        ),
      ),
      this.next === null
        ? null
        : h("button", { class: "button", type: "button", onclick: () => void this.load(true) }, text("list.more")),
    );
  }
}

export function primary(words: string, run: () => void): HTMLElement {
  return h("button", { class: "button button-primary", type: "button", onclick: run }, words);
}

export function small(words: string, run: () => void): HTMLElement {
  return h("button", { class: "link", type: "button", onclick: run }, words);
}
