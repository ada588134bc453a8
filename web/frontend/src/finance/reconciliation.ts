/** Channels' bills held against ours: fetched or handed in, and each difference ended by two people. */
import { act as send, actKey, ProblemError, read, withQuery } from "../api/client";
import type { Difference, Differences, Run, Runs } from "../api/types";
import { dateOf, moved } from "../figures/range";
import type { Money } from "../format/money";
import { instant } from "../format/time";
import { agoText, exactly, price } from "../format/words";
import { fact } from "../panels/figures";
import { businessTime, zone } from "../shell/clock";
import { chips, Desk } from "../shell/desk";
import { byId, h, replace, write } from "../shell/dom";
import { choice, field, labelled, showForm } from "../shell/form";
import { hasRole } from "../shell/page";
import { emptyState, problemText } from "../shell/states";
import { counted, named, text, wholeNumber, type TextKey } from "../shell/text";
import { toast } from "../shell/toast";
import { openEntry } from "./entry";
import { Pages } from "./pages";
import { act, BILLED, channelWords, CHANNELS, fileLink, opener, part, readsLedger, section, signed, table, toolField, who } from "./words";

const STATES = ["", "open", "proposed", "approved", "resolved"] as const;
/** In a channel's place: a day's stays held against sensors, bills and payments. */
const STAYS = "stays";
const CARDS = "cards";
const LEDGER = "ledger";
const SOURCES = [...BILLED, STAYS, CARDS, LEDGER, "pos-batches"] as const;
const RESOLUTIONS = ["note", "suspense", "surplus"] as const;
const LARGEST_BYTES = 8_000_000;
/** Fetching goes to the channel and back. */
const FETCH_MS = 60_000;
const TONES: Readonly<Record<string, string>> = {
  open: "tag-danger",
  proposed: "tag-warning",
  approved: "tag-warning",
  resolved: "tag-good",
};

/** Both sides of a difference as it is kept. */
interface Side {
  readonly kind: string;
  readonly amount: Money;
  readonly fee: Money | null;
  readonly at: string;
  readonly status: string;
  readonly merchant: string;
  readonly channel_no: string;
}

function sideOf(detail: Readonly<Record<string, unknown>>, side: "ours" | "theirs"): Side | null {
  return (detail[side] ?? null) as Side | null;
}

async function base64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  // In pieces: so many arguments at once no engine takes.
  for (let at = 0; at < bytes.length; at += 8_192) binary += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(binary);
}

export class ReconciliationDesk {
  private readonly place = byId("section");
  private readonly list = h("div", {});
  private readonly runs = h("div", {});
  private readonly states = h("div", { class: "chips", role: "group", "aria-label": text("disputes.state") });
  private readonly file = h("a", { class: "button", href: "#", download: "" }, text("figures.file"));
  private readonly desk = new Desk(this.place, () => this.pages.draw());
  private readonly mayKeep = hasRole("finance");
  private readonly mayDecide = hasRole("finance", "administrator");
  private readonly channel = choice(
    [["", text("finance.all")], ...SOURCES.map((each): [string, string] => [each, channelWords(each)])],
    "",
    { id: "channel" },
  );
  private readonly day = field("", { type: "date", id: "day" });
  private state: (typeof STATES)[number] = "open";
  private readonly pages = new Pages<Difference, Differences>(
    this.list,
    "/api/v1/differences",
    () => this.query(),
    (items, page) => this.draw(items, page),
    () => this.desk.wasRead(),
  );

  private readonly runPages = new Pages<Run, Runs>(
    this.runs,
    "/api/v1/reconciliations",
    () => ({}),
    (items, page) => this.drawRuns(items, page),
  );

  async start(): Promise<void> {
    this.drawStates();
    replace(
      this.place,
      this.mayKeep
        ? h(
            "div",
            { class: "bench-tools" },
            act(text("finance.fetch"), () => this.fetch(), true),
            act(text("finance.hand_in"), () => this.handIn()),
            act(text("finance.hold_stays"), () => this.holdStays()),
          )
        : null,
      section(
        text("finance.differences"),
        this.states,
        h("div", { class: "bench-tools" }, toolField(this.channel, text("finance.channel")), toolField(this.day, text("finance.of_day"))),
        this.list,
        h("p", { class: "panel-acts" }, this.file),
      ),
      section(text("finance.runs"), this.runs, h("p", { class: "panel-acts" }, fileLink("/api/v1/reconciliations/export"))),
    );
    for (const input of [this.channel, this.day]) input.addEventListener("change", () => void this.load());
    await Promise.all([this.load(), this.runPages.load()]);
  }

  private drawStates(): void {
    chips(
      this.states,
      STATES.map((state) => [state, state ? named("difference.state", state) : text("finance.all")] as const),
      this.state,
      (state) => {
        this.state = state;
        void this.load();
      },
    );
  }

  private query(): Readonly<Record<string, string | null>> {
    return { state: this.state || null, channel: this.channel.value || null, day: this.day.value || null };
  }

  private async load(): Promise<void> {
    this.file.href = withQuery("/api/v1/differences/export", this.query());
    await this.pages.load();
  }

  private drawRuns(items: readonly Run[], page: Runs): Node {
    if (items.length === 0) return emptyState(text("finance.no_runs"), text("finance.no_runs_advice"));
    return h(
      "div",
      { class: "table-box" },
      table(
        text("finance.runs"),
        [
          text("finance.channel"),
          text("day.pick"),
          text("finance.rows"),
          text("finance.agreed"),
          text("finance.differences"),
          text("finance.by"),
        ],
        items.map((run) => [
          opener(run.id, channelWords(run.channel), () => this.openRun(run, page.names)),
          run.day,
          countOf(run, "rows"),
          countOf(run, "agreed"),
          countOf(run, "differences"),
          `${who(run.run_by, page.names)} · ${agoText(instant(run.run_at))}`,
        ]),
        [2, 3, 4],
      ),
    );
  }

  /** What a run found, and why rows of its bill could not be read. */
  private openRun(run: Run, names: Readonly<Record<string, string>>): void {
    const rows = quarantined(run);
    const classes = Object.entries((run.summary["by_class"] ?? {}) as Readonly<Record<string, number>>);
    void this.desk.open(run.id, `${channelWords(run.channel)} · ${run.day}`, () =>
      Promise.resolve(
        h(
          "div",
          { class: "case", "data-run": run.id },
          h(
            "dl",
            { class: "facts" },
            fact(text("finance.by"), `${who(run.run_by, names)} · ${exactly(instant(run.run_at))}`),
            fact(text("finance.rows"), countOf(run, "rows")),
            sumOf(run, "paid_minor", "finance.bill_paid"),
            sumOf(run, "refunded_minor", "finance.bill_back"),
            fact(text("finance.agreed"), countOf(run, "agreed")),
            fact(text("finance.differences"), countOf(run, "differences")),
            ...classes.map(([kind, count]) => fact(named("difference", kind), wholeNumber(count))),
          ),
          run.summary["complete"] === false ? h("p", { class: "note note-warning" }, text("finance.not_complete")) : null,
          rows.length === 0
            ? null
            : part(
                counted("finance.quarantined", Number(run.summary["quarantined"] ?? rows.length)),
                table(
                  text("finance.unread_rows"),
                  [text("finance.line"), text("finance.reason")],
                  rows.map((each) => [wholeNumber(each.line), each.reason]),
                ),
              ),
          h(
            "p",
            { class: "panel-acts" },
            act(text("finance.show_differences"), () => {
              this.state = "";
              this.channel.value = run.channel;
              this.day.value = run.day;
              this.drawStates();
              this.desk.close();
              void this.load();
            }),
          ),
          h("p", { class: "item-facts mono" }, `SHA-256 ${run.sha256}`),
        ),
      ),
    );
  }

  private draw(items: readonly Difference[], page: Differences): Node {
    if (items.length === 0) return emptyState(text("finance.no_differences"), text("finance.no_differences_advice"));
    return h(
      "ul",
      {},
      ...items.map((one) =>
        h(
          "li",
          {},
          this.desk.row(
            one.id,
            () => void this.open(one, page.names),
            h(
              "span",
              { class: "desk-top" },
              h("strong", {}, named("difference", one.kind)),
              movesNothing(one) ? null : h("strong", { class: "number" }, signed(one.effect)),
            ),
            h("span", { class: "desk-top" }, h("span", {}, `${channelWords(one.channel)} · ${one.day}`), tag(one)),
            h("span", { class: "item-facts mono" }, about(one)),
          ),
        ),
      ),
    );
  }

  private open(one: Difference, names: Readonly<Record<string, string>>): Promise<void> {
    const again = (): void => void this.open(one, names);
    return this.desk.open(one.id, named("difference", one.kind), () =>
      Promise.resolve(
        h(
          "div",
          { class: "case", "data-difference": one.id, "data-state": one.state },
          h(
            "dl",
            { class: "facts" },
            fact(text("disputes.state"), tag(one)),
            fact(text("finance.channel"), `${channelWords(one.channel)} · ${one.day}`),
            one.order_no ? fact(text("finance.order_no"), h("span", { class: "mono" }, one.order_no)) : null,
            one.refund_no ? fact(text("finance.refund_no"), h("span", { class: "mono" }, one.refund_no)) : null,
            movesNothing(one) ? null : fact(text("finance.effect"), one.effect.minor ? signed(one.effect) : text("finance.no_effect")),
            fact(text("finance.found"), agoText(instant(one.found_at))),
          ),
          one.certain ? null : h("p", { class: "note note-warning" }, text("finance.uncertain")),
          part(text("finance.sides_of"), told(one)),
          part(text("finance.what_to_do"), h("p", {}, named("proposal", one.proposal)), this.said(one, names, again)),
          this.acts(one),
        ),
      ),
    );
  }

  private said(one: Difference, names: Readonly<Record<string, string>>, again: () => void): HTMLElement | null {
    if (one.resolution === null) return null;
    const step = (words: TextKey, by: string | null, at: string | null): HTMLElement | null =>
      by && at ? fact(text(words), `${who(by, names)} · ${exactly(instant(at))}`) : null;
    const entryId = one.entry_id;
    return h(
      "dl",
      { class: "facts" },
      fact(text("finance.resolution"), named("resolution", one.resolution)),
      fact(text("finance.reason"), one.note),
      step("finance.proposed_by", one.proposed_by, one.proposed_at),
      step("finance.approved_by", one.approved_by, one.approved_at),
      step("finance.resolved_by", one.resolved_by, one.resolved_at),
      entryId
        ? fact(
            text("finance.entry"),
            readsLedger()
              ? opener(entryId, text("finance.open_entry"), () => void openEntry(this.desk, entryId, again))
              : h("span", { class: "mono" }, entryId),
          )
        : null,
    );
  }

  private acts(one: Difference): HTMLElement | null {
    const consequence =
      one.resolution === "note" || one.resolution === null
        ? text("finance.notes_only")
        : text("finance.posts", {
            amount: price({ ...one.effect, minor: Math.abs(one.effect.minor) }),
            channel: channelWords(one.channel),
            other: named("account", one.resolution),
          });
    if (one.state === "open" && this.mayKeep) return this.proposal(one);
    if (one.state === "proposed" && this.mayDecide) {
      return this.deciding(
        text("finance.second_person"),
        act(text("finance.approve"), () => void this.move(one, "decision", { approve: true }, "finance.approved"), true),
        act(text("finance.send_back"), () => void this.move(one, "decision", { approve: false }, "finance.sent_back")),
      );
    }
    if (one.state === "approved" && this.mayKeep) {
      return this.deciding(
        consequence,
        act(text("finance.resolve"), () => void this.move(one, "resolution", {}, "finance.resolved"), true),
      );
    }
    return null;
  }

  private deciding(words: string, ...buttons: readonly HTMLElement[]): HTMLElement {
    return h(
      "section",
      { class: "panel-section" },
      h("p", { class: "note" }, words),
      h("p", { class: "form-problem", role: "alert", id: "decision-problem", hidden: true }),
      h("p", { class: "panel-acts" }, ...buttons),
    );
  }

  private proposal(one: Difference): HTMLElement {
    const key = actKey();
    const note = h("textarea", { class: "input", rows: 3, minlength: 3, maxlength: 500, required: true });
    const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
    const submit = h("button", { class: "button button-primary", type: "submit" }, text("finance.propose"));
    const form = h(
      "form",
      {
        class: "panel-section",
        onsubmit: (event) => {
          event.preventDefault();
          void propose();
        },
      },
      h("h3", {}, text("finance.propose_title")),
      h(
        "fieldset",
        { class: "verdicts" },
        h("legend", { class: "visually-hidden" }, text("finance.resolution")),
        ...RESOLUTIONS.filter((each) => each === "note" || one.effect.minor !== 0).map((each) =>
          h(
            "label",
            { class: "verdict" },
            h("input", { type: "radio", name: "resolution", value: each, required: true }),
            h("strong", {}, named("resolution", each)),
            h("span", { class: "item-facts" }, named("resolution.means", each)),
          ),
        ),
      ),
      labelled("difference-note", text("finance.reason"), note, text("finance.note_hint")),
      problem,
      h("p", { class: "panel-acts" }, submit),
    );
    const propose = async (): Promise<void> => {
      submit.disabled = true;
      problem.hidden = true;
      try {
        const body = { resolution: new FormData(form).get("resolution"), note: note.value };
        await this.changed(
          await send<Difference>("POST", `/api/v1/differences/${one.id}/proposal`, body, key),
          "finance.proposed",
        );
      } catch (error) {
        problem.hidden = false;
        write(problem, problemText(error));
        submit.disabled = false;
      }
    };
    return form;
  }

  private async move(one: Difference, what: string, body: unknown, done: TextKey): Promise<void> {
    try {
      await this.changed(await send<Difference>("POST", `/api/v1/differences/${one.id}/${what}`, body), done);
    } catch (error) {
      const problem = byId("decision-problem");
      problem.hidden = false;
      const own = error instanceof ProblemError && error.status === 403;
      write(problem, own ? text("finance.not_alone") : problemText(error));
    }
  }

  /** Show what became of a difference, and the list as it is now. */
  private async changed(after: Difference, done: TextKey): Promise<void> {
    toast(text(done));
    await this.load();
    const names = (await read<Differences>("/api/v1/differences", { state: after.state, day: after.day, channel: after.channel })).names;
    await this.open(after, names);
  }

  private fetch(): void {
    const channel = choice(CHANNELS.map((each) => [each, channelWords(each)] as const));
    const day = field(moved(dateOf(Date.now(), zone()), -1), { type: "date", required: true });
    showForm({
      title: text("finance.fetch"),
      parts: [
        h("p", { class: "note" }, text("finance.fetch_note")),
        labelled("fetch-channel", text("finance.channel"), channel),
        labelled("fetch-day", text("day.pick"), day),
      ],
      submit: text("finance.fetch_now"),
      send: async () =>
        this.ran(
          await send<Run>(
            "POST",
            "/api/v1/reconciliations/fetches",
            { channel: channel.value, day: day.value },
            actKey(),
            FETCH_MS,
          ),
        ),
    });
  }

  private handIn(): void {
    const channel = choice(BILLED.map((each) => [each, channelWords(each)] as const));
    const day = field("", { type: "date" });
    const file = field(null, { type: "file", required: true });
    showForm({
      title: text("finance.hand_in"),
      parts: [
        labelled("bill-channel", text("finance.channel"), channel),
        labelled("bill-file", text("finance.bill_file"), file, text("finance.bill_file_hint")),
        labelled("bill-day", text("day.pick"), day, text("finance.bill_day_hint")),
      ],
      submit: text("finance.compare"),
      send: async () => {
        const chosen = file.files?.[0];
        if (!chosen) return null;
        if (chosen.size > LARGEST_BYTES) throw new ProblemError(413, "large", text("finance.too_large"));
        return this.ran(
          await send<Run>(
            "POST",
            "/api/v1/reconciliations",
            { channel: channel.value, day: day.value || null, bill: await base64(chosen) },
            actKey(),
            FETCH_MS,
          ),
        );
      },
    });
  }

  private holdStays(): void {
    const key = actKey();
    const day = field(moved(dateOf(businessTime(), zone()), -1), { type: "date", required: true });
    showForm({
      title: text("finance.hold_stays"),
      parts: [h("p", { class: "note" }, text("finance.hold_note")), labelled("stays-day", text("day.pick"), day)],
      submit: text("finance.compare"),
      send: async () =>
        this.ran(await send<Run>("POST", "/api/v1/reconciliations/stays", { day: day.value }, key, FETCH_MS)),
    });
  }

  private async ran(run: Run): Promise<string> {
    await Promise.all([this.load(), this.runPages.load()]);
    return counted("finance.ran", Number(run.summary["differences"] ?? 0), { channel: channelWords(run.channel), day: run.day });
  }
}

/** Rows of a bill that could not be read: which, and why. */
function quarantined(run: Run): readonly { readonly line: number; readonly reason: string }[] {
  return (run.summary["quarantined_rows"] ?? []) as readonly { line: number; reason: string }[];
}

function sumOf(run: Run, what: string, words: TextKey): HTMLElement | null {
  const minor = run.summary[what];
  return typeof minor === "number" ? fact(text(words), price({ minor, currency: "CNY" })) : null;
}

function countOf(run: Run, what: string): string {
  const found = run.summary[what];
  return typeof found === "number" ? wholeNumber(found) : "–";
}

/** A stay, its bill and its payments, as they were held together. */
interface Told {
  readonly stay: {
    readonly session_id: string;
    readonly opened_at: string;
    readonly closed_at: string;
    readonly free_s: number | null;
  };
  readonly bill: { readonly bill_id: string; readonly amount: Money; readonly paid: Money } | null;
  readonly payments: readonly {
    readonly channel: string;
    readonly amount: Money;
    readonly booked: boolean;
    readonly in_bill: boolean | null;
  }[];
}

function toldOf(one: Difference): Told {
  return one.detail as unknown as Told;
}

/** What parking cards differ in: a card's amount told three times, or an order beside its debit. */
interface CardTold {
  readonly amount: Money;
  readonly card: { readonly number_ends: string; readonly held: Money; readonly moved: Money; readonly owed: Money } | null;
}

function cardToldOf(one: Difference): CardTold {
  return one.detail as unknown as CardTold;
}

/** An account's day whose sum is not what is posted. */
interface SumTold {
  readonly account: string;
  readonly on: string | null;
  readonly posted: Money;
  readonly told: Money;
}

function sumToldOf(one: Difference): SumTold {
  return one.detail as unknown as SumTold;
}

/** Stays, cards and sums are ended by words: what is wrong is put right where the change was made. */
function movesNothing(one: Difference): boolean {
  return one.channel === STAYS || one.channel === CARDS || one.channel === LEDGER;
}

function told(one: Difference): HTMLElement {
  if (one.channel === STAYS) return tellings(one);
  if (one.channel === CARDS) return cardTold(one);
  return one.channel === LEDGER ? sumTold(one) : sides(one);
}

function sumTold(one: Difference): HTMLElement {
  const { posted, told: summed } = sumToldOf(one);
  return h(
    "dl",
    { class: "facts" },
    fact(text("finance.account"), h("span", { class: "mono" }, about(one))),
    fact(text("finance.posted"), signed(posted)),
    fact(text("finance.summed"), signed(summed)),
  );
}

function cardTold(one: Difference): HTMLElement {
  const { amount, card } = cardToldOf(one);
  if (!card) return h("dl", { class: "facts" }, fact(text("refund.amount"), price(amount)));
  return h(
    "dl",
    { class: "facts" },
    fact(text("finance.card_holds"), price(card.held)),
    fact(text("finance.card_moved"), price(card.moved)),
    fact(text("finance.card_owed"), price(card.owed)),
  );
}

function about(one: Difference): string {
  if (one.channel === LEDGER) {
    const { account, on } = sumToldOf(one);
    return `${account} · ${on ?? text("finance.closed_days")}`;
  }
  if (one.channel === CARDS) {
    const { card } = cardToldOf(one);
    return card ? `…${card.number_ends}` : one.order_no;
  }
  if (one.channel !== STAYS) return one.order_no || "–";
  const { stay } = toldOf(one);
  return `${exactly(instant(stay.opened_at))} – ${exactly(instant(stay.closed_at))}`;
}

function tellings(one: Difference): HTMLElement {
  const { stay, bill, payments } = toldOf(one);
  const free = stay.free_s === null ? text("finance.no_sensor") : text("finance.minutes", { n: wholeNumber(Math.round(stay.free_s / 60)) });
  return h(
    "dl",
    { class: "facts" },
    fact(text("finance.stay"), h("a", { href: `/stays?stay=${stay.session_id}` }, about(one))),
    fact(text("finance.free_of_it"), free),
    bill
      ? fact(text("bill.title"), h("a", { href: `/bills/${bill.bill_id}` }, price(bill.amount)))
      : fact(text("bill.title"), text("finance.none")),
    bill ? fact(text("finance.counts_as_paid"), price(bill.paid)) : null,
    ...payments.map((each) =>
      fact(
        `${channelWords(each.channel)} · ${price(each.amount)}`,
        h("span", { class: each.booked ? "tag tag-good" : "tag tag-danger" }, text(each.booked ? "finance.booked" : "finance.not_booked")),
        each.in_bill === null
          ? null
          : h("span", { class: each.in_bill ? "tag tag-good" : "tag tag-danger" }, text(each.in_bill ? "finance.in_bill" : "finance.not_in_bill")),
      ),
    ),
  );
}

function tag(one: Difference): HTMLElement {
  return h("span", { class: `tag ${TONES[one.state] ?? ""}` }, named("difference.state", one.state));
}

function sides(one: Difference): HTMLElement {
  const ours = sideOf(one.detail, "ours");
  const theirs = sideOf(one.detail, "theirs");
  const line = (words: TextKey, of: (side: Side) => string): readonly string[] => [
    text(words),
    ours ? of(ours) || "–" : "–",
    theirs ? of(theirs) || "–" : "–",
  ];
  return table(
    text("finance.sides_of"),
    [text("finance.what"), text("finance.ours"), text("finance.theirs")],
    [
      line("finance.kind", (side) => named("line.kind", side.kind)),
      line("refund.amount", (side) => price(side.amount)),
      line("finance.fee", (side) => (side.fee ? price(side.fee) : "")),
      line("finance.at", (side) => exactly(instant(side.at))),
      line("finance.status", (side) => named("line.status", side.status)),
      line("finance.merchant", (side) => side.merchant),
      line("finance.channel_no", (side) => side.channel_no),
    ],
  );
}
