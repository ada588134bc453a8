/** The list of candidates: where, how long, how much in total, how likely free. */
import type { NearBay } from "../api/types";
import { agoText, inLanguage, price } from "../format/words";
import { h, KeyedList, replace, write } from "../shell/dom";
import { text } from "../shell/text";
import { chanceText, metresText, minutesText, painted, restrictionsOf, STALE_S } from "./words";

export interface Shown {
  readonly found: NearBay;
  /** Number on the map and in the list, from 1. */
  readonly number: number;
  readonly leaveMs: number;
  /** When the answer came, by the business clock. */
  readonly answeredMs: number;
}

/** How old what a sensor said is by now: its age in the answer, and the answer's own. */
export function heardText(shown: Shown): string {
  const { data_age_s: ageS } = shown.found;
  return agoText(ageS === null ? null : shown.answeredMs - ageS * 1_000);
}

function createItem(first: Shown, open: (id: string) => void) {
  const number = h("span", { class: "pin-number", "aria-hidden": "true" });
  const name = h("span", { class: "item-name" });
  const way = h("span", { class: "candidate-facts" });
  const facts = h("span", { class: "candidate-facts" });
  const tags = h("span", { class: "tags" });
  const total = h("span", { class: "candidate-price" });
  const chance = h("span", { class: "candidate-chance" });
  const button = h(
    "button",
    {
      class: "candidate",
      type: "button",
      "data-id": first.found.bay.id,
      onclick: () => open(first.found.bay.id),
    },
    number,
    h("span", { class: "item-words" }, name, way, facts, tags),
    h("span", { class: "candidate-money" }, total, chance),
  );
  return {
    element: h("li", {}, button),
    update(shown: Shown) {
      const { found } = shown;
      write(number, String(shown.number));
      write(name, inLanguage(found.facility.zh, found.facility.en));
      const metres = metresText(found.walk_m);
      write(
        way,
        found.drive_s === null
          ? text("find.walk_fact", { minutes: minutesText(found.walk_s), metres })
          : text("find.door_fact", { minutes: minutesText(found.door_to_door_s), walk: metres }),
      );
      write(facts, `${text("find.bay_fact", { label: painted(found) })} · ${heardText(shown)}`);
      facts.classList.toggle("is-stale", found.data_age_s === null || found.data_age_s > STALE_S);
      write(total, found.price_total ? price(found.price_total) : text("find.price_unknown"));
      total.classList.toggle("is-unknown", !found.price_total);
      write(
        chance,
        found.chance_free === null
          ? text("find.chance_unknown")
          : text("find.chance_fact", { chance: chanceText(found) }),
      );
      chance.classList.toggle("is-unknown", found.chance_free === null);
      const told = restrictionsOf(found, shown.leaveMs);
      const words = told.map((each) => `${each.warns ? "!" : ""}${each.words}`).join("|");
      if (tags.dataset["words"] !== words) {
        tags.dataset["words"] = words;
        replace(
          tags,
          found.bay.kind === "charging" &&
            h("span", { class: "tag tag-good" }, text("bay.kind.charging")),
          ...told.map((each) =>
            h("span", { class: each.warns ? "tag tag-warning" : "tag" }, each.words),
          ),
        );
      }
    },
  };
}

export class CandidateList {
  private readonly keyed: KeyedList<Shown>;
  private hovered = false;

  constructor(
    private readonly place: HTMLElement,
    open: (id: string) => void,
    private readonly pointed: (id: string | null) => void,
  ) {
    this.keyed = new KeyedList<Shown>(
      place,
      (shown) => shown.found.bay.id,
      (shown) => createItem(shown, open),
    );
    place.addEventListener("pointerenter", () => (this.hovered = true));
    place.addEventListener("pointerleave", () => {
      this.hovered = false;
      this.pointed(null);
    });
    for (const kind of ["pointerover", "focusin"]) {
      place.addEventListener(kind, (event) => {
        const item = (event.target as Element).closest<HTMLElement>("[data-id]");
        if (item) this.pointed(item.dataset["id"] ?? null);
      });
    }
    place.addEventListener("focusout", () => this.pointed(null));
  }

  /** Whether somebody is about to choose: then nothing may move. */
  get busy(): boolean {
    return this.hovered || this.place.contains(document.activeElement);
  }

  get order(): string[] {
    return [...this.place.querySelectorAll<HTMLElement>("[data-id]")].map(
      (element) => element.dataset["id"] ?? "",
    );
  }

  show(items: readonly Shown[]): void {
    this.keyed.show(items);
  }

  /** Something else than candidates: a skeleton, an empty state, an error. */
  say(state: HTMLElement): void {
    this.keyed.clear();
    this.place.append(h("li", {}, state));
  }

  mark(id: string | null): void {
    for (const button of this.place.querySelectorAll<HTMLElement>("[data-id]")) {
      if (button.dataset["id"] === id) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  focus(id: string): void {
    this.keyed.element(id)?.querySelector("button")?.focus();
  }

  step(by: 1 | -1): void {
    const buttons = [...this.place.querySelectorAll<HTMLElement>("[data-id]")];
    const at = buttons.findIndex((button) => button === document.activeElement);
    const next = buttons[at < 0 ? 0 : Math.min(buttons.length - 1, Math.max(0, at + by))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }
}
