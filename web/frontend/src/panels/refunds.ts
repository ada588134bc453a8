/** What was paid online for a bill, and giving it back: for the back office. */
import { act, ProblemError, read } from "../api/client";
import type { ChannelOrder, ChannelOrders, ChannelRefund } from "../api/types";
import { parseAmount, type Money } from "../format/money";
import { instant } from "../format/time";
import { exactly, price } from "../format/words";
import { h, replace } from "../shell/dom";
import { field, labelled, showForm } from "../shell/form";
import { errorState, skeleton } from "../shell/states";
import { named, text } from "../shell/text";

const AGAIN_MS = 2_000;
const TONES: Readonly<Record<ChannelRefund["state"], string>> = {
  asked: "tag-warning",
  done: "tag-good",
  failed: "tag-danger",
};

/** Letters and digits that no other refund has: sent again, it is the same refund. */
function refundNo(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

function smaller(a: Money, b: Money): Money {
  return a.minor < b.minor ? a : b;
}

function give(billId: string, order: ChannelOrder, most: Money, again: () => void): void {
  const channel = named("bill.channel", order.channel);
  const number = refundNo();
  const room = smaller(order.refundable, most);
  const amount = field((room.minor / 100).toFixed(2), { inputmode: "decimal", required: true });
  const reason = field("", { minlength: 3, maxlength: 80, required: true });
  showForm({
    title: text("refund.title"),
    parts: [
      h(
        "p",
        { class: "note" },
        text(order.channel === "pos" ? "refund.consequence_terminal" : "refund.consequence", {
          channel,
          number: (order.channel_no ?? "").slice(-4),
        }),
      ),
      labelled("refund-amount", text("refund.amount"), amount, text("refund.most", { amount: price(room) })),
      labelled("refund-reason", text("refund.reason"), reason, text("refund.reason_hint")),
    ],
    submit: text("refund.give"),
    send: async () => {
      const minor = parseAmount(amount.value, order.amount.currency);
      if (!minor) throw new ProblemError(422, "invalid", text("refund.no_amount"));
      const sum = { minor, currency: order.amount.currency };
      const done = await act<ChannelRefund>("POST", `/api/v1/channel-orders/${order.order_no}/refunds`, {
        refund_no: number,
        amount: sum,
        reason: reason.value,
        // Of one payment for several bills only this one's part can go back from here.
        bill_id: billId,
      });
      again();
      if (done.waits_for === "terminal") return text("refund.agreed", { amount: price(sum) });
      return text(done.state === "done" ? "refund.done" : "refund.asked", { amount: price(sum), channel });
    },
  });
}

/** How a refund stands, and who is to carry it out. */
export function refundTag(refund: Pick<ChannelRefund, "state" | "waits_for">): HTMLElement {
  const words = refund.waits_for === "terminal" ? text("refund.waits_for_terminal") : named("refund.state", refund.state);
  return h("span", { class: `tag ${TONES[refund.state]}` }, words);
}

/** Withdraw what waits for its card: nobody has it yet. */
function withdraw(refund: ChannelRefund, again: () => void): void {
  const reason = field("", { minlength: 3, maxlength: 200, required: true });
  showForm({
    title: text("refund.withdraw"),
    parts: [
      h("p", { class: "note" }, text("refund.withdraw_means", { amount: price(refund.amount) })),
      labelled("withdraw-reason", text("refund.reason"), reason),
    ],
    submit: text("refund.withdraw"),
    send: async () => {
      await act("POST", `/api/v1/channel-refunds/${refund.refund_no}/withdrawal`, { reason: reason.value });
      again();
      return text("refund.withdrawn", { amount: price(refund.amount) });
    },
  });
}

function refundRow(order: ChannelOrder, refund: ChannelRefund, may: boolean, again: () => void): HTMLElement {
  const waits = refund.waits_for === "terminal";
  return h(
    "li",
    { class: "row", "data-refund": refund.refund_no },
    h(
      "div",
      { class: "row-words" },
      h("p", { class: "row-facts" }, refund.reason, refundTag(refund)),
      h("p", { class: "item-facts" }, exactly(instant(refund.done_at ?? refund.asked_at))),
      waits ? h("p", { class: "item-facts" }, text("refund.how_at_terminal", { number: order.channel_no ?? "" })) : null,
      waits && may && !order.surplus
        ? h("button", { class: "button", type: "button", onclick: () => withdraw(refund, again) }, text("refund.withdraw"))
        : null,
    ),
    h("strong", { class: "number row-amount" }, `−${price(refund.amount)}`),
  );
}

function orderPart(billId: string, order: ChannelOrder, most: Money | null, again: () => void): HTMLElement {
  const may = most !== null && order.refundable.minor > 0;
  return h(
    "div",
    { class: "channel-order", "data-order": order.order_no },
    h(
      "p",
      { class: "row-facts" },
      h("strong", {}, `${named("bill.channel", order.channel)} · ${price(order.amount)}`),
      h("span", { class: "tag" }, named("order.state", order.surplus ? "surplus" : order.state)),
    ),
    h("p", { class: "item-facts mono" }, order.channel_no ?? order.order_no),
    order.whole.minor !== order.amount.minor ? h("p", { class: "note" }, text("refund.of_several", { amount: price(order.whole) })) : null,
    order.refunds.length ? h("ul", { class: "rows" }, ...order.refunds.map((each) => refundRow(order, each, most !== null, again))) : null,
    may
      ? h(
          "p",
          { class: "panel-acts" },
          h("button", { class: "button", type: "button", onclick: () => give(billId, order, most, again) }, text("refund.start")),
        )
      : null,
  );
}

/** The orders of a bill; asked again while money is on its way back. */
export function onlinePayments(billId: string): HTMLElement {
  const place = h("div", {}, skeleton(2, "line"));
  const section = h(
    "section",
    { class: "panel-section no-print", "aria-label": text("refund.section"), hidden: true },
    h("h2", {}, text("refund.section")),
    place,
  );
  let drawn = "";
  const load = async (): Promise<void> => {
    try {
      const found = await read<ChannelOrders>(`/api/v1/bills/${billId}/channel-orders`);
      const under = found.items.flatMap((order) => order.refunds).filter((each) => each.waits_for === "channel");
      section.hidden = found.items.length === 0;
      if (JSON.stringify(found) !== drawn) {
        drawn = JSON.stringify(found);
        replace(place, ...found.items.map((order) => orderPart(billId, order, found.most_at_once, () => void load())));
      }
      if (under.length === 0) return;
      setTimeout(() => {
        const asked = under.map((each) => read<ChannelRefund>(`/api/v1/channel-refunds/${each.refund_no}`));
        void Promise.allSettled(asked).then(() => load());
      }, AGAIN_MS);
    } catch (error) {
      section.hidden = false;
      replace(place, errorState(error, () => void load()));
    }
  };
  void load();
  return section;
}
