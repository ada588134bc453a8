/** Blacklists: who is listed where and why, and what each district makes of a reason. */
import { act, actKey, read } from "../api/client";
import type { Listing, Policy } from "../api/types";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { plateFields } from "../plates/fields";
import { plateLabel } from "../plates/label";
import { zone } from "../shell/clock";
import { h, put, replace } from "../shell/dom";
import { choice, field, labelled, localInstant, showForm } from "../shell/form";
import { errorState, problemText, skeleton } from "../shell/states";
import { named, text } from "../shell/text";
import { toast } from "../shell/toast";
import { PagedTable, primary, small } from "./section";

const REASONS = ["arrears", "evasion", "false_plate", "abuse", "damage"] as const;
const EFFECTS = ["no_rights", "no_reservation", "no_entry", "alert"] as const;
type Reason = (typeof REASONS)[number];

export class Blacklist {
  private readonly box = h("div", { class: "table-box" });
  private readonly policy = h("div", { class: "table-box" });
  private readonly current = choice([
    ["true", text("rights.in_force")],
    ["false", text("rights.ever")],
  ], "true", { id: "in-force" });
  private readonly district: HTMLSelectElement;
  private readonly table: PagedTable<Listing>;

  constructor(
    private readonly place: HTMLElement,
    private readonly tools: HTMLElement,
    private readonly mayList: boolean,
    private readonly mayRule: boolean,
    private readonly districts: readonly string[],
  ) {
    this.district = choice(districts.map((one): [string, string] => [one, one]), null, { id: "policy-district" });
    this.table = new PagedTable<Listing>(
      this.box,
      "/api/v1/blacklist",
      () => ({ in_force: this.current.value === "true" }),
      {
        caption: text("rights.blacklist"),
        head: [
          text("rights.plate"),
          text("places.district"),
          text("permits.reason"),
          text("rights.note"),
          text("rights.listed"),
          text("rights.acts"),
        ],
        cells: (each) => [
          each.plate ? plateLabel(each.plate) : text("stay.no_plate"),
          each.district,
          h("span", { class: "tag tag-danger" }, named("listing", each.reason)),
          each.note,
          when(each),
          each.lifted_at
            ? text("rights.lifted_why", { reason: each.lifted_reason ?? "" })
            : this.mayList
              ? small(text("rights.lift"), () => this.lift(each))
              : "–",
        ],
        empty: [text("rights.no_listings"), text("rights.no_listings_advice")],
      },
    );
    this.current.addEventListener("change", () => void this.table.load());
    this.district.addEventListener("change", () => void this.drawPolicy());
  }

  async start(): Promise<void> {
    put(
      this.place,
      h(
        "section",
        { class: "bench-section" },
        h("div", { class: "bench-tools" }, h("div", { class: "tool-field" }, h("label", { class: "label", for: "in-force" }, text("rights.which")), this.current)),
        this.box,
      ),
      h(
        "section",
        { class: "bench-section", "aria-labelledby": "policy-title" },
        h("h2", { id: "policy-title" }, text("rights.policy")),
        h("p", { class: "note" }, text("rights.policy_note")),
        h("div", { class: "bench-tools" }, h("div", { class: "tool-field" }, h("label", { class: "label", for: "policy-district" }, text("places.district")), this.district)),
        this.policy,
      ),
    );
    if (this.mayList) put(this.tools, primary(text("rights.add_listing"), () => this.add()));
    await Promise.all([this.table.load(), this.drawPolicy()]);
  }

  private async drawPolicy(): Promise<void> {
    const district = this.district.value;
    if (!district) return;
    replace(this.policy, skeleton(REASONS.length, "line"));
    try {
      this.showPolicy(await read<Policy>(`/api/v1/blacklist/policies/${district}`));
    } catch (error) {
      replace(this.policy, errorState(error, () => void this.drawPolicy()));
    }
  }

  private showPolicy(policy: Policy): void {
    const boxes = new Map<string, HTMLInputElement>();
    const rows = REASONS.map((reason) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, named("listing", reason)),
        ...EFFECTS.map((effect) => {
          const box = h("input", {
            type: "checkbox",
            disabled: !this.mayRule,
            "aria-label": `${named("listing", reason)}: ${named("effect", effect)}`,
          });
          // A reason that the district does not name only alerts.
          box.checked = (policy.effects[reason] ?? ["alert"]).includes(effect);
          boxes.set(`${reason} ${effect}`, box);
          return h("td", { "data-label": named("effect", effect) }, h("label", { class: "policy-box" }, box));
        }),
      ),
    );
    const others = this.districts.filter((one) => one !== policy.district);
    const honours = others.map((one) => {
      const box = h("input", { type: "checkbox", value: one, disabled: !this.mayRule });
      box.checked = policy.honours.includes(one);
      return { box, label: h("label", { class: "bay-check" }, box, one) };
    });
    // Districts that this reader does not see stay honoured.
    const unseen = policy.honours.filter((one) => !others.includes(one));
    const save = async (): Promise<void> => {
      const effects = Object.fromEntries(
        REASONS.map((reason): [Reason, string[]] => [
          reason,
          EFFECTS.filter((effect) => boxes.get(`${reason} ${effect}`)?.checked),
        ]),
      );
      const honoured = [...unseen, ...honours.filter(({ box }) => box.checked).map(({ box }) => box.value)];
      try {
        await act<Policy>("PUT", `/api/v1/blacklist/policies/${policy.district}`, { effects, honours: honoured });
        toast(text("rights.policy_saved", { district: policy.district }));
      } catch (error) {
        toast(problemText(error), "danger");
      }
    };
    replace(
      this.policy,
      h(
        "table",
        { class: "table table-cards policy" },
        h("caption", { class: "visually-hidden" }, text("rights.policy")),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, text("permits.reason")), ...EFFECTS.map((effect) => h("th", { scope: "col" }, named("effect", effect))))),
        h("tbody", {}, ...rows),
      ),
      others.length
        ? h(
            "fieldset",
            { class: "form-group" },
            h("legend", {}, text("rights.honours")),
            h("div", { class: "bay-checks" }, ...honours.map(({ label }) => label)),
          )
        : null,
      this.mayRule ? h("p", { class: "policy-save" }, primary(text("rights.save_policy"), () => void save())) : null,
    );
  }

  private add(): void {
    const key = actKey();
    const plate = plateFields();
    const district = choice(this.districts.map((one): [string, string] => [one, one]));
    const reason = choice(REASONS.map((one): [string, string] => [one, named("listing", one)]));
    const note = field("", { required: true, maxlength: 200 });
    const until = field("", { type: "datetime-local" });
    showForm({
      title: text("rights.add_listing"),
      submit: text("rights.add_listing"),
      parts: [
        plate.part,
        labelled("l-district", text("places.district"), district),
        labelled("l-reason", text("permits.reason"), reason),
        labelled("l-note", text("rights.note"), note, text("rights.note_hint")),
        labelled("l-until", text("permits.hours_until"), until, text("rights.until_lifted")),
      ],
      send: async () => {
        await act<Listing>(
          "POST",
          "/api/v1/blacklist",
          {
            ...plate.value(),
            district: district.value,
            reason: reason.value,
            note: note.value.trim(),
            until_at: until.value ? localInstant(until.value, zone()) : null,
          },
          key,
        );
        void this.table.load();
        return text("rights.listing_added");
      },
    });
  }

  private lift(each: Listing): void {
    const reason = field("", { required: true, maxlength: 200 });
    showForm({
      title: text("rights.lift"),
      submit: text("rights.lift"),
      parts: [labelled("lift-reason", text("permits.reason"), reason)],
      send: async () => {
        await act<Listing>("POST", `/api/v1/blacklist/${each.id}/lifting`, { reason: reason.value.trim() });
        void this.table.load();
        return text("rights.lifted");
      },
    });
  }
}

function when(each: Listing): string {
  const from = exactly(instant(each.from_at));
  const end = each.lifted_at ?? each.until_at;
  return end === null ? text("device.since", { at: from }) : text("stay.from_to", { from, to: exactly(instant(end)) });
}
