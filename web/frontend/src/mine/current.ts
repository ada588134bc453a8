/** A stay that goes on: how long, how much, what if, extend, end. */
import { act, actKey, ProblemError } from "../api/client";
import type { MyStay, Offer } from "../api/types";
import { instant } from "../format/time";
import { inLanguage, lastingText, moment, price } from "../format/words";
import { fact } from "../panels/figures";
import { feeTable } from "../panels/fee";
import { plateLabel } from "../plates/label";
import { businessTime } from "../shell/clock";
import { showForm } from "../shell/form";
import { h, replace, write } from "../shell/dom";
import { problemText } from "../shell/states";
import { text } from "../shell/text";
import { toast } from "../shell/toast";
import { feeUntil, quartersAhead } from "./fee";

const AHEAD_H = 12;

/** Why there is no price: no vehicle or tariff yet is not a fault. */
function noPrice(error: unknown): string {
  return error instanceof ProblemError && error.status === 409
    ? text("mine.no_price")
    : problemText(error);
}

export class CurrentStay {
  readonly element: HTMLElement;
  private readonly length = h("strong", { class: "now-number" });
  private readonly amount = h("strong", { class: "now-number" }, "…");
  private readonly lines = h("div", {});
  private readonly paid = h("p", { class: "now-planned", hidden: true });
  private readonly planned = h("p", { class: "now-planned" });
  private readonly whatIf = h("p", { class: "now-what-if", "aria-live": "polite" });
  private readonly payNow: HTMLButtonElement;
  private readonly extend: HTMLButtonElement;
  private readonly leave: HTMLSelectElement;
  private shown = "";
  private asked = 0;

  constructor(
    private stay: MyStay,
    private readonly changed: () => void,
  ) {
    this.leave = h(
      "select",
      { class: "input", id: `leave-${stay.id}`, onchange: () => void this.ask() },
      h("option", { value: "" }, text("mine.choose_time")),
      ...quartersAhead(businessTime(), AHEAD_H).map((atMs) =>
        h("option", { value: atMs }, text("mine.leave_at", { at: moment(atMs), lasting: lastingText(businessTime(), atMs) })),
      ),
    );
    this.extend = h(
      "button",
      { class: "button", type: "button", disabled: true, onclick: () => void this.plan() },
      text("mine.extend"),
    );
    this.payNow = h(
      "button",
      { class: "button button-wide", type: "button", hidden: true, "data-pay-now": "", onclick: () => void this.pay() },
    );
    const gated = stay.bay_id === null;
    this.element = h(
      "article",
      { class: "now-card", "data-stay": stay.id },
      h(
        "p",
        { class: "now-where" },
        stay.plate ? plateLabel(stay.plate, "m") : h("span", { class: "tag" }, text("mine.ticket_only")),
        h(
          "span",
          {},
          stay.facility ? inLanguage(stay.facility.zh, stay.facility.en) : "",
          stay.bay_label ? ` · ${stay.bay_label}` : "",
        ),
      ),
      h(
        "div",
        { class: "now-figures" },
        h("p", {}, h("span", { class: "now-word" }, text("mine.running")), this.length),
        h("p", {}, h("span", { class: "now-word" }, text("mine.fee_now")), this.amount),
      ),
      this.paid,
      this.payNow,
      this.planned,
      h("details", { class: "frame" }, h("summary", {}, text("mine.why_this_price")), this.lines),
      h(
        "div",
        { class: "now-plan" },
        h("label", { class: "label", for: this.leave.id }, text("mine.if_i_leave")),
        h("div", { class: "now-plan-row" }, this.leave, this.extend),
        this.whatIf,
      ),
      gated
        ? h("p", { class: "note" }, text("mine.ends_at_gate"))
        : h(
            "button",
            { class: "button button-primary button-wide", type: "button", onclick: () => void this.askToEnd() },
            text("mine.end"),
          ),
    );
    this.update(stay);
  }

  /** Take what is known now; once a second the length alone. */
  update(stay: MyStay = this.stay): void {
    this.stay = stay;
    const openedMs = instant(stay.opened_at);
    const length = lastingText(openedMs);
    write(this.length, length);
    const plannedMs = stay.planned_until_at ? instant(stay.planned_until_at) : null;
    this.planned.hidden = plannedMs === null;
    if (plannedMs !== null) {
      const over = plannedMs < businessTime();
      this.planned.classList.toggle("is-stale", over);
      write(this.planned, text(over ? "mine.plan_over" : "mine.planned", { at: moment(plannedMs) }));
    }
    // A minute more may be a unit more.
    const key = [length, stay.id, stay.plate?.kind].join("|");
    if (key === this.shown) return;
    this.shown = key;
    void this.price();
  }

  private async price(): Promise<void> {
    try {
      const fee = await feeUntil(this.stay.id, null);
      write(this.amount, price(fee.due));
      this.payNow.hidden = fee.due.minor === 0;
      write(this.payNow, text("mine.pay_now", { amount: price(fee.due) }));
      const leaveMs = fee.leave_by_at ? instant(fee.leave_by_at) : null;
      this.paid.hidden = fee.paid_ahead.minor === 0;
      write(
        this.paid,
        leaveMs === null
          ? text("mine.paid_ahead", { amount: price(fee.paid_ahead) })
          : text("mine.leave_by", { amount: price(fee.paid_ahead), at: moment(leaveMs) }),
      );
      replace(
        this.lines,
        h("p", { class: "item-facts" }, text("stay.from_to", { from: moment(instant(this.stay.opened_at)), to: moment(instant(fee.until_at)) })),
        feeTable(fee.lines, fee.due, text("mine.fee_now")),
        h("p", { class: "note" }, text("mine.fee_note")),
      );
    } catch (error) {
      write(this.amount, "–");
      this.payNow.hidden = true;
      replace(this.lines, h("p", { class: "note" }, noPrice(error)));
    }
  }

  /** Pay what is due by now online, before leaving: the price is fixed when it is asked for. */
  private async pay(): Promise<void> {
    this.payNow.disabled = true;
    try {
      const offer = await act<Offer>("POST", `/api/v1/me/stays/${this.stay.id}/offer`, {});
      location.assign(offer.link);
    } catch (error) {
      toast(problemText(error), "danger");
      this.payNow.disabled = false;
    }
  }

  private async ask(): Promise<void> {
    const leaveMs = Number(this.leave.value);
    this.extend.disabled = !leaveMs;
    if (!leaveMs) {
      write(this.whatIf, "");
      return;
    }
    const asked = ++this.asked;
    write(this.whatIf, "…");
    try {
      const fee = await feeUntil(this.stay.id, leaveMs);
      if (asked !== this.asked) return;
      replace(
        this.whatIf,
        text("mine.would_cost", { at: moment(leaveMs) }),
        " ",
        h("strong", { class: "number" }, price(fee.due)),
      );
    } catch (error) {
      if (asked === this.asked) write(this.whatIf, noPrice(error));
    }
  }

  private async plan(): Promise<void> {
    const leaveMs = Number(this.leave.value);
    if (!leaveMs) return;
    this.extend.disabled = true;
    try {
      const stay = await act<MyStay>("POST", `/api/v1/me/stays/${this.stay.id}/extension`, {
        until_at: new Date(leaveMs).toISOString(),
      });
      this.update(stay);
      toast(text("mine.planned", { at: moment(leaveMs) }));
    } catch (error) {
      write(this.whatIf, problemText(error));
    } finally {
      this.extend.disabled = false;
    }
  }

  private async askToEnd(): Promise<void> {
    const key = actKey();
    const fee = await feeUntil(this.stay.id, null).catch(() => null);
    showForm({
      title: text("mine.end_title"),
      parts: [
        h(
          "dl",
          { class: "facts" },
          fact(text("stay.lasting"), lastingText(instant(this.stay.opened_at))),
          fee ? fact(text("mine.fee_now"), price(fee.due)) : null,
        ),
        h("p", { class: "note" }, text("mine.end_consequence")),
      ],
      submit: fee ? text("mine.end_for", { amount: price(fee.due) }) : text("mine.end"),
      send: async () => {
        await act<MyStay>("POST", `/api/v1/me/stays/${this.stay.id}/end`, {}, key);
        this.changed();
        return text("mine.ended");
      },
    });
  }
}
