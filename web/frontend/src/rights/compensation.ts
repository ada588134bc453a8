/** Compensation: month cards get back the days that a suspension or a closure took. */
import { act, actKey, readAll } from "../api/client";
import type { Compensation, Permit, RegisteredFacility, Suspension } from "../api/types";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { nameOf } from "../places/registry";
import { businessTime, zone } from "../shell/clock";
import { h, put, replace } from "../shell/dom";
import { choice, field, labelled, localField, localInstant, row, showForm } from "../shell/form";
import { emptyState, errorState, skeleton } from "../shell/states";
import { counted, locale, text } from "../shell/text";
import { small } from "./section";

const DAY_MS = 86_400_000;

export class Compensations {
  private readonly facility = h("select", { class: "input", id: "facility" });
  private readonly box = h("div", { class: "table-box" });
  private readonly result = h("div", { role: "status" });
  private permits: readonly Permit[] = [];

  constructor(
    private readonly place: HTMLElement,
    private readonly mayKeep: boolean,
  ) {
    this.facility.addEventListener("change", () => void this.load());
  }

  async start(): Promise<void> {
    put(
      this.place,
      h("p", { class: "note" }, text("rights.compensation_note")),
      h(
        "div",
        { class: "bench-tools" },
        h("div", { class: "tool-field" }, h("label", { class: "label", for: "facility" }, text("rights.facility")), this.facility),
        this.mayKeep
          ? h(
              "button",
              { class: "button tool-end", type: "button", onclick: () => this.form(businessTime() - DAY_MS, businessTime(), "") },
              text("rights.other_time"),
            )
          : null,
      ),
      this.box,
      this.result,
    );
    replace(this.box, skeleton(3));
    try {
      const all = await readAll<RegisteredFacility>("/api/v1/registered-facilities", { limit: 500 }, 20_000);
      const order = [...all].sort((a, b) => b.suspended - a.suspended || nameOf(a).localeCompare(nameOf(b), locale()));
      replace(
        this.facility,
        ...order.map((each) =>
          h(
            "option",
            { value: each.id },
            each.suspended ? `${nameOf(each)} (${counted("places.suspended_bays", each.suspended)})` : nameOf(each),
          ),
        ),
      );
    } catch (error) {
      replace(this.box, errorState(error, () => location.reload()));
      return;
    }
    await this.load();
  }

  private async load(): Promise<void> {
    const id = this.facility.value;
    this.result.replaceChildren();
    if (!id) {
      replace(this.box, emptyState(text("places.none"), text("places.none_advice")));
      return;
    }
    try {
      const [suspensions, permits] = await Promise.all([
        readAll<Suspension>(`/api/v1/facilities/${id}/suspensions`, { limit: 200 }, 1_000),
        readAll<Permit>("/api/v1/permits", { facility_id: id, limit: 500 }, 2_000),
      ]);
      if (id !== this.facility.value) return;
      this.permits = permits;
      this.draw([...suspensions].reverse());
    } catch (error) {
      replace(this.box, errorState(error, () => void this.load()));
    }
  }

  private draw(suspensions: readonly Suspension[]): void {
    const head = ["places.permit_no", "rights.when", "rights.bays_away", "rights.permits_here", "rights.acts"] as const;
    if (suspensions.length === 0) {
      replace(this.box, emptyState(text("rights.nothing_owed"), text("rights.nothing_owed_advice")));
      return;
    }
    replace(
      this.box,
      h(
        "table",
        { class: "table table-cards" },
        h("caption", { class: "visually-hidden" }, text("rights.compensation")),
        h("thead", {}, h("tr", {}, ...head.map((key) => h("th", { scope: "col" }, text(key))))),
        h(
          "tbody",
          {},
          ...suspensions.map((each) => {
            const until = instant(each.lifted_at ?? each.until_at);
            const cells: (Node | string)[] = [
              text("stay.from_to", { from: exactly(instant(each.from_at)), to: exactly(until) }),
              counted("count.bays", each.bay_ids.length),
              counted("permits.count", this.permits.length),
              this.mayKeep
                ? small(text("rights.make_good"), () => this.form(instant(each.from_at), until, each.permit_no))
                : "–",
            ];
            return h(
              "tr",
              {},
              h("th", { scope: "row", class: "mono" }, each.permit_no),
              ...cells.map((cell, index) => h("td", { "data-label": text(head[index + 1] ?? head[0]) }, cell)),
            );
          }),
        ),
      ),
    );
  }

  private form(fromMs: number, untilMs: number, permitNo: string): void {
    const key = actKey();
    const facilityId = this.facility.value;
    const from = field(localField(fromMs, zone()), { type: "datetime-local", required: true });
    const until = field(localField(untilMs, zone()), { type: "datetime-local", required: true });
    const reason = field(permitNo ? text("rights.reason_works", { permit: permitNo }) : "", { required: true, maxlength: 200 });
    const places = choice([[facilityId, this.facility.selectedOptions[0]?.textContent ?? ""]], facilityId, { disabled: true });
    showForm({
      title: text("rights.make_good"),
      submit: text("rights.make_good"),
      parts: [
        h("p", { class: "note note-warning" }, text("rights.make_good_consequence")),
        labelled("c-place", text("rights.facility"), places),
        row(labelled("c-from", text("permits.hours_from"), from), labelled("c-until", text("permits.hours_until"), until)),
        labelled("c-reason", text("permits.reason"), reason),
      ],
      send: async () => {
        const done = await act<Compensation>(
          "POST",
          "/api/v1/permits/compensations",
          {
            facility_id: facilityId,
            from_at: localInstant(from.value, zone()),
            until_at: localInstant(until.value, zone()),
            reason: reason.value.trim(),
          },
          key,
        );
        this.show(done);
        return counted("rights.extended", done.extended.length);
      },
    });
  }

  private show(done: Compensation): void {
    const label = (id: string): string => this.permits.find((each) => each.id === id)?.label ?? id;
    const item = (words: string, ids: readonly string[]): HTMLElement | null =>
      ids.length ? h("li", {}, h("strong", {}, words), " ", ids.map(label).join(text("tariffs.joint"))) : null;
    replace(
      this.result,
      h(
        "section",
        { class: "bench-section" },
        h("h2", {}, text("rights.made_good")),
        this.permits.length === 0 ? h("p", {}, text("rights.no_permits_here")) : null,
        h(
          "ul",
          { class: "made-good" },
          ...done.extended.map((each) =>
            h("li", {}, h("strong", {}, label(each.permit_id)), " ", counted("permits.days_more", each.days)),
          ),
          item(text("rights.untouched"), done.untouched),
          item(text("rights.done_before"), done.done_before),
          item(text("rights.bay_taken"), done.bay_taken),
        ),
      ),
    );
  }
}
