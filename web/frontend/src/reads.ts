/** Reads: live, a queue that is worked by keyboard, search by part of a plate, and cameras by hour. */
import "../styles/base.css";
import "../styles/rights.css";
import "../styles/gates.css";
import { act, actKey, read, readAll, type Page } from "./api/client";
import type { CameraHour, Facility, PlateRead } from "./api/types";
import { instant } from "./format/time";
import { exactly, inLanguage, moment } from "./format/words";
import { frameShown } from "./gates/picture";
import { fact } from "./panels/figures";
import { plateFields } from "./plates/fields";
import { plateLabel } from "./plates/label";
import { businessTime, zone } from "./shell/clock";
import { chips, Desk } from "./shell/desk";
import { byId, h, replace } from "./shell/dom";
import { field, labelled, localField, localInstant, showForm } from "./shell/form";
import { onKey } from "./shell/keys";
import { hasRole, startPage } from "./shell/page";
import { poll } from "./shell/poll";
import { emptyState, errorState, problemText } from "./shell/states";
import { named, text, wholeNumber } from "./shell/text";
import { toast } from "./shell/toast";

const REFRESH_MS = 4_000;
const STEP = 40;
const UNSURE = 0.95;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const VIEWS = ["live", "review", "search", "cameras"] as const;
type View = (typeof VIEWS)[number];
type Answer = "right" | "wrong" | "no-plate" | "unreadable";
interface Reads extends Page<PlateRead> {
  readonly waiting: number;
}
interface Found {
  readonly items: readonly PlateRead[];
  readonly looked_at: number;
  readonly all_looked_at: boolean;
}

class ReadsPage {
  private readonly place = byId("reads");
  private readonly asks = byId("asks");
  private readonly desk = new Desk(this.place, () => this.draw());
  private readonly mayAct = hasRole("attendant", "operator");
  private readonly seesPictures = hasRole("attendant", "operator", "auditor");
  private readonly facility = byId<HTMLSelectElement>("facility");
  private view: View = "live";
  private items: readonly PlateRead[] | null = null;
  private waiting = 0;

  async start(): Promise<void> {
    const views = VIEWS.filter((each) => each !== "search" || hasRole("operator"));
    chips(
      byId("view"),
      views.map((each) => [each, named("reads.view", each)] as const),
      this.view,
      (chosen) => void this.choose(chosen),
    );
    onKey("y", "reads.key_right", () => void this.press("right"));
    onKey("n", "reads.key_wrong", () => void this.press("wrong"));
    onKey("o", "reads.key_no_plate", () => void this.press("no-plate"));
    onKey("u", "reads.key_unreadable", () => void this.press("unreadable"));
    try {
      const [facilities, lanes] = await Promise.all([
        readAll<Facility>("/api/v1/facilities", { limit: 500 }, 5_000),
        readAll<{ facility_id: string }>("/api/v1/lanes", { limit: 100 }, 500),
      ]);
      const gated = new Set(lanes.map((each) => each.facility_id));
      const own = facilities.filter((each) => gated.has(each.id));
      this.facility.append(
        ...own.map((each) => h("option", { value: each.id }, inLanguage(each.name.zh, each.name.en))),
      );
    } catch (error) {
      replace(this.place, errorState(error));
      return;
    }
    this.facility.addEventListener("change", () => void this.choose(this.view));
    poll(() => this.load(), REFRESH_MS);
  }

  private async choose(view: View): Promise<void> {
    this.view = view;
    this.items = null;
    this.desk.close();
    replace(this.asks);
    replace(this.place);
    if (view === "search") this.offerSearch();
    await this.load();
  }

  async load(): Promise<void> {
    const facility_id = this.facility.value;
    if (!facility_id) {
      replace(this.place, emptyState(text("reads.no_cameras"), text("gates.none_advice")));
      return;
    }
    const view = this.view;
    if (view === "search") return;
    try {
      if (view === "cameras") {
        await this.loadCameras(facility_id);
        return;
      }
      const waiting = view === "review" ? true : null;
      const found = await read<Reads>("/api/v1/reads", { facility_id, waiting, limit: STEP });
      if (view !== this.view) return;
      this.items = found.items;
      this.waiting = found.waiting;
      this.desk.wasRead();
      this.draw();
    } catch (error) {
      if (this.items === null) replace(this.place, errorState(error, () => void this.load()));
    }
  }

  private draw(): void {
    if (this.items === null || this.view === "cameras") return;
    const focused = (document.activeElement as HTMLElement | null)?.dataset["row"];
    if (this.view === "review") {
      replace(this.asks, h("p", { class: "note", id: "left" }, text("reads.left", { n: wholeNumber(this.waiting) })));
    }
    replace(
      this.place,
      this.items.length === 0
        ? emptyState(text(`reads.none.${this.view}`), text("reads.none_advice"))
        : h("ul", {}, ...this.items.map((each) => h("li", {}, this.row(each)))),
    );
    if (focused) this.place.querySelector<HTMLElement>(`[data-row="${focused}"]`)?.focus({ preventScroll: true });
  }

  private row(one: PlateRead): HTMLElement {
    return this.desk.row(
      one.id,
      () => void this.open(one),
      h(
        "span",
        { class: "desk-top" },
        one.plate ? plateLabel(one.plate) : h("strong", {}, text("gates.unread")),
        h("span", { class: "tags" }, this.bandTag(one), this.reviewTag(one)),
      ),
      h(
        "span",
        { class: "desk-top" },
        h("span", { class: "item-facts" }, `${moment(instant(one.at))} · ${one.camera}`),
        h("span", { class: "item-facts" }, share(one.certainty / 1_000)),
      ),
    );
  }

  private bandTag(one: PlateRead): HTMLElement {
    const tone = one.band === "accept" ? "tag tag-good" : one.band === "review" ? "tag tag-warning" : "tag";
    return h("span", { class: tone }, named("reads.band", one.band));
  }

  private reviewTag(one: PlateRead): HTMLElement | null {
    if (one.answer) return h("span", { class: "tag" }, named("reads.answer", one.answer));
    return one.review === "none" ? null : h("span", { class: "tag tag-warning" }, named("reads.review", one.review));
  }

  private open(one: PlateRead): Promise<void> {
    return this.desk.open(one.id, `${moment(instant(one.at))} · ${one.camera}`, () =>
      Promise.resolve(
        h(
          "div",
          { class: "case" },
          h(
            "section",
            { class: "panel-section" },
            this.seesPictures && one.picture !== "none" && one.picture !== "gone"
              ? h(
                  "div",
                  {},
                  one.plate ? frameShown(`/api/v1/reads/${one.id}/picture`, "crop") : null,
                  frameShown(`/api/v1/reads/${one.id}/picture`),
                )
              : h("p", { class: "note" }, named("reads.picture", one.picture)),
            h("div", { class: "letters", role: "list", "aria-label": text("reads.letters") }, ...this.letters(one)),
            this.mayAct && one.review !== "done" ? this.answers(one) : null,
          ),
          h(
            "section",
            { class: "panel-section" },
            h(
              "dl",
              { class: "facts" },
              fact(text("stay.plate"), one.plate ? plateLabel(one.plate, "m") : text("gates.unread")),
              fact(text("reads.certainty"), share(one.certainty / 1_000)),
              fact(text("gates.when"), exactly(instant(one.at))),
              fact(text("reads.camera"), one.camera),
              fact(text("reads.model"), one.model ?? "–"),
              one.stated_as ? fact(text("reads.stated"), plateLabel(one.stated_as)) : h("span", { hidden: true }),
            ),
          ),
        ),
      ),
    );
  }

  /** How sure each character is: the plate itself stays masked. */
  private letters(one: PlateRead): HTMLElement[] {
    return one.confidences.map((sure, at) =>
      h(
        "span",
        { class: "letter", role: "listitem", "data-unsure": String(sure < UNSURE) },
        h("span", {}, String(at + 1)),
        h("span", {}, share(sure)),
      ),
    );
  }

  private answers(one: PlateRead): HTMLElement {
    const button = (answer: Answer, key: string, style = "button"): HTMLElement =>
      h(
        "button",
        { class: style, type: "button", "data-answer": answer, onclick: () => void this.say(one, answer) },
        named("reads.say", answer),
        " ",
        h("kbd", {}, key),
      );
    return h(
      "p",
      { class: "panel-acts" },
      one.plate ? button("right", "y", "button button-primary") : null,
      button("wrong", "n"),
      button("no-plate", "o"),
      button("unreadable", "u"),
    );
  }

  /** A key answers for the read that is open. */
  private async press(answer: Answer): Promise<void> {
    const one = this.items?.find((each) => each.id === this.desk.shown);
    if (one && this.mayAct && one.review !== "done") await this.say(one, answer);
  }

  private async say(one: PlateRead, answer: Answer): Promise<void> {
    if (answer === "wrong") {
      this.correct(one);
      return;
    }
    try {
      await act("POST", `/api/v1/reads/${one.id}/review`, { answer });
      toast(text("reads.said"));
      await this.goOn(one);
    } catch (error) {
      toast(problemText(error), "danger");
    }
  }

  private correct(one: PlateRead): void {
    const fields = plateFields();
    const key = actKey();
    showForm({
      title: text("reads.correct"),
      parts: [fields.part, h("p", { class: "hint" }, text("reads.correct_hint"))],
      submit: text("reads.correct"),
      send: async () => {
        const { plate, kind } = fields.value();
        const body = { answer: "wrong", plate, plate_kind: kind };
        const done = await act<{ stay: string }>("POST", `/api/v1/reads/${one.id}/review`, body, key);
        await this.goOn(one);
        return named("reads.stay", done.stay);
      },
    });
  }

  /** In the queue the next one opens by itself: hands stay on the keys. */
  private async goOn(one: PlateRead): Promise<void> {
    const at = this.items?.findIndex((each) => each.id === one.id) ?? -1;
    const next = this.items?.[at + 1];
    await this.load();
    if (this.view !== "review" || !next) {
      this.desk.close();
      return;
    }
    const fresh = this.items?.find((each) => each.id === next.id);
    if (fresh) await this.open(fresh);
    else this.desk.close();
  }

  private offerSearch(): void {
    const part = field("", { required: true, minlength: 2, maxlength: 12, spellcheck: "false" });
    const from = field(localField(businessTime() - HOUR_MS, zone()), { type: "datetime-local", required: true });
    const to = field(localField(businessTime(), zone()), { type: "datetime-local", required: true });
    const reason = field("", { required: true, minlength: 3, maxlength: 200 });
    const form = h(
      "form",
      {
        class: "form",
        id: "search-form",
        onsubmit: (event) => {
          event.preventDefault();
          void this.search({
            part: part.value,
            from_at: localInstant(from.value, zone()),
            to_at: localInstant(to.value, zone()),
            reason: reason.value,
          });
        },
      },
      labelled("s-part", text("reads.part"), part, text("reads.part_hint")),
      labelled("s-from", text("reads.from"), from),
      labelled("s-to", text("reads.to"), to, text("reads.window_hint")),
      labelled("s-why", text("reads.why"), reason, text("reads.why_hint")),
      h("button", { class: "button button-primary", type: "submit" }, text("reads.search")),
    );
    replace(this.asks, form, h("p", { class: "form-problem", id: "search-said", role: "status" }));
  }

  private async search(asked: Readonly<Record<string, string>>): Promise<void> {
    const said = byId("search-said");
    try {
      const body = { facility_id: this.facility.value, ...asked };
      const found = await act<Found>("POST", "/api/v1/reads/search", body);
      this.items = found.items;
      this.draw();
      const counts = { n: wholeNumber(found.items.length), of: wholeNumber(found.looked_at) };
      replace(said, text(found.all_looked_at ? "reads.found" : "reads.found_some", counts));
    } catch (error) {
      replace(said, problemText(error));
    }
  }

  private async loadCameras(facility_id: string): Promise<void> {
    const now = businessTime();
    const { items } = await read<{ items: CameraHour[] }>("/api/v1/reads/cameras", {
      facility_id,
      from_at: new Date(now - DAY_MS + HOUR_MS).toISOString(),
      to_at: new Date(now + HOUR_MS).toISOString(),
    });
    if (this.view !== "cameras") return;
    this.items = [];
    this.desk.wasRead();
    const heads = ["camera", "hour", "reads", "accepted", "certainty", "reviewed", "accuracy"] as const;
    replace(
      this.place,
      items.length === 0
        ? emptyState(text("reads.none.cameras"), text("reads.none_advice"))
        : h(
            "div",
            { class: "camera-hours" },
            h("p", { class: "note" }, text("reads.accuracy_means")),
            h(
              "table",
              { class: "table" },
              h("thead", {}, h("tr", {}, ...heads.map((each) => h("th", { scope: "col" }, text(`reads.${each}`))))),
              h("tbody", {}, ...items.map((each) => cameraRow(each))),
            ),
          ),
    );
  }
}

function cameraRow(one: CameraHour): HTMLElement {
  const told = one.accuracy;
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, one.camera),
    h("td", {}, moment(instant(one.hour_at))),
    h("td", {}, wholeNumber(one.reads)),
    h("td", {}, wholeNumber(one.accepted)),
    h("td", {}, share(one.certainty)),
    h("td", {}, wholeNumber(one.reviewed)),
    h("td", {}, told ? `${share(told.share)} (${share(told.low)} – ${share(told.high)})` : text("reads.unknown")),
  );
}

function share(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}

void startPage(() => new ReadsPage().start());
