/** What stands behind a figure: payments, the postings on an account, whole entries. */
import { read, withQuery, type Page } from "../api/client";
import type { Accounts, CardMove, LedgerEntry, Posting, Postings, TakenPayment, TakenRefund } from "../api/types";
import { instant } from "../format/time";
import { exactly, price } from "../format/words";
import { fact } from "../panels/figures";
import type { Desk } from "../shell/desk";
import { h, replace } from "../shell/dom";
import { emptyState } from "../shell/states";
import { named, text } from "../shell/text";
import { inFours } from "../cards/card";
import { Pages } from "./pages";
import { accountWords, act, channelWords, opener, readsLedger, signed, table, who } from "./words";

type Query = Readonly<Record<string, string | null>>;

/** Open one entry of the ledger in the desk's case, with a way back to where it was opened. */
export function openEntry(desk: Desk, id: string, back: (() => void) | null): Promise<void> {
  return desk.open(id, text("finance.entry"), async () => {
    const entry = await read<LedgerEntry>(`/api/v1/ledger/entries/${id}`);
    const again = (): void => void openEntry(desk, id, back);
    return h(
      "div",
      { class: "case", "data-entry": id },
      back ? h("p", { class: "panel-acts" }, act(text("act.back"), back)) : null,
      h(
        "dl",
        { class: "facts" },
        fact(text("finance.kind"), named("entry", entry.kind)),
        fact(text("finance.at"), exactly(instant(entry.at))),
        entry.happened_at ? fact(text("finance.happened"), exactly(instant(entry.happened_at))) : null,
        fact(text("finance.by"), who(entry.by, entry.names)),
        fact(text("finance.reason"), entry.reason),
        entry.bill_id
          ? fact(text("bill.title"), h("a", { href: `/bills/${entry.bill_id}` }, text("finance.open_bill")))
          : null,
        entry.reverses
          ? fact(
              text("finance.reverses"),
              opener(entry.reverses, text("finance.open_entry"), () => void openEntry(desk, entry.reverses ?? "", again)),
            )
          : null,
      ),
      table(
        text("finance.postings"),
        [text("finance.account"), text("refund.amount")],
        entry.postings.map((each) => [
          opener(each.account, accountWords(each.account, entry.holders), () =>
            void openAccount(desk, each.account, each.amount.currency, {}, entry.holders, again),
          ),
          signed(each.amount),
        ]),
        [1],
      ),
      h("p", { class: "note" }, text("finance.sides")),
    );
  });
}

/** Open an account: its postings page by page, and as a file. */
export function openAccount(
  desk: Desk,
  code: string,
  currency: string,
  range: Query,
  names: Accounts["names"],
  back: (() => void) | null = null,
): Promise<void> {
  return desk.open(code, accountWords(code, names), () => {
    const place = h("div", { class: "table-box" });
    const query = { account: code, currency, ...range };
    const again = (): void => void openAccount(desk, code, currency, range, names, back);
    const pages = new Pages<Posting, Postings>(place, "/api/v1/ledger/postings", () => query, (items, page) =>
      items.length === 0
        ? emptyState(text("finance.no_postings"), text("finance.no_postings_advice"))
        : table(
            text("finance.postings"),
            [text("finance.at"), text("finance.kind"), text("finance.reason"), text("finance.by"), text("refund.amount")],
            items.map((each) => [
              opener(each.entry_id, exactly(instant(each.at)), () => void openEntry(desk, each.entry_id, again)),
              named("entry", each.kind),
              each.reason,
              who(each.by, page.names),
              signed(each.amount),
            ]),
            [4],
          ),
    );
    void pages.load();
    return Promise.resolve(
      h(
        "div",
        { class: "case", "data-account": code },
        h(
          "p",
          { class: "panel-acts" },
          back ? act(text("act.back"), back) : null,
          h(
            "a",
            { class: "button", href: withQuery("/api/v1/ledger/postings/export", query), download: "" },
            text("figures.file"),
          ),
        ),
        place,
      ),
    );
  });
}

/** Open what came onto parking cards and went back, behind a figure of a day. */
export function openCardMoves(desk: Desk, id: string, title: string, query: Query): Promise<void> {
  return desk.open(id, title, () => {
    const place = h("div", { class: "table-box" });
    const again = (): void => void openCardMoves(desk, id, title, query);
    const pages = new Pages<CardMove, Page<CardMove>>(place, "/api/v1/takings/card-moves", () => query, (items) =>
      table(
        text("finance.on_cards"),
        [text("finance.at"), text("finance.kind"), text("bill.channel.card"), text("refund.amount")],
        items.map((each) => [
          readsLedger()
            ? opener(each.entry_id, exactly(instant(each.at)), () => void openEntry(desk, each.entry_id, again))
            : exactly(instant(each.at)),
          named("cards.movement", each.kind),
          inFours(each.card_number),
          signed(each.amount),
        ]),
        [3],
      ),
    );
    void pages.load();
    return Promise.resolve(h("div", { class: "case" }, place));
  });
}

/** Open what went back behind a figure of a day's takings. */
export function openRefunds(desk: Desk, id: string, title: string, query: Query): Promise<void> {
  return desk.open(id, title, () => {
    const place = h("div", { class: "table-box" });
    const again = (): void => void openRefunds(desk, id, title, query);
    const pages = new Pages<TakenRefund, Page<TakenRefund>>(place, "/api/v1/takings/refunds", () => query, (items) =>
      table(
        text("finance.given_back"),
        [text("finance.at"), text("finance.by"), text("bill.title"), text("refund.amount")],
        items.map((each) => [
          exactly(instant(each.at)),
          each.giver ?? channelWords(each.channel),
          each.bill_id ? h("a", { href: `/bills/${each.bill_id}` }, text("finance.open_bill")) : "",
          readsLedger()
            ? opener(each.id, `−${price(each.amount)}`, () => void openEntry(desk, each.entry_id, again))
            : `−${price(each.amount)}`,
        ]),
        [3],
      ),
    );
    void pages.load();
    return Promise.resolve(h("div", { class: "case" }, place));
  });
}

/** Open the payments behind a figure of a day's takings. */
export function openPayments(desk: Desk, id: string, title: string, query: Query): Promise<void> {
  return desk.open(id, title, () => {
    const place = h("div", { class: "table-box" });
    const again = (): void => void openPayments(desk, id, title, query);
    const pages = new Pages<TakenPayment, Page<TakenPayment>>(place, "/api/v1/takings/payments", () => query, (items) =>
      items.length === 0
        ? emptyState(text("finance.nothing_taken"), text("finance.nothing_taken_advice"))
        : table(
            text("finance.payments"),
            [text("finance.at"), text("finance.taker"), text("bill.title"), text("refund.amount")],
            items.map((each) => [
              exactly(instant(each.taken_at)),
              each.taker ?? channelWords(each.channel),
              h("a", { href: `/bills/${each.bill_id}` }, text("finance.open_bill")),
              each.entry_id && readsLedger()
                ? opener(each.payment_id, price(each.amount), () => void openEntry(desk, each.entry_id ?? "", again))
                : price(each.amount),
            ]),
            [3],
          ),
    );
    replace(place);
    void pages.load();
    return Promise.resolve(h("div", { class: "case" }, place));
  });
}
