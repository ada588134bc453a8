/** A page of what is paid through an order at a channel: what it last heard, and what its reader does. */
import { act, ProblemError, read } from "../api/client";
import type { PayOrder } from "../api/types";
import { h, replace } from "../shell/dom";
import { errorState, problemText, skeleton } from "../shell/states";
import { text } from "../shell/text";
import { toast } from "../shell/toast";
import { choosing, showAsking, type Chosen } from "./choose";
import { wayToPay } from "./device";
import { asksWho, callAtOnce, isBack, looks } from "./in_app";
import { isLive, waiting } from "./wait";

const FOUND_EVERY_MS = 10_000;

/** What stands between head and details, and what it is called. */
export interface Part {
  readonly state: string;
  readonly element: HTMLElement;
}

export abstract class OrderPage<Found extends Chosen> {
  protected found: Found | null = null;
  private order: PayOrder | null = null;
  private heardMs = 0;
  private drawn = "";
  private busy = false;
  private readonly path: string;

  /** `link` as it stands behind `/pay/`. */
  constructor(
    private readonly place: HTMLElement,
    private readonly link: string,
  ) {
    this.path = `/api/v1/pay/${link}`;
    replace(place, skeleton(5, "line"));
  }

  /** Draw all of it. */
  protected abstract article(found: Found, order: PayOrder | null): HTMLElement;

  /** Read it for the first time, and go on where its reader was led to WeChat and back. */
  async start(): Promise<void> {
    const back = isBack();
    await this.load();
    if (back && this.found?.channels.includes("wechat")) await this.choose("wechat");
  }

  /** Ask again: after the order while one is under way, else now and then after what is paid. */
  async refresh(): Promise<void> {
    if (!this.found || this.busy) return;
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
      // It may be paid another way meanwhile: its code must not stand here then.
      if (now.state === "paid" || now.state === "closed" || this.isOld()) await this.load();
      else this.draw();
    } else if (this.isOld()) await this.load();
  }

  /** The order that is under way, to be waited for; or the channels, to choose one. */
  protected underWay(order: PayOrder): Part {
    return { state: order.state, element: waiting(this.link, order, () => this.another()) };
  }

  protected choice(found: Found, order: PayOrder | null): Part {
    return { state: "choose", element: choosing(found, order, (channel) => void this.choose(channel)) };
  }

  private async load(): Promise<void> {
    try {
      this.found = await read<Found>(this.path);
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

  private isOld(): boolean {
    return Date.now() - this.heardMs > FOUND_EVERY_MS;
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
        location.assign(`/pay/${this.link}/payer`);
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
    // Drawn again only where something differs: nothing jumps, no focus is lost.
    const now = JSON.stringify([found, order && looks(order)]);
    if (now === this.drawn) return;
    this.drawn = now;
    replace(this.place, this.article(found, order));
  }
}
