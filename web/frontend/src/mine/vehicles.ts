/** A driver's vehicles: bound by proof, given up at resale. */
import { act, actKey, ProblemError } from "../api/client";
import type { MyVehicle } from "../api/types";
import { instant } from "../format/time";
import { moment } from "../format/words";
import { PLATE_KINDS } from "../plates/kinds";
import { plateLabel } from "../plates/label";
import { showForm, labelled } from "../shell/form";
import { h } from "../shell/dom";
import { emptyState } from "../shell/states";
import { named, text } from "../shell/text";

function unbindDialog(vehicle: MyVehicle, done: () => void): void {
  const key = actKey();
  showForm({
    title: text("mine.unbind_title"),
    parts: [
      h("p", {}, vehicle.plate ? plateLabel(vehicle.plate, "m") : text("mine.ticket_only")),
      h("p", { class: "note" }, text("mine.unbind_consequence")),
    ],
    submit: text("mine.unbind"),
    send: async () => {
      await act<MyVehicle>("POST", `/api/v1/me/vehicles/${vehicle.id}/unbinding`, {}, key);
      done();
      return text("mine.unbound");
    },
  });
}

/** What the server refuses of a proof, in the driver's words. */
function refusal(error: unknown, byBill: boolean): unknown {
  if (!(error instanceof ProblemError)) return error;
  const words =
    error.status === 404 || (error.status === 422 && error.field === "code")
      ? text(byBill ? "mine.bill_wrong" : "mine.code_wrong")
      : error.status === 409
        ? text("mine.already")
        : null;
  return words === null ? error : new ProblemError(422, error.code, words);
}

export function bindDialog(done: () => void): void {
  const key = actKey();
  const code = h("input", { class: "input input-figures", maxlength: 24, minlength: 4, autocomplete: "off", autocapitalize: "characters", spellcheck: "false" });
  const resale = h("input", { type: "checkbox", id: "bind-resale" });
  const bill = h("input", { class: "input", maxlength: 36, autocomplete: "off", spellcheck: "false" });
  const plate = h("input", { class: "input", maxlength: 16, autocomplete: "off", spellcheck: "false" });
  const kind = h(
    "select",
    { class: "input" },
    h("option", { value: "" }, text("permits.by_text")),
    ...PLATE_KINDS.filter((one) => one !== "unknown").map((one) =>
      h("option", { value: one }, named("plate.kind", one)),
    ),
  );
  const byCode = h(
    "div",
    {},
    labelled("bind-code", text("mine.code"), code, text("mine.code_hint")),
    h("p", { class: "check" }, resale, h("label", { for: "bind-resale" }, text("mine.resale"))),
  );
  const byBill = h(
    "div",
    { hidden: true },
    labelled("bind-bill", text("bill.number"), bill, text("mine.bill_hint")),
    h("div", { class: "form-row" }, labelled("bind-plate", text("stay.plate"), plate), labelled("bind-kind", text("plate.kind"), kind)),
  );
  const choose = (withCode: boolean): void => {
    byCode.hidden = !withCode;
    byBill.hidden = withCode;
    for (const [chip, on] of [
      [codeChip, withCode],
      [billChip, !withCode],
    ] as const) {
      chip.setAttribute("aria-pressed", String(on));
    }
  };
  const chip = (words: string, withCode: boolean): HTMLButtonElement =>
    h("button", { class: "chip", type: "button", "aria-pressed": String(withCode), onclick: () => choose(withCode) }, words);
  const codeChip = chip(text("mine.by_code"), true);
  const billChip = chip(text("mine.by_bill"), false);
  showForm({
    title: text("mine.bind_title"),
    parts: [
      h("div", { class: "chips", role: "group", "aria-label": text("mine.proof") }, codeChip, billChip),
      byCode,
      byBill,
    ],
    submit: text("mine.bind"),
    send: async () => {
      const body = byBill.hidden
        ? { code: code.value.trim(), resale: resale.checked }
        : {
            bill_id: bill.value.trim(),
            plate: plate.value.trim(),
            ...(kind.value ? { plate_kind: kind.value } : {}),
          };
      try {
        await act<MyVehicle>("POST", "/api/v1/me/vehicles", body, key);
      } catch (error) {
        throw refusal(error, !byBill.hidden);
      }
      done();
      return text("mine.bound");
    },
  });
}

export function vehicleList(vehicles: readonly MyVehicle[], changed: () => void): HTMLElement {
  const add = h("button", { class: "button", type: "button", onclick: () => bindDialog(changed) }, text("mine.bind_open"));
  if (vehicles.length === 0) {
    return emptyState(text("mine.no_vehicles"), text("mine.no_vehicles_advice"), add);
  }
  return h(
    "div",
    {},
    h(
      "ul",
      { class: "rows" },
      ...vehicles.map((vehicle) =>
        h(
          "li",
          { class: "row", "data-vehicle": vehicle.id },
          h(
            "div",
            { class: "row-words" },
            h("p", {}, vehicle.plate ? plateLabel(vehicle.plate, "m") : text("mine.ticket_only")),
            h(
              "p",
              { class: "item-facts" },
              text("mine.vehicle_since", { at: moment(instant(vehicle.since_at)), proof: named("proof", vehicle.proof) }),
            ),
          ),
          vehicle.proof === "ticket"
            ? h("a", { class: "button", href: `/mine/tickets/${vehicle.id}` }, text("mine.show_ticket"))
            : null,
          h("button", { class: "button button-quiet", type: "button", onclick: () => unbindDialog(vehicle, changed) }, text("mine.unbind")),
        ),
      ),
    ),
    h("p", { class: "note" }, text("mine.several")),
    h("p", { class: "panel-acts" }, add),
  );
}
