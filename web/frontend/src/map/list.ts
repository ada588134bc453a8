/** The list beside the map: everything that the map says, for every reader. */
import { h, KeyedList, write } from "../shell/dom";
import { glyph, setGlyph } from "../glyphs/inline";
import { onKey } from "../shell/keys";
import { announce } from "../shell/toast";
import { emptyState, skeleton } from "../shell/states";
import { counted, inLanguage, language, text } from "../shell/text";
import { businessTime } from "../shell/clock";
import { agoText } from "../format/words";
import { total, type Counts } from "../live/occupancy";
import { occupancyBar } from "../panels/figures";
import type { Place } from "./city";
import { matches, ordered, standing, type Sorting } from "./order";

/**
 * From this age of its latest report on a facility's figures look stale. Sensors speak when
 * something changes and a few times a day besides, so less would cry wolf at night.
 */
export const STALE_MS = 2 * 3_600_000;

interface Item {
  readonly element: HTMLElement;
  readonly update: (place: Place) => void;
}

function createItem(place: Place, open: (id: string) => void): Item {
  const mark = glyph("free", "m");
  const free = h("span", { class: "item-free" });
  const name = h("span", { class: "item-name" });
  const facts = h("span", { class: "item-facts" });
  // The big figure comes before the name for the eye, after it for the ear.
  const spoken = h("span", { class: "visually-hidden" });
  const bar = occupancyBar();
  bar.element.setAttribute("aria-hidden", "true");
  const button = h(
    "button",
    { class: "item", type: "button", "data-id": place.id, onclick: () => open(place.id) },
    h("span", { class: "item-count", "aria-hidden": "true" }, mark, free),
    h("span", { class: "item-words" }, name, spoken, facts),
    bar.element,
  );
  return {
    element: h("li", {}, button),
    update(next) {
      const stale = next.heardMs === null || businessTime() - next.heardMs > STALE_MS;
      setGlyph(mark, standing(next.counts));
      write(free, String(next.counts.free));
      write(name, inLanguage(next.zh, next.en));
      const parts = [text("list.of_total", { total: total(next.counts) })];
      if (next.counts.unknown) parts.push(text("list.unknown", { n: next.counts.unknown }));
      parts.push(agoText(next.heardMs));
      write(facts, parts.join(" · "));
      bar.update(next.counts);
      button.classList.toggle("stale", stale);
      write(spoken, text("list.spoken", { free: next.counts.free }));
    },
  };
}

export interface ListParts {
  readonly items: HTMLElement;
  readonly search: HTMLInputElement;
  readonly sorting: HTMLSelectElement;
  readonly found: HTMLElement;
}

export class FacilityList {
  private readonly keyed: KeyedList<Place>;
  private places: readonly Place[] = [];
  private here: readonly [number, number] | null = null;
  private hovered = false;
  private lastWord = "";

  constructor(
    private readonly parts: ListParts,
    open: (id: string) => void,
    private readonly centre: () => readonly [number, number] | null,
  ) {
    this.keyed = new KeyedList<Place>(
      parts.items,
      (place) => place.id,
      (place) => createItem(place, open),
    );
    parts.items.replaceChildren(h("li", {}, skeleton(8)));
    parts.search.addEventListener("input", () => this.draw(true));
    parts.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === "ArrowDown") {
        event.preventDefault();
        this.step(1);
      }
    });
    parts.sorting.addEventListener("change", () => {
      this.here = parts.sorting.value === "near" ? this.centre() : null;
      this.draw(true);
    });
    // What is under the pointer must not move away from it.
    parts.items.addEventListener("pointerenter", () => (this.hovered = true));
    parts.items.addEventListener("pointerleave", () => (this.hovered = false));
    onKey("/", "keys.search", () => {
      parts.search.focus();
      parts.search.select();
    });
    onKey("j", "keys.next", () => this.step(1));
    onKey("k", "keys.previous", () => this.step(-1));
  }

  show(places: readonly Place[]): void {
    const first = this.places.length === 0;
    this.places = places;
    this.draw(first);
  }

  private get busy(): boolean {
    return this.hovered || this.parts.items.contains(document.activeElement);
  }

  private draw(sortAgain: boolean): void {
    const search = this.parts.search.value;
    const found = this.places.filter((place) => matches(place, search));
    if (found.length === 0) {
      this.keyed.clear();
      const clear = h(
        "button",
        {
          class: "button",
          type: "button",
          onclick: () => {
            this.parts.search.value = "";
            this.parts.search.focus();
            this.draw(true);
          },
        },
        text("list.clear_search"),
      );
      this.parts.items.append(
        h(
          "li",
          {},
          search
            ? emptyState(text("list.none_found", { search }), text("list.none_found_advice"), clear)
            : emptyState(text("list.none"), text("list.none_advice")),
        ),
      );
    } else if (sortAgain || !this.busy) {
      this.keyed.show(
        ordered(found, this.parts.sorting.value as Sorting, language(), this.here),
      );
    } else {
      const now = new Map(found.map((place) => [place.id, place]));
      const shown = [...this.parts.items.querySelectorAll<HTMLElement>("[data-id]")]
        .map((element) => now.get(element.dataset["id"] ?? ""))
        .filter((place) => place !== undefined);
      this.keyed.show(shown);
    }
    const word = search ? counted("list.found", found.length) : "";
    write(this.parts.found, word);
    if (word !== this.lastWord && search) announce(word);
    this.lastWord = word;
  }

  focus(id: string): void {
    this.keyed.element(id)?.querySelector("button")?.focus();
  }

  mark(id: string | null): void {
    for (const button of this.parts.items.querySelectorAll<HTMLElement>("[data-id]")) {
      if (button.dataset["id"] === id) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  private step(by: 1 | -1): void {
    const buttons = [...this.parts.items.querySelectorAll<HTMLElement>("[data-id]")];
    const at = buttons.findIndex((button) => button === document.activeElement);
    const next = buttons[at < 0 ? 0 : Math.min(buttons.length - 1, Math.max(0, at + by))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }
}

/** The city's sum over all facilities. */
export function citySum(places: readonly Place[]): Counts {
  return places.reduce<Counts>(
    (sum, { counts }) => ({
      free: sum.free + counts.free,
      occupied: sum.occupied + counts.occupied,
      unknown: sum.unknown + counts.unknown,
    }),
    { free: 0, occupied: 0, unknown: 0 },
  );
}
