/** An order under way: the code, where to go on this phone, and what is known so far. */
import type { PayOrder } from "../api/types";
import { h } from "../shell/dom";
import { inWechat } from "./device";
import { appPart } from "./in_app";
import { named, text } from "../shell/text";

/** Whether there is more to hear of it: what is not known stays asked after, also past its time. */
export function isLive(order: PayOrder): boolean {
  if (order.state === "open") return order.seconds_left > 0;
  return order.state === "asked" || order.state === "unknown";
}

function code(image: string, order: PayOrder, channel: string): HTMLElement[] {
  const parts: HTMLElement[] = [];
  if (order.link) {
    parts.push(
      h(
        "a",
        {
          class: "button button-primary button-wide",
          id: "go",
          href: order.link,
          target: "_blank",
          rel: "noopener",
          // WeChat Pay's page opens for the site alone that the merchant registered; what is paid stays untold.
          referrerpolicy: order.channel === "wechat" ? "origin" : "no-referrer",
        },
        text("pay.go", { channel }),
      ),
    );
  }
  if (order.in_app) parts.push(...appPart(order));
  else if (!order.link && order.channel === "wechat" && inWechat()) {
    parts.push(h("p", { class: "note note-warning", id: "in-wechat" }, text("pay.in_wechat")));
  }
  if (order.scannable) {
    parts.push(
      h(
        "figure",
        { class: "pay-code" },
        h("img", {
          src: image,
          alt: text("pay.code_alt", { channel }),
          width: 220,
          height: 220,
        }),
        h("figcaption", {}, text(order.link ? "pay.or_scan" : "pay.scan", { channel })),
      ),
    );
  }
  return parts;
}

/** What is known of an order under way; `image` is its code's address, `acts` what else can be done. */
export function underWay(image: string, order: PayOrder, ...acts: readonly Node[]): HTMLElement {
  const channel = named("bill.channel", order.channel);
  const known = order.state === "open";
  return h(
    "section",
    { "aria-labelledby": "pay-state" },
    h(
      "p",
      { class: known ? "note" : "note note-warning", id: "pay-state", role: "status" },
      text(known ? "pay.waiting" : order.may_be_paid ? "pay.unknown" : "pay.not_heard", { channel }),
    ),
    ...code(image, order, channel),
    // Only of a code that is there: an order without one has nothing that could hold.
    order.scannable ? h("p", { class: "note" }, text("pay.minutes")) : null,
    h("p", { class: "panel-acts" }, ...acts),
  );
}

export function waiting(link: string, order: PayOrder, another: () => void): HTMLElement {
  return underWay(
    `/pay/${link}/orders/${order.order_no}/code.svg`,
    order,
    h("button", { class: "button", type: "button", id: "another", onclick: another }, text("pay.another")),
  );
}
