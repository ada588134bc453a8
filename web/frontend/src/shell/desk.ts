/** A list and one case of it beside it: opened one at a time, closed back to its row. */
import "../../styles/desk.css";
import { agoText } from "../format/words";
import { everySecond } from "./clock";
import { byId, h, replace, write } from "./dom";
import { onKey } from "./keys";
import { errorState, skeleton } from "./states";
import { text } from "./text";

/** The elements of `desk.html`, and what is shown in them. */
export class Desk {
  shown: string | null = null;
  private readonly box = byId("case");
  private opener: string | null = null;
  private readAtMs: number | null = null;

  /** `redraw` draws the list again: which row is open has changed. */
  constructor(
    private readonly list: HTMLElement,
    private readonly redraw: () => void,
  ) {
    replace(list, skeleton(6));
    byId("case-close").addEventListener("click", () => this.close());
    onKey("j", "keys.next", () => this.step(1));
    onKey("k", "keys.previous", () => this.step(-1));
    onKey("Escape", "keys.close", () => this.close());
    everySecond(() => this.showAge());
  }

  /** Say that the list is as of now. */
  wasRead(): void {
    this.readAtMs = Date.now();
    this.showAge();
  }

  row(id: string, open: () => void, ...parts: readonly (Node | null)[]): HTMLElement {
    return h(
      "button",
      {
        class: "desk-row",
        type: "button",
        "data-row": id,
        "aria-current": this.shown === id ? "true" : null,
        onclick: open,
      },
      ...parts,
    );
  }

  async open(id: string, title: string, fill: () => Promise<HTMLElement>): Promise<void> {
    const content = byId("case-content");
    if (this.box.hidden) this.opener = id;
    this.shown = id;
    this.redraw();
    this.box.hidden = false;
    byId("main").dataset["case"] = "open";
    write(byId("case-title"), title);
    byId("case-title").focus({ preventScroll: true });
    replace(content, h("div", { class: "case" }, skeleton(6, "line"), skeleton(6, "line")));
    try {
      const filled = await fill();
      if (this.shown === id) replace(content, filled);
    } catch (error) {
      if (this.shown === id) replace(content, errorState(error, () => void this.open(id, title, fill)));
    }
  }

  close(): void {
    if (this.shown === null) return;
    this.shown = null;
    this.box.hidden = true;
    byId("main").dataset["case"] = "closed";
    this.redraw();
    if (this.opener) this.list.querySelector<HTMLElement>(`[data-row="${this.opener}"]`)?.focus();
    this.opener = null;
  }

  private step(by: 1 | -1): void {
    const rows = [...this.list.querySelectorAll<HTMLElement>("[data-row]")];
    const at = rows.findIndex((row) => row === document.activeElement);
    rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))]?.focus();
  }

  private showAge(): void {
    write(
      byId("age"),
      this.readAtMs === null ? "" : text("post.age", { age: agoText(this.readAtMs, Date.now()) }),
    );
  }
}

/** Chips of which one is chosen. */
export function chips<T extends string>(
  place: HTMLElement,
  options: readonly (readonly [value: T, words: string])[],
  chosen: T,
  choose: (value: T) => void,
): void {
  replace(
    place,
    ...options.map(([value, words]) =>
      h(
        "button",
        {
          class: "chip",
          type: "button",
          "aria-pressed": String(value === chosen),
          onclick: () => {
            chips(place, options, value, choose);
            place.querySelector<HTMLElement>('[aria-pressed="true"]')?.focus();
            choose(value);
          },
        },
        words,
      ),
    ),
  );
}
