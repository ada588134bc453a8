/** Cash from hand to hand on a handheld: both say it, each on their own device, with a line or without. */
import { act, actKey, ProblemError } from "../api/client";
import type { CashMove, Colleague } from "../api/types";
import { moment, price } from "../format/words";
import { doneAtMs, type KeptAct, type Shown, type Wanted } from "../outbox/acts";
import { acceptCash, button, CURRENCY, refuseCash, typedAmount, withdrawCash } from "../shifts/cash";
import { endName } from "../shifts/words";
import { h } from "../shell/dom";
import { choice, field, labelled, showForm } from "../shell/form";
import { page } from "../shell/page";
import { emptyState } from "../shell/states";
import { text } from "../shell/text";
import { actWords } from "./bay_acts";

const OFFICE = "till";

/** Keeps an act until there is a line. */
export type NoteAct = (wanted: Wanted, shown?: Shown) => Promise<void>;

export interface Hands {
  readonly district: string;
  /** Who was on shift when the city was asked last. */
  readonly colleagues: readonly Colleague[];
  /** Null on a device that keeps no acts. */
  readonly note: NoteAct | null;
  readonly load: () => Promise<void>;
}

/** Keep an act, or say that nothing was done. */
export async function keep(note: NoteAct, wanted: Wanted, shown: Shown = {}): Promise<void> {
  await note(wanted, shown).catch(() => {
    throw new ProblemError(507, "storage", text("outbox.not_kept"));
  });
}

function people(colleagues: readonly Colleague[]): (readonly [string, string])[] {
  return colleagues.map((each) => [each.account_id, `${each.name} · ${each.place}`] as const);
}

/** Give cash away: an act on a terminal, so that it is told once; else it needs a line. */
export function handOver({ district, colleagues, note, load }: Hands): void {
  const key = actKey();
  const amount = field("", { inputmode: "decimal", required: true });
  const office = text("shifts.office", { district });
  const to = choice([[OFFICE, office] as const, ...people(colleagues)]);
  showForm({
    title: text("shift.hand_over"),
    parts: [
      h("p", { class: "note" }, text("shift.hand_over_means")),
      labelled("hand-over-to", text("shift.to"), to),
      labelled("hand-over-amount", text("refund.amount"), amount),
    ],
    submit: text("shift.hand_over"),
    send: async () => {
      const sum = typedAmount(amount);
      const person = to.value === OFFICE ? null : to.value;
      if (note) {
        const who = colleagues.find(({ account_id: id }) => id === person)?.name ?? office;
        const wanted: Wanted = { kind: "cash-give", amount_minor: sum.minor, currency: CURRENCY, ...(person ? { person_id: person } : {}) };
        await keep(note, wanted, { amount: sum, who });
      } else {
        const receiver = person ? { kind: "attendant", account_id: person } : { kind: OFFICE };
        await act<CashMove>("POST", "/api/v1/cash-moves", { district, to: receiver, amount: sum }, key);
      }
      await load();
      return text("shift.offered", { amount: price(sum) });
    },
  });
}

/** Say what one has counted of a colleague whose word this device need not know. */
export function takeOver({ colleagues, load }: Hands, note: NoteAct): void {
  const amount = field("", { inputmode: "decimal", required: true });
  const from = choice(people(colleagues));
  showForm({
    title: text("shift.take_over"),
    parts: colleagues.length
      ? [
          h("p", { class: "note" }, text("shift.take_over_means")),
          labelled("take-over-from", text("shift.from"), from),
          labelled("take-over-amount", text("shift.counted"), amount),
        ]
      : [emptyState(text("shift.no_colleague"), text("shift.no_colleague_advice"))],
    submit: text("shift.take_over"),
    send: async () => {
      const sum = typedAmount(amount);
      const who = colleagues.find(({ account_id: id }) => id === from.value);
      if (!who) throw new ProblemError(422, "invalid", text("shift.no_colleague"));
      const wanted: Wanted = { kind: "cash-take", person_id: who.account_id, amount_minor: sum.minor, currency: CURRENCY };
      await keep(note, wanted, { amount: sum, who: who.name });
      await load();
      return text("shift.claimed", { amount: price(sum) });
    },
  });
}

/** Cash that waits for one of both words. */
export function moveRow(move: CashMove, names: Readonly<Record<string, string>>, { note, load }: Hands): HTMLElement {
  const me = page().account;
  const mine = move.offered_by === me;
  const giving = move.source.holder === me;
  const who = endName(giving ? move.target : move.source, names);
  const words = text(giving ? (mine ? "shift.offered_to" : "shift.claimed_by") : mine ? "shift.claimed_from" : "shift.offered_by", { who });
  const accept = (): void => {
    if (giving) acceptCash(move, load, "confirm");
    else {
      const take = async (sum: { readonly minor: number }): Promise<void> => {
        if (note) await keep(note, { kind: "cash-take", move_id: move.id, amount_minor: sum.minor, currency: CURRENCY }, { amount: { ...sum, currency: CURRENCY }, who });
      };
      acceptCash(move, load, "accept", note ? take : null);
    }
  };
  return h(
    "li",
    { class: "row row-tall", "data-move": move.id },
    h(
      "div",
      { class: "row-words" },
      h("p", {}, words),
      h(
        "p",
        { class: "panel-acts" },
        mine
          ? button(text("shift.withdraw"), () => void withdrawCash(move, load))
          : button(text(giving ? "shift.confirm" : "shift.accept"), accept, true),
        mine ? null : button(text("shift.refuse"), () => refuseCash(move, load)),
      ),
    ),
    // Who is asked says it without being told.
    mine ? h("strong", { class: "number row-amount" }, price(move.amount)) : null,
  );
}

/** Cash that changed hands here and is not sent. */
export function handedRow(act: KeptAct): HTMLElement {
  return h(
    "li",
    { class: "row row-tall", "data-handed": act.wanted.kind },
    h(
      "div",
      { class: "row-words" },
      h("p", {}, actWords(act.wanted, act.shown, act.shown.amount ? price(act.shown.amount) : "")),
      h("p", { class: "item-facts" }, moment(doneAtMs(act)), " · ", text("outbox.queued")),
    ),
  );
}
