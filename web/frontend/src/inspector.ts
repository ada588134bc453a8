/** The inspectors' page: what calls around, what any car owes, slips to be left. No money is taken here. */
import "../styles/base.css";
import "../styles/attendant.css";
import { read, readAll } from "./api/client";
import type { Facility, PatrolTask, Session } from "./api/types";
import { arrearsByPlate, arrearsOfStay, type ArrearsActs } from "./attendant/arrears";
import { facilityChoice } from "./attendant/choice";
import { Patrol, patrolPanel } from "./attendant/patrol";
import { point } from "./attendant/patrol_tasks";
import { instant } from "./format/time";
import { exactly, inLanguage } from "./format/words";
import { plateLabel } from "./plates/label";
import { everySecond } from "./shell/clock";
import { byId, h, icon, put, replace, write } from "./shell/dom";
import { onKey } from "./shell/keys";
import { startPage } from "./shell/page";
import { poll } from "./shell/poll";
import { errorState, skeleton } from "./shell/states";
import { text } from "./shell/text";

const REFRESH_MS = 30_000;
const PLACE_KEY = "greenbay.beat";

type Kind = PatrolTask["kind"];

/** What an inspector looks for at a time. */
const GROUPS = [
  ["inspect", ["unpaid", "escape", "arrears", "overstay", "signed", "forbidden", "blocked", "zombie"]],
  ["unpaid", ["unpaid", "escape", "arrears"]],
  ["over", ["overstay", "signed"]],
  ["forbidden", ["forbidden", "blocked"]],
  ["zombie", ["zombie"]],
  ["plate", ["plate"]],
  ["sensor", ["sensor"]],
] as const satisfies readonly (readonly [string, readonly Kind[]])[];

class InspectorPage {
  private readonly home = byId("home");
  private readonly actPanel = byId("act");
  private readonly actTitle = byId("act-title");
  private readonly actBody = byId("act-content");
  private readonly patrol = new Patrol(() => []);
  private panel: ReturnType<typeof patrolPanel> | null = null;

  constructor() {
    byId("act-close").addEventListener("click", () => this.close());
    onKey("Escape", "keys.close", () => this.close());
    everySecond(() => this.panel?.update());
  }

  async start(): Promise<void> {
    await this.patrol.start();
    poll(async () => this.panel?.reload(), REFRESH_MS);
    await this.open(localStorage.getItem(PLACE_KEY));
  }

  /** Work around a place, or choose one. */
  private async open(facilityId: string | null): Promise<void> {
    this.panel = null;
    this.close();
    replace(this.home, h("h1", {}, text("inspector.choose")), skeleton(8, "row"));
    try {
      if (facilityId) {
        this.showRound(await read<Facility>(`/api/v1/facilities/${facilityId}`));
        return;
      }
      const facilities = await readAll<Facility>("/api/v1/facilities", { limit: 500 });
      const choice = facilityChoice(facilities, (id) => {
        localStorage.setItem(PLACE_KEY, id);
        void this.open(id);
      });
      replace(this.home, h("h1", {}, text("inspector.choose")), ...choice);
    } catch (error) {
      replace(
        this.home,
        errorState(error, () => void this.open(facilityId)),
        facilityId && h("button", { class: "button button-quiet", type: "button", onclick: () => void this.open(null) }, text("inspector.choose")),
      );
    }
  }

  private showRound(facility: Facility): void {
    const panel = patrolPanel(this.patrol, point(facility.position), {
      act: (task) => void this.look(task),
      named: (task) => (task.session_id ? text("inspector.show") : null),
      show: (title, element) => this.show(title, element),
      back: () => {
        this.close();
        panel.update();
      },
    });
    this.panel = panel;
    const chips = h("div", { class: "chips", role: "group", "aria-label": text("inspector.kinds") });
    const choose = (chosen: string, kinds: readonly Kind[]): void => {
      this.patrol.only = new Set(kinds);
      for (const chip of chips.querySelectorAll<HTMLElement>("[data-group]")) {
        chip.setAttribute("aria-pressed", String(chip.dataset["group"] === chosen));
      }
      panel.update();
      void panel.reload();
    };
    chips.append(
      ...GROUPS.map(([name, kinds]) =>
        h("button", { class: "chip", type: "button", "data-group": name, onclick: () => choose(name, kinds) }, text(`inspector.group.${name}`)),
      ),
    );
    choose(...GROUPS[0]);
    replace(
      this.home,
      h(
        "div",
        { class: "post" },
        h(
          "button",
          { class: "post-head", type: "button", onclick: () => void this.open(null) },
          h("span", { class: "post-name" }, inLanguage(facility.name.zh, facility.name.en)),
          h("span", { class: "post-change" }, text("post.change"), icon("next")),
        ),
        h(
          "section",
          { class: "post-section" },
          h("button", { class: "button button-wide", type: "button", id: "look-up", onclick: () => this.lookUp() }, text("owed.open")),
          h("p", { class: "note" }, text("inspector.note")),
        ),
        h("section", { class: "post-section" }, chips, panel.element),
      ),
    );
  }

  private arrears(back: () => void): ArrearsActs {
    return { takes: false, show: (title, element) => this.show(title, element), close: back };
  }

  private lookUp(): void {
    this.show(
      text("owed.open"),
      arrearsByPlate(this.arrears(() => this.lookUp())),
    );
  }

  /** The stay that a task is about, its plate whole, and what its car owes: each look is on record. */
  private async look(task: PatrolTask): Promise<void> {
    const body = h("div", { class: "panel-body" }, skeleton(4, "line"));
    this.show(text("inspector.stay", { label: task.bay_label }), body);
    if (!task.session_id) return;
    try {
      const stay = await read<Session>(`/api/v1/sessions/${task.session_id}`);
      const times = stay.closed_at
        ? text("inspector.stood", { from: exactly(instant(stay.opened_at)), until: exactly(instant(stay.closed_at)) })
        : text("inspector.stands", { from: exactly(instant(stay.opened_at)) });
      replace(
        body,
        h(
          "section",
          { class: "panel-section" },
          h("p", { class: "label" }, text("plate.number")),
          h("p", { class: "bill-line" }, stay.plate ? plateLabel(stay.plate, "m") : h("span", {}, text("stay.no_plate"))),
          h("p", {}, times),
          h("a", { class: "button", href: `/stays?stay=${stay.id}` }, text("inspector.evidence")),
        ),
        stay.plate ? arrearsOfStay(stay.id, this.arrears(() => void this.look(task))) : null,
      );
    } catch (error) {
      replace(body, errorState(error, () => void this.look(task)));
    }
  }

  private close(): void {
    this.actPanel.hidden = true;
    document.body.classList.remove("has-step");
    this.actBody.replaceChildren();
  }

  private show(title: string, element: HTMLElement): void {
    this.actPanel.hidden = false;
    document.body.classList.add("has-step");
    this.actBody.replaceChildren();
    write(this.actTitle, title);
    put(this.actBody, element);
    this.actPanel.scrollTop = 0;
    this.actTitle.focus({ preventScroll: true });
  }
}

void startPage(() => new InspectorPage().start());
