/** Type-ahead for a place: a combobox over the API's names (WAI-ARIA, list autocomplete). */
import { read } from "../api/client";
import { lonLat } from "../api/types";
import { inLanguage } from "../format/words";
import { h, icon, replace, write } from "../shell/dom";
import { page } from "../shell/page";
import { problemText } from "../shell/states";
import { counted, text } from "../shell/text";
import type { Destination, LonLat } from "./wish";

interface Named {
  readonly kind: "facility" | "street" | "junction";
  readonly zh: string;
  readonly en: string;
  readonly at: LonLat;
}

interface Item {
  readonly kind?: string;
  readonly name: { readonly zh: string; readonly en: string };
  readonly position: readonly number[];
}

const TYPING_MS = 160;
const MOST = 8;

/** Facilities are for everybody to search; streets and junctions too once one has logged in. */
async function named(words: string, signal: AbortSignal): Promise<Named[]> {
  const known = page().roles.length > 0;
  const path = known ? "/api/v1/places" : "/api/v1/facilities";
  const { items } = await read<{ items: readonly Item[] }>(path, { name: words, limit: MOST }, signal);
  return items.map((item) => ({
    kind: known ? (item.kind as Named["kind"]) : "facility",
    zh: item.name.zh,
    en: item.name.en,
    at: lonLat(item.position),
  }));
}

export class PlaceSearch {
  private found: readonly Named[] = [];
  private active = -1;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private asking: AbortController | null = null;
  /** Enter was pressed before the answer came: the first place is taken when it does. */
  private takeFirst = false;

  constructor(
    private readonly input: HTMLInputElement,
    private readonly options: HTMLElement,
    private readonly status: HTMLElement,
    private readonly choose: (place: Destination) => void,
  ) {
    input.addEventListener("input", () => this.typed());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("focus", () => input.select());
    // An option is taken on mousedown: the field's loss of focus would close the list before.
    options.addEventListener("mousedown", (event) => event.preventDefault());
    input.addEventListener("blur", () => this.close());
  }

  show(words: string): void {
    this.input.value = words;
    this.close();
  }

  private typed(): void {
    this.takeFirst = false;
    if (this.timer) clearTimeout(this.timer);
    this.asking?.abort();
    const words = this.input.value.trim();
    if (!words) {
      this.close();
      return;
    }
    this.timer = setTimeout(() => void this.ask(words), TYPING_MS);
  }

  private async ask(words: string): Promise<void> {
    this.timer = null;
    this.asking?.abort();
    const asking = new AbortController();
    this.asking = asking;
    try {
      const found = await named(words, asking.signal);
      if (asking.signal.aborted) return;
      this.found = found;
      this.open(words);
    } catch (error) {
      if (asking.signal.aborted) return;
      this.close();
      this.say(problemText(error));
    }
  }

  private open(words: string): void {
    this.active = -1;
    const first = this.found[0];
    if (this.takeFirst && first) {
      this.take(first);
      return;
    }
    replace(
      this.options,
      ...this.found.map((place, index) =>
        h(
          "li",
          {
            id: `place-option-${index}`,
            class: "place-option",
            role: "option",
            "aria-selected": "false",
            onclick: () => this.take(place),
          },
          icon(place.kind === "facility" ? "parking" : place.kind === "street" ? "street" : "junction"),
          h("span", { class: "place-name" }, inLanguage(place.zh, place.en)),
          h("span", { class: "place-kind" }, text(`find.kind.${place.kind}`)),
        ),
      ),
    );
    const any = this.found.length > 0;
    this.options.hidden = !any;
    this.input.setAttribute("aria-expanded", String(any));
    this.input.removeAttribute("aria-activedescendant");
    if (any) {
      this.say(counted("find.places", this.found.length), true);
      return;
    }
    const visitor = page().roles.length === 0;
    this.say(text(visitor ? "find.no_place_visitor" : "find.no_place", { words }));
  }

  private key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const open = !this.options.hidden;
    if (event.key === "Escape" && open) {
      event.stopPropagation();
      this.close();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && open) {
      event.preventDefault();
      const n = this.found.length;
      const from = this.active < 0 && event.key === "ArrowUp" ? 0 : this.active;
      this.mark((from + (event.key === "ArrowDown" ? 1 : -1) + n) % n);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const place = open ? this.found[Math.max(0, this.active)] : undefined;
      if (place) this.take(place);
      else if (this.input.value.trim()) {
        if (this.timer) clearTimeout(this.timer);
        this.takeFirst = true;
        void this.ask(this.input.value.trim());
      }
    }
  }

  private mark(index: number): void {
    this.active = index;
    [...this.options.children].forEach((option, at) => {
      option.setAttribute("aria-selected", String(at === index));
      if (at === index) option.scrollIntoView({ block: "nearest" });
    });
    this.input.setAttribute("aria-activedescendant", `place-option-${index}`);
  }

  private take(place: Named): void {
    const name = inLanguage(place.zh, place.en);
    this.show(name);
    this.choose({ at: place.at, name });
  }

  private say(words: string, heardOnly = false): void {
    this.status.hidden = !words;
    this.status.classList.toggle("visually-hidden", heardOnly);
    this.status.setAttribute("role", "status");
    write(this.status, words);
  }

  private close(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.asking?.abort();
    this.options.hidden = true;
    this.options.replaceChildren();
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.say("");
  }
}
