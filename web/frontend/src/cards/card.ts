/** One parking card as both pages show it, its statement, and a code that is told once. */
import { ProblemError } from "../api/client";
import type { Card, CardMovement } from "../api/types";
import { instant } from "../format/time";
import { exactly, price } from "../format/words";
import { fileLink } from "../finance/words";
import { PagedList } from "../mine/lists";
import { byId, h, replace } from "../shell/dom";
import { emptyState } from "../shell/states";
import { named, text } from "../shell/text";

const TONES: Readonly<Record<Card["state"], string>> = {
  active: "tag tag-good",
  frozen: "tag tag-warning",
  replaced: "tag",
};

/** '8812 3456 7890 1234': read aloud and typed off a card in fours. */
export function inFours(number: string): string {
  return number.replace(/(.{4})(?=.)/g, "$1 ");
}

export function button(words: string, run: () => void, primary = false): HTMLElement {
  return h("button", { class: primary ? "button button-primary" : "button", type: "button", onclick: run }, words);
}

function end(card: Card): string {
  if (card.expires_at === null) return text("cards.endless");
  return text("cards.renew_by", { at: exactly(instant(card.expires_at)) });
}

export function cardFace(card: Card, ...parts: readonly (Node | null)[]): HTMLElement {
  return h(
    "article",
    { class: "parking-card", "data-state": card.state, "data-card": card.number },
    h(
      "p",
      { class: "card-number" },
      h("strong", { class: "mono" }, inFours(card.number)),
      h("span", { class: TONES[card.state] }, named("cards.state", card.state)),
    ),
    h("strong", { class: "number card-balance" }, price(card.balance)),
    h("p", { class: "item-facts" }, end(card), " · ", text(card.read ? "cards.read" : "cards.number_alone")),
    ...parts,
  );
}

function movementRow(each: CardMovement): HTMLElement {
  const off = each.amount.minor < 0;
  const sum = price({ minor: Math.abs(each.amount.minor), currency: each.amount.currency });
  const words = named("cards.movement", each.kind);
  return h(
    "li",
    { class: "row", "data-movement": each.kind },
    h(
      "div",
      { class: "row-words" },
      h("p", {}, each.bill_id ? h("a", { class: "row-link", href: `/bills/${each.bill_id}` }, words) : words),
      h("p", { class: "item-facts" }, exactly(instant(each.at)), " · ", text("cards.held_then", { amount: price(each.balance) })),
    ),
    h("strong", { class: "number row-amount" }, `${off ? "−" : "+"}${sum}`),
  );
}

/** A card's movements, read when they are opened. */
export function statement(path: string, file: string | null = null): HTMLElement {
  const place = h("div", {});
  const found = h("details", { class: "frame" }, h("summary", {}, text("cards.statement")), place);
  found.addEventListener(
    "toggle",
    () => {
      const list = new PagedList<CardMovement>(place, path, (items, more) =>
        items.length
          ? h(
              "div",
              {},
              h("ul", { class: "rows" }, ...items.map(movementRow)),
              more,
              file === null ? null : h("p", { class: "panel-acts" }, fileLink(file)),
            )
          : emptyState(text("cards.no_movements"), text("cards.no_movements_advice")),
      );
      void list.load();
    },
    { once: true },
  );
  return found;
}

/** Show a code: it is told this once, so the dialog stays until somebody closes it. */
export function showCode(number: string, code: string): void {
  const dialog = byId<HTMLDialogElement>("dialog");
  replace(
    dialog,
    h(
      "div",
      { class: "dialog-body" },
      h("h2", { id: "dialog-title" }, text("cards.code_title")),
      h("p", {}, inFours(number)),
      h("p", { class: "mono card-code", id: "card-code" }, code.replace(/(.{4})(?=.)/g, "$1-")),
      h("p", { class: "note" }, text("cards.code_note")),
      h("p", { class: "dialog-acts" }, button(text("act.close"), () => dialog.close(), true)),
    ),
  );
  if (!dialog.open) dialog.showModal();
}

/** What the server refuses of a number or a code, in words of cards. */
export async function saidOfCards<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    if (error.status === 404) throw new ProblemError(422, error.code, text("cards.not_found"));
    if (error.status === 403 && error.field === "code") throw new ProblemError(422, error.code, text("cards.code_wrong"));
    throw error;
  }
}
