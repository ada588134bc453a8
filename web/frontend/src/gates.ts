/** The gate desk: all lanes on one screen; lift, answer a call and see the picture in two presses. */
import "../styles/base.css";
import "../styles/rights.css";
import "../styles/gates.css";
import { act, actKey, read, readAll } from "./api/client";
import type { Facility, Lane, LaneAct, LaneAlarm, LaneVehicle } from "./api/types";
import { instant } from "./format/time";
import { agoText, exactly, inLanguage, moment, price } from "./format/words";
import { frameShown } from "./gates/picture";
import { fact } from "./panels/figures";
import { plateFields } from "./plates/fields";
import { plateLabel } from "./plates/label";
import { Desk } from "./shell/desk";
import { byId, h, replace } from "./shell/dom";
import { choice, field, labelled, showForm } from "./shell/form";
import { hasRole, startPage } from "./shell/page";
import { poll } from "./shell/poll";
import { emptyState, errorState, problemText } from "./shell/states";
import { named, text } from "./shell/text";
import { toast } from "./shell/toast";

const REFRESH_MS = 2_000;
const REASONS = ["no-plate", "misread", "paid-elsewhere", "emergency", "fault", "jam", "test", "other"] as const;
const OF_A_VEHICLE = new Set(["unread", "unclear"]);

type LaneActKind = "lift" | "hold" | "lower";

class GatesPage {
  private readonly place = byId("lanes");
  private readonly alarmsPlace = byId("alarms");
  private readonly desk = new Desk(this.place, () => this.draw());
  private readonly mayAct = hasRole("attendant", "operator");
  private readonly facility = byId<HTMLSelectElement>("facility");
  private readonly names = new Map<string, string>();
  private lanes: readonly Lane[] | null = null;
  private alarms: readonly LaneAlarm[] = [];
  private drawn = "";

  async start(): Promise<void> {
    this.facility.append(h("option", { value: "" }, text("stays.everywhere")));
    this.facility.addEventListener("change", () => {
      this.drawFire();
      this.draw();
    });
    try {
      for (const each of await readAll<Facility>("/api/v1/facilities", { limit: 500 }, 5_000)) {
        this.names.set(each.id, inLanguage(each.name.zh, each.name.en));
      }
    } catch {
      // Cards then name the gate alone.
    }
    poll(() => this.load(), REFRESH_MS);
  }

  async load(): Promise<void> {
    try {
      const [lanes, alarms] = await Promise.all([
        readAll<Lane>("/api/v1/lanes", { limit: 100 }, 500),
        read<{ items: LaneAlarm[] }>("/api/v1/lane-alarms", { limit: 50 }),
      ]);
      const first = this.lanes === null;
      this.lanes = lanes;
      this.alarms = alarms.items;
      this.desk.wasRead();
      if (first) this.offerFacilities();
      this.draw();
    } catch (error) {
      if (this.lanes === null) replace(this.place, errorState(error, () => void this.load()));
    }
  }

  private offerFacilities(): void {
    const ids = [...new Set((this.lanes ?? []).map((each) => each.facility_id))];
    const sorted = ids.map((id) => [id, this.names.get(id) ?? id] as const);
    this.facility.append(
      ...sorted.sort(([, a], [, b]) => a.localeCompare(b)).map(([id, name]) => h("option", { value: id }, name)),
    );
    if (sorted.length === 1) this.facility.value = sorted[0]?.[0] ?? "";
    this.drawFire();
  }

  /** Fire is of a facility: its button is there once one is chosen. */
  private drawFire(): void {
    const id = this.facility.value;
    const burns = this.shown().some((each) => each.fire);
    replace(
      byId("fire"),
      this.mayAct && id
        ? h(
            "button",
            { class: "button", type: "button", id: "fire-button", onclick: () => this.fire(id, !burns) },
            text(burns ? "gates.fire_over" : "gates.fire"),
          )
        : null,
    );
  }

  private shown(): readonly Lane[] {
    const id = this.facility.value;
    return (this.lanes ?? []).filter((each) => !id || each.facility_id === id);
  }

  private draw(): void {
    if (this.lanes === null) return;
    const lanes = this.shown();
    const here = new Set(lanes.map((each) => each.id));
    const alarms = this.alarms.filter((each) => here.has(each.lane_id));
    // Drawn anew only where something differs: a press must not meet a button that has just gone.
    const state = JSON.stringify([lanes.map((each) => ({ ...each, heard_at: null })), alarms, this.desk.shown]);
    if (state === this.drawn) return;
    this.drawn = state;
    const focused = (document.activeElement as HTMLElement | null)?.dataset["focus"];
    replace(
      this.alarmsPlace,
      alarms.length === 0
        ? h("p", { class: "note" }, text("gates.no_alarms"))
        : h("ul", {}, ...alarms.map((each) => h("li", {}, this.alarm(each)))),
    );
    replace(
      this.place,
      lanes.length === 0
        ? emptyState(text("gates.none"), text("gates.none_advice"))
        : h("div", { class: "lanes" }, ...lanes.map((each) => this.card(each, alarms))),
    );
    this.drawFire();
    if (focused) document.querySelector<HTMLElement>(`[data-focus="${focused}"]`)?.focus({ preventScroll: true });
  }

  private title(lane: Lane): string {
    return [this.names.get(lane.facility_id), lane.gate].filter(Boolean).join(" · ");
  }

  private card(lane: Lane, alarms: readonly LaneAlarm[]): HTMLElement {
    const called = alarms.find((each) => each.lane_id === lane.id && each.kind === "called" && !each.ended_at);
    const eye = alarms.some((each) => each.lane_id === lane.id && !each.ended_at);
    return h(
      "article",
      { class: "lane", "data-lane": lane.gate, "data-eye": String(eye) },
      h(
        "span",
        { class: "desk-top" },
        h("strong", {}, this.title(lane)),
        h("span", { class: "tag" }, named("gates.way", lane.way)),
      ),
      h("span", { class: "tags" }, ...this.tags(lane)),
      h("div", { class: "lane-who" }, ...this.who(lane)),
      h(
        "p",
        { class: "lane-acts" },
        this.mayAct
          ? this.button(`lift-${lane.id}`, "gates.lift", () => this.work(lane, "lift"), "button button-primary")
          : null,
        called && this.mayAct
          ? this.button(`call-${lane.id}`, "gates.answer_call", () => void this.answer(called, "seen"))
          : null,
        this.button(`see-${lane.id}`, "gates.evidence", () => void this.open(lane)),
      ),
    );
  }

  private button(
    focus: string,
    words: "gates.lift" | "gates.answer_call" | "gates.evidence",
    run: () => void,
    style = "button",
  ): HTMLElement {
    return h("button", { class: style, type: "button", "data-focus": focus, onclick: run }, text(words));
  }

  private tags(lane: Lane): HTMLElement[] {
    const tag = (words: string, tone = ""): HTMLElement => h("span", { class: `tag ${tone}`.trim() }, words);
    const found = [tag(named("gates.barrier", lane.barrier), lane.barrier === "up" ? "tag-good" : "")];
    if (lane.online === false) found.push(tag(text("gates.offline"), "tag-danger"));
    if (lane.online === null) found.push(tag(text("gates.never_heard"), "tag-warning"));
    if (lane.fire) found.push(tag(text("gates.fire_now"), "tag-danger"));
    if (lane.held) found.push(tag(text("gates.held"), "tag-warning"));
    return found;
  }

  private who(lane: Lane): (HTMLElement | null)[] {
    const waiting = lane.waiting;
    if (waiting) {
      return [
        waiting.plate ? plateLabel(waiting.plate) : h("span", {}, text("gates.unread")),
        h("span", { class: "item-facts" }, agoText(instant(waiting.since_at))),
        waiting.verdict ? h("span", { class: "tag" }, named("gates.verdict", waiting.verdict)) : null,
        waiting.because ? h("span", { class: "item-facts" }, named("gates.because", waiting.because)) : null,
        waiting.due && waiting.due.minor > 0 ? h("strong", {}, price(waiting.due)) : null,
      ];
    }
    const last = lane.vehicles[0];
    if (!last) return [h("span", { class: "item-facts" }, text("gates.nobody"))];
    return [
      h("span", { class: "item-facts" }, text("gates.last", { at: moment(instant(last.ended_at)) })),
      last.plate ? plateLabel(last.plate) : null,
      h("span", { class: "item-facts" }, named("gates.outcome", last.outcome)),
    ];
  }

  private alarm(alarm: LaneAlarm): HTMLElement {
    const lane = this.lanes?.find((each) => each.id === alarm.lane_id);
    const asks = OF_A_VEHICLE.has(alarm.kind);
    const say = (answer: "seen" | "backed", words: "gates.seen" | "gates.backed"): HTMLElement =>
      h("button", { class: "button", type: "button", "data-focus": `${answer}-${alarm.id}`, onclick: () => void this.answer(alarm, answer) }, text(words));
    return h(
      "div",
      { class: "alarm", "data-alarm": alarm.kind },
      h(
        "span",
        { class: "tags" },
        h("span", { class: "tag tag-danger" }, named("gates.alarm", alarm.kind)),
        h("strong", {}, lane ? this.title(lane) : ""),
        h("span", { class: "item-facts" }, exactly(instant(alarm.began_at))),
      ),
      this.mayAct
        ? h(
            "span",
            { class: "lane-acts" },
            asks
              ? h("button", { class: "button", type: "button", "data-focus": `passed-${alarm.id}`, onclick: () => this.passed(alarm, lane) }, text("gates.passed"))
              : null,
            alarm.kind === "unclear" ? say("backed", "gates.backed") : null,
            say("seen", "gates.seen"),
          )
        : null,
    );
  }

  private async answer(alarm: LaneAlarm, answer: "seen" | "passed" | "backed"): Promise<void> {
    try {
      await act("POST", `/api/v1/lane-alarms/${alarm.id}/answer`, { answer });
      await this.load();
    } catch (error) {
      toast(problemText(error), "danger");
    }
  }

  /** Say that a vehicle went through; whose it was stands on its picture. */
  private passed(alarm: LaneAlarm, lane: Lane | undefined): void {
    const fields = plateFields();
    const key = actKey();
    showForm({
      title: `${named("gates.alarm", alarm.kind)}: ${lane ? this.title(lane) : ""}`,
      parts: [alarm.read_id ? frameShown(`/api/v1/reads/${alarm.read_id}/picture`) : null, fields.part],
      submit: text("gates.passed"),
      send: async () => {
        const { plate, kind } = fields.value();
        const body = { answer: "passed", plate, plate_kind: kind };
        await act("POST", `/api/v1/lane-alarms/${alarm.id}/answer`, body, key);
        await this.load();
        return text("gates.told");
      },
    });
  }

  /** Lift, hold or lower: a reason is one press more. */
  private work(lane: Lane, kind: LaneActKind): void {
    const reason = choice(REASONS.map((each) => [each, named("gates.reason", each)] as const));
    const note = field("", { maxlength: 500 });
    const key = actKey();
    showForm({
      title: `${text(`gates.${kind}`)}: ${this.title(lane)}`,
      parts: [
        labelled("g-reason", text("gates.reason"), reason),
        labelled("g-note", text("gates.note"), note, text("gates.note_hint")),
      ],
      submit: text(`gates.${kind}`),
      send: async () => {
        const body = { kind, reason: reason.value, note: note.value };
        await act<LaneAct>("POST", `/api/v1/lanes/${lane.id}/acts`, body, key);
        await this.load();
        if (this.desk.shown === lane.id) void this.open(lane);
        return text("gates.done");
      },
    });
  }

  private fire(facilityId: string, on: boolean): void {
    const note = field("", { maxlength: 500 });
    const key = actKey();
    showForm({
      title: text(on ? "gates.fire" : "gates.fire_over"),
      parts: [
        h("p", {}, text(on ? "gates.fire_means" : "gates.fire_over_means")),
        labelled("g-note", text("gates.note"), note),
      ],
      submit: text(on ? "gates.fire" : "gates.fire_over"),
      send: async () => {
        await act("POST", `/api/v1/facilities/${facilityId}/fire`, { on, note: note.value }, key);
        await this.load();
        return text("gates.done");
      },
    });
  }

  private open(lane: Lane): Promise<void> {
    return this.desk.open(lane.id, this.title(lane), async () => {
      const { items, names } = await read<{ items: LaneAct[]; names: Record<string, string> }>(
        `/api/v1/lanes/${lane.id}/acts`,
      );
      const now = this.lanes?.find((each) => each.id === lane.id) ?? lane;
      const seen = now.waiting?.read_id ?? now.vehicles.find((each) => each.read_id)?.read_id;
      return h(
        "div",
        { class: "case" },
        h(
          "section",
          { class: "panel-section" },
          seen ? frameShown(`/api/v1/reads/${seen}/picture`) : h("p", { class: "note" }, text("gates.no_picture")),
          h("div", { class: "lane-who" }, ...this.who(now)),
          this.mayAct ? this.hands(now) : null,
        ),
        this.vehicles(now.vehicles),
        this.done(items, names),
      );
    });
  }

  private hands(lane: Lane): HTMLElement {
    const hand = (kind: LaneActKind): HTMLElement =>
      h("button", { class: "button", type: "button", onclick: () => this.work(lane, kind) }, text(`gates.${kind}`));
    return h("p", { class: "panel-acts" }, hand("lift"), hand("hold"), hand("lower"));
  }

  private vehicles(vehicles: readonly LaneVehicle[]): HTMLElement {
    return h(
      "section",
      { class: "panel-section" },
      h("h3", {}, text("gates.vehicles")),
      h(
        "ul",
        {},
        ...vehicles.map((each) =>
          h(
            "li",
            { class: "alarm" },
            h(
              "span",
              { class: "lane-who" },
              each.plate ? plateLabel(each.plate) : h("span", {}, text("gates.unread")),
              h("span", { class: "item-facts" }, exactly(instant(each.ended_at))),
            ),
            h(
              "span",
              { class: "tags" },
              h("span", { class: "tag" }, named("gates.outcome", each.outcome)),
              each.granted_by ? h("span", { class: "tag" }, named("gates.grant", each.granted_by)) : null,
              each.session_id ? h("a", { href: `/stays?stay=${each.session_id}` }, text("gates.stay")) : null,
            ),
          ),
        ),
      ),
    );
  }

  private done(acts: readonly LaneAct[], names: Readonly<Record<string, string>>): HTMLElement {
    return h(
      "section",
      { class: "panel-section" },
      h("h3", {}, text("gates.acts")),
      acts.length === 0 ? h("p", { class: "note" }, text("gates.no_acts")) : null,
      ...acts.map((each) =>
        h(
          "dl",
          { class: "facts", "data-act": each.kind },
          fact(named("gates.act", each.kind), `${named("gates.reason", each.reason)} ${each.note}`.trim()),
          fact(text("gates.when"), exactly(instant(each.at))),
          fact(text("story.by"), names[each.by] ?? each.by),
          each.frame_id
            ? fact(text("gates.photo"), this.photo(each.frame_id))
            : each.photo_order_id
              ? fact(text("gates.photo"), text("gates.photo_awaited"))
              : h("span", { hidden: true }),
        ),
      ),
    );
  }

  private photo(frameId: string): HTMLElement {
    const place = h("span", {});
    const show = (): void => replace(place, frameShown(`/api/v1/frames/${frameId}/picture`));
    replace(place, h("button", { class: "button", type: "button", onclick: show }, text("gates.evidence")));
    return place;
  }
}

void startPage(() => new GatesPage().start());
