/** A card topped up online: how much and through whom, and the truth about what became of it. */
import { act, ProblemError, read } from "../api/client";
import type { Card, TopUp, TopUpBack, TopUpTerms } from "../api/types";
import { parseAmount } from "../format/money";
import { instant } from "../format/time";
import { exactly, price } from "../format/words";
import { PagedList } from "../mine/lists";
import { fact } from "../panels/figures";
import { wayToPay } from "../pay/device";
import { asksWho, looks } from "../pay/in_app";
import { isLive, underWay } from "../pay/wait";
import { h, replace } from "../shell/dom";
import { choice, field, labelled, showForm } from "../shell/form";
import { poll } from "../shell/poll";
import { emptyState, errorState, problemText, skeleton } from "../shell/states";
import { named, text } from "../shell/text";
import { toast } from "../shell/toast";
import { inFours } from "./card";

const EVERY_MS = 2_000;
const OWN_AMOUNT = "own";

const pageOf = (orderNo: string): string => `/mine/cards/top-ups/${orderNo}`;

/** Ask how much and through whom, open the order, and go to its page. */
export async function askTopUp(card: Card): Promise<void> {
  let terms: TopUpTerms;
  try {
    terms = await read<TopUpTerms>("/api/v1/me/top-ups/terms");
  } catch (error) {
    toast(problemText(error), "danger");
    return;
  }
  if (terms.channels.length === 0) {
    toast(text("pay.no_channel"), "danger");
    return;
  }
  const { currency } = card.balance;
  const sums = choice([
    ...terms.offered.map((each) => [String(each.minor), price(each)] as const),
    [OWN_AMOUNT, text("top_up.own_amount")] as const,
  ]);
  const own = field("", { inputmode: "decimal", maxlength: 10 });
  const ownPart = labelled(
    "top-up-own",
    text("top_up.own_amount"),
    own,
    text("top_up.between", { least: price(terms.least), most: price(terms.most) }),
  );
  ownPart.hidden = true;
  sums.addEventListener("change", () => {
    ownPart.hidden = sums.value !== OWN_AMOUNT;
    own.required = !ownPart.hidden;
  });
  const channel = choice(terms.channels.map((each) => [each, named("bill.channel", each)] as const));
  showForm({
    title: text("top_up.title"),
    parts: [
      h("p", {}, inFours(card.number), " · ", price(card.balance)),
      labelled("top-up-sum", text("top_up.amount"), sums),
      ownPart,
      labelled("top-up-channel", text("top_up.through"), channel),
      h("p", { class: "note" }, text("top_up.note", { most: price(card.most) })),
    ],
    submit: text("top_up.ask"),
    send: async () => {
      const minor = sums.value === OWN_AMOUNT ? parseAmount(own.value, currency) : Number(sums.value);
      if (minor === null) throw new ProblemError(422, "invalid", text("refund.no_amount"));
      let order: TopUp;
      try {
        order = await act<TopUp>("POST", `/api/v1/me/cards/${card.id}/top-ups`, {
          channel: channel.value,
          way: wayToPay(),
          amount: { minor, currency },
        });
      } catch (error) {
        if (!asksWho(error)) throw error;
        location.assign("/mine/cards/payer");
        return text("pay.asking_who");
      }
      location.assign(pageOf(order.order_no));
      return text("top_up.opened");
    },
  });
}

/** What became of a top-up, in a few words. */
function endOf(order: TopUp): string {
  if (order.state === "paid") {
    if (order.surplus) return text("top_up.end.back");
    return order.refunded.minor ? text("top_up.end.part_back", { amount: price(order.refunded) }) : text("top_up.end.on_card");
  }
  if (order.state === "closed") return text("top_up.end.closed");
  return isLive(order) ? text(order.state === "open" ? "top_up.end.open" : "top_up.end.unknown") : text("top_up.end.over");
}

function row(order: TopUp): HTMLElement {
  return h(
    "li",
    { class: "row", "data-top-up": order.state },
    h(
      "div",
      { class: "row-words" },
      h(
        "p",
        {},
        h("a", { class: "row-link", href: pageOf(order.order_no) }, `${named("bill.channel", order.channel)} · ${endOf(order)}`),
      ),
      h("p", { class: "item-facts" }, exactly(instant(order.opened_at))),
    ),
    h("strong", { class: "number row-amount" }, price(order.amount)),
  );
}

/** A card's top-ups, read when they are opened. */
export function topUps(path: string): HTMLElement {
  const place = h("div", {});
  const found = h("details", { class: "frame" }, h("summary", {}, text("top_up.list")), place);
  found.addEventListener(
    "toggle",
    () => {
      const list = new PagedList<TopUp>(place, path, (items, more) =>
        items.length
          ? h("div", {}, h("ul", { class: "rows" }, ...items.map(row)), more)
          : emptyState(text("top_up.none"), text("top_up.none_advice")),
      );
      void list.load();
    },
    { once: true },
  );
  return found;
}

/** One top-up's page: what it last heard, and what its reader does. */
export class TopUpPage {
  private order: TopUp | null = null;
  private drawn = "";
  private readonly path: string;

  constructor(
    private readonly place: HTMLElement,
    orderNo: string,
  ) {
    this.path = `/api/v1/me/top-ups/${orderNo}`;
    replace(place, skeleton(5, "line"));
  }

  async start(): Promise<void> {
    await this.load();
    poll(() => this.refresh(), EVERY_MS);
  }

  private async load(): Promise<void> {
    try {
      this.order = await read<TopUp>(this.path);
      this.draw();
    } catch (error) {
      if (this.order) return; // what we last heard stands; asked again in a moment
      replace(this.place, errorState(error, () => void this.load()));
    }
  }

  /** Ask again while there is more to hear: a refund under way ends as well. */
  private async refresh(): Promise<void> {
    if (this.order && (isLive(this.order) || this.order.state === "open")) await this.load();
  }

  private draw(): void {
    const { order } = this;
    if (!order) return;
    // Drawn again only where something differs: nothing jumps, no focus is lost.
    const now = JSON.stringify(looks(order));
    if (now === this.drawn) return;
    this.drawn = now;
    const state = isLive(order) || order.state === "paid" || order.state === "closed" ? order.state : "over";
    replace(
      this.place,
      h(
        "article",
        { class: "bill pay", "data-state": state },
        h(
          "header",
          {},
          h("h1", {}, text("top_up.page")),
          h("p", { class: "bill-where" }, inFours(order.card_number)),
          h("p", { class: "pay-amount number" }, price(order.amount)),
        ),
        isLive(order) ? underWay(`${pageOf(order.order_no)}/code.svg`, order, this.back()) : this.ended(order),
      ),
    );
  }

  private ended(order: TopUp): HTMLElement {
    const channel = named("bill.channel", order.channel);
    const whole = order.refunded.minor === order.amount.minor;
    const done = order.state === "paid" && !order.surplus && !whole;
    const said =
      order.state === "closed"
        ? text("pay.closed", { channel })
        : order.state !== "paid"
          ? text("pay.ended")
          : order.surplus
            ? text("top_up.not_taken", { amount: price(order.amount), channel })
            : whole
              ? text("top_up.end.part_back", { amount: price(order.refunded) })
              : text("top_up.done");
    return h(
      "section",
      { "aria-labelledby": "pay-state" },
      h("p", { class: done ? "pay-done" : "note note-warning", id: "pay-state", role: "status" }, said),
      order.state === "paid"
        ? h(
            "dl",
            { class: "facts" },
            fact(text("bill.paid_by"), `${channel} · ${price(order.amount)}`),
            order.refunded.minor ? fact(text("top_up.gone"), price(order.refunded)) : null,
            fact(text("pay.order_number"), h("span", { class: "mono" }, order.order_no)),
          )
        : null,
      h(
        "p",
        { class: "panel-acts" },
        this.back(),
        order.unused.minor
          ? h("button", { class: "button", type: "button", onclick: () => this.giveBack(order) }, text("top_up.give_back"))
          : null,
      ),
    );
  }

  private back(): HTMLElement {
    return h("a", { class: "button", href: "/mine/cards" }, text("cards.page.mine"));
  }

  private giveBack(order: TopUp): void {
    const number = crypto.randomUUID().replaceAll("-", "");
    const channel = named("bill.channel", order.channel);
    showForm({
      title: text("top_up.give_back_title", { amount: price(order.unused) }),
      parts: [h("p", { class: "note" }, text("top_up.give_back_note", { channel }))],
      submit: text("top_up.give_back"),
      send: async () => {
        const back = await act<TopUpBack>("POST", `${this.path}/refunds`, { refund_no: number });
        await this.load();
        return text(`top_up.back.${back.state}`, { amount: price(back.amount), channel });
      },
    });
  }
}
