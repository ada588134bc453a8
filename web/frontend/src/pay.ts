/** Paying a bill: through whom, the code, and the truth about what became of it. */
import "../styles/base.css";
import "../styles/bill.css";
import "../styles/pay.css";
import type { Payable, PayOrder } from "./api/types";
import { byPlate } from "./pay/by_plate";
import { InvoicePart } from "./pay/invoices";
import { OrderPage, type Part } from "./pay/order_page";
import { paidUp } from "./pay/receipt";
import { TogetherPage } from "./pay/together";
import { isLive } from "./pay/wait";
import { exactly, inLanguage, lastingText, price } from "./format/words";
import { instant } from "./format/time";
import { fact } from "./panels/figures";
import { feeTable } from "./panels/fee";
import { plateLabel } from "./plates/label";
import { h, put } from "./shell/dom";
import { page, startPage } from "./shell/page";
import { poll } from "./shell/poll";
import { text } from "./shell/text";

const ORDER_EVERY_MS = 2_000;

/** What a payment ahead lets the car do; without a grace it pays for the time until it was asked for. */
function leaveText(paid: boolean, leaveMs: number, askedMs: number): "pay.covers_until" | "pay.leave_by_paid" | "pay.leave_by" {
  // Both are the server's: the page's own clock may lag behind.
  if (leaveMs <= askedMs) return "pay.covers_until";
  return paid ? "pay.leave_by_paid" : "pay.leave_by";
}

/** One bill's page. */
class PayPage extends OrderPage<Payable> {
  private readonly invoices: InvoicePart;

  constructor(place: HTMLElement, link: string) {
    super(place, link);
    this.invoices = new InvoicePart(link);
  }

  protected article(bill: Payable, order: PayOrder | null): HTMLElement {
    const part = this.part(bill, order);
    return h("article", { class: "bill pay", "data-state": part.state }, this.head(bill), part.element, this.details(bill));
  }

  private part(bill: Payable, order: PayOrder | null): Part {
    if (bill.receipt || bill.state === "paid") return { state: "paid", element: paidUp(bill, order, this.invoices) };
    if (bill.state === "offered" && bill.channels.length === 0 && !(order && isLive(order))) {
      return { state: "over", element: h("p", { class: "note note-warning", role: "status" }, text("pay.offer_over")) };
    }
    if (bill.state !== "open" && bill.state !== "offered") {
      const note = text(bill.state === "disputed" ? "pay.disputed" : "pay.cancelled");
      return { state: bill.state, element: h("p", { class: "note note-warning" }, note) };
    }
    return order && isLive(order) ? this.underWay(order) : this.choice(bill, order);
  }

  private head(bill: Payable): HTMLElement {
    return h(
      "header",
      {},
      h("h1", {}, text(bill.receipt ? "bill.receipt" : bill.state === "offered" ? "pay.ahead_title" : "pay.title")),
      bill.facility && h("p", { class: "bill-where" }, inLanguage(bill.facility.zh, bill.facility.en)),
      h("p", { class: "pay-amount number" }, price(bill.state === "open" ? bill.outstanding : bill.amount)),
      bill.plate && h("p", {}, plateLabel(bill.plate, "m")),
      bill.leave_by_at && (bill.state === "offered" || bill.state === "paid")
        ? h(
            "p",
            { class: "note", id: "leave-by" },
            text(leaveText(bill.state === "paid", instant(bill.leave_by_at), instant(bill.issued_at)), { at: exactly(instant(bill.leave_by_at)) }),
          )
        : null,
    );
  }

  private details(bill: Payable): HTMLElement {
    const { stay } = bill;
    const facts = h("dl", { class: "facts facts-quiet" });
    if (stay?.bay_label) put(facts, fact(text("bill.bay"), stay.bay_label));
    if (stay) put(facts, fact(text("stay.opened"), exactly(instant(stay.opened_at))));
    if (stay?.closed_at) {
      put(
        facts,
        fact(text("stay.closed"), exactly(instant(stay.closed_at))),
        fact(text("stay.lasting"), lastingText(instant(stay.opened_at), instant(stay.closed_at))),
      );
    }
    if (bill.state !== "offered") put(facts, fact(text("bill.issued"), exactly(instant(bill.issued_at))));
    else put(facts, fact(text("pay.offer_until"), exactly(instant(bill.due_at))));
    if (bill.outstanding.minor && bill.outstanding.minor !== bill.amount.minor) {
      put(facts, fact(text("bill.title"), price(bill.amount)), fact(text("bill.open_amount"), price(bill.outstanding)));
    }
    if (bill.state === "open") put(facts, fact(text("bill.due"), exactly(instant(bill.due_at))));
    return h(
      "section",
      { "aria-label": text("pay.what_for") },
      h("h2", {}, text("pay.what_for")),
      bill.lines ? feeTable(bill.lines, bill.amount, text("bill.how")) : h("p", { class: "note" }, text("pay.narrow")),
      facts,
      bill.bill_id
        ? h(
            "p",
            { class: "no-print" },
            h("a", { href: `/bills/${bill.bill_id}` }, text("pay.evidence")),
          )
        : null,
    );
  }
}

void startPage(async () => {
  const plate = document.getElementById("by-plate");
  if (plate) {
    byPlate(plate, plate.dataset["bay"] ?? null);
    return;
  }
  // An invoice stands without a script; this one prints it.
  document.querySelector("[data-print]")?.addEventListener("click", () => print());
  const several = document.getElementById("together");
  if (several) {
    const together = new TogetherPage(several, page().subject ?? "");
    await together.start();
    poll(() => together.refresh(), ORDER_EVERY_MS);
    return;
  }
  const place = document.getElementById("pay");
  if (!place) return;
  const shown = new PayPage(place, page().subject ?? "");
  await shown.start();
  poll(() => shown.refresh(), ORDER_EVERY_MS);
});
