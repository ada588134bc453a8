/** Paying a bill by the code on its payer's phone: a scan head types it, as keyboards do. */
import { act, ProblemError, read } from "../api/client";
import type { Bill, CodePayment } from "../api/types";
import { price } from "../format/words";
import { h, replace, write } from "../shell/dom";
import { field, labelled } from "../shell/form";
import { problemText } from "../shell/states";
import { bridge } from "./bridge";
import { named, text } from "../shell/text";

const ASKED_EVERY_MS = 3_000;
const NOT_FOUND = 404;
const SERVER_ERROR = 500;
const UNAVAILABLE = 503;

/** Whether nobody here knows what became of a request: it may have arrived and been done. */
function unheard(error: unknown): boolean {
  if (!(error instanceof ProblemError)) return true;
  return error.offline || (error.status >= SERVER_ERROR && error.status !== UNAVAILABLE);
}

/** What the server says where it charged nothing, also of a channel that is not set up here. */
function refusal(error: unknown): string {
  const said = error instanceof ProblemError && error.status === UNAVAILABLE ? error.detail : "";
  return said || problemText(error);
}

/** One bill's code: charged once under its number, and followed until it is known. */
class CodeDesk {
  readonly element = h("div", { class: "cash", id: "code-pay", "aria-live": "polite" });
  private number = "";
  /** Which view stands: what was asked for an earlier one says nothing any more. */
  private turn = 0;
  private timer = 0;
  private shown = "";
  private readonly address: string;

  constructor(
    private readonly bill: Bill,
    private readonly paid: () => void,
  ) {
    this.address = `/api/v1/bills/${bill.id}/code-payments`;
    this.another();
    this.scan();
  }

  private another(): void {
    this.number = crypto.randomUUID().replaceAll("-", "");
  }

  private due(): HTMLElement {
    return h("p", { class: "cash-due" }, h("span", {}, text("cash.due")), h("strong", { class: "cash-sum" }, price(this.bill.outstanding)));
  }

  private show(state: string, ...parts: readonly (Node | null)[]): void {
    this.hold();
    this.shown = "";
    this.element.dataset["state"] = state;
    replace(this.element, state === "paid" ? null : this.due(), ...parts);
  }

  /** Ask no more, and heed no answer that is still under way. */
  private hold(): void {
    clearTimeout(this.timer);
    this.turn += 1;
  }

  /** Wait for a code; `said` is why the last one took no money. */
  private scan(said = ""): void {
    const code = field("", { required: true, minlength: 16, maxlength: 40, inputmode: "numeric", autocapitalize: "off", spellcheck: "false" });
    const submit = h("button", { class: "button button-primary button-thumb", type: "submit" }, text("code_pay.take", { amount: price(this.bill.outstanding) }));
    const send = (): void => {
      const scanned = code.value.trim();
      // Money for a minute: it stands nowhere once it is sent.
      code.value = "";
      submit.disabled = true;
      void this.charge(scanned);
    };
    this.show(
      "scan",
      h(
        "form",
        {
          onsubmit: (event) => {
            event.preventDefault();
            send();
          },
        },
        labelled("payer-code", text("code_pay.code"), code, text("code_pay.code_hint")),
        h("p", { class: "form-problem", role: "alert", id: "code-problem", hidden: said === "" }, said),
        h("div", { class: "thumb-bar" }, submit),
      ),
    );
    bridge.hear("scan", submit, (scanned) => {
      code.value = scanned;
      send();
    });
    setTimeout(() => code.focus({ preventScroll: true }), 0);
  }

  private async charge(code: string): Promise<void> {
    this.show("sent", h("p", { class: "fee-ahead", role: "status" }, text("code_pay.asking")));
    try {
      this.draw(await act<CodePayment>("POST", this.address, { code, order_no: this.number }));
    } catch (error) {
      if (unheard(error)) this.unheard();
      else this.scan(refusal(error));
    }
  }

  /** No answer came: whether it was charged is asked, under its number, until it is known. */
  private unheard(): void {
    this.show("unheard", h("p", { class: "note note-warning", role: "status" }, text("code_pay.unheard")));
    this.later();
  }

  private later(): void {
    this.timer = window.setTimeout(() => void this.ask(), ASKED_EVERY_MS);
  }

  private async ask(): Promise<void> {
    if (!this.element.isConnected) return; // its step was closed
    const { turn } = this;
    try {
      const told = await read<CodePayment>(`${this.address}/${this.number}`);
      if (turn === this.turn) this.draw(told);
    } catch (error) {
      if (turn !== this.turn) return;
      // It never arrived, so nothing was charged.
      if (error instanceof ProblemError && error.status === NOT_FOUND) this.scan(text("code_pay.not_arrived"));
      else this.later();
    }
  }

  private draw(charge: CodePayment): void {
    this.number = charge.order_no;
    if (charge.state === "paid") this.done(charge);
    else if (charge.state === "closed") {
      this.another();
      this.scan(text(charge.refused ? `code_pay.refused.${charge.refused}` : "code_pay.not_paid"));
    } else this.waits(charge);
  }

  private waits(charge: CodePayment): void {
    const channel = named("bill.channel", charge.channel);
    const open = charge.state === "open";
    const early = charge.callable_off_in_s > 0;
    const shown = [charge.order_no, charge.state, early, charge.seconds_left > 0].join("|");
    if (shown === this.shown) {
      this.later(); // nothing new: what stands is not taken from under the thumb
      return;
    }
    const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
    const off = h("button", { class: "button button-thumb", type: "button", id: "code-off", disabled: early }, text("code_pay.call_off"));
    off.addEventListener("click", () => {
      off.disabled = true;
      problem.hidden = true;
      this.hold();
      act<CodePayment>("POST", `${this.address}/${charge.order_no}/cancellation`, {})
        .then((told) => this.draw(told))
        .catch((error: unknown) => {
          problem.hidden = false;
          write(problem, problemText(error));
          off.disabled = false;
          this.later();
        });
    });
    this.show(
      charge.state,
      charge.earlier ? h("p", { class: "note note-warning" }, text("code_pay.earlier")) : null,
      h("p", { class: open ? "fee-ahead" : "note note-warning", role: "status", id: "code-state" }, text(open ? "code_pay.waits" : "code_pay.unknown", { channel })),
      h("p", { class: "note" }, text(charge.seconds_left > 0 ? "code_pay.no_other" : "code_pay.over")),
      problem,
      h("div", { class: "thumb-bar" }, off),
    );
    this.shown = shown;
    this.later();
  }

  private done(charge: CodePayment): void {
    const channel = named("bill.channel", charge.channel);
    this.show(
      "paid",
      h("p", { class: "cash-done-title", role: "status" }, text(charge.surplus ? "code_pay.came_back" : "code_pay.paid", { amount: price(charge.amount), channel })),
      h("div", { class: "thumb-bar" }, h("button", { class: "button button-primary button-thumb", type: "button", onclick: this.paid }, text("act.done"))),
    );
  }
}

/** The step in which a payer's code is scanned and followed; `paid` once it is over. */
export function codeScanStep(bill: Bill, paid: () => void): HTMLElement {
  return new CodeDesk(bill, paid).element;
}
