/** Cash for a stay that goes on: until when, what that comes to, and by when the car can leave. */
import { act, read } from "../api/client";
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

/** The step in which cash is taken ahead; it needs a line: what was paid before is known to the city alone. */
export function aheadStep(stay: Session, label: string, acts: AheadActs): HTMLElement {
  const found = h("div", { "aria-live": "polite" });
  const bar = h("div", { class: "thumb-bar" });
  let turn = 0;
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
        feeTable(fee.lines, fee.due, text("ahead.due")),
        fee.paid_ahead.minor > 0 ? h("p", { class: "note" }, text("ahead.paid", { amount: price(fee.paid_ahead) })) : null,
        fee.leave_by_at ? h("p", {}, text("ahead.leave_by", { at: exactly(instant(fee.leave_by_at)) })) : null,
        fee.due.minor === 0 ? h("p", { class: "note", role: "status" }, text("ahead.nothing_due")) : null,
      );
      if (fee.due.minor === 0) return;
      const pay = (): void => {
        const paid = (payment: Taken): void => {
          const done = cashDone(payment, acts.close);
          if (desk.leaveByAt) done.prepend(h("p", { id: "leave-by" }, text("ahead.leave_by", { at: exactly(instant(desk.leaveByAt)) })));
          acts.show(text("cash.title"), done);
        };
        const desk = new AheadDesk(stay, untilAt, fee.due, paid);
        acts.show(text("ahead.title", { label }), desk.element);
      };
      replace(
        bar,
        h("button", { class: "button button-primary button-thumb", type: "button", onclick: pay }, text("cash.start", { amount: price(fee.due) })),
      );
    } catch (error) {
      if (mine === turn) replace(found, errorState(error, () => void ask(hours)));
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
      hours === 0 ? text("ahead.now") : counted("ahead.hours", hours),
    ),
  );
  void ask(1);
  return h(
    "div",
    { class: "panel-body", id: "ahead" },
    h("p", { class: "note" }, text("ahead.note")),
    h("p", { class: "label", id: "ahead-until" }, text("ahead.until")),
    h("div", { class: "chips", role: "group", "aria-labelledby": "ahead-until" }, ...chips),
    found,
    bar,
  );
}
