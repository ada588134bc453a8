/** A bill's receipt on a handheld's roll, through its bridge: the same words as the bill's page. */
import type { Bill } from "../api/types";
import { instant } from "../format/time";
import { exactly, inLanguage, price } from "../format/words";
import { h, write } from "../shell/dom";
import { named, text } from "../shell/text";
import { bridge, NotPrinted, type ReceiptLine } from "./bridge";
import type { Taken } from "./cash";

/** Pure. */
export function receiptLines(bill: Bill, taken: Taken | null, address: string | null): ReceiptLine[] {
  const facts: ReceiptLine[] = [
    { text: text(taken || bill.payment ? "bill.receipt" : "bill.title"), align: "centre", bold: true },
    ...(bill.facility ? [{ text: inLanguage(bill.facility.zh, bill.facility.en), align: "centre" as const }] : []),
    { rule: true },
    { pair: [text("stay.plate"), bill.plate?.text ?? text("stay.no_plate")] },
    ...bill.lines.map((line): ReceiptLine => ({ pair: [inLanguage(line.why.zh, line.why.en), price(line.amount)] })),
    { rule: true },
    { pair: [text("fee.total"), price(bill.amount)] },
  ];
  if (taken) {
    facts.push({ pair: [named("bill.channel", "cash"), price({ ...taken.amount, minor: taken.amount.minor + taken.change.minor })] });
    if (taken.change.minor > 0) facts.push({ pair: [text("cash.give_back"), price(taken.change)] });
  }
  facts.push({ text: exactly(instant(bill.issued_at)) }, { text: bill.id });
  if (address) facts.push({ qr: address }, { text: text("bill.code_note"), align: "centre" });
  return facts;
}

/** The bill's own page, which opens without an account; null without a line. */
async function addressOf(billId: string): Promise<string | null> {
  try {
    const answer = await fetch(`/bills/${billId}/pay`);
    return answer.ok && answer.redirected ? answer.url : null;
  } catch {
    return null;
  }
}

/** A button that prints; nothing where this device has no printer that we can reach. */
export function printButton(bill: Bill, taken: Taken | null): HTMLElement | null {
  if (!bridge.can("print")) return null;
  // One receipt an opening of this step: pressed twice it is printed once, a new one is another.
  const id = crypto.randomUUID();
  const state = h("p", { class: "note", role: "status", id: "printed" });
  const button = h("button", { class: "button", type: "button", id: "print-receipt" }, text("bridge.print"));
  const run = async (): Promise<void> => {
    button.disabled = true;
    try {
      await bridge.print({ id, lines: receiptLines(bill, taken, await addressOf(bill.id)) });
      write(state, text("bridge.printed"));
    } catch (error) {
      const reason = error instanceof NotPrinted ? error.reason : "silent";
      write(state, text(reason === "paper" || reason === "cover" || reason === "hot" || reason === "busy" ? `bridge.not.${reason}` : "bridge.not.silent"));
    } finally {
      button.disabled = false;
    }
  };
  button.addEventListener("click", () => void run());
  return h("div", { class: "panel-acts" }, button, state);
}
