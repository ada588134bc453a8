/** Cash on its way: counted, refused or taken back, on the handheld and in the office alike. */
import { act, ProblemError } from "../api/client";
import type { CashMove } from "../api/types";
import { parseAmount, type Money } from "../format/money";
import { price } from "../format/words";
import { h } from "../shell/dom";
import { field, labelled, showForm } from "../shell/form";
import { problemText } from "../shell/states";
import { text } from "../shell/text";
import { toast } from "../shell/toast";

export const CURRENCY = "CNY";
/** As the server's rules say: nobody carries more in coins, a slip of the finger does. */
const MOST_MINOR = 10_000_000;

export function button(words: string, run: () => void, main = false): HTMLElement {
  return h("button", { class: main ? "button button-primary" : "button", type: "button", onclick: run }, words);
}

/** The amount that was typed; what is none is refused as the server would. */
export function typedAmount(input: HTMLInputElement): Money {
  const minor = parseAmount(input.value, CURRENCY);
  if (!minor) throw new ProblemError(422, "invalid", text("refund.no_amount"));
  if (minor > MOST_MINOR) {
    throw new ProblemError(422, "invalid", text("shift.most", { most: price({ minor: MOST_MINOR, currency: CURRENCY }) }));
  }
  return { minor, currency: CURRENCY };
}

/**
 * Ask what was counted, or given: the amount that the other said is not shown meanwhile.
 *
 * `later` keeps it where there is no line; null where nothing can.
 */
export function acceptCash(
  move: CashMove,
  done: () => Promise<void>,
  asked: "accept" | "confirm" = "accept",
  later: ((sum: Money) => Promise<void>) | null = null,
): void {
  const counted = field("", { inputmode: "decimal", required: true });
  showForm({
    title: text(`shift.${asked}`),
    parts: [labelled("cash-counted", text(asked === "accept" ? "shift.counted" : "shift.given"), counted, text("shift.accept_hint"))],
    submit: text(`shift.${asked}`),
    send: async () => {
      const sum = typedAmount(counted);
      const kept = await act<CashMove>("POST", `/api/v1/cash-moves/${move.id}/acceptance`, { counted: sum }).then(
        () => false,
        async (error: unknown) => {
          if (!later || !(error instanceof ProblemError) || !error.offline) throw error;
          await later(sum);
          return true;
        },
      );
      await done();
      return text(kept ? "shift.claimed" : asked === "accept" ? "shift.accepted" : "shift.confirmed", { amount: price(sum) });
    },
  });
}

export function refuseCash(move: CashMove, done: () => Promise<void>): void {
  const reason = field("", { required: true, maxlength: 200 });
  showForm({
    title: text("shift.refuse"),
    parts: [labelled("cash-refusal", text("refund.reason"), reason)],
    submit: text("shift.refuse"),
    send: async () => {
      await act<CashMove>("POST", `/api/v1/cash-moves/${move.id}/refusal`, { reason: reason.value });
      await done();
      return text("shift.refused");
    },
  });
}

export async function withdrawCash(move: CashMove, done: () => Promise<void>): Promise<void> {
  try {
    await act<CashMove>("POST", `/api/v1/cash-moves/${move.id}/withdrawal`, {});
  } catch (error) {
    toast(problemText(error));
  }
  await done();
}
