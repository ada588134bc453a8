/** Cash for a stay that goes on: until when, what that comes to, and by when the car can leave. */
import { act, ProblemError, read } from "../api/client";
import type { Advance, Fee, Payment, Session } from "../api/types";
import type { Money } from "../format/money";
import { instant } from "../format/time";
import { exactly, price } from "../format/words";
import { feeTable } from "../panels/fee";
import { businessTime } from "../shell/clock";
import { h, replace } from "../shell/dom";
import { errorState, skeleton } from "../shell/states";
import { counted, text } from "../shell/text";
import { CashDesk, cashDone, type Taken } from "./cash";

const HOURS = [0, 1, 2, 4, 8] as const;
const HOUR_MS = 3_600_000;

export interface AheadActs {
  readonly show: (title: string, element: HTMLElement) => void;
  readonly close: () => void;
}

/** Cash that lies on the operator's advances until the stay has its bill. */
class AheadDesk extends CashDesk {
  /** By when the car can leave and pay nothing more, as the city says with the payment. */
  leaveByAt: string | null = null;

  constructor(
    private readonly stay: Session,
    private readonly untilAt: string | null,
    due: Money,
    paid: (payment: Taken) => void,
  ) {
    super({ id: stay.id, outstanding: due }, paid);
  }

  protected override async pay(tendered: Money, key: string): Promise<Payment> {
    const body = { channel: "cash", tendered, until_at: this.untilAt };
    const done = await act<Advance>("POST", `/api/v1/sessions/${this.stay.id}/advances`, body, key);
    this.leaveByAt = done.leave_by_at;
    return done.payment;
  }
}

/** Cash ahead without a line, on a terminal that knows what the stay will come to. */
export interface WithoutLine {
  /** What is due by then as this device's tables have it; null where they do not reach. */
  readonly due: (atMs: number) => Money | null;
  /** Keep that it was taken; words where it may not be. */
  readonly note: (due: Money, tenderedMinor: number, minutes: number) => Promise<string | null>;
}

/** The step in which cash is taken ahead: as the city says, or without a line as this device's tables do. */
export function aheadStep(stay: Session, label: string, acts: AheadActs, offline: WithoutLine | null = null): HTMLElement {
  const found = h("div", { "aria-live": "polite" });
  const bar = h("div", { class: "thumb-bar" });
  let turn = 0;
  const pay = (words: string, desk: CashDesk): void => {
    replace(
      bar,
      h(
        "button",
        { class: "button button-primary button-thumb", type: "button", onclick: () => acts.show(text("prepay.title", { label }), desk.element) },
        words,
      ),
    );
  };
  const askHere = (hours: number): void => {
    const due = offline?.due(businessTime() + hours * HOUR_MS) ?? null;
    if (!offline || due === null || due.minor === 0) {
      replace(found, h("p", { class: "note", role: "status" }, text(due === null ? "prepay.unknown" : "prepay.nothing_due")));
      return;
    }
    replace(found, h("p", { class: "fee-ahead" }, price(due)), h("p", { class: "note" }, text("prepay.by_table")));
    const paid = (taken: Taken): void => acts.show(text("cash.title"), cashDone(taken, acts.close));
    const minutes = hours * (HOUR_MS / 60_000);
    pay(
      text("cash.start", { amount: price(due) }),
      new CashDesk({ id: stay.id, outstanding: due }, paid, (tendered) => offline.note(due, tendered, minutes)),
    );
  };
  const ask = async (hours: number): Promise<void> => {
    turn += 1;
    const mine = turn;
    const untilAt = hours === 0 ? null : new Date(businessTime() + hours * HOUR_MS).toISOString();
    replace(found, skeleton(3, "line"));
    replace(bar);
    try {
      const fee = await read<Fee>(`/api/v1/sessions/${stay.id}/fee`, untilAt ? { until_at: untilAt } : {});
      if (mine !== turn) return;
      replace(
        found,
        feeTable(fee.lines, fee.due, text("prepay.due")),
        fee.paid_ahead.minor > 0 ? h("p", { class: "note" }, text("prepay.paid", { amount: price(fee.paid_ahead) })) : null,
        fee.leave_by_at ? h("p", {}, text("prepay.leave_by", { at: exactly(instant(fee.leave_by_at)) })) : null,
        fee.due.minor === 0 ? h("p", { class: "note", role: "status" }, text("prepay.nothing_due")) : null,
      );
      if (fee.due.minor === 0) return;
      const paid = (payment: Taken): void => {
        const done = cashDone(payment, acts.close);
        if (desk.leaveByAt) done.prepend(h("p", { id: "leave-by" }, text("prepay.leave_by", { at: exactly(instant(desk.leaveByAt)) })));
        acts.show(text("cash.title"), done);
      };
      const desk = new AheadDesk(stay, untilAt, fee.due, paid);
      pay(text("cash.start", { amount: price(fee.due) }), desk);
    } catch (error) {
      if (mine !== turn) return;
      if (offline && error instanceof ProblemError && error.offline) askHere(hours);
      else replace(found, errorState(error, () => void ask(hours)));
    }
  };
  const chips = HOURS.map((hours) =>
    h(
      "button",
      {
        class: "chip",
        type: "button",
        "aria-pressed": String(hours === 1),
        "data-hours": hours,
        onclick: () => {
          for (const each of chips) each.setAttribute("aria-pressed", String(Number(each.dataset["hours"]) === hours));
          void ask(hours);
        },
      },
      hours === 0 ? text("prepay.now") : counted("prepay.hours", hours),
    ),
  );
  void ask(1);
  return h(
    "div",
    { class: "panel-body", id: "ahead" },
    h("p", { class: "note" }, text("prepay.note")),
    h("p", { class: "label", id: "ahead-until" }, text("prepay.until")),
    h("div", { class: "chips", role: "group", "aria-labelledby": "ahead-until" }, ...chips),
    found,
    bar,
  );
}
