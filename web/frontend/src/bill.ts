/** One bill, explained; made to be printed as well. */
import "../styles/base.css";
import "../styles/bill.css";
import { read } from "./api/client";
import type { Bill, Session } from "./api/types";
import { isOwing } from "./attendant/tasks";
import { exactly, inLanguage, lastingText } from "./format/words";
import { instant } from "./format/time";
import { fact } from "./panels/figures";
import { feeTable } from "./panels/fee";
import { plateLabel } from "./plates/label";
import { byId, h, icon, replace } from "./shell/dom";
import { hasRole, page, startPage } from "./shell/page";
import { errorState, skeleton } from "./shell/states";
import { named, text } from "./shell/text";

function billPage(bill: Bill, stay: Session | null): HTMLElement {
  const owing = isOwing(bill);
  return h(
    "article",
    { class: "bill" },
    h(
      "header",
      { class: "bill-head" },
      h(
        "div",
        {},
        h("h1", {}, text("bill.title")),
        bill.facility && h("p", { class: "bill-where" }, inLanguage(bill.facility.zh, bill.facility.en)),
      ),
      h("span", { class: owing ? "tag tag-warning" : "tag tag-good" }, named("bill.state", bill.state)),
    ),
    h(
      "dl",
      { class: "facts" },
      fact(text("stay.plate"), bill.plate ? plateLabel(bill.plate, "m") : text("stay.no_plate")),
      stay ? fact(text("bill.bay"), stay.bay_label) : h("div", { hidden: true }),
      stay ? fact(text("stay.opened"), exactly(instant(stay.opened_at))) : h("div", { hidden: true }),
      stay?.closed_at
        ? fact(text("stay.closed"), exactly(instant(stay.closed_at)))
        : h("div", { hidden: true }),
      stay?.closed_at
        ? fact(
            text("stay.lasting"),
            lastingText(instant(stay.opened_at), instant(stay.closed_at)),
          )
        : h("div", { hidden: true }),
    ),
    h("h2", {}, text("bill.how")),
    feeTable(bill.lines, bill.amount, text("bill.how")),
    h(
      "dl",
      { class: "facts facts-quiet" },
      fact(text("bill.issued"), exactly(instant(bill.issued_at))),
      bill.paid_at
        ? fact(text("bill.paid"), exactly(instant(bill.paid_at)))
        : fact(text("bill.due"), exactly(instant(bill.due_at))),
      fact(text("bill.number"), h("span", { class: "mono" }, bill.id)),
    ),
    h("p", { class: "note" }, text("bill.explained")),
    h(
      "p",
      { class: "bill-acts no-print" },
      h(
        "button",
        { class: "button", type: "button", onclick: () => print() },
        icon("print"),
        text("bill.print"),
      ),
    ),
  );
}

void startPage(async () => {
  const place = byId("bill");
  const id = page().subject ?? "";
  const load = async (): Promise<void> => {
    replace(place, skeleton(6, "line"));
    try {
      const bill = await read<Bill>(`/api/v1/bills/${id}`);
      const staff = hasRole("attendant", "operator", "finance", "inspector", "auditor", "administrator");
      const stay = staff
        ? await read<Session>(`/api/v1/sessions/${bill.session_id}`).catch(() => null)
        : null;
      replace(place, billPage(bill, stay));
    } catch (error) {
      replace(place, errorState(error, () => void load()));
    }
  };
  await load();
});
