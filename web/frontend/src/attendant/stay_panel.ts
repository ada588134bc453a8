/** One bay as the attendant sees it: the stay in it, its plate, its fee so far, its last bill. */
import { act, ProblemError, read, type Page } from "../api/client";
import type { Bill, Fee, Quote, Session, StayCode } from "../api/types";
import { instant } from "../format/time";
import { exactly, lastingText, moment, price } from "../format/words";
import { glyph, setGlyph } from "../glyphs/inline";
import { billTag } from "../panels/bill";
import { fact, sureness } from "../panels/figures";
import { feeTable } from "../panels/fee";
import { plateLabel } from "../plates/label";
import { businessTime } from "../shell/clock";
import { h, replace, write } from "../shell/dom";
import { errorState, problemText, skeleton } from "../shell/states";
import { text, type TextKey } from "../shell/text";
import { timelineSection } from "../timeline/view";
import { inCash } from "./cash";
import { freeBecause } from "./exempting";
import type { Told } from "./fee_by_start";
import type { Post } from "./post";
import { printButton } from "./receipt";
import { isOwing } from "./tasks";

export interface StayActs {
  readonly takePlate: (bayId: string) => void;
  readonly takeCash: (bill: Bill) => void;
  /** Scan the code on the payer's phone. */
  readonly scanCode: (bill: Bill) => void;
  /** Show a code that the payer scans. */
  readonly showCode: (bill: Bill) => void;
  readonly takeCard: (bill: Bill) => void;
  /** Whether there is no line: what only the city knows cannot be asked then. */
  readonly offline: () => boolean;
  /** Take cash for a stay that goes on. */
  readonly takeAhead: (stay: Session) => void;
  /** What says that the driver of a bill drove off; null where that is not said here. */
  readonly escaped: (bill: Bill) => HTMLElement | null;
  /** What the stay's vehicle owes elsewhere. */
  readonly arrears: (stayId: string) => HTMLElement | null;
}

export function billSummary(bill: Bill, acts: StayActs): HTMLElement {
  const owing = isOwing(bill);
  return h(
    "section",
    { class: "panel-section bill-summary" },
    h(
      "p",
      { class: "bill-line" },
      bill.plate ? plateLabel(bill.plate, "m") : h("span", {}, text("stay.no_plate")),
      billTag(bill),
    ),
    feeTable(bill.lines, bill.amount, text("bill.title")),
    h(
      "p",
      { class: "note" },
      owing
        ? text("bill.due_by", { at: exactly(instant(bill.due_at)) })
        : bill.paid_at
          ? text("bill.paid_at", { at: exactly(instant(bill.paid_at)) })
          : text(bill.state === "disputed" ? "bill.clock_stands" : "bill.nothing_due"),
    ),
    h("a", { class: "button", href: `/bills/${bill.id}` }, text("bill.open")),
    printButton(bill, null),
    owing &&
      h(
        "p",
        { class: "panel-acts" },
        h("button", { class: "button", type: "button", id: "show-code", disabled: acts.offline(), onclick: () => acts.showCode(bill) }, text("owed.show_code")),
        h("button", { class: "button", type: "button", id: "scan-code", disabled: acts.offline(), onclick: () => acts.scanCode(bill) }, text("code_pay.start")),
        h("button", { class: "button", type: "button", id: "take-card", disabled: acts.offline(), onclick: () => acts.takeCard(bill) }, text("card_pay.start")),
      ),
    owing && acts.offline() && h("p", { class: "note", id: "needs-line" }, text("bill.needs_line")),
    owing ? acts.escaped(bill) : null,
    owing &&
      h(
        "div",
        { class: "thumb-bar" },
        h(
          "button",
          {
            class: "button button-primary button-thumb",
            type: "button",
            onclick: () => acts.takeCash(bill),
          },
          text("cash.start", { amount: price(inCash(bill)) }),
        ),
      ),
  );
}

/** All that was said of a stay, opened by whoever wants to know. */
function storyOf(stayId: string, bill: Bill | null): HTMLElement {
  const story = h("details", { class: "frame" }, h("summary", {}, text("story.title")));
  story.addEventListener(
    "toggle",
    () => {
      if (story.open) story.append(timelineSection(stayId, bill));
    },
    { once: true },
  );
  return story;
}

/** A code that binds the vehicle to the driver who is shown it. */
function codeFor(stayId: string): HTMLElement {
  const place = h("div", { class: "stay-code", "aria-live": "polite" });
  const show = async (): Promise<void> => {
    try {
      const made = await act<StayCode>("POST", `/api/v1/sessions/${stayId}/code`, {});
      replace(
        place,
        h("strong", { class: "stay-code-shown" }, made.code.replace(/(.{4})(?=.)/g, "$1 ")),
        h("p", { class: "note" }, text("stay.code_note")),
      );
      // It came up below the thumb.
      place.scrollIntoView({ block: "center" });
    } catch (error) {
      replace(place, h("p", { class: "note", role: "alert" }, problemText(error)));
    }
  };
  return h(
    "section",
    { class: "panel-section" },
    h("h3", {}, text("stay.code_title")),
    h("button", { class: "button", type: "button", onclick: () => void show() }, text("stay.code_show")),
    place,
  );
}

/** The open stay's facts and what it would cost if the car left now; `fee` and `owed` outlive a redraw. */
function openStay(
  stay: Session,
  bayId: string,
  warnings: readonly string[],
  fee: HTMLElement,
  owed: HTMLElement | null,
  acts: StayActs,
  offline: { readonly ahead: Told | null; readonly told: boolean; readonly free: string | null },
): HTMLElement {
  const ask = async (): Promise<void> => {
    try {
      // With earlier stays, rights and what was paid, once the city knows whose it is.
      if (stay.plate && offline.told) {
        const due = await read<Fee>(`/api/v1/sessions/${stay.id}/fee`);
        replace(fee, feeTable(due.lines, due.due, text("stay.fee_now")));
        return;
      }
      const quote = await act<Quote>("POST", "/api/v1/quotes", {
        facility_id: stay.facility_id,
        enter_at: stay.opened_at,
        leave_at: new Date(Math.max(businessTime(), instant(stay.opened_at))).toISOString(),
        ...(stay.plate?.kind.startsWith("nev_") ? { energy: "new" } : {}),
      });
      replace(fee, feeTable(quote.lines, quote.total, text("stay.fee_now")));
    } catch (error) {
      const noLine = error instanceof ProblemError && error.offline;
      if (noLine && offline.ahead) {
        replace(
          fee,
          h("p", { class: "fee-ahead" }, price(offline.ahead.fee)),
          h("p", { class: "note" }, text(offline.ahead.alone ? "stay.fee_ahead" : "stay.fee_by_tariff")),
        );
      } else replace(fee, h("p", { class: "note" }, noLine ? text("stay.fee_unknown") : problemText(error)));
    }
  };
  if (offline.free === null) void ask();
  else {
    replace(
      fee,
      h("p", { class: "fee-ahead" }, text("exempt.free", { name: offline.free })),
      h("p", { class: "note" }, text(stay.exempt ? "exempt.stated" : "exempt.of_itself")),
    );
  }
  return h(
    "div",
    {},
    ...warnings.map((warning) =>
      h("p", { class: "note note-warning" }, text(warning as TextKey)),
    ),
    h(
      "dl",
      { class: "facts" },
      fact(text("stay.opened"), exactly(instant(stay.opened_at))),
      fact(text("stay.lasting"), lastingText(instant(stay.opened_at))),
      fact(
        text("stay.plate"),
        stay.plate ? plateLabel(stay.plate, "m") : text("stay.no_plate"),
      ),
      stay.uncertain_from_at
        ? fact(text("stay.uncertain"), exactly(instant(stay.uncertain_from_at)))
        : h("div", { hidden: true }),
    ),
    h(
      "section",
      { class: "panel-section" },
      h("h3", {}, text("stay.fee_now")),
      fee,
      // What is set aside, free or part of another stay is paid for by nobody.
      stay.plate && (offline.told || offline.ahead) && offline.free === null && stay.set_aside === null && stay.part_of === null
        ? h("p", { class: "panel-acts" }, h("button", { class: "button", type: "button", id: "take-ahead", onclick: () => acts.takeAhead(stay) }, text("prepay.start")))
        : null,
    ),
    owed,
    stay.plate ? codeFor(stay.id) : null,
    storyOf(stay.id, null),
    h(
      "div",
      { class: "thumb-bar" },
      h(
        "button",
        {
          class: stay.plate ? "button button-thumb" : "button button-primary button-thumb",
          type: "button",
          onclick: () => acts.takePlate(bayId),
        },
        stay.plate ? text("plate.correct") : text("task.plate_act"),
      ),
    ),
  );
}

/** Returns the panel and what refreshes it; null for a bay that is not of this post. */
export function stayPanel(
  post: Post,
  bayId: string,
  acts: StayActs,
): { element: HTMLElement; title: string; update: () => void } | null {
  const bay = post.bay(bayId);
  if (!bay) return null;
  const mark = glyph(bay.state, "l");
  const word = h("span", { class: "figure-words figure-state" });
  const since = h("p", { class: "freshness" });
  const sure = h("p", { class: "stay-sure" });
  const body = h("div", {}, skeleton(3, "card"));
  const fee = h("div", {});
  let owed: { key: string; element: HTMLElement | null } | null = null;
  let shown = "";

  /** Asked for once a plate: what is ticked there must not change under the thumb. */
  const owedOf = (stay: Session): HTMLElement | null => {
    const plate = `${stay.id}|${stay.plate?.text ?? ""}`;
    if (owed?.key !== plate) owed = { key: plate, element: stay.plate ? acts.arrears(stay.id) : null };
    return owed.element;
  };

  const drawLast = async (): Promise<void> => {
    try {
      const { items } = await read<Page<Session>>("/api/v1/sessions", { bay_id: bayId, limit: 3 });
      const last = items.find((stay) => stay.state !== "open");
      if (!last) {
        replace(body, h("p", { class: "note" }, text("stay.none_yet")));
        return;
      }
      const bill = last.bill_id ? await read<Bill>(`/api/v1/bills/${last.bill_id}`) : null;
      replace(
        body,
        h("h3", {}, text("stay.last")),
        h(
          "p",
          {},
          text("stay.from_to", {
            from: moment(instant(last.opened_at)),
            to: last.closed_at ? moment(instant(last.closed_at)) : "…",
          }),
        ),
        bill
          ? billSummary(bill, acts)
          : h("p", { class: "note" }, text(`stay.state.${last.state}`)),
        storyOf(last.id, bill),
      );
    } catch (error) {
      replace(body, errorState(error, () => void drawLast()));
    }
  };

  const update = (): void => {
    const now = post.bay(bayId) ?? bay;
    const stay = post.stayIn(bayId);
    setGlyph(mark, now.state);
    write(word, text(`state.${now.state}`));
    const sinceMs = now.since_at ? instant(now.since_at) : null;
    write(
      since,
      sinceMs === null
        ? text("bay.since_unknown")
        : text("bay.since", { at: moment(sinceMs), lasting: lastingText(sinceMs) }),
    );
    // A minute more may be a unit more.
    const length = stay ? lastingText(instant(stay.opened_at)) : "";
    const key = [now.state, now.sure, stay?.id, stay?.plate?.text, stay?.exempt, length].join("|");
    if (key === shown) return;
    shown = key;
    replace(
      sure,
      ...(now.state === "unknown"
        ? [text("bay.sure_of_nothing")]
        : [h("span", {}, text("bay.sure")), sureness(now.sure)]),
    );
    if (stay) {
      const free = freeBecause(stay, post.rules);
      const offline = { ahead: post.due(stay), told: !post.waiting.has(bayId), free };
      replace(body, openStay(stay, bayId, post.warnings(stay.id), fee, owedOf(stay), acts, offline));
    }
    else void drawLast();
  };
  update();
  return {
    element: h(
      "div",
      { class: "panel-body" },
      h("p", { class: "figure" }, mark, word),
      since,
      sure,
      body,
    ),
    title: text("bay.title", { label: post.short(bay.label) }),
    update,
  };
}
