/** Taking cash: what is due, what was handed over, what goes back; said in words before the act. */
import { act, actKey } from "../api/client";
import type { Bill, Payment } from "../api/types";
import { change, likelyTenders, parseAmount, type Money } from "../format/money";
import { price } from "../format/words";
import { h, replace, write } from "../shell/dom";
import { problemText } from "../shell/states";
import { text } from "../shell/text";

/** What was taken: as the city answered, or as this device kept it. */
export type Taken = Pick<Payment, "amount" | "change" | "bill_id">;

/** What cash is taken for. */
export type Due = Pick<Bill, "id" | "outstanding"> & { readonly in_cash?: Money };

/** What a bill is asked for in cash; one that this device kept before bills said so is not rounded. */
export function inCash(bill: Due): Money {
  return bill.in_cash ?? bill.outstanding;
}

export class CashDesk {
  readonly element: HTMLElement;
  /** What is asked for: all that is left, rounded down where the region takes cash in steps. */
  private readonly due: Money;
  private tendered: number | null = null;
  private key = actKey();
  private sending = false;
  private readonly backWords = h("span", { class: "cash-words" });
  private readonly back = h("strong", { class: "cash-back" });
  private readonly amount: HTMLInputElement;
  private readonly chips: readonly HTMLButtonElement[];
  private readonly problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  private readonly submit = h("button", {
    class: "button button-primary button-thumb",
    type: "submit",
  });

  constructor(
    private readonly bill: Due,
    private readonly paid: (payment: Taken) => void,
    /** Keeps the payment on this device instead, which is a terminal; words where it may not. */
    private readonly note?: (tenderedMinor: number) => Promise<string | null>,
  ) {
    this.due = inCash(bill);
    const sums = likelyTenders(this.due);
    this.chips = sums.map((minor, index) =>
      h(
        "button",
        {
          class: "chip chip-money",
          type: "button",
          "aria-pressed": "false",
          "data-minor": minor,
          onclick: () => this.tender(minor, true),
        },
        index === 0
          ? text("cash.exact", { amount: this.money(minor) })
          : this.money(minor).replace(/[.,]00$/, ""),
      ),
    );
    this.amount = h("input", {
      class: "input cash-input",
      id: "tendered",
      inputmode: "decimal",
      autocomplete: "off",
      maxlength: 12,
      oninput: () => this.tender(parseAmount(this.amount.value, this.due.currency), false),
    });
    this.element = h(
      "form",
      {
        class: "cash",
        onsubmit: (event) => {
          event.preventDefault();
          void this.send();
        },
      },
      h(
        "p",
        { class: "cash-due" },
        h("span", {}, text("cash.due")),
        h("strong", { class: "cash-sum" }, price(this.due)),
      ),
      this.due.minor < bill.outstanding.minor
        ? h("p", { class: "note", "data-rounded": "" }, text("cash.rounded_from", { amount: price(bill.outstanding) }))
        : null,
      h("p", { class: "label", id: "tender-chips" }, text("cash.handed_over")),
      h("div", { class: "chips", role: "group", "aria-labelledby": "tender-chips" }, ...this.chips),
      h("label", { class: "label", for: "tendered" }, text("cash.other_amount")),
      this.amount,
      h("p", { class: "cash-change", "aria-live": "polite" }, this.backWords, this.back),
      this.problem,
      h("div", { class: "thumb-bar" }, this.submit),
    );
    this.draw();
  }

  private money(minor: number): string {
    return price({ minor, currency: this.due.currency });
  }

  private tender(minor: number | null, fromChip: boolean): void {
    if (minor !== this.tendered) this.key = actKey();
    this.tendered = minor;
    if (fromChip) this.amount.value = "";
    this.problem.hidden = true;
    this.draw();
  }

  private get goesBack(): Money | null {
    return this.tendered === null ? null : change(this.due, this.tendered);
  }

  private draw(): void {
    const back = this.goesBack;
    for (const chip of this.chips) {
      chip.setAttribute("aria-pressed", String(Number(chip.dataset["minor"]) === this.tendered));
    }
    if (this.tendered === null) {
      write(this.backWords, text("cash.choose"));
      write(this.back, "");
    } else if (!back) {
      write(this.backWords, text("cash.too_little"));
      write(this.back, this.money(this.due.minor - this.tendered));
    } else {
      write(this.backWords, text("cash.give_back"));
      write(this.back, price(back));
    }
    this.submit.disabled = !back || this.sending;
    write(
      this.submit,
      !back || this.tendered === null
        ? text("cash.take_none")
        : back.minor === 0
          ? text("cash.take_exact", { tendered: this.money(this.tendered) })
          : text("cash.take", { tendered: this.money(this.tendered), change: price(back) }),
    );
  }

  /** Tell the server what was handed over; sent again under its key it counts once. */
  protected pay(tendered: Money, key: string): Promise<Payment> {
    return act<Payment>("POST", `/api/v1/bills/${this.bill.id}/payments`, { channel: "cash", tendered }, key);
  }

  private async send(): Promise<void> {
    if (this.sending || this.tendered === null || !this.goesBack) return;
    this.sending = true;
    this.draw();
    try {
      if (this.note) {
        const { goesBack } = this;
        const refused = await this.note(this.tendered);
        if (refused !== null) {
          this.problem.hidden = false;
          write(this.problem, refused);
        } else this.paid({ amount: this.bill.outstanding, change: goesBack, bill_id: this.bill.id });
        return;
      }
      this.paid(await this.pay({ minor: this.tendered, currency: this.due.currency }, this.key));
    } catch (error) {
      this.problem.hidden = false;
      write(this.problem, this.note ? text("outbox.not_kept") : problemText(error));
    } finally {
      this.sending = false;
      this.draw();
    }
  }
}

/** What stands after the money was taken: what to hand back, and the receipt. */
export function cashDone(payment: Taken, done: () => void, print: HTMLElement | null = null): HTMLElement {
  const element = h("div", { class: "cash-done" });
  replace(
    element,
    h("p", { class: "cash-done-title" }, text("cash.paid", { amount: price(payment.amount) })),
    payment.change.minor > 0
      ? h(
          "p",
          { class: "cash-change" },
          h("span", { class: "cash-words" }, text("cash.give_back")),
          h("strong", { class: "cash-back" }, price(payment.change)),
        )
      : h("p", { class: "cash-words" }, text("cash.nothing_back")),
    print,
    h("a", { class: "button", href: `/bills/${payment.bill_id}` }, text("cash.receipt")),
    h(
      "div",
      { class: "thumb-bar" },
      h(
        "button",
        { class: "button button-primary button-thumb", type: "button", onclick: done },
        text("act.done"),
      ),
    ),
  );
  return element;
}
