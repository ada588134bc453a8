/** Several bills of one vehicle paid at once: which, through whom, and what became of each. */
import type { PayOrder, Together, TogetherBill } from "../api/types";
import { OrderPage, type Part } from "./order_page";
import { isLive } from "./wait";
import { exactly, inLanguage, price } from "../format/words";
import { instant } from "../format/time";
import { plateLabel } from "../plates/label";
import { h } from "../shell/dom";
import { counted, named, text } from "../shell/text";

/** One of the bills: what it costs, and how it stands by itself. */
function billRow(bill: TogetherBill): HTMLElement {
  const paid = bill.receipt;
  const words = paid
    ? text("pay.paid_by", { channel: named("bill.channel", paid.channel), at: exactly(instant(paid.received_at)) })
    : bill.state === "open"
      ? text("bill.due_by", { at: exactly(instant(bill.due_at)) })
      : named("bill.state", bill.state);
  return h(
    "li",
    { class: "row", "data-bill": bill.state },
    h(
      "div",
      { class: "row-words" },
      bill.facility && h("p", {}, inLanguage(bill.facility.zh, bill.facility.en)),
      h("p", { class: "item-facts" }, words),
      bill.goes_back && h("p", { class: "note note-warning" }, text("pay.share_back", { amount: price(bill.goes_back) })),
      h("p", {}, h("a", { href: bill.link }, text(paid ? "bill.receipt" : "pay.this_alone"))),
    ),
    h("strong", { class: "number row-amount" }, price(bill.state === "open" ? bill.outstanding : bill.amount)),
  );
}

/** The page of several bills. */
export class TogetherPage extends OrderPage<Together> {
  constructor(place: HTMLElement, link: string) {
    super(place, `together/${link}`);
  }

  protected article(found: Together, order: PayOrder | null): HTMLElement {
    const part = this.part(found, order);
    const done = found.outstanding.minor === 0;
    return h(
      "article",
      { class: "bill pay", "data-state": part.state },
      h(
        "header",
        {},
        h("h1", {}, text(done ? "pay.together_done" : "pay.together_title")),
        done ? null : h("p", { class: "pay-amount number" }, price(found.outstanding)),
        found.plate && h("p", {}, plateLabel(found.plate, "m")),
      ),
      part.element,
      h(
        "section",
        { "aria-labelledby": "together-bills" },
        h("h2", { id: "together-bills" }, counted("pay.bills", found.items.length)),
        h("ul", { class: "rows pay-bills" }, ...found.items.map(billRow)),
      ),
    );
  }

  private part(found: Together, order: PayOrder | null): Part {
    if (order && isLive(order) && found.outstanding.minor > 0) return this.underWay(order);
    if (order?.state === "paid" || found.outstanding.minor === 0) {
      const said = order?.state === "paid" ? text("pay.together_paid", { channel: named("bill.channel", order.channel), amount: price(order.amount) }) : text("bill.nothing_due");
      return { state: "paid", element: h("p", { class: "pay-done", id: "pay-state", role: "status" }, said) };
    }
    return this.choice(found, order);
  }
}
