/** The abuse report: exempt plates seen unusually often, or in two places at once. Signs, no proof. */
import { read } from "../api/client";
import type { AbuseReport, Suspect } from "../api/types";
import { dateOf, moved } from "../figures/range";
import { plateLabel } from "../plates/label";
import { businessTime, zone } from "../shell/clock";
import { h, put, replace } from "../shell/dom";
import { field, labelled, localInstant } from "../shell/form";
import { emptyState, errorState, skeleton } from "../shell/states";
import { counted, text, wholeNumber } from "../shell/text";

export class Abuse {
  private readonly box = h("div", { class: "table-box" });
  private readonly summary = h("p", { class: "item-facts", role: "status" });
  private readonly today = dateOf(businessTime(), zone());
  private readonly since = field(moved(this.today, -30), { type: "date", required: true });
  private readonly until = field(this.today, { type: "date", required: true });
  private readonly numbers = {
    stays: field(40, { type: "number", min: 1, required: true }),
    parked_h: field(300, { type: "number", min: 1, required: true }),
    overlap_s: field(300, { type: "number", min: 1, required: true }),
    speed_kph: field(150, { type: "number", min: 1, required: true }),
  };
  private items: Suspect[] = [];
  private next: string | null = null;

  constructor(private readonly place: HTMLElement) {}

  async start(): Promise<void> {
    put(
      this.place,
      h("p", { class: "note" }, text("rights.abuse_note")),
      h(
        "form",
        {
          class: "abuse-form",
          onsubmit: (event) => {
            event.preventDefault();
            void this.load();
          },
        },
        labelled("a-since", text("permits.hours_from"), this.since),
        labelled("a-until", text("permits.hours_until"), this.until),
        labelled("a-stays", text("rights.abuse_stays"), this.numbers.stays),
        labelled("a-hours", text("rights.abuse_hours"), this.numbers.parked_h),
        labelled("a-overlap", text("rights.abuse_overlap"), this.numbers.overlap_s),
        labelled("a-speed", text("rights.abuse_speed"), this.numbers.speed_kph),
        h("button", { class: "button", type: "submit" }, text("rights.abuse_look")),
      ),
      this.summary,
      this.box,
    );
    await this.load();
  }

  private async load(more = false): Promise<void> {
    if (!more) replace(this.box, skeleton(4));
    try {
      const report = await read<AbuseReport>("/api/v1/rights/abuse", {
        since_at: localInstant(`${this.since.value}T00:00`, zone()),
        until_at: localInstant(`${moved(this.until.value, 1)}T00:00`, zone()),
        ...Object.fromEntries(Object.entries(this.numbers).map(([name, input]) => [name, input.value])),
        cursor: more ? this.next : null,
      });
      this.items = more ? [...this.items, ...report.items] : [...report.items];
      this.next = report.next;
      replace(this.summary, counted("rights.looked_at", report.looked_at));
      this.draw();
    } catch (error) {
      replace(this.box, errorState(error, () => void this.load(more)));
    }
  }

  private draw(): void {
    const head = ["rights.plate", "rights.stays", "rights.parked", "rights.signs"] as const;
    const more =
      this.next === null
        ? null
        : h("button", { class: "button", type: "button", onclick: () => void this.load(true) }, text("list.more"));
    if (this.items.length === 0) {
      replace(this.box, emptyState(text("rights.no_signs"), text("rights.no_signs_advice")), more);
      return;
    }
    replace(
      this.box,
      h(
        "table",
        { class: "table table-cards" },
        h("caption", { class: "visually-hidden" }, text("rights.abuse")),
        h("thead", {}, h("tr", {}, ...head.map((key) => h("th", { scope: "col" }, text(key))))),
        h(
          "tbody",
          {},
          ...this.items.map((each) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, each.plate ? plateLabel(each.plate) : text("stay.no_plate")),
              h("td", { "data-label": text(head[1]) }, wholeNumber(each.stays)),
              h("td", { "data-label": text(head[2]) }, text("rights.hours", { n: wholeNumber(each.parked_s / 3_600) })),
              h("td", { "data-label": text(head[3]) }, signs(each)),
            ),
          ),
        ),
      ),
      more,
    );
  }
}

function signs(each: Suspect): HTMLElement {
  return h(
    "span",
    { class: "tags" },
    each.often ? h("span", { class: "tag tag-warning" }, text("rights.often")) : null,
    each.long ? h("span", { class: "tag tag-warning" }, text("rights.long")) : null,
    ...each.clashes.map((clash) =>
      h(
        "span",
        { class: "tag tag-danger" },
        clash.speed_kph === null
          ? text("rights.two_places", { metres: wholeNumber(clash.distance_m) })
          : text("rights.too_fast", { kph: wholeNumber(clash.speed_kph), metres: wholeNumber(clash.distance_m) }),
      ),
    ),
  );
}
