/** Permits: who may park where without the tariff; issued, listed, renewed and taken back here. */
import "../styles/base.css";
import "../styles/permits.css";
import { read, readAll, type Page } from "./api/client";
import type { Facility, Permit } from "./api/types";
import { agoText } from "./format/words";
import { issueDialog } from "./permits/issue";
import { PermitPanel, stateTag } from "./permits/panel";
import { hoursText, lastDay, limitText, placesText, STATES, type PermitState } from "./permits/words";
import { everySecond } from "./shell/clock";
import { byId, h, replace, write } from "./shell/dom";
import { onKey } from "./shell/keys";
import { hasRole, startPage } from "./shell/page";
import { emptyState, errorState, skeleton } from "./shell/states";
import { counted, named, text } from "./shell/text";

const STEP = 100;

class PermitsPage {
  private readonly search = byId<HTMLInputElement>("search");
  private readonly panel = byId("panel");
  private readonly mayKeep = hasRole("operator", "administrator");
  private readonly detail: PermitPanel;
  private facilities: readonly Facility[] = [];
  private permits: Permit[] = [];
  private next: string | null = null;
  private state: PermitState = "valid";
  private readAtMs: number | null = null;
  private opener: HTMLElement | null = null;

  constructor() {
    replace(byId("permits"), skeleton(8));
    this.detail = new PermitPanel(byId("panel-content"), byId("panel-title"), this.mayKeep, () =>
      void this.load(),
    );
    this.search.addEventListener("input", () => this.draw());
    onKey("/", "keys.search", () => this.search.focus());
    onKey("j", "keys.next", () => this.step(1));
    onKey("k", "keys.previous", () => this.step(-1));
    onKey("Escape", "keys.close", () => this.close());
    byId("panel-close").addEventListener("click", () => this.close());
    const issue = byId<HTMLButtonElement>("issue");
    issue.hidden = !this.mayKeep;
    issue.addEventListener("click", () =>
      issueDialog(this.facilities, (permit) => {
        void this.load();
        void this.open(permit.id);
      }),
    );
    everySecond(() => this.showAge());
    this.drawStates();
  }

  async start(): Promise<void> {
    this.facilities = await readAll<Facility>("/api/v1/facilities", { limit: 500 }).catch(() => []);
    await this.load();
  }

  private async load(more = false): Promise<void> {
    try {
      const page: Page<Permit> = await read<Page<Permit>>("/api/v1/permits", {
        state: this.state,
        limit: STEP,
        cursor: more ? this.next : null,
      });
      this.permits = more ? [...this.permits, ...page.items] : [...page.items];
      this.next = page.next;
      this.readAtMs = Date.now();
      this.draw();
    } catch (error) {
      replace(byId("permits"), errorState(error, () => void this.load(more)));
    }
    this.showAge();
  }

  private drawStates(): void {
    replace(
      byId("states"),
      ...STATES.map((state) =>
        h(
          "button",
          {
            class: "chip",
            type: "button",
            "aria-pressed": String(this.state === state),
            onclick: () => {
              this.state = state;
              this.drawStates();
              byId("states").querySelector<HTMLElement>('[aria-pressed="true"]')?.focus();
              void this.load();
            },
          },
          named("permits.state", state),
        ),
      ),
    );
  }

  private draw(): void {
    const wanted = this.search.value.trim().toLowerCase();
    const found = this.permits.filter((permit) =>
      [permit.label, placesText(permit, this.facilities), named("permits.kind", permit.kind)]
        .join(" ")
        .toLowerCase()
        .includes(wanted),
    );
    write(byId("permit-count"), counted("permits.count", found.length));
    const head = ["label", "kind", "places", "hours", "limit", "list", "until"] as const;
    replace(
      byId("permits"),
      found.length === 0
        ? emptyState(text("permits.none"), text("permits.none_advice"))
        : h(
            "table",
            { class: "table table-cards" },
            h("caption", { class: "visually-hidden" }, text("permits.page")),
            h(
              "thead",
              {},
              h("tr", {}, ...head.map((key) => h("th", { scope: "col" }, text(`permits.${key}`)))),
            ),
            h("tbody", {}, ...found.map((permit) => this.row(permit))),
          ),
      this.next === null
        ? null
        : h("button", { class: "button", type: "button", onclick: () => void this.load(true) }, text("list.more")),
    );
  }

  private row(permit: Permit): HTMLElement {
    const cell = (label: string, ...content: (Node | string)[]): HTMLElement =>
      h("td", { "data-label": label }, ...content);
    return h(
      "tr",
      {},
      h(
        "th",
        { scope: "row" },
        h(
          "button",
          { class: "link", type: "button", "data-permit": permit.id, onclick: () => void this.open(permit.id) },
          permit.label,
        ),
      ),
      cell(text("permits.kind"), named("permits.kind", permit.kind), " ", stateTag(permit.state)),
      cell(text("permits.places"), placesText(permit, this.facilities)),
      cell(text("permits.hours"), hoursText(permit)),
      cell(text("permits.limit"), limitText(permit)),
      cell(text("permits.list"), counted("permits.cars", permit.vehicles)),
      cell(text("permits.until"), lastDay(permit)),
    );
  }

  private async open(id: string): Promise<void> {
    if (this.panel.hidden) this.opener = document.activeElement as HTMLElement | null;
    this.panel.hidden = false;
    byId("main").dataset["panel"] = "open";
    byId("panel-title").focus({ preventScroll: true });
    await this.detail.show(id, this.facilities);
  }

  private close(): void {
    this.panel.hidden = true;
    byId("main").dataset["panel"] = "closed";
    if (this.opener?.isConnected) this.opener.focus();
    this.opener = null;
  }

  private step(by: 1 | -1): void {
    const links = [...byId("permits").querySelectorAll<HTMLElement>("[data-permit]")];
    const at = links.findIndex((link) => link === document.activeElement);
    links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  }

  private showAge(): void {
    write(
      byId("age"),
      this.readAtMs === null ? "" : text("post.age", { age: agoText(this.readAtMs, Date.now()) }),
    );
  }
}

void startPage(() => new PermitsPage().start());
