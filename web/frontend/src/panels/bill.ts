/** A bill's state as a tag: the same word and tone wherever a bill is listed. */
import type { Bill } from "../api/types";
import { h } from "../shell/dom";
import { named } from "../shell/text";

const TONES: Readonly<Record<string, string>> = {
  open: "tag-warning",
  paid: "tag-good",
  disputed: "tag-warning",
  cancelled: "",
};

export function billTag(bill: Pick<Bill, "state">): HTMLElement {
  return h("span", { class: `tag ${TONES[bill.state] ?? ""}` }, named("bill.state", bill.state));
}
