/** What shifts and cash on its way are called, wherever they are shown. */
import type { CashMove, Shift } from "../api/types";
import { h } from "../shell/dom";
import { named, text } from "../shell/text";

const STATE_TAGS: Readonly<Record<Shift["state"], string>> = {
  open: "tag tag-good",
  counted: "tag tag-warning",
  approved: "tag",
};

export function stateTag(shift: Shift): HTMLElement {
  return h("span", { class: STATE_TAGS[shift.state] }, named("shifts.state", shift.state));
}

/** Who has the cash: a person, an office, the bank. */
export function endName(end: CashMove["source"], names: Readonly<Record<string, string>>): string {
  if (end.kind === "till") return text("shifts.office", { district: end.holder });
  if (end.kind === "bank") return text("shifts.bank");
  return names[end.holder] ?? text("shifts.somebody");
}
