/** What came in on a day, live: by channel, by operator, by who took it. */
import { read, withQuery } from "../api/client";
import type { Takings } from "../api/types";
import { dateOf } from "../figures/range";
import type { Money } from "../format/money";
import { businessTime, zone } from "../shell/clock";
import { Desk } from "../shell/desk";
import { byId, h, replace } from "../shell/dom";
import { field } from "../shell/form";
import { poll } from "../shell/poll";
import { emptyState, errorState, skeleton } from "../shell/states";
import { counted, inLanguage, text, wholeNumber } from "../shell/text";
import { price } from "../format/words";
import { openCardMoves, openPayments, openRefunds } from "./entry";
import { channelWords, opener, prices, section, sums, table, tile } from "./words";

const REFRESH_MS = 10_000;
type Line = Takings["items"][number];

interface Group {
  readonly id: string;
  readonly name: string;
  readonly query: Readonly<Record<string, string>>;
  readonly lines: readonly Line[];
}

/** Lines that share a key, in the order in which the keys come first. */
export function grouped(lines: readonly Line[], keyOf: (line: Line) => string): Map<string, Line[]> {
  const found = new Map<string, Line[]>();
  for (const line of lines) found.set(keyOf(line), [...(found.get(keyOf(line)) ?? []), line]);
  return found;
}

export class TakingsDesk {
  private readonly place = byId("section");
  private readonly body = h("div", {}, skeleton(6));
  private readonly day = field("", { type: "date", id: "day" });
  private readonly file = h("a", { class: "button", href: "#", download: "" }, text("figures.file"));
  private readonly desk = new Desk(this.place, () => this.draw());
  private chosen: string | null = null;
  private found: Takings | null = null;
  private drawn = "";
  private asking = 0;

  start(): void {
    replace(
      this.place,
      h(
        "div",
        { class: "bench-tools" },
        h("div", { class: "tool-field" }, h("label", { class: "label", for: "day" }, text("day.pick")), this.day),
        h("div", { class: "tool-end" }, this.file),
      ),
      this.body,
    );
    this.day.addEventListener("change", () => {
      this.chosen = this.day.value || null;
      void this.load();
    });
    poll(() => this.load(), REFRESH_MS);
  }

  private async load(): Promise<void> {
    const asking = ++this.asking;
    try {
      const found = await read<Takings>("/api/v1/takings", { day: this.chosen });
      if (asking !== this.asking) return;
      this.found = found;
      this.file.href = withQuery("/api/v1/takings/export", { day: found.day });
      // Nobody has chosen one: it is today's, and tomorrow that day's.
      if (this.chosen === null && document.activeElement !== this.day) this.day.value = found.day;
      this.desk.wasRead();
      // Only where something changed: who reads a row keeps it.
      if (JSON.stringify(found) !== this.drawn) this.draw();
      this.drawn = JSON.stringify(found);
    } catch (error) {
      if (asking === this.asking) replace(this.body, errorState(error, () => void this.load()));
      this.drawn = "";
    }
  }

  private draw(): void {
    const found = this.found;
    if (found === null) return;
    const focused = document.activeElement?.getAttribute("data-row");
    const taken = found.items.map((each) => each.amount);
    const back = found.given_back.map((each) => each.amount);
    const count = found.items.reduce((sum, each) => sum + each.payments, 0);
    const today = found.day === dateOf(businessTime(), zone());
    replace(
      this.body,
      h(
        "dl",
        { class: "figure-tiles" },
        tile(text(today ? "finance.taken_today" : "finance.taken"), prices(sums(taken)), counted("finance.count_payments", count)),
        tile(
          text("finance.given_back"),
          prices(sums(back)),
          counted("finance.count_refunds", found.given_back.reduce((sum, each) => sum + each.refunds, 0)),
        ),
        tile(text("finance.kept"), prices(sums([...taken, ...back.map(minus)])), text("finance.kept_made")),
      ),
      found.items.length + found.given_back.length === 0
        ? emptyState(text("finance.nothing_taken"), text("finance.nothing_taken_advice"))
        : h("div", {}, this.byChannel(found)),
      ...(found.items.length === 0 ? [] : [this.byOperator(found), this.byTaker(found)]),
      found.cards.length === 0 ? h("div", {}) : this.onCards(found),
    );
    if (focused) this.body.querySelector<HTMLElement>(`[data-row="${CSS.escape(focused)}"]`)?.focus();
  }

  private byChannel(found: Takings): HTMLElement {
    const lines = grouped(found.items, (line) => line.channel);
    // What goes back may have been paid on another day, when its channel took something.
    for (const each of found.given_back) if (!lines.has(each.channel)) lines.set(each.channel, []);
    const groups = [...lines].map(([channel, lines]) => ({
      id: `channel-${channel}`,
      name: channelWords(channel),
      query: { channel },
      lines,
    }));
    const back = (channel: string): Money[] =>
      found.given_back.filter((each) => each.channel === channel).map((each) => each.amount);
    return section(
      text("finance.by_channel"),
      table(
        text("finance.by_channel"),
        [text("finance.channel"), text("finance.payments"), text("finance.taken"), text("finance.given_back")],
        groups.map((group) => [...this.cells(found, group), this.back(found, group, back(group.query.channel))]),
        [1, 2, 3],
      ),
    );
  }

  private byOperator(found: Takings): HTMLElement {
    const groups = [...grouped(found.items, (line) => line.operator_id)].map(([operator_id, lines]) => ({
      id: `operator-${operator_id}`,
      name: inLanguage(lines[0]?.operator?.zh, lines[0]?.operator?.en) || operator_id,
      query: { operator_id },
      lines,
    }));
    return this.groups(found, text("finance.by_operator"), text("finance.operator"), groups);
  }

  private byTaker(found: Takings): HTMLElement {
    const groups = [...grouped(found.items, (line) => line.taken_by)].map(([taken_by, lines]) => ({
      id: `taker-${taken_by}`,
      name: lines[0]?.taker ?? channelWords(lines[0]?.channel ?? ""),
      query: { taken_by },
      lines,
    }));
    return this.groups(found, text("finance.by_taker"), text("finance.taker"), groups);
  }

  /** Money that came onto parking cards: a debt to their holders, and beside the takings. */
  private onCards(found: Takings): HTMLElement {
    const title = text("finance.on_cards");
    const cells = (line: Takings["cards"][number]): readonly (Node | string)[] => {
      const id = `card-${line.channel}-${line.taken_by}`;
      const name = [channelWords(line.channel), line.taker].filter(Boolean).join(" · ");
      return [
        name,
        wholeNumber(line.top_ups),
        opener(id, price(line.amount), () =>
          void openCardMoves(this.desk, id, `${title} · ${name}`, { day: found.day, channel: line.channel, taken_by: line.taken_by }),
        ),
        price(line.back),
      ];
    };
    return section(
      title,
      h("p", { class: "note" }, text("finance.on_cards_note")),
      table(
        title,
        [text("finance.channel"), text("finance.top_ups"), text("finance.put_on"), text("finance.given_back")],
        found.cards.map(cells),
        [1, 2, 3],
      ),
    );
  }

  private groups(found: Takings, title: string, first: string, groups: readonly Group[]): HTMLElement {
    return section(
      title,
      table(
        title,
        [first, text("finance.payments"), text("finance.taken")],
        groups.map((group) => this.cells(found, group)),
        [1, 2],
      ),
    );
  }

  private back(found: Takings, group: Group, back: readonly Money[]): Node | string {
    if (back.length === 0) return prices(back);
    const id = `back-${group.id}`;
    const title = `${text("finance.given_back")} · ${group.name}`;
    const query = { day: found.day, ...group.query };
    return opener(id, prices(back), () => void openRefunds(this.desk, id, title, query));
  }

  private cells(found: Takings, group: Group): readonly (Node | string)[] {
    const amount = prices(sums(group.lines.map((line) => line.amount)));
    return [
      group.name,
      wholeNumber(group.lines.reduce((sum, line) => sum + line.payments, 0)),
      opener(group.id, amount, () =>
        void openPayments(this.desk, group.id, `${group.name} · ${amount}`, { day: found.day, ...group.query }),
      ),
    ];
  }
}

function minus(money: Money): Money {
  return { minor: -money.minor, currency: money.currency };
}
