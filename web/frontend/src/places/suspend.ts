/** Bays taken out by a works permit: how they are, taking them out, giving them back early. */
import { act, actKey, readAll } from "../api/client";
import type { Suspension } from "../api/types";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { businessTime } from "../shell/clock";
import { h, replace } from "../shell/dom";
import { choice, field, labelled, localField, localInstant, row, showForm } from "../shell/form";
import { errorState, problemText, skeleton } from "../shell/states";
import { counted, text } from "../shell/text";
import { toast } from "../shell/toast";
import type { BayState, FacilityState, Kept } from "./registry";
import { nameOf } from "./registry";

const REASONS = ["works", "event", "emergency", "other"] as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function stateOf(each: Suspension, now: number): "now" | "coming" | "lifted" | "over" {
  if (each.lifted_at !== null) return "lifted";
  if (instant(each.until_at) <= now) return "over";
  return instant(each.from_at) <= now ? "now" : "coming";
}

const TONES = { now: "tag-warning", coming: "", lifted: "", over: "" } as const;

export function suspensionSection(
  facilityId: string,
  bays: readonly Kept<BayState>[],
  onlyBay: string | null,
  mayKeep: boolean,
  changed: () => void,
): HTMLElement {
  const labels = new Map(bays.map(({ state }) => [state.id, state.label]));
  const list = h("div", {});
  const lift = async (each: Suspension): Promise<void> => {
    try {
      await act("POST", `/api/v1/suspensions/${each.id}/lifting`, {});
      toast(text("places.lifted", { permit: each.permit_no }));
      changed();
    } catch (error) {
      toast(problemText(error), "danger");
    }
  };
  const item = (each: Suspension): HTMLElement => {
    const state = stateOf(each, businessTime());
    const named = each.bay_ids.map((id) => labels.get(id) ?? "…");
    const shown = named.length > 6 ? [...named.slice(0, 5), "…"] : named;
    return h(
      "li",
      {},
      h(
        "p",
        { class: "version-head" },
        h("span", { class: "mono" }, each.permit_no),
        h("span", { class: `tag ${TONES[state]}` }, text(`places.suspension_${state}`)),
      ),
      h(
        "p",
        { class: "item-facts" },
        [
          text(`places.why_${each.reason as (typeof REASONS)[number]}`),
          text("stay.from_to", {
            from: exactly(instant(each.from_at)),
            to: exactly(instant(each.lifted_at ?? each.until_at)),
          }),
        ].join(" · "),
      ),
      h("p", { class: "item-facts" }, `${counted("count.bays", named.length)}: ${shown.join(", ")}`),
      mayKeep && (state === "now" || state === "coming")
        ? h("button", { class: "link", type: "button", onclick: () => void lift(each) }, text("places.lift"))
        : null,
    );
  };
  const load = (): void => {
    replace(list, skeleton(1, "line"));
    readAll<Suspension>(`/api/v1/facilities/${facilityId}/suspensions`, { limit: 200 }, 1_000).then(
      (all) => {
        const wanted = all.filter((each) => onlyBay === null || each.bay_ids.includes(onlyBay)).reverse();
        replace(
          list,
          wanted.length
            ? h("ul", { class: "versions" }, ...wanted.slice(0, 20).map(item))
            : h("p", { class: "note" }, text("places.never_suspended")),
        );
      },
      (error: unknown) => replace(list, errorState(error, load)),
    );
  };
  load();
  return h("section", { class: "panel-section" }, h("h3", {}, text("places.suspensions")), list);
}

export function suspendForm(
  facility: FacilityState,
  bays: readonly Kept<BayState>[],
  chosen: readonly string[],
  done: () => void,
): void {
  const key = actKey();
  const permit = field("", { required: true, maxlength: 64 });
  const reason = choice(REASONS.map((one): [string, string] => [one, text(`places.why_${one}`)]));
  const hour = Math.ceil(businessTime() / HOUR_MS) * HOUR_MS;
  const from = field(localField(hour, facility.timezone), { type: "datetime-local", required: true });
  const until = field(localField(hour + DAY_MS, facility.timezone), { type: "datetime-local", required: true });
  const boxes = bays.map(({ state }) => {
    const box = h("input", { type: "checkbox", value: state.id });
    box.checked = chosen.includes(state.id);
    return h("label", { class: "bay-check" }, box, state.label);
  });
  const all = h(
    "button",
    {
      class: "link",
      type: "button",
      onclick: () => {
        const inputs = boxes.map((label) => label.querySelector("input"));
        const every = inputs.every((input) => input?.checked);
        for (const input of inputs) if (input) input.checked = !every;
      },
    },
    text("places.all_bays"),
  );
  showForm({
    title: text("places.suspend_title", { name: nameOf(facility) }),
    submit: text("places.suspend"),
    wide: true,
    parts: [
      h("p", { class: "note note-warning" }, text("places.suspend_consequence")),
      row(
        labelled("s-permit", text("places.permit_no"), permit),
        labelled("s-reason", text("permits.reason"), reason),
      ),
      row(
        labelled("s-from", text("permits.hours_from"), from),
        labelled("s-until", text("permits.hours_until"), until),
      ),
      h("fieldset", { class: "form-group" }, h("legend", {}, text("places.which_bays")), all, h("div", { class: "bay-checks" }, ...boxes)),
    ],
    send: async () => {
      const ids = boxes.map((label) => label.querySelector("input")).filter((box) => box?.checked).map((box) => box?.value);
      const made = await act<Suspension>(
        "POST",
        `/api/v1/facilities/${facility.id}/suspensions`,
        {
          permit_no: permit.value.trim(),
          reason: reason.value,
          from_at: localInstant(from.value, facility.timezone),
          until_at: localInstant(until.value, facility.timezone),
          bay_ids: ids,
        },
        key,
      );
      done();
      return counted("places.suspended_done", made.bay_ids.length);
    },
  });
}
