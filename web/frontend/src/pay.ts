/** Paying a bill: through whom, the code, and the truth about what became of it. */
import "../styles/base.css";
import "../styles/bill.css";
import "../styles/pay.css";
import { act, ProblemError, read } from "./api/client";
import type { Payable, PayOrder } from "./api/types";
import { choosing, showAsking } from "./pay/choose";
import { byPlate } from "./pay/by_plate";
import { wayToPay } from "./pay/device";
import { InvoicePart } from "./pay/invoices";
import { asksWho, callAtOnce, isBack, looks } from "./pay/in_app";
import { paidUp } from "./pay/receipt";
import { TogetherPage } from "./pay/together";
import { isLive, waiting } from "./pay/wait";
import { exactly, inLanguage, lastingText, price } from "./format/words";
import { instant } from "./format/time";
import { fact } from "./panels/figures";
import { feeTable } from "./panels/fee";
import { plateLabel } from "./plates/label";
import { h, put, replace } from "./shell/dom";
import { page, startPage } from "./shell/page";
import { poll } from "./shell/poll";
import { errorState, problemText, skeleton } from "./shell/states";
import { text } from "./shell/text";
import { toast } from "./shell/toast";

const ORDER_EVERY_MS = 2_000;
const BILL_EVERY_MS = 10_000;

/** What a payment ahead lets the car do; without a grace it pays for the time until it was asked for. */
function leaveText(paid: boolean, leaveMs: number, askedMs: number): "pay.covers_until" | "pay.leave_by_paid" | "pay.leave_by" {
  // Both are the server's: the page's own clock may lag behind.
  if (leaveMs <= askedMs) return "pay.covers_until";
  return paid ? "pay.leave_by_paid" : "pay.leave_by";
}

/** One bill's page: what it last heard, and what its reader does. */
class PayPage {
  private bill: Payable | null = null;
  private order: PayOrder | null = null;
  private heardMs = 0;
  private drawn = "";
  private busy = false;
  private readonly path: string;
  private readonly invoices: InvoicePart;

  constructor(
    private readonly place: HTMLElement,
    link: string,
  ) {
    this.path = `/api/v1/pay/${link}`;
    this.invoices = new InvoicePart(link);
    replace(place, skeleton(5, "line"));
  }

  async load(): Promise<void> {
    try {
      this.bill = await read<Payable>(this.path);
      const chosen = location.hash.slice(1);
      this.order = this.bill.orders.find((each) => each.order_no === chosen) ?? null;
      this.heardMs = Date.now();
      this.draw();
    } catch (error) {
      if (this.bill) return; // what is shown stays; asked again in a moment
      this.drawn = "";
      replace(
        this.place,
        error instanceof ProblemError && error.status === 404
          ? h("div", { class: "bill" }, h("h1", {}, text("pay.no_link")), h("p", { class: "note" }, text("pay.no_link_note")))
          : errorState(error, () => void this.load()),
      );
    }
  }

  /** Read it for the first time, and go on where its reader was led to WeChat and back. */
  async start(): Promise<void> {
    const back = isBack();
    await this.load();
    if (back && this.bill?.channels.includes("wechat")) await this.choose("wechat");
  }

  /** Ask again: after the order while one is under way, else now and then after the bill. */
  async refresh(): Promise<void> {
    if (!this.bill || this.busy) return;
    const { order } = this;
    if (order && isLive(order)) {
      let now: PayOrder;
      try {
        now = await read<PayOrder>(`${this.path}/orders/${order.order_no}`);
      } catch {
        return; // the line is down: what we last heard stands, with its age
      }
      if (this.order?.order_no !== order.order_no) return;
      this.order = now;
      // The bill may be paid another way meanwhile: its code must not stand here then.
      if (now.state === "paid" || now.state === "closed" || this.isOld()) await this.load();
      else this.draw();
    } else if (this.isOld()) await this.load();
  }

  private isOld(): boolean {
    return Date.now() - this.heardMs > BILL_EVERY_MS;
  }

  private async choose(channel: PayOrder["channel"]): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    showAsking(this.place, channel);
    try {
      this.order = await act<PayOrder>("POST", `${this.path}/orders`, { channel, way: wayToPay() });
      history.replaceState(null, "", `#${this.order.order_no}`);
    } catch (error) {
      if (asksWho(error)) {
        location.assign(`/pay/${page().subject ?? ""}/payer`);
        return; // gone to WeChat, and back to go on
      }
      toast(problemText(error), "danger");
    } finally {
      this.busy = false;
      this.drawn = "";
    }
    if (this.order?.state === "paid" || !this.order) await this.load();
    else {
      this.draw();
      callAtOnce(this.order);
    }
  }

  private another(): void {
    this.order = null;
    history.replaceState(null, "", location.pathname);
    void this.load();
  }

  private draw(): void {
    const { bill, order } = this;
    if (!bill) return;
    const part = this.part(bill, order);
    // Drawn again only where something differs: nothing jumps, no focus is lost.
    const now = JSON.stringify([bill, order && looks(order)]);
    if (now === this.drawn) return;
    this.drawn = now;
    replace(
      this.place,
      h("article", { class: "bill pay", "data-state": part.state }, this.head(bill), part.element, this.details(bill)),
    );
  }

  private part(bill: Payable, order: PayOrder | null): { state: string; element: HTMLElement } {
    if (bill.receipt || bill.state === "paid") return { state: "paid", element: paidUp(bill, order, this.invoices) };
    if (bill.state === "offered" && bill.channels.length === 0 && !(order && isLive(order))) {
      return { state: "over", element: h("p", { class: "note note-warning", role: "status" }, text("pay.offer_over")) };
    }
    if (bill.state !== "open" && bill.state !== "offered") {
      const note = text(bill.state === "disputed" ? "pay.disputed" : "pay.cancelled");
      return { state: bill.state, element: h("p", { class: "note note-warning" }, note) };
    }
    if (order && isLive(order)) {
      return { state: order.state, element: waiting(page().subject ?? "", order, () => this.another()) };
    }
    return { state: "choose", element: choosing(bill, order, (channel) => void this.choose(channel)) };
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
