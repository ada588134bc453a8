/** What an attendant did today on this terminal, and the cash that they owe; as last read without a line. */
import { ProblemError, read } from "../api/client";
import type { MyActs } from "../api/types";
import { instant } from "../format/time";
import { moment, price } from "../format/words";
import { cashWaiting, doneAtMs, type KeptAct } from "../outbox/acts";
import { fact } from "../panels/figures";
import { businessTime, zone } from "../shell/clock";
import { h, replace } from "../shell/dom";
import { emptyState, errorState, skeleton } from "../shell/states";
import { counted, named, text } from "../shell/text";
import { actWords } from "./bay_acts";

const KEPT = "greenbay.day";

interface Kept {
  readonly account: string;
  readonly acts: MyActs;
}

export interface DayOf {
  readonly terminalId: string;
  readonly account: string;
  /** What waits on this device: not in the city's list, its cash not in the ledger. */
  readonly waiting: () => readonly KeptAct[];
}

function today(): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone() }).format(businessTime());
}

/** The list as it was last read here, by the same person on the same day. */
function lastRead(of: DayOf, day: string): MyActs | null {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "null") as Kept | null;
    return kept?.account === of.account && kept.acts.day === day ? kept.acts : null;
  } catch {
    return null;
  }
}

function waitingRow(act: KeptAct): HTMLElement {
  return h(
    "li",
    { "data-day": "waiting" },
    h("p", { class: "outbox-act" }, h("strong", {}, wordsHere(act)), h("span", { class: "outbox-at" }, moment(doneAtMs(act)))),
    h("p", { class: "note" }, text("outbox.queued")),
  );
}

function wordsHere({ wanted, shown }: KeptAct): string {
  return actWords(wanted, shown, shown.amount ? price(shown.amount) : "");
}

function row(act: MyActs["items"][number]): HTMLElement {
  const what = [named("terminals.act", act.kind), act.bay_label, act.amount ? price(act.amount) : null];
  return h(
    "li",
    { class: act.outcome === "refused" ? "outbox-refused" : "", "data-day": act.outcome },
    h("p", { class: "outbox-act" }, h("strong", {}, what.filter(Boolean).join(" · ")), h("span", { class: "outbox-at" }, moment(instant(act.at)))),
    act.outcome === "refused" ? h("p", { class: "note note-warning" }, act.words ?? text("outbox.cannot_read")) : null,
  );
}

export function dayPanel(of: DayOf): HTMLElement {
  const element = h("div", { class: "panel-body outbox-list", id: "day" }, skeleton(4, "line"));
  const show = (acts: MyActs | null, asOf: string | null): void => {
    const waiting = of.waiting();
    const currency = acts?.carried.currency ?? waiting.find(({ shown }) => shown.amount)?.shown.amount?.currency ?? "CNY";
    const onDevice = cashWaiting(waiting);
    const refused = (acts?.counts ?? []).reduce((sum, each) => sum + (each.outcome === "refused" ? each.acts : 0), 0);
    const done = (acts?.counts ?? []).reduce((sum, each) => sum + (each.outcome === "done" ? each.acts : 0), 0);
    replace(
      element,
      asOf === null ? null : h("p", { class: "note note-warning", role: "status" }, asOf),
      h(
        "dl",
        { class: "facts" },
        fact(text("day.done"), acts ? counted("count.acts", done) : "–"),
        refused > 0 ? fact(text("day.refused"), counted("count.acts", refused)) : null,
        fact(text("day.taken"), acts ? price({ minor: acts.taken_minor, currency }) : "–"),
        onDevice > 0 ? fact(text("day.waiting"), price({ minor: onDevice, currency })) : null,
        fact(text("day.owed"), h("strong", { class: "number", id: "day-owed" }, acts ? price({ minor: acts.carried.minor + onDevice, currency }) : "–")),
      ),
      waiting.length + (acts?.items.length ?? 0) === 0
        ? emptyState(text("day.none"), text("day.none_advice"))
        : h("ul", { class: "outbox-acts" }, ...[...waiting].reverse().map(waitingRow), ...(acts?.items ?? []).map(row)),
      acts && done + refused > acts.items.length ? h("p", { class: "note" }, text("day.first", { n: acts.items.length, of: done + refused })) : null,
    );
  };
  const load = async (): Promise<void> => {
    const day = today();
    try {
      const acts = await read<MyActs>(`/api/v1/terminals/${of.terminalId}/acts/mine/${day}`);
      localStorage.setItem(KEPT, JSON.stringify({ account: of.account, acts } satisfies Kept));
      show(acts, null);
    } catch (error) {
      if (!(error instanceof ProblemError) || !error.offline) replace(element, errorState(error, () => void load()));
      else {
        const kept = lastRead(of, day);
        show(kept, text(kept ? "day.as_read" : "day.offline"));
      }
    }
  };
  void load();
  return element;
}
