/** Through whom to pay: one press opens an order there. */
import type { Payable, PayOrder } from "../api/types";
import { byId, h, write } from "../shell/dom";
import { notTold } from "./device";
import { named, text } from "../shell/text";

/** What is chosen for: one bill, or several at once. */
export type Chosen = Pick<Payable, "channels" | "orders">;

/** What the payer should know before choosing: of an order that ended, or of one not known yet. */
function warning(bill: Chosen, order: PayOrder | null): HTMLElement | null {
  // Where no code was given out no money can have moved: it stands in nobody's way.
  const unsure = bill.orders.find((each) => each.state === "unknown" && each.may_be_paid);
  if (unsure) {
    const channel = named("bill.channel", unsure.channel);
    return h("p", { class: "note note-warning", role: "status" }, text("pay.unsure", { channel }));
  }
  if (order?.state === "closed") {
    return h("p", { class: "note", role: "status" }, text("pay.closed", { channel: named("bill.channel", order.channel) }));
  }
  if (order) return h("p", { class: "note", role: "status" }, text("pay.ended"));
  if (notTold()) return h("p", { class: "note note-warning", role: "status", id: "no-payer" }, text("pay.no_payer"));
  return null;
}

export function choosing(
  bill: Chosen,
  order: PayOrder | null,
  choose: (channel: PayOrder["channel"]) => void,
): HTMLElement {
  if (bill.channels.length === 0) return h("p", { class: "note note-warning" }, text("pay.no_channel"));
  return h(
    "section",
    { "aria-labelledby": "pay-how" },
    h("h2", { id: "pay-how" }, text("pay.how")),
    warning(bill, order),
    h(
      "ul",
      { class: "pay-channels" },
      ...bill.channels.map((channel) =>
        h(
          "li",
          {},
          h(
            "button",
            {
              class: `button button-wide pay-channel pay-${channel}`,
              type: "button",
              "data-channel": channel,
              onclick: () => choose(channel),
            },
            named("bill.channel", channel),
          ),
        ),
      ),
    ),
    h("p", { class: "note", id: "pay-asking", role: "status" }),
    h("p", { class: "note" }, text("pay.once")),
  );
}

/** A channel may take ten seconds to answer: say that it is asked, and let nobody press again. */
export function showAsking(place: HTMLElement, channel: PayOrder["channel"]): void {
  for (const button of place.querySelectorAll<HTMLButtonElement>("[data-channel]")) {
    button.disabled = true;
    if (button.dataset["channel"] === channel) button.setAttribute("aria-busy", "true");
  }
  write(byId("pay-asking"), text("pay.asking", { channel: named("bill.channel", channel) }));
}
