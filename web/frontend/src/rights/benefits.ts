/** Benefits: what regions grant to kinds of plates, stated with the notice that grants it, and ended. */
import { act, actKey } from "../api/client";
import type { Benefit } from "../api/types";
import { instant } from "../format/time";
import { exactly, inLanguage } from "../format/words";
import { hoursText } from "../permits/words";
import { businessTime, zone } from "../shell/clock";
import { h, put } from "../shell/dom";
import { choice, field, labelled, localField, localInstant, row, showForm, typedNumber } from "../shell/form";
import { named, text } from "../shell/text";
import { PagedTable, primary, small } from "./section";

const CLASSES = ["emergency", "police", "military", "armed_police", "diplomatic", "new_energy"] as const;

export class Benefits {
  private readonly box = h("div", { class: "table-box" });
  private readonly table: PagedTable<Benefit>;

  constructor(
    private readonly place: HTMLElement,
    private readonly tools: HTMLElement,
    private readonly mayKeep: boolean,
    private readonly districts: readonly string[],
  ) {
    this.table = new PagedTable<Benefit>(this.box, "/api/v1/benefits", () => ({}), {
      caption: text("rights.benefits"),
      head: [
        text("rights.benefit"),
        text("places.district"),
        text("rights.plates"),
        text("rights.grants"),
        text("rights.valid"),
        text("rights.source"),
        text("rights.acts"),
      ],
      cells: (each) => [
        inLanguage(each.name.zh, each.name.en),
        each.facility_id ? text("rights.one_facility", { district: each.district }) : each.district,
        each.plate_kinds.map((kind) => named("plate.kind", kind)).join(text("tariffs.joint")),
        `${grant(each)} · ${hoursText(each)}`,
        valid(each),
        each.source,
        this.mayKeep && !over(each) ? small(text("rights.end"), () => this.end(each)) : "–",
      ],
      empty: [text("rights.no_benefits"), text("rights.no_benefits_advice")],
    });
  }

  async start(): Promise<void> {
    put(this.place, h("p", { class: "note" }, text("rights.benefits_note")), this.box);
    if (this.mayKeep) put(this.tools, primary(text("rights.state_benefit"), () => this.add()));
    await this.table.load();
  }

  private end(each: Benefit): void {
    showForm({
      title: text("rights.end_title", { name: inLanguage(each.name.zh, each.name.en) }),
      submit: text("rights.end"),
      parts: [h("p", { class: "note note-warning" }, text("rights.end_consequence"))],
      send: async () => {
        await act<Benefit>("POST", `/api/v1/benefits/${each.id}/end`, {});
        void this.table.load();
        return text("rights.ended");
      },
    });
  }

  private add(): void {
    const key = actKey();
    const zh = field("", { required: true, maxlength: 80 });
    const en = field("", { required: true, maxlength: 80 });
    const district = choice(this.districts.map((one): [string, string] => [one, one]));
    const boxes = CLASSES.map((one) => {
      const box = h("input", { type: "checkbox", value: one });
      return { box, label: h("label", { class: "bay-check" }, box, named("rights.class", one)) };
    });
    const free = field(null, { type: "number", min: 1, max: 1_440 });
    const per = choice([
      ["stay", text("rights.per_stay")],
      ["day", text("rights.per_day")],
    ]);
    const from = field(localField(businessTime() + 60_000, zone()), { type: "datetime-local", required: true });
    const until = field("", { type: "datetime-local" });
    const source = field("", { required: true, maxlength: 200 });
    showForm({
      title: text("rights.state_benefit"),
      submit: text("rights.state_benefit"),
      wide: true,
      parts: [
        row(labelled("n-zh", text("places.name_zh"), zh), labelled("n-en", text("places.name_en"), en)),
        labelled("n-district", text("places.district"), district),
        h(
          "fieldset",
          { class: "form-group" },
          h("legend", {}, text("rights.plates")),
          h("div", { class: "bay-checks" }, ...boxes.map(({ label }) => label)),
        ),
        row(labelled("n-free", text("rights.free_min"), free, text("rights.free_min_hint")), labelled("n-per", text("rights.per"), per)),
        row(
          labelled("n-from", text("permits.hours_from"), from),
          labelled("n-until", text("permits.hours_until"), until, text("places.optional")),
        ),
        labelled("n-source", text("rights.source"), source, text("rights.source_hint")),
      ],
      send: async () => {
        const minutes = typedNumber(free);
        await act<Benefit>(
          "POST",
          "/api/v1/benefits",
          {
            district: district.value,
            name_zh: zh.value.trim(),
            name_en: en.value.trim(),
            classes: boxes.filter(({ box }) => box.checked).map(({ box }) => box.value),
            timezone: zone(),
            valid_from: localInstant(from.value, zone()),
            valid_until: until.value ? localInstant(until.value, zone()) : null,
            allowance: minutes === null ? null : { free_s: minutes * 60, per: per.value },
            source: source.value.trim(),
          },
          key,
        );
        void this.table.load();
        return text("rights.benefit_stated");
      },
    });
  }
}

/** Whether a benefit has ended, also one that was ended before it began. */
function over(each: Benefit): boolean {
  if (each.valid_until === null) return false;
  return instant(each.valid_until) <= Math.max(businessTime(), instant(each.valid_from));
}

function grant(each: Benefit): string {
  if (!each.allowance) return text("rights.exempt");
  const minutes = Math.round(each.allowance.free_s / 60);
  return text(each.allowance.per === "day" ? "permits.free_day" : "permits.free_stay", { minutes });
}

function valid(each: Benefit): string {
  const from = exactly(instant(each.valid_from));
  return each.valid_until === null
    ? text("device.since", { at: from })
    : text("stay.from_to", { from, to: exactly(instant(each.valid_until)) });
}
