/** A list of the API that grows by pages, drawn anew with each. */
import { read, type Page } from "../api/client";
import { h, replace } from "../shell/dom";
import { errorState, skeleton } from "../shell/states";
import { text } from "../shell/text";

const STEP = 50;
type Query = Readonly<Record<string, string | null>>;

export class Pages<T, P extends Page<T> & { names?: Readonly<Record<string, unknown>> }> {
  items: T[] = [];
  private next: string | null = null;
  private asking = 0;

  constructor(
    private readonly place: HTMLElement,
    private readonly path: string,
    private readonly query: () => Query,
    /** Draws all items; `page` is the one that came last. */
    private readonly show: (items: readonly T[], page: P) => Node,
    private readonly wasRead: () => void = () => undefined,
  ) {}

  async load(more = false): Promise<void> {
    const asking = ++this.asking;
    if (!more && !this.place.firstElementChild) replace(this.place, skeleton(5));
    try {
      const page = await read<P>(this.path, { ...this.query(), limit: STEP, cursor: more ? this.next : null });
      if (asking !== this.asking) return;
      this.items = more ? [...this.items, ...page.items] : [...page.items];
      this.next = page.next;
      // Each page names its own people: of those shown before, the names stay.
      this.page = more && this.page?.names ? { ...page, names: { ...this.page.names, ...page.names } } : page;
      this.draw();
      this.wasRead();
    } catch (error) {
      if (asking === this.asking) replace(this.place, errorState(error, () => void this.load(more)));
    }
  }

  draw(): void {
    if (this.page === null) return;
    replace(
      this.place,
      this.show(this.items, this.page),
      this.next === null
        ? null
        : h("button", { class: "button", type: "button", onclick: () => void this.load(true) }, text("list.more")),
    );
  }

  private page: P | null = null;
}
