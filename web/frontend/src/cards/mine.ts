/** A driver's own parking cards: opened, registered, paid with, frozen, replaced. */
import { act, actKey, read, type Page } from "../api/client";
import type { Bill, Card, CardCode, CardPayment, Cards, IssuedCard } from "../api/types";
import { price } from "../format/words";
import { byId, h, replace } from "../shell/dom";
import { choice, field, labelled, showForm } from "../shell/form";
import { emptyState, errorState, problemText, skeleton } from "../shell/states";
import { inLanguage, text } from "../shell/text";
import { toast } from "../shell/toast";
import { button, cardFace, inFours, saidOfCards, showCode, statement } from "./card";
import { askTopUp, topUps } from "./top_up";

const MINE = "/api/v1/me/cards";

export class MyCards {
  private readonly list = h("div", { class: "parking-cards" }, skeleton(2, "card"));
  private readonly owed = h("div", {}, skeleton(2));
  private cards: readonly Card[] = [];

  async start(): Promise<void> {
    replace(
      byId("first"),
      h(
        "section",
        { "aria-labelledby": "cards-title" },
        h("h2", { id: "cards-title" }, text("cards.yours")),
        this.list,
      ),
      h(
        "p",
        { class: "panel-acts" },
        button(text("cards.open"), () => void this.open(), true),
        button(text("cards.register"), () => this.register()),
      ),
      h("p", { class: "note" }, text("cards.top_up_where")),
    );
    replace(
      byId("second"),
      h(
        "section",
        { "aria-labelledby": "owed-title" },
        h("h2", { id: "owed-title" }, text("cards.unpaid")),
        this.owed,
      ),
      h("p", {}, h("a", { href: "/mine" }, text("mine.page"))),
    );
    await this.load();
  }

  private async load(): Promise<void> {
    try {
      const [found, bills] = await Promise.all([
        read<Cards>(MINE),
        read<Page<Bill>>("/api/v1/me/bills", { limit: 100 }),
      ]);
      this.cards = found.items;
      replace(
        this.list,
        ...(found.items.length
          ? found.items.map((card) => this.face(card))
          : [emptyState(text("cards.none"), text("cards.none_advice"))]),
      );
      this.showOwed(bills.items.filter((bill) => bill.state === "open" && bill.outstanding.minor > 0));
    } catch (error) {
      replace(this.list, errorState(error, () => void this.load()));
      replace(this.owed);
    }
  }

  private face(card: Card): HTMLElement {
    const own = `${MINE}/${card.id}`;
    const acts =
      card.state === "active"
        ? [
            button(text("top_up.ask"), () => void askTopUp(card), true),
            button(text("cards.lost"), () => this.lose(card)),
            button(text("cards.desk_code"), () => void this.code(card)),
          ]
        : card.state === "frozen"
          ? [
              button(text("cards.replace"), () => this.replaceCard(card), true),
              button(text("cards.found"), () => void this.done(() => act<Card>("POST", `${own}/recovery`, {}), text("cards.pays_again"))),
            ]
          : [];
    return cardFace(
      card,
      acts.length ? h("p", { class: "panel-acts" }, ...acts) : null,
      statement(`${own}/movements`),
      topUps(`${own}/top-ups`),
    );
  }

  private showOwed(bills: readonly Bill[]): void {
    const paying = this.cards.filter((card) => card.state === "active" && card.balance.minor > 0);
    if (bills.length === 0) {
      replace(this.owed, emptyState(text("cards.nothing_owed"), text("cards.nothing_owed_advice")));
      return;
    }
    replace(
      this.owed,
      h(
        "ul",
        { class: "rows" },
        ...bills.map((bill) =>
          h(
            "li",
            { class: "row", "data-bill": bill.id },
            h(
              "div",
              { class: "row-words" },
              h(
                "p",
                {},
                h("a", { class: "row-link", href: `/bills/${bill.id}` }, bill.facility ? inLanguage(bill.facility.zh, bill.facility.en) : text("bill.title")),
              ),
              h("p", { class: "item-facts number" }, price(bill.outstanding)),
            ),
            paying.length ? button(text("cards.pay"), () => this.pay(bill, paying), true) : null,
          ),
        ),
      ),
      paying.length ? null : h("p", { class: "note" }, text("cards.none_pays")),
    );
  }

  private pay(bill: Bill, paying: readonly Card[]): void {
    const number = crypto.randomUUID().replaceAll("-", "");
    const card = choice(paying.map((each) => [each.id, `${inFours(each.number)} · ${price(each.balance)}`] as const));
    const part = h("input", { type: "checkbox", id: "pay-part" });
    showForm({
      title: text("cards.pay_title", { amount: price(bill.outstanding) }),
      parts: [
        labelled("pay-card", text("cards.which"), card),
        h("p", { class: "check" }, part, h("label", { for: "pay-part" }, text("cards.part"))),
      ],
      submit: text("cards.pay"),
      send: async () => {
        const paid = await act<CardPayment>("POST", `${MINE}/${card.value}/payments`, {
          bill_id: bill.id,
          order_no: number,
          part: part.checked,
        });
        void this.load();
        return text(paid.surplus ? "cards.came_back" : "cards.paid", { amount: price(paid.amount), balance: price(paid.balance) });
      },
    });
  }

  private async open(): Promise<void> {
    await this.done(() => act<IssuedCard>("POST", MINE, {}), text("cards.opened"));
  }

  private register(): void {
    const key = actKey();
    const number = field("", { minlength: 16, maxlength: 24, required: true, inputmode: "numeric" });
    const code = field("", { minlength: 8, maxlength: 24, required: true, autocapitalize: "characters", spellcheck: "false" });
    showForm({
      title: text("cards.register_title"),
      parts: [
        labelled("card-number", text("cards.number"), number, text("cards.number_hint")),
        labelled("card-code-typed", text("cards.code"), code, text("cards.code_hint")),
      ],
      submit: text("cards.register"),
      send: async () => {
        await saidOfCards(() => act<Card>("POST", `${MINE}/registrations`, { number: number.value, code: code.value }, key));
        void this.load();
        return text("cards.registered");
      },
    });
  }

  private lose(card: Card): void {
    showForm({
      title: text("cards.lost_title"),
      parts: [h("p", {}, inFours(card.number)), h("p", { class: "note" }, text("cards.lost_consequence"))],
      submit: text("cards.lost"),
      send: async () => {
        await act<Card>("POST", `${MINE}/${card.id}/loss`, {});
        void this.load();
        return text("cards.frozen_now");
      },
    });
  }

  private replaceCard(card: Card): void {
    const key = actKey();
    showForm({
      title: text("cards.replace_title"),
      parts: [h("p", { class: "note" }, text("cards.replace_consequence", { amount: price(card.balance) }))],
      submit: text("cards.replace"),
      send: async () => {
        await act<IssuedCard>("POST", `${MINE}/${card.id}/replacement`, {}, key);
        void this.load();
        return text("cards.replaced");
      },
    });
  }

  private async code(card: Card): Promise<void> {
    try {
      const { code } = await act<CardCode>("POST", `${MINE}/${card.id}/code`, {});
      showCode(card.number, code);
    } catch (error) {
      toast(problemText(error), "danger");
    }
  }

  private async done(run: () => Promise<unknown>, said: string): Promise<void> {
    try {
      await run();
      toast(said);
    } catch (error) {
      toast(problemText(error), "danger");
    }
    await this.load();
  }
}
