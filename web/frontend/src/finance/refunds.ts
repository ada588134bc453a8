/** What went back through online channels, what is on its way, what failed. */
import { read, withQuery } from "../api/client";
import type { Bill, Card, ListedRefund, ListedRefunds, NumberedOrders } from "../api/types";
import { instant } from "../format/time";
import { inFours } from "../cards/card";
import { agoText, exactly, price } from "../format/words";
import { billTag } from "../panels/bill";
import { fact } from "../panels/figures";
import { onlinePayments, refundTag } from "../panels/refunds";
import { chips, Desk } from "../shell/desk";
import { byId, h, replace, write } from "../shell/dom";
import { field } from "../shell/form";
import { emptyState, problemText } from "../shell/states";
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
  private readonly file = h("a", { class: "button", href: "#", download: "" }, text("figures.file"));
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
        void this.load();
      },
    );
    replace(
      this.place,
      h("p", { class: "note" }, text("finance.refunds_note")),
      this.finder(),
      this.states,
      this.list,
      h("p", { class: "panel-acts" }, this.file),
    );
    return this.load();
  }

  private load(): Promise<void> {
    this.file.href = withQuery("/api/v1/channel-refunds/export", { state: this.state || null });
    return this.pages.load();
  }

  /** Find what somebody paid by a number that they read out. */
  private finder(): HTMLElement {
    const number = field("", {
      id: "payment-number",
      required: true,
      minlength: 8,
      maxlength: 64,
      spellcheck: "false",
      "aria-describedby": "payment-number-hint",
    });
    const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
    const find = async (): Promise<void> => {
      problem.hidden = true;
      try {
        const found = await read<NumberedOrders>("/api/v1/channel-orders", { number: number.value.trim() });
        if (found.items.length > 0) return await this.openFound(number.value.trim(), found);
        write(problem, text("finance.no_number"));
      } catch (error) {
        write(problem, problemText(error));
      }
      problem.hidden = false;
    };
    return h(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          void find();
        },
      },
      h(
        "div",
        { class: "bench-tools" },
        h("div", { class: "tool-field" }, h("label", { class: "label", for: "payment-number" }, text("finance.number")), number),
        h("div", { class: "tool-end" }, h("button", { class: "button", type: "submit", id: "find-payment" }, text("finance.find_payment"))),
      ),
      h("p", { class: "hint", id: "payment-number-hint" }, text("finance.number_hint")),
      problem,
    );
  }

  private openFound(number: string, found: NumberedOrders): Promise<void> {
    return this.desk.open(number, number, async () => {
      const bills = await Promise.all(found.items.map((each) => read<Bill>(`/api/v1/bills/${each.bill_id}`)));
      return h(
        "div",
        { class: "case" },
        ...bills.flatMap((bill) => [
          h(
            "dl",
            { class: "facts" },
            fact(
              text("bill.title"),
              h("a", { href: `/bills/${bill.id}` }, `${text("finance.open_bill")} · ${price(bill.amount)}`),
              billTag(bill),
            ),
          ),
          onlinePayments(bill.id),
        ]),
      );
    });
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
