/** The ledger: accounts with their balances as of an instant; every figure opens its postings. */
import { act as send, actKey, withQuery } from "../api/client";
import type { Accounts, LedgerAccount, Period, Periods } from "../api/types";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { businessTime, zone } from "../shell/clock";
import { Desk } from "../shell/desk";
import { byId, h, replace } from "../shell/dom";
import { choice, field, labelled, localField, localInstant, showForm } from "../shell/form";
import { hasRole } from "../shell/page";
import { emptyState, skeleton } from "../shell/states";
import { named, text } from "../shell/text";
import { openAccount, openEntry } from "./entry";
import { Pages } from "./pages";
import { accountWords, act, fileLink, opener, section, signed, table, toolField, who } from "./words";

const KINDS = [
  "cash",
  "till",
  "over_short",
  "clearing",
  "bank",
  "receivable",
  "arrears",
  "advance",
  "stored_value",
  "revenue",
  "treasury",
  "platform",
  "land_owner",
  "fees",
  "surplus",
  "suspense",
  "written_off",
  "rounding",
] as const;

export class LedgerDesk {
  private readonly place = byId("section");
  private readonly box = h("div", { class: "table-box" }, skeleton(6));
  private readonly closed = h("div", { class: "table-box" }, skeleton(2));
  private readonly kind = choice(
    [["", text("finance.all")], ...KINDS.map((kind): [string, string] => [kind, named("account", kind)])],
    "",
    { id: "kind" },
  );
  private readonly before = field("", { type: "datetime-local", id: "before" });
  private readonly file = h("a", { class: "button", href: "#", download: "" }, text("figures.file"));
  private readonly desk = new Desk(this.place, () => undefined);
  private readonly pages = new Pages<LedgerAccount, Accounts>(
    this.box,
    "/api/v1/ledger/accounts",
    () => this.query(),
    (items, page) => this.draw(items, page.names),
    () => this.desk.wasRead(),
  );

  private readonly periods = new Pages<Period, Periods>(
    this.closed,
    "/api/v1/ledger/periods",
    () => ({}),
    (items, page) => this.drawPeriods(items, page.names),
  );

  async start(): Promise<void> {
    replace(
      this.place,
      h(
        "div",
        { class: "bench-tools" },
        toolField(this.kind, text("finance.kind")),
        toolField(this.before, text("finance.as_of")),
        h("div", { class: "tool-end" }, this.file),
      ),
      h("p", { class: "note" }, text("finance.sides")),
      this.box,
      section(
        text("finance.periods"),
        this.closed,
        h(
          "p",
          { class: "panel-acts" },
          hasRole("finance") ? act(text("finance.close"), () => this.close()) : null,
          fileLink("/api/v1/ledger/periods/export"),
        ),
      ),
    );
    this.kind.addEventListener("change", () => void this.load());
    this.before.addEventListener("change", () => void this.load());
    const asked = new URLSearchParams(location.search);
    const kind = KINDS.find((each) => each === asked.get("kind"));
    if (kind) this.kind.value = kind;
    await Promise.all([this.load(), this.periods.load()]);
    const [account, entry] = [asked.get("account"), asked.get("entry")];
    if (entry) void openEntry(this.desk, entry, null);
    else if (account) void openAccount(this.desk, account, "CNY", {}, {});
  }

  private asOf(): string | null {
    return this.before.value ? localInstant(this.before.value, zone()) : null;
  }

  private query(): Readonly<Record<string, string | null>> {
    return { kind: this.kind.value || null, before_at: this.asOf() };
  }

  private load(): Promise<void> {
    this.file.href = withQuery("/api/v1/ledger/accounts/export", this.query());
    return this.pages.load();
  }

  private draw(items: readonly LedgerAccount[], names: Accounts["names"]): Node {
    if (items.length === 0) return emptyState(text("finance.no_accounts"), text("finance.no_accounts_advice"));
    const beforeAt = this.asOf();
    const range: Readonly<Record<string, string>> = beforeAt ? { before_at: beforeAt } : {};
    return table(
      text("finance.accounts"),
      [text("finance.account"), text("finance.balance")],
      items.flatMap((each) =>
        each.balances.map((balance) => [
          accountWords(each.account, names),
          opener(each.account, signed(balance), () =>
            void openAccount(this.desk, each.account, balance.currency, range, names),
          ),
        ]),
      ),
      [1],
    );
  }

  private drawPeriods(items: readonly Period[], names: Periods["names"]): Node {
    if (items.length === 0) return h("p", { class: "note" }, text("finance.no_periods"));
    return table(
      text("finance.periods"),
      [text("finance.closed_until"), text("finance.closed_at"), text("finance.by")],
      items.map((each) => [exactly(instant(each.until_at)), exactly(instant(each.closed_at)), who(each.closed_by, names)]),
    );
  }

  private close(): void {
    const key = actKey();
    const until = field(localField(businessTime(), zone()), { type: "datetime-local", required: true });
    showForm({
      title: text("finance.close"),
      parts: [
        h("p", { class: "note note-warning" }, text("finance.close_means")),
        labelled("until", text("finance.closed_until"), until),
      ],
      submit: text("finance.close"),
      send: async () => {
        await send("POST", "/api/v1/ledger/periods", { until_at: localInstant(until.value, zone()) }, key);
        await this.periods.load();
        return text("finance.closed");
      },
    });
  }
}
