/** What went back through online channels, what is on its way, what failed. */
import { read } from "../api/client";
import type { Bill, Card, ListedRefund, ListedRefunds } from "../api/types";
import { instant } from "../format/time";
import { inFours } from "../cards/card";
import { agoText, exactly, price } from "../format/words";
import { billTag } from "../panels/bill";
import { fact } from "../panels/figures";
import { onlinePayments, refundTag } from "../panels/refunds";
import { chips, Desk } from "../shell/desk";
import { byId, h, replace } from "../shell/dom";
import { emptyState } from "../shell/states";
import { named, text } from "../shell/text";
import { openEntry } from "./entry";
import { Pages } from "./pages";
import { channelWords, opener, readsLedger, who } from "./words";

const STATES = ["", "asked", "done", "failed"] as const;

export class RefundsDesk {
  private readonly place = byId("section");
  private readonly list = h("div", {});
  private readonly states = h("div", { class: "chips", role: "group", "aria-label": text("disputes.state") });
  private readonly desk = new Desk(this.place, () => this.pages.draw());
  private state: (typeof STATES)[number] = "";
  private readonly pages = new Pages<ListedRefund, ListedRefunds>(
    this.list,
    "/api/v1/channel-refunds",
    () => ({ state: this.state || null }),
    (items, page) => this.draw(items, page),
    () => this.desk.wasRead(),
  );

  start(): Promise<void> {
    chips(
      this.states,
      STATES.map((state) => [state, state ? named("refund.state", state) : text("finance.all")] as const),
      this.state,
      (state) => {
        this.state = state;
        void this.pages.load();
      },
    );
    replace(this.place, h("p", { class: "note" }, text("finance.refunds_note")), this.states, this.list);
    return this.pages.load();
  }

  private draw(items: readonly ListedRefund[], page: ListedRefunds): Node {
    if (items.length === 0) return emptyState(text("finance.no_refunds"), text("finance.no_refunds_advice"));
    return h(
      "ul",
      {},
      ...items.map((one) =>
        h(
          "li",
          {},
          this.desk.row(
            one.id,
            () => void this.open(one, page.names),
            h(
              "span",
              { class: "desk-top" },
              h("strong", {}, `${channelWords(one.channel)} · ${one.reason}`),
              h("strong", { class: "number" }, `−${price(one.amount)}`),
            ),
            h(
              "span",
              { class: "desk-top" },
              h("span", { class: "item-facts" }, `${who(one.asked_by, page.names)} · ${agoText(instant(one.asked_at), Date.now())}`),
              refundTag(one),
            ),
          ),
        ),
      ),
    );
  }

  private open(one: ListedRefund, names: Readonly<Record<string, string>>): Promise<void> {
    const again = (): void => void this.open(one, names);
    const entryId = one.entry_id;
    return this.desk.open(one.id, `${channelWords(one.channel)} · −${price(one.amount)}`, async () => {
      const bill = one.bill_id && (await read<Bill>(`/api/v1/bills/${one.bill_id}`));
      const card = one.card_id && (await read<Card>(`/api/v1/cards/${one.card_id}`));
      return h(
        "div",
        { class: "case" },
        h(
          "dl",
          { class: "facts" },
          fact(text("disputes.state"), refundTag(one)),
          fact(text("finance.reason"), one.reason),
          fact(text("finance.by"), who(one.asked_by, names)),
          fact(text("finance.asked"), exactly(instant(one.asked_at))),
          one.done_at ? fact(text("finance.ended"), exactly(instant(one.done_at))) : null,
          fact(text("finance.refund_no"), h("span", { class: "mono" }, one.refund_no)),
          fact(text("finance.order_no"), h("span", { class: "mono" }, one.order_no)),
          bill
            ? fact(
                text("bill.title"),
                h("a", { href: `/bills/${bill.id}` }, `${text("finance.open_bill")} · ${price(bill.amount)}`),
                billTag(bill),
              )
            : null,
          card ? fact(text("cards.which"), h("span", { class: "mono" }, inFours(card.number))) : null,
          entryId && readsLedger()
            ? fact(
                text("finance.entry"),
                opener(entryId, text("finance.open_entry"), () => void openEntry(this.desk, entryId, again)),
              )
            : null,
        ),
        bill ? onlinePayments(bill.id) : null,
      );
    });
  }
}
