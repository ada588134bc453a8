/** What settled a bill, and what goes back of it. */
import type { Payable, PayOrder } from "../api/types";
import { instant } from "../format/time";
import { exactly, price } from "../format/words";
import { fact } from "../panels/figures";
import { h, icon } from "../shell/dom";
import { named, text } from "../shell/text";
import type { InvoicePart } from "./invoices";

/** Money that came when nothing was owed any more: it is on its way back. */
function surplusOf(bill: Payable, order: PayOrder | null): HTMLElement | null {
  const twice = order?.surplus ? order : bill.orders.find((each) => each.surplus);
  if (!twice) return null;
  return h(
    "p",
    { class: "note note-warning", role: "status" },
    text("pay.surplus", { channel: named("bill.channel", twice.channel), amount: price(twice.amount) }),
  );
}

export function paidUp(bill: Payable, order: PayOrder | null, invoices: InvoicePart): HTMLElement {
  const { receipt } = bill;
  // Found by a plate, a bill has no lines: nobody sees then whose it is, and gets no paper of it.
  const withPapers = receipt !== null && bill.lines !== null;
  if (withPapers) void invoices.show();
  return h(
    "section",
    { "aria-labelledby": "pay-state" },
    h("p", { class: "pay-done", id: "pay-state", role: "status" }, text(receipt ? "pay.paid" : "bill.nothing_due")),
    surplusOf(bill, order),
    receipt
      ? h(
          "dl",
          { class: "facts" },
          fact(text("bill.paid"), exactly(instant(receipt.received_at))),
          fact(text("bill.paid_by"), `${named("bill.channel", receipt.channel)} · ${price({ ...receipt.amount, minor: receipt.amount.minor - receipt.rounded.minor })}`),
          receipt.rounded.minor ? fact(text("bill.rounded"), price(receipt.rounded)) : null,
          receipt.refunded.minor ? fact(text("pay.refunded"), price(receipt.refunded)) : null,
          fact(text("pay.receipt_number"), h("span", { class: "mono" }, receipt.number)),
          receipt.order_no ? fact(text("pay.order_number"), h("span", { class: "mono" }, receipt.order_no)) : null,
          receipt.channel_no ? fact(text("pay.channel_number"), h("span", { class: "mono" }, receipt.channel_no)) : null,
        )
      : null,
    withPapers ? invoices.element : null,
    h(
      "p",
      { class: "bill-acts no-print" },
      h("button", { class: "button", type: "button", onclick: () => print() }, icon("print"), text("bill.print")),
    ),
  );
}
