/** Attendants' terminals, and POS terminals beside them: how they do, what needs an eye, and their codes, locks and ends. */
import "../styles/base.css";
import "../styles/rights.css";
import "../styles/terminals.css";
import { act, actKey, read, readAll } from "./api/client";
import type { Facility, Terminal, TerminalAct, TerminalCode } from "./api/types";
import { instant } from "./format/time";
import { minorDigits, parseAmount } from "./format/money";
import { agoText, exactly, price } from "./format/words";
import { fact } from "./panels/figures";
import { chips, Desk } from "./shell/desk";
import { byId, h, replace } from "./shell/dom";
import { choice, field, labelled, showForm } from "./shell/form";
import { hasRole, startPage } from "./shell/page";
import { poll } from "./shell/poll";
import { emptyState, errorState } from "./shell/states";
import { named, text, wholeNumber } from "./shell/text";
import { daySection } from "./terminals/day";
import { PosPage } from "./terminals/pos";

const REFRESH_MS = 10_000;
const MOST_REFUSED = 20;
const FILTERS = ["all", "eye"] as const;
const STATE_TAGS: Readonly<Record<Terminal["state"], string>> = {
  awaited: "tag",
  active: "tag tag-good",
  locked: "tag tag-danger",
  revoked: "tag",
};

type Turn = "lock" | "unlock" | "revoke";
const TURNS: Readonly<Record<Turn, string>> = { lock: "lock", unlock: "unlock", revoke: "revocation" };

function stateTag(terminal: Terminal): HTMLElement {
  return h("span", { class: STATE_TAGS[terminal.state] }, named("terminals.state", terminal.state));
}

function concernTags(terminal: Terminal): HTMLElement {
  return h(
    "span",
    { class: "tags" },
    ...terminal.concerns.map((each) => h("span", { class: "tag tag-warning" }, named("terminals.concern", each))),
  );
}

/** Heard of by the wall clock: a demo's city has another one. */
function heardText(terminal: Terminal): string {
  return terminal.heard_at
    ? text("terminals.heard_ago", { ago: agoText(instant(terminal.heard_at), Date.now()) })
    : text("terminals.never");
}

class TerminalsPage {
  private readonly place = byId("terminals");
  private readonly desk = new Desk(this.place, () => this.draw());
  private readonly mayAct = hasRole("operator", "administrator");
  private filter: (typeof FILTERS)[number] = "all";
  private items: readonly Terminal[] | null = null;

  constructor() {
    chips(
      byId("filter"),
      FILTERS.map((each) => [each, named("terminals.filter", each)] as const),
      this.filter,
      (chosen) => {
        this.filter = chosen;
        this.draw();
      },
    );
    if (this.mayAct) {
      replace(
        byId("register"),
        h(
          "button",
          { class: "button button-primary", type: "button", onclick: () => void this.register() },
          text("terminals.register"),
        ),
      );
    }
  }

  async load(): Promise<void> {
    try {
      this.items = await readAll<Terminal>("/api/v1/terminals", { limit: 500 });
      this.desk.wasRead();
      this.draw();
    } catch (error) {
      if (this.items === null) replace(this.place, errorState(error, () => void this.load()));
    }
  }

  private draw(): void {
    if (this.items === null) return;
    const focused = (document.activeElement as HTMLElement | null)?.dataset["row"];
    const shown = this.items.filter((each) => this.filter === "all" || each.concerns.length > 0);
    replace(
      this.place,
      shown.length === 0
        ? emptyState(text("terminals.none"), text("terminals.none_advice"))
        : h("ul", {}, ...shown.map((each) => h("li", {}, this.row(each)))),
    );
    if (focused) this.place.querySelector<HTMLElement>(`[data-row="${focused}"]`)?.focus({ preventScroll: true });
  }

  private row(terminal: Terminal): HTMLElement {
    return this.desk.row(
      terminal.id,
      () => void this.open(terminal),
      h("span", { class: "desk-top" }, h("strong", {}, terminal.name), stateTag(terminal)),
      h("span", { class: "desk-top" }, h("span", { class: "item-facts" }, heardText(terminal)), concernTags(terminal)),
    );
  }

  private open(terminal: Terminal): Promise<void> {
    return this.desk.open(terminal.id, terminal.name, async () => {
      const refused = await read<{ items: TerminalAct[] }>("/api/v1/terminals/acts", {
        terminal_id: terminal.id,
        outcome: "refused",
        limit: MOST_REFUSED,
      });
      return h("div", { class: "case" }, this.facts(terminal), daySection(terminal.id), this.refused(refused.items));
    });
  }

  private facts(terminal: Terminal): HTMLElement {
    const told = terminal.health;
    const unknown = text("terminals.unknown");
    const battery = (): string => {
      if (told?.battery_percent === null || told?.battery_percent === undefined) return unknown;
      return `${told.battery_percent} %${told.charging ? ` · ${text("terminals.charging")}` : ""}`;
    };
    const behind = told?.clock_behind_ms;
    return h(
      "section",
      { class: "panel-section" },
      h("p", { class: "tags" }, stateTag(terminal), concernTags(terminal)),
      terminal.state_reason ? h("p", { class: "note" }, terminal.state_reason) : null,
      h(
        "dl",
        { class: "facts" },
        fact(text("terminals.heard"), terminal.heard_at ? exactly(instant(terminal.heard_at)) : text("terminals.never")),
        fact(text("terminals.battery"), battery()),
        fact(text("terminals.network"), told?.network ? named("terminals.network", told.network) : unknown),
        fact(text("terminals.place"), told?.position ? [...told.position].reverse().join(", ") : unknown),
        fact(
          text("terminals.clock"),
          behind === null || behind === undefined
            ? unknown
            : text("terminals.seconds", { s: (behind / 1_000).toFixed(1) }),
        ),
        fact(text("terminals.app"), terminal.app_version ?? unknown),
        fact(text("terminals.waiting"), told ? wholeNumber(told.acts_waiting) : unknown),
        fact(text("terminals.acts"), wholeNumber(terminal.acts.received)),
        fact(text("terminals.acts_missing"), wholeNumber(terminal.acts.missing)),
        fact(text("terminals.acts_refused"), wholeNumber(terminal.acts.refused)),
        fact(text("terminals.offline_cash"), price(terminal.offline_cash)),
        fact(text("terminals.missed"), wholeNumber(terminal.missed_requests)),
        fact(text("terminals.district"), terminal.district),
        fact(text("terminals.key"), terminal.key ? h("code", { class: "thumbprint" }, terminal.key) : unknown),
      ),
      this.mayAct && terminal.state !== "revoked" ? this.acts(terminal) : null,
    );
  }

  private acts(terminal: Terminal): HTMLElement {
    const turn = (kind: Turn, how = "button"): HTMLElement =>
      h("button", { class: how, type: "button", onclick: () => this.turn(terminal, kind) }, text(`terminals.${kind}`));
    return h(
      "p",
      { class: "panel-acts" },
      terminal.state === "active" ? turn("lock", "button button-primary") : null,
      terminal.state === "locked" ? turn("unlock", "button button-primary") : null,
      h(
        "button",
        { class: "button", type: "button", onclick: () => void this.giveCode(terminal) },
        text("terminals.new_code"),
      ),
      h(
        "button",
        { class: "button", type: "button", onclick: () => this.limitCash(terminal) },
        text("terminals.limit_cash"),
      ),
      turn("revoke"),
    );
  }

  /** Set how much cash it may take without a line. */
  private limitCash(terminal: Terminal): void {
    const { currency } = terminal.offline_cash;
    const most = field(String(terminal.offline_cash.minor / 10 ** minorDigits(currency)), {
      required: true,
      inputmode: "decimal",
      maxlength: 12,
    });
    const key = actKey();
    showForm({
      title: `${text("terminals.limit_cash")}: ${terminal.name}`,
      parts: [
        h("p", {}, text("terminals.limit_cash_means")),
        labelled("offline-cash", text("terminals.offline_cash"), most),
      ],
      submit: text("terminals.limit_cash"),
      send: async () => {
        const minor = parseAmount(most.value, currency);
        const path = `/api/v1/terminals/${terminal.id}/offline-cash`;
        const done = await act<Terminal>("PUT", path, { offline_cash: { minor, currency } }, key);
        await this.load();
        void this.open(done);
        return text("terminals.done", { name: done.name, state: price(done.offline_cash) });
      },
    });
  }

  private refused(acts: readonly TerminalAct[]): HTMLElement {
    return h(
      "section",
      { class: "panel-section" },
      h("h3", {}, text("terminals.refused")),
      acts.length === 0
        ? h("p", { class: "note" }, text("terminals.refused_none"))
        : h(
            "ul",
            { class: "refused-acts" },
            ...acts.map((each) =>
              h(
                "li",
                {},
                h("strong", {}, named("terminals.act", each.kind)),
                h("span", {}, each.words ?? ""),
                h("span", { class: "item-facts" }, exactly(instant(each.at))),
              ),
            ),
          ),
    );
  }

  /** Lock, unlock or revoke, with the consequence in words. */
  private turn(terminal: Terminal, kind: Turn): void {
    const reason = field("", { required: true, maxlength: 200 });
    const key = actKey();
    showForm({
      title: `${text(`terminals.${kind}`)}: ${terminal.name}`,
      parts: [h("p", {}, text(`terminals.${kind}_means`)), labelled("reason", text("terminals.reason"), reason)],
      submit: text(`terminals.${kind}`),
      send: async () => {
        const path = `/api/v1/terminals/${terminal.id}/${TURNS[kind]}`;
        const done = await act<Terminal>("POST", path, { reason: reason.value }, key);
        await this.load();
        void this.open(done);
        return text("terminals.done", { name: done.name, state: named("terminals.state", done.state) });
      },
    });
  }

  private async register(): Promise<void> {
    let districts: string[] = [];
    try {
      const facilities = await readAll<Facility>("/api/v1/facilities", { limit: 500 });
      districts = [...new Set(facilities.map((each) => each.district))].sort();
    } catch {
      // Without the list it is typed.
    }
    const name = field("", { required: true, maxlength: 120 });
    const district =
      districts.length > 0
        ? choice(districts.map((each) => [each, each] as const))
        : field("", { required: true, pattern: "[0-9a-z]{2,12}" });
    showForm({
      title: text("terminals.register"),
      parts: [
        labelled("terminal-name", text("terminals.name"), name),
        labelled("terminal-district", text("terminals.district"), district),
      ],
      submit: text("terminals.register"),
      send: async () => {
        const body = { name: name.value, district: district.value };
        this.showCode(await act<TerminalCode>("POST", "/api/v1/terminals", body));
        await this.load();
        return null;
      },
    });
  }

  private async giveCode(terminal: Terminal): Promise<void> {
    try {
      this.showCode(await act<TerminalCode>("POST", `/api/v1/terminals/${terminal.id}/code`, {}));
    } catch (error) {
      replace(byId("case-content"), errorState(error, () => void this.open(terminal)));
    }
  }

  /** Once, in a dialog that nothing else closes. */
  private showCode(given: TerminalCode): void {
    showForm({
      title: text("terminals.code", { name: given.terminal.name }),
      parts: [
        h("p", { class: "enrolment-code" }, given.code),
        h("p", {}, text("terminals.code_means", { at: exactly(instant(given.expires_at)) })),
      ],
      submit: text("terminals.code_done"),
      send: () => Promise.resolve(text("terminals.done", {
        name: given.terminal.name,
        state: named("terminals.state", given.terminal.state),
      })),
    });
  }
}

const KINDS = ["handheld", "pos"] as const;

/** Which kind is looked at stands in the address: a link leads there. */
function kindShown(): (typeof KINDS)[number] {
  return new URLSearchParams(location.search).get("kind") === "pos" ? "pos" : "handheld";
}

void startPage(() => {
  const kind = kindShown();
  chips(
    byId("kind"),
    KINDS.map((each) => [each, named("terminals.kind", each)] as const),
    kind,
    (chosen) => location.assign(chosen === "pos" ? "/terminals?kind=pos" : "/terminals"),
  );
  const shown = kind === "pos" ? new PosPage() : new TerminalsPage();
  poll(() => shown.load(), REFRESH_MS);
});
