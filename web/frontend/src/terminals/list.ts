/** A list of terminals of either kind: filtered, read anew, each opened, locked, unlocked and ended. */
import { act, actKey, readAll } from "../api/client";
import type { Facility } from "../api/types";
import { chips, Desk } from "../shell/desk";
import { byId, h, replace } from "../shell/dom";
import { choice, field, labelled, showForm } from "../shell/form";
import { hasRole } from "../shell/page";
import { emptyState, errorState } from "../shell/states";
import { named, text } from "../shell/text";

const FILTERS = ["all", "eye"] as const;

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly concerns: readonly string[];
}

/** What tells one kind of terminals from the other. */
export interface Kind<T extends Listed> {
  /** Where its words begin in the catalogue. */
  readonly words: "pos" | "terminals";
  readonly path: string;
  /** How a state's tag looks. */
  readonly tags: Readonly<Record<T["state"], string>>;
  /** What is done to a terminal, with the end of its path. */
  readonly turns: Readonly<Record<string, string>>;
  /** The second line of a row. */
  readonly line: (terminal: T) => readonly (HTMLElement | null)[];
  readonly content: (terminal: T) => Promise<HTMLElement>;
  readonly register: () => Promise<void>;
}

export class TerminalList<T extends Listed> {
  readonly mayAct = hasRole("operator", "administrator");
  items: readonly T[] | null = null;
  private readonly place = byId("terminals");
  private readonly desk = new Desk(this.place, () => this.draw());
  private filter: (typeof FILTERS)[number] = "all";

  constructor(private readonly kind: Kind<T>) {
    chips(
      byId("filter"),
      FILTERS.map((each) => [each, named("terminals.filter", each)] as const),
      this.filter,
      (chosen) => {
        this.filter = chosen;
        this.draw();
      },
    );
    if (!this.mayAct) return;
    const register = (): void => void kind.register();
    replace(
      byId("register"),
      h("button", { class: "button button-primary", type: "button", onclick: register }, text(`${kind.words}.register`)),
    );
  }

  async load(): Promise<void> {
    try {
      this.items = await readAll<T>(this.kind.path, { limit: 500 });
      this.desk.wasRead();
      this.draw();
    } catch (error) {
      if (this.items === null) replace(this.place, errorState(error, () => void this.load()));
    }
  }

  open(terminal: T): Promise<void> {
    return this.desk.open(terminal.id, terminal.name, () => this.kind.content(terminal));
  }

  /** Its state, and what needs an eye. */
  tags(terminal: T): HTMLElement {
    return h("p", { class: "tags" }, this.stateTag(terminal), this.concernTags(terminal));
  }

  /** Lock, unlock or end it, with the consequence in words. */
  turn(terminal: T, turn: string): void {
    const { words, path, turns } = this.kind;
    const reason = field("", { required: true, minlength: 3, maxlength: 200 });
    const key = actKey();
    showForm({
      title: `${named(words, turn)}: ${terminal.name}`,
      parts: [h("p", {}, named(words, `${turn}_means`)), labelled("reason", text("terminals.reason"), reason)],
      submit: named(words, turn),
      send: async () => {
        const done = await act<T>("POST", `${path}/${terminal.id}/${turns[turn]}`, { reason: reason.value }, key);
        await this.load();
        void this.open(done);
        return this.done(done);
      },
    });
  }

  turnButton(terminal: T, turn: string, how = "button"): HTMLElement {
    const pressed = (): void => this.turn(terminal, turn);
    return h("button", { class: how, type: "button", onclick: pressed }, named(this.kind.words, turn));
  }

  /** What it is now, in a few words. */
  done(terminal: T): string {
    return text("terminals.done", { name: terminal.name, state: named(`${this.kind.words}.state`, terminal.state) });
  }

  private draw(): void {
    if (this.items === null) return;
    const focused = (document.activeElement as HTMLElement | null)?.dataset["row"];
    const shown = this.items.filter((each) => this.filter === "all" || each.concerns.length > 0);
    const { words } = this.kind;
    replace(
      this.place,
      shown.length === 0
        ? emptyState(text(`${words}.none`), text(`${words}.none_advice`))
        : h("ul", {}, ...shown.map((each) => h("li", {}, this.row(each)))),
    );
    if (focused) this.place.querySelector<HTMLElement>(`[data-row="${focused}"]`)?.focus({ preventScroll: true });
  }

  private row(terminal: T): HTMLElement {
    return this.desk.row(
      terminal.id,
      () => void this.open(terminal),
      h("span", { class: "desk-top" }, h("strong", {}, terminal.name), this.stateTag(terminal)),
      h("span", { class: "desk-top" }, ...this.kind.line(terminal), this.concernTags(terminal)),
    );
  }

  private stateTag(terminal: T): HTMLElement {
    const looks = this.kind.tags[terminal.state as T["state"]];
    return h("span", { class: looks }, named(`${this.kind.words}.state`, terminal.state));
  }

  private concernTags(terminal: T): HTMLElement {
    const concerns = terminal.concerns.map((each) => named(`${this.kind.words}.concern`, each));
    return h("span", { class: "tags" }, ...concerns.map((each) => h("span", { class: "tag tag-warning" }, each)));
  }
}

/** Where a new terminal is: one of the facilities' districts; typed where their list does not come. */
export async function districtField(): Promise<HTMLInputElement | HTMLSelectElement> {
  try {
    const facilities = await readAll<Facility>("/api/v1/facilities", { limit: 500 });
    const districts = [...new Set(facilities.map((each) => each.district))].sort();
    if (districts.length > 0) return choice(districts.map((each) => [each, each] as const));
  } catch {
    // Typed then.
  }
  return field("", { required: true, pattern: "[0-9a-z]{2,12}" });
}
