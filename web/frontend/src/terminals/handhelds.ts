/** Attendants' handhelds: how they do, what they told that was refused, their codes, locks and ends. */
import { act, actKey, read } from "../api/client";
import type { Terminal, TerminalAct, TerminalCode } from "../api/types";
import { minorDigits, parseAmount } from "../format/money";
import { instant } from "../format/time";
import { agoText, exactly, price } from "../format/words";
import { fact } from "../panels/figures";
import { byId, h, replace } from "../shell/dom";
import { field, labelled, showForm } from "../shell/form";
import { errorState } from "../shell/states";
import { named, text, wholeNumber } from "../shell/text";
import { daySection } from "./day";
import { districtField, TerminalList } from "./list";

const MOST_REFUSED = 20;
const STATE_TAGS: Readonly<Record<Terminal["state"], string>> = {
  awaited: "tag",
  active: "tag tag-good",
  locked: "tag tag-danger",
  revoked: "tag",
};

/** Heard of by the wall clock: a demo's city has another one. */
function heardText(terminal: Terminal): string {
  return terminal.heard_at
    ? text("terminals.heard_ago", { ago: agoText(instant(terminal.heard_at), Date.now()) })
    : text("terminals.never");
}

export class HandheldsPage {
  private readonly list = new TerminalList<Terminal>({
    words: "terminals",
    path: "/api/v1/terminals",
    tags: STATE_TAGS,
    turns: { lock: "lock", unlock: "unlock", revoke: "revocation" },
    line: (terminal) => [h("span", { class: "item-facts" }, heardText(terminal))],
    content: (terminal) => this.content(terminal),
    register: () => this.register(),
  });

  load(): Promise<void> {
    return this.list.load();
  }

  private async content(terminal: Terminal): Promise<HTMLElement> {
    const refused = await read<{ items: TerminalAct[] }>("/api/v1/terminals/acts", {
      terminal_id: terminal.id,
      outcome: "refused",
      limit: MOST_REFUSED,
    });
    return h("div", { class: "case" }, this.facts(terminal), daySection(terminal.id), this.refused(refused.items));
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
      this.list.tags(terminal),
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
      this.list.mayAct && terminal.state !== "revoked" ? this.acts(terminal) : null,
    );
  }

  private acts(terminal: Terminal): HTMLElement {
    return h(
      "p",
      { class: "panel-acts" },
      terminal.state === "active" ? this.list.turnButton(terminal, "lock", "button button-primary") : null,
      terminal.state === "locked" ? this.list.turnButton(terminal, "unlock", "button button-primary") : null,
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
      this.list.turnButton(terminal, "revoke"),
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
        await this.list.load();
        void this.list.open(done);
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

  private async register(): Promise<void> {
    const name = field("", { required: true, maxlength: 120 });
    const district = await districtField();
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
        await this.list.load();
        return null;
      },
    });
  }

  private async giveCode(terminal: Terminal): Promise<void> {
    try {
      this.showCode(await act<TerminalCode>("POST", `/api/v1/terminals/${terminal.id}/code`, {}));
    } catch (error) {
      replace(byId("case-content"), errorState(error, () => void this.list.open(terminal)));
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
      send: () => Promise.resolve(this.list.done(given.terminal)),
    });
  }
}
