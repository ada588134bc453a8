/** A bill's state as a tag: the same word and tone wherever a bill is listed. */
import type { Bill } from "../api/types";
import { h } from "../shell/dom";
import { named, text } from "../shell/text";

const TONES: Readonly<Record<string, string>> = {
  open: "tag-warning",
  paid: "tag-good",
  disputed: "tag-warning",
  cancelled: "",
};

export function billTag(bill: Pick<Bill, "state" | "amount">): HTMLElement {
  // Nobody paid a bill over nothing, as of a police car: its line says why nothing is due.
  if (bill.state === "paid" && bill.amount.minor === 0) return h("span", { class: "tag" }, text("bill.nothing_due"));
  return h("span", { class: `tag ${TONES[bill.state] ?? ""}` }, named("bill.state", bill.state));
}
