/** The desk of parking cards: issue, find, top up, freeze, replace, renew; finance pays out and counts. */
import { act, actKey, ProblemError, read } from "../api/client";
import type { Card, CardLiabilities, CardMovement, IssuedCard } from "../api/types";
import { fileLink } from "../finance/words";
import { parseAmount } from "../format/money";
import { price } from "../format/words";
import { PagedList } from "../mine/lists";
import { fact } from "../panels/figures";
import { byId, h, replace, write } from "../shell/dom";
import { field, labelled, showForm } from "../shell/form";
import { hasRole } from "../shell/page";
import { emptyState, errorState, problemText, skeleton } from "../shell/states";
import { counted, named, text } from "../shell/text";
import { button, cardFace, inFours, saidOfCards, showCode, statement } from "./card";

/** A card's number is sixteen digits; whatever else comes is what a reader typed. */
function namedBy(typed: string): { readonly number: string } | { readonly reader: string } {
  const words = typed.trim();
  return /^[\d ]{16,24}$/.test(words) ? { number: words } : { reader: words };
}

export class CardDesk {
  private readonly found = h("div", { class: "parking-cards", "aria-live": "polite" });
  private readonly sums = h("div", {});
  private readonly listed = h("div", {});
  private readonly acts = hasRole("attendant", "finance");
  private readonly counts = hasRole("finance", "auditor", "administrator");
  private readonly paysOut = hasRole("finance", "administrator");

  async start(): Promise<void> {
    replace(
      byId("first"),
      this.acts ? this.finding() : null,
      this.found,
      this.acts ? h("p", { class: "panel-acts" }, button(text("cards.issue"), () => this.issue())) : null,
    );
    if (!this.counts) return;
    replace(
      byId("second"),
      h("section", { "aria-labelledby": "owed-title" }, h("h2", { id: "owed-title" }, text("cards.liabilities")), this.sums),
      h("section", { "aria-labelledby": "all-title" }, h("h2", { id: "all-title" }, text("cards.all")), this.listed),
    );
    await this.count();
  }

  private finding(): HTMLElement {
    const typed = field("", { required: true, minlength: 4, maxlength: 200, spellcheck: "false" });
    const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
    const submit = h("button", { class: "button button-primary", type: "submit" }, text("cards.find"));
    const run = async (): Promise<void> => {
      submit.disabled = true;
      problem.hidden = true;
      try {
        this.show(await saidOfCards(() => act<Card>("POST", "/api/v1/cards/found", namedBy(typed.value))));
        typed.value = "";
      } catch (error) {
        replace(this.found);
        problem.hidden = false;
        write(problem, problemText(error));
      } finally {
        submit.disabled = false;
      }
    };
    return h(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          void run();
        },
      },
      labelled("card-named", text("cards.named"), typed, text("cards.named_hint")),
      problem,
      submit,
    );
  }

  private async count(): Promise<void> {
    replace(this.sums, skeleton(2));
    try {
      const { items, owed } = await read<CardLiabilities>("/api/v1/cards/liabilities");
      replace(
        this.sums,
        items.length
          ? h(
              "dl",
              { class: "facts", id: "liabilities" },
              ...items.map((each) =>
                fact(named("cards.state", each.state), `${price(each.held)} · ${counted("cards.count", each.cards)}`),
              ),
              fact(text("cards.ledger_owes"), owed.map(price).join(" · ")),
            )
          : emptyState(text("cards.none_issued"), text("cards.none_issued_advice")),
      );
    } catch (error) {
      replace(this.sums, errorState(error, () => void this.count()));
    }
    const list = new PagedList<Card>(this.listed, "/api/v1/cards", (cards, more) =>
      cards.length
        ? h(
            "div",
            {},
            h("ul", { class: "rows" }, ...cards.map((card) => this.line(card))),
            more,
            h("p", { class: "panel-acts" }, fileLink("/api/v1/cards/export")),
          )
        : h("p", { class: "note" }, text("cards.none_issued")),
    );
    await list.load();
  }

  private line(card: Card): HTMLElement {
    return h(
      "li",
      { class: "row" },
      h(
        "div",
        { class: "row-words" },
        h("p", {}, h("button", { class: "link mono", type: "button", onclick: () => this.show(card) }, inFours(card.number))),
        h("p", { class: "item-facts" }, named("cards.state", card.state)),
      ),
      h("strong", { class: "number row-amount" }, price(card.balance)),
    );
  }

  private show(card: Card): void {
    const { number } = card;
    const plain = (path: string, words: string): HTMLElement =>
      button(words, () => void this.again(card, () => act<Card>("POST", `/api/v1/cards/${path}`, { number })));
    const buttons =
      card.state === "active" && this.acts
        ? [
            button(text("cards.top_up"), () => this.topUp(card), true),
            plain("losses", text("cards.lost")),
            card.read ? null : button(text("cards.medium"), () => this.medium(card)),
            card.expires_at === null ? null : plain("renewals", text("cards.renew")),
          ]
        : card.state === "frozen" && this.acts
          ? [
              card.registered ? null : button(text("cards.replace"), () => this.replaceCard(card), true),
              button(text("cards.found"), () => this.recover(card)),
            ]
          : [];
    const out = card.state === "active" && this.paysOut && card.balance.minor > 0;
    replace(
      this.found,
      cardFace(
        card,
        h("p", { class: "panel-acts" }, ...buttons, out ? button(text("cards.pay_out"), () => this.payOut(card)) : null),
        this.counts ? statement(`/api/v1/cards/${card.id}/movements`, `/api/v1/cards/${card.id}/movements/export`) : null,
      ),
    );
  }

  private changed(card: Card): void {
    this.show(card);
    if (this.counts) void this.count();
  }

  private async again(card: Card, run: () => Promise<Card>): Promise<void> {
    try {
      this.changed(await run());
    } catch (error) {
      replace(this.found, errorState(error, () => this.show(card)));
    }
  }

  private issue(): void {
    const key = actKey();
    const reader = field("", { maxlength: 200, spellcheck: "false" });
    showForm({
      title: text("cards.issue_title"),
      parts: [
        h("p", { class: "note" }, text("cards.issue_note")),
        labelled("card-reader", text("cards.reader"), reader, text("cards.reader_hint")),
      ],
      submit: text("cards.issue"),
      send: async () => {
        const body = reader.value.trim() ? { reader: reader.value.trim() } : {};
        const issued = await act<IssuedCard>("POST", "/api/v1/cards", body, key);
        this.changed(issued.card);
        showCode(issued.card.number, issued.code);
        return null;
      },
    });
  }

  private topUp(card: Card): void {
    const id = crypto.randomUUID();
    const amount = field("", { inputmode: "decimal", required: true });
    showForm({
      title: text("cards.top_up_title"),
      parts: [labelled("top-up-amount", text("refund.amount"), amount, text("cards.most", { amount: price({ minor: card.most.minor - card.balance.minor, currency: card.most.currency }) }))],
      submit: text("cards.top_up"),
      send: async () => {
        const sum = this.typed(amount, card);
        const moved = await act<CardMovement>("POST", "/api/v1/cards/top-ups", { number: card.number, amount: sum, id });
        this.changed({ ...card, balance: moved.balance });
        return text("cards.topped_up", { amount: price(sum), balance: price(moved.balance) });
      },
    });
  }

  private payOut(card: Card): void {
    const id = crypto.randomUUID();
    const amount = field((card.balance.minor / 100).toFixed(2), { inputmode: "decimal", required: true });
    const reason = field("", { minlength: 3, maxlength: 80, required: true });
    showForm({
      title: text("cards.pay_out_title"),
      parts: [
        labelled("pay-out-amount", text("refund.amount"), amount),
        labelled("pay-out-reason", text("refund.reason"), reason, text("refund.reason_hint")),
      ],
      submit: text("cards.pay_out"),
      send: async () => {
        const sum = this.typed(amount, card);
        const moved = await act<CardMovement>("POST", `/api/v1/cards/${card.id}/refunds`, { amount: sum, reason: reason.value, id });
        this.changed({ ...card, balance: moved.balance });
        return text("cards.paid_out", { amount: price(sum) });
      },
    });
  }

  private typed(amount: HTMLInputElement, card: Card): { minor: number; currency: string } {
    const minor = parseAmount(amount.value, card.balance.currency);
    if (!minor) throw new ProblemError(422, "invalid", text("refund.no_amount"));
    return { minor, currency: card.balance.currency };
  }

  private medium(card: Card): void {
    const code = this.codeField();
    const reader = field("", { minlength: 4, maxlength: 200, required: true, spellcheck: "false" });
    showForm({
      title: text("cards.medium_title"),
      parts: [labelled("medium-code", text("cards.code"), code, text("cards.code_hint")), labelled("medium-reader", text("cards.reader"), reader)],
      submit: text("cards.medium"),
      send: async () => {
        const body = { number: card.number, code: code.value, reader: reader.value.trim() };
        this.changed(await saidOfCards(() => act<Card>("POST", "/api/v1/cards/media", body)));
        return text("cards.medium_bound");
      },
    });
  }

  private recover(card: Card): void {
    const code = this.codeField();
    showForm({
      title: text("cards.found"),
      parts: [labelled("found-code", text("cards.code"), code, text("cards.code_hint"))],
      submit: text("cards.found"),
      send: async () => {
        const body = { number: card.number, code: code.value };
        this.changed(await saidOfCards(() => act<Card>("POST", "/api/v1/cards/recoveries", body)));
        return text("cards.pays_again");
      },
    });
  }

  private replaceCard(card: Card): void {
    const key = actKey();
    const code = this.codeField();
    const reader = field("", { maxlength: 200, spellcheck: "false" });
    showForm({
      title: text("cards.replace_title"),
      parts: [
        h("p", { class: "note" }, text("cards.replace_consequence", { amount: price(card.balance) })),
        labelled("replace-code", text("cards.code"), code, text("cards.code_hint")),
        labelled("replace-reader", text("cards.reader"), reader, text("cards.reader_hint")),
      ],
      submit: text("cards.replace"),
      send: async () => {
        const body = { number: card.number, code: code.value, ...(reader.value.trim() ? { reader: reader.value.trim() } : {}) };
        const issued = await saidOfCards(() => act<IssuedCard>("POST", "/api/v1/cards/replacements", body, key));
        this.changed(issued.card);
        showCode(issued.card.number, issued.code);
        return null;
      },
    });
  }

  private codeField(): HTMLInputElement {
    return field("", { minlength: 8, maxlength: 24, required: true, autocapitalize: "characters", spellcheck: "false" });
  }
}
