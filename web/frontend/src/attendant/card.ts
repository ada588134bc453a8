/** Paying a bill by the parking card that a reader has just read: readers type, as keyboards do. */
import { act } from "../api/client";
import type { Bill, CardPayment } from "../api/types";
import { price } from "../format/words";
import { h, replace, write } from "../shell/dom";
import { field, labelled } from "../shell/form";
import { problemText } from "../shell/states";
import { text } from "../shell/text";
import { bridge } from "./bridge";

/** One payment: its number is kept until it ends, so that a lost answer debits nothing twice. */
export function cardStep(bill: Bill, paid: () => void): HTMLElement {
  const number = crypto.randomUUID().replaceAll("-", "");
  const reader = field("", { required: true, minlength: 4, maxlength: 64, autocapitalize: "off", spellcheck: "false" });
  const part = h("input", { type: "checkbox", id: "card-part" });
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const submit = h("button", { class: "button button-primary button-thumb", type: "submit" }, text("card_pay.take", { amount: price(bill.outstanding) }));
  const run = async (): Promise<void> => {
    submit.disabled = true;
    problem.hidden = true;
    try {
      const done = await act<CardPayment>("POST", `/api/v1/bills/${bill.id}/card-payments`, { reader: reader.value.trim(), order_no: number, part: part.checked });
      replace(
        element,
        h("p", { class: "cash-done-title", role: "status" }, text(done.surplus ? "cards.came_back" : "cards.paid", { amount: price(done.amount), balance: price(done.balance) })),
        done.outstanding.minor > 0 ? h("p", { class: "note note-warning" }, text("card_pay.left", { amount: price(done.outstanding) })) : null,
        h("div", { class: "thumb-bar" }, h("button", { class: "button button-primary button-thumb", type: "button", onclick: paid }, text("act.done"))),
      );
    } catch (error) {
      problem.hidden = false;
      write(problem, problemText(error));
      submit.disabled = false;
    }
  };
  const element = h(
    "form",
    {
      class: "cash",
      onsubmit: (event) => {
        event.preventDefault();
        void run();
      },
    },
    h("p", { class: "cash-due" }, h("span", {}, text("cash.due")), h("strong", { class: "cash-sum" }, price(bill.outstanding))),
    labelled("card-reader", text("card_pay.reader"), reader, text("card_pay.reader_hint")),
    h("p", { class: "check" }, part, h("label", { for: "card-part" }, text("cards.part"))),
    problem,
    h("div", { class: "thumb-bar" }, submit),
  );
  bridge.hear("card", submit, (read) => {
    // A card that is held to the reader twice is debited once: what runs goes on.
    if (submit.disabled) return;
    reader.value = read;
    element.requestSubmit();
  });
  return element;
}
