/** Operators, their facilities, these' zones and bays: a list in lists, opened level by level. */
import type { RegisteredFacility } from "../api/types";
import { h, icon, replace, write } from "../shell/dom";
import { onKey } from "../shell/keys";
import { emptyState, errorState, skeleton } from "../shell/states";
import { announce } from "../shell/toast";
import { counted, named, text } from "../shell/text";
import {
  nameOf,
  purposesOf,
  sumOf,
  zoneName,
  type BayState,
  type Inside,
  type Kept,
  type Registry,
} from "./registry";
import { onboardingTag, purposesText, purposeWord } from "./words";

export type Chosen =
  | { readonly kind: "operator" | "facility"; readonly id: string }
  | { readonly kind: "zone" | "bay"; readonly id: string; readonly facilityId: string };

interface Parts {
  readonly root: HTMLElement;
  readonly search: HTMLInputElement;
  readonly state: HTMLSelectElement;
  readonly found: HTMLElement;
}

export class Tree {
  private readonly open = new Set<string>();
  private chosen = "";

  constructor(
    private readonly parts: Parts,
    private readonly registry: Registry,
    private readonly choose: (chosen: Chosen) => void,
  ) {
    replace(parts.root, skeleton(8));
    parts.search.addEventListener("input", () => this.draw());
    parts.state.addEventListener("change", () => this.draw());
    onKey("/", "keys.search", () => parts.search.focus());
    onKey("j", "keys.next", () => this.step(1));
    onKey("k", "keys.previous", () => this.step(-1));
    parts.root.addEventListener("keydown", (event) => this.arrow(event));
  }

  draw(): void {
    const { search, state, root, found } = this.parts;
    const groups = this.registry.grouped(search.value, state.value);
    const facilities = groups.reduce((sum, [, list]) => sum + list.length, 0);
    write(found, counted("places.facilities", facilities));
    if (groups.length === 0) {
      replace(
        root,
        h(
          "li",
          {},
          this.registry.facilities.length
            ? emptyState(text("places.none_found"), text("places.none_found_advice"))
            : emptyState(text("places.none"), text("places.none_advice")),
        ),
      );
      return;
    }
    if (search.value) announce(counted("places.facilities", facilities));
    const focused = (document.activeElement as HTMLElement | null)?.dataset["row"];
    replace(
      root,
      ...groups.map(([operator, list]) => {
        const key = `operator/${operator.id}`;
        // One operator alone, and what a search leaves, stands open.
        if (groups.length === 1 || search.value || state.value) this.open.add(key);
        return this.branch(
          key,
          nameOf(operator),
          purposesText(sumOf(list.map((each) => each.bays))),
          counted("places.facilities", list.length),
          null,
          () => this.choose({ kind: "operator", id: operator.id }),
          (into) => replace(into, ...list.map((each) => this.facility(each))),
        );
      }),
    );
    this.mark(this.chosen);
    if (focused) this.row(focused)?.focus();
  }

  mark(key: string): void {
    this.chosen = key;
    for (const row of this.parts.root.querySelectorAll<HTMLElement>("[data-row]")) {
      if (row.dataset["row"] === key) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }

  /** Open what leads to a facility, so that it can be seen. */
  reveal(facility: RegisteredFacility, inside: boolean): void {
    this.open.add(`operator/${facility.operator_id}`);
    if (inside) this.open.add(`facility/${facility.id}`);
    this.draw();
    this.row(`facility/${facility.id}`)?.scrollIntoView({ block: "nearest" });
  }

  focus(key: string): void {
    this.row(key)?.focus();
  }

  private row(key: string): HTMLElement | null {
    return this.parts.root.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`);
  }

  private facility(each: RegisteredFacility): HTMLElement {
    const suspended = each.suspended
      ? ` · ${counted("places.suspended_bays", each.suspended)}`
      : "";
    return this.branch(
      `facility/${each.id}`,
      nameOf(each),
      purposesText(each.bays) + suspended,
      each.code,
      each.onboarding === "live" ? null : onboardingTag(each.onboarding),
      () => this.choose({ kind: "facility", id: each.id }),
      (into) => this.fill(into, each),
    );
  }

  private fill(into: HTMLElement, facility: RegisteredFacility): void {
    replace(into, h("li", {}, skeleton(3, "line")));
    this.registry.insideOf(facility.id).then(
      (inside) => {
        replace(into, ...this.inside(facility.id, inside));
        this.mark(this.chosen);
      },
      (error: unknown) =>
        replace(into, h("li", {}, errorState(error, () => this.fill(into, facility)))),
    );
  }

  private inside(facilityId: string, { zones, bays }: Inside): HTMLElement[] {
    if (zones.length === 0 && bays.length === 0) {
      return [h("li", { class: "tree-empty" }, text("places.no_bays"))];
    }
    const loose = bays.filter(({ state }) => state.zone_id === null);
    return [
      ...zones.map((zone) => {
        const here = bays.filter(({ state }) => state.zone_id === zone.state.id);
        return this.branch(
          `zone/${zone.state.id}`,
          zoneName(zone.state),
          purposesText(purposesOf(here)),
          named("zone.kind", zone.state.kind),
          null,
          () => this.choose({ kind: "zone", id: zone.state.id, facilityId }),
          (into) => replace(into, this.bays(facilityId, here)),
        );
      }),
      ...(loose.length ? [this.bays(facilityId, loose)] : []),
    ];
  }

  private bays(facilityId: string, bays: readonly Kept<BayState>[]): HTMLElement {
    return h(
      "li",
      { class: "tree-bays" },
      ...bays.map(({ state }) =>
        h(
          "button",
          {
            class: "tree-bay",
            type: "button",
            "data-row": `bay/${state.id}`,
            "data-purpose": state.purpose,
            onclick: () => this.choose({ kind: "bay", id: state.id, facilityId }),
          },
          state.label,
          state.purpose === "public"
            ? null
            : h("span", { class: "tree-bay-purpose" }, ` ${purposeWord(state.purpose)}`),
          state.kind === "standard"
            ? null
            : h("span", { class: "tree-bay-purpose" }, ` ${named("bay.kind", state.kind)}`),
        ),
      ),
    );
  }

  private branch(
    key: string,
    name: string,
    counts: string,
    facts: string,
    tag: HTMLElement | null,
    choose: () => void,
    fill: (into: HTMLElement) => void,
  ): HTMLElement {
    const list = h("ul", { class: "tree-list" });
    const toggle = h(
      "button",
      { class: "tree-toggle", type: "button", "aria-label": text("places.open_branch", { name }) },
      icon("next"),
    );
    const show = (isOpen: boolean): void => {
      toggle.setAttribute("aria-expanded", String(isOpen));
      list.hidden = !isOpen;
      if (isOpen) {
        this.open.add(key);
        if (!list.childElementCount) fill(list);
      } else this.open.delete(key);
    };
    toggle.addEventListener("click", () => show(list.hidden));
    const row = h(
      "button",
      { class: "tree-row", type: "button", "data-row": key, onclick: choose },
      h("span", { class: "tree-name" }, name, tag ? " " : null, tag),
      h("span", { class: "item-facts" }, `${counts} · ${facts}`),
    );
    row.addEventListener("toggle-branch", (event) => show((event as CustomEvent<boolean>).detail));
    show(this.open.has(key));
    return h("li", { class: "tree-branch" }, h("div", { class: "tree-line" }, toggle, row), list);
  }

  private rows(): HTMLElement[] {
    return [...this.parts.root.querySelectorAll<HTMLElement>("[data-row]")].filter(
      (row) => row.offsetParent !== null,
    );
  }

  private step(by: 1 | -1): void {
    const rows = this.rows();
    const at = rows.findIndex((row) => row === document.activeElement);
    const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  private arrow(event: KeyboardEvent): void {
    const row = (event.target as HTMLElement).closest<HTMLElement>("[data-row]");
    if (!row) return;
    if (event.key === "ArrowDown") this.step(1);
    else if (event.key === "ArrowUp") this.step(-1);
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      row.dispatchEvent(new CustomEvent("toggle-branch", { detail: event.key === "ArrowRight" }));
    } else return;
    event.preventDefault();
  }
}
