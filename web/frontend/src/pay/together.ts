/** Several bills of one vehicle paid at once: which, through whom, and what became of each. */
import { act, ProblemError, read } from "../api/client";
import type { PayOrder, Together, TogetherBill } from "../api/types";
import { choosing, showAsking } from "./choose";
import { wayToPay } from "./device";
import { asksWho, callAtOnce, isBack, looks } from "./in_app";
import { isLive, waiting } from "./wait";
import { exactly, inLanguage, price } from "../format/words";
import { instant } from "../format/time";
import { plateLabel } from "../plates/label";
import { h, replace } from "../shell/dom";
import { errorState, problemText, skeleton } from "../shell/states";
import { counted, named, text } from "../shell/text";
import { toast } from "../shell/toast";

const BILLS_EVERY_MS = 10_000;

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

/** The page of several bills: what it last heard, and what its reader does. */
export class TogetherPage {
  private found: Together | null = null;
  private order: PayOrder | null = null;
  private heardMs = 0;
  private drawn = "";
  private busy = false;
  private readonly path: string;

  constructor(
    private readonly place: HTMLElement,
    private readonly link: string,
  ) {
    this.path = `/api/v1/pay/together/${link}`;
    replace(place, skeleton(5, "line"));
  }

  async load(): Promise<void> {
    try {
      this.found = await read<Together>(this.path);
      const chosen = location.hash.slice(1);
      this.order = this.found.orders.find((each) => each.order_no === chosen) ?? null;
      this.heardMs = Date.now();
      this.draw();
    } catch (error) {
      if (this.found) return; // what is shown stays; asked again in a moment
      this.drawn = "";
      replace(
        this.place,
        error instanceof ProblemError && error.status === 404
          ? h("div", { class: "bill" }, h("h1", {}, text("pay.no_link")), h("p", { class: "note" }, text("pay.no_link_note")))
          : errorState(error, () => void this.load()),
      );
    }
  }

  /** Read them for the first time, and go on where their reader was led to WeChat and back. */
  async start(): Promise<void> {
    const back = isBack();
    await this.load();
    if (back && this.found?.channels.includes("wechat")) await this.choose("wechat");
  }

  /** Ask again: after the order while one is under way, else now and then after the bills. */
  async refresh(): Promise<void> {
    if (!this.found || this.busy) return;
    const { order } = this;
    if (order && isLive(order)) {
      let now: PayOrder;
      try {
        now = await read<PayOrder>(`${this.path}/orders/${order.order_no}`);
      } catch {
        return; // the line is down: what we last heard stands
      }
      if (this.order?.order_no !== order.order_no) return;
      this.order = now;
      // The bills may be paid another way meanwhile: their code must not stand here then.
      if (now.state === "paid" || now.state === "closed" || this.isOld()) await this.load();
      else this.draw();
    } else if (this.isOld()) await this.load();
  }

  private isOld(): boolean {
    return Date.now() - this.heardMs > BILLS_EVERY_MS;
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
        location.assign(`/pay/together/${this.link}/payer`);
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
    const { found, order } = this;
    if (!found) return;
    const now = JSON.stringify([found, order && looks(order)]);
    if (now === this.drawn) return;
    this.drawn = now;
    const part = this.part(found, order);
    const done = found.outstanding.minor === 0;
    replace(
      this.place,
      h(
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
      ),
    );
  }

  private part(found: Together, order: PayOrder | null): { state: string; element: HTMLElement } {
    if (order && isLive(order) && found.outstanding.minor > 0) {
      return { state: order.state, element: waiting(`together/${this.link}`, order, () => this.another()) };
    }
    if (order?.state === "paid" || found.outstanding.minor === 0) {
      const said = order?.state === "paid" ? text("pay.together_paid", { channel: named("bill.channel", order.channel), amount: price(order.amount) }) : text("bill.nothing_due");
      return { state: "paid", element: h("p", { class: "pay-done", id: "pay-state", role: "status" }, said) };
    }
    return { state: "choose", element: choosing(found, order, (channel) => void this.choose(channel)) };
  }
}
