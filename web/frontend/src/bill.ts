/** One bill, explained; made to be printed as well. */
import "../styles/base.css";
import "../styles/bill.css";
import { act, ProblemError, read } from "./api/client";
import type { Bill, Session, StayTimeline } from "./api/types";
import { billTag } from "./panels/bill";
import { disputeSection } from "./panels/dispute";
import { parseAmount, type Money } from "./format/money";
import { exactly, inLanguage, lastingText, price } from "./format/words";
import { instant } from "./format/time";
import { fact } from "./panels/figures";
import { feeTable } from "./panels/fee";
import { onlinePayments } from "./panels/refunds";
import { plateLabel } from "./plates/label";
import { byId, h, icon, replace } from "./shell/dom";
import { field, labelled, showForm } from "./shell/form";
import { hasRole, page, startPage } from "./shell/page";
import { errorState, skeleton } from "./shell/states";
import { named, text } from "./shell/text";
import { timeline } from "./timeline/view";

/** What settled it, or what is still to pay. */
function settling(bill: Bill): HTMLElement[] {
  if (bill.state === "cancelled") {
    const back = bill.paid.minor ? fact(text("bill.paid_in_part"), price(bill.paid)) : null;
    return [...(back ? [back] : []), fact(text("bill.open_amount"), text("bill.nothing_due"))];
  }
  if (bill.payment) {
    return [
      fact(text("bill.paid"), exactly(instant(bill.payment.received_at))),
      fact(
        text("bill.paid_by"),
        `${named("bill.channel", bill.payment.channel)} · ${price({ ...bill.payment.amount, minor: bill.payment.amount.minor - bill.payment.rounded.minor })}`,
      ),
      ...(bill.payment.rounded.minor ? [fact(text("bill.rounded"), price(bill.payment.rounded))] : []),
    ];
  }
  if (bill.state === "paid") return [fact(text("bill.paid"), text("bill.nothing_due"))];
  if (bill.state === "written-off") return [fact(text("bill.open_amount"), text("bill.nothing_due"))];
  return [
    fact(text("bill.open_amount"), price(bill.outstanding)),
    ...(bill.in_cash.minor < bill.outstanding.minor ? [fact(text("bill.in_cash"), price(bill.in_cash))] : []),
    fact(
      text("bill.due"),
      bill.state === "disputed" ? text("bill.clock_stands") : exactly(instant(bill.due_at)),
    ),
  ];
}

/** Give back in cash what was paid so of a bill that was wrong; its consequence in words first. */
function payBack(bill: Bill, again: () => void): void {
  const amount = price(bill.cash_owed_back ?? bill.paid);
  showForm({
    title: text("bill.give_cash_back", { amount }),
    parts: [h("p", { class: "note" }, text("bill.cash_back_note", { amount }))],
    submit: text("bill.give_cash_back", { amount }),
    send: async () => {
      await act("POST", `/api/v1/bills/${bill.id}/refunds`, { channel: "cash" });
      again();
      return text("bill.cash_given_back");
    },
  });
}

/** Give a part or all of what was paid in cash back; the bill stays paid. */
function refundCash(bill: Bill, room: Money, again: () => void): void {
  const id = crypto.randomUUID();
  const amount = field((room.minor / 100).toFixed(2), { inputmode: "decimal", required: true });
  const reason = field("", { minlength: 3, maxlength: 80, required: true });
  showForm({
    title: text("refund.title"),
    parts: [
      h("p", { class: "note" }, text("bill.cash_refund_note")),
      labelled("refund-amount", text("refund.amount"), amount, text("refund.most", { amount: price(room) })),
      labelled("refund-reason", text("refund.reason"), reason, text("refund.reason_hint")),
    ],
    submit: text("refund.give"),
    send: async () => {
      const minor = parseAmount(amount.value, room.currency);
      if (!minor) throw new ProblemError(422, "invalid", text("refund.no_amount"));
      await act("POST", `/api/v1/bills/${bill.id}/cash-refunds`, {
        id,
        amount: { minor, currency: room.currency },
        reason: reason.value,
      });
      again();
      return text("bill.cash_given_back");
    },
  });
}

const NARROW = "print-narrow";

/** Print on a handheld's roll of 58 mm, with the code of the bill's own page once it is there. */
async function printReceipt(code: HTMLImageElement): Promise<void> {
  const { documentElement: root } = document;
  code.loading = "eager";
  root.classList.add(NARROW);
  try {
    await code.decode();
  } catch {
    // Without a line the receipt has no code.
    code.hidden = true;
  }
  print();
  root.classList.remove(NARROW);
}

function billPage(bill: Bill, found: StayTimeline | null, again: () => void): HTMLElement {
  const stay: Session | null = found?.session ?? null;
  const room = bill.cash_refundable;
  const code = h("img", { src: `/bills/${bill.id}/code.svg`, alt: text("bill.code"), loading: "lazy", width: 160, height: 160 });
  return h(
    "article",
    { class: "bill" },
    h(
      "header",
      { class: "bill-head" },
      h(
        "div",
        {},
        h("h1", {}, text(bill.payment && bill.state !== "cancelled" ? "bill.receipt" : "bill.title")),
        bill.facility && h("p", { class: "bill-where" }, inLanguage(bill.facility.zh, bill.facility.en)),
      ),
      billTag(bill),
    ),
    h(
      "dl",
      { class: "facts" },
      fact(text("stay.plate"), bill.plate ? plateLabel(bill.plate, "m") : text("stay.no_plate")),
      stay?.bay_label ? fact(text("bill.bay"), stay.bay_label) : h("div", { hidden: true }),
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
      bill.paid_ahead.minor ? fact(text("bill.paid_ahead"), price(bill.paid_ahead)) : null,
      ...settling(bill),
      bill.refunded.minor ? fact(text("bill.refunded"), `−${price(bill.refunded)}`) : null,
      fact(text("bill.number"), h("span", { class: "mono" }, bill.id)),
    ),
    h("p", { class: "note" }, text("bill.explained")),
    h("figure", { class: "receipt-code" }, code, h("figcaption", {}, text("bill.code_note"))),
    h(
      "p",
      { class: "bill-acts no-print" },
      bill.state === "open" && hasRole("driver", "attendant", "finance", "operator")
        ? h("a", { class: "button button-primary", id: "pay", href: `/bills/${bill.id}/pay` }, text("pay.online"))
        : null,
      bill.cash_owed_back?.minor && hasRole("attendant", "finance")
        ? h(
            "button",
            { class: "button button-primary", type: "button", id: "cash-back", onclick: () => payBack(bill, again) },
            text("bill.give_cash_back", { amount: price(bill.cash_owed_back) }),
          )
        : null,
      room?.minor && hasRole("finance", "administrator")
        ? h(
            "button",
            { class: "button", type: "button", id: "cash-refund", onclick: () => refundCash(bill, room, again) },
            text("bill.refund_cash"),
          )
        : null,
      h(
        "button",
        { class: "button", type: "button", onclick: () => print() },
        icon("print"),
        text("bill.print"),
      ),
      hasRole("attendant", "operator", "finance")
        ? h("button", { class: "button", type: "button", id: "print-58", onclick: () => void printReceipt(code) }, icon("print"), text("bill.print_58"))
        : null,
    ),
    disputeSection(bill, hasRole("driver"), again),
    hasRole("operator", "finance", "auditor", "administrator") ? onlinePayments(bill.id) : null,
    found &&
      h(
        "section",
        { class: "no-print", "aria-label": text("story.title") },
        h("h2", {}, text("story.title")),
        h("p", { class: "note" }, text("story.explained")),
        timeline(found, bill),
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
      const found = await read<StayTimeline>(
        `/api/v1/sessions/${bill.session_id}/evidence`,
      ).catch(() => null);
      replace(place, billPage(bill, found, () => void load()));
    } catch (error) {
      replace(place, errorState(error, () => void load()));
    }
  };
  await load();
});
