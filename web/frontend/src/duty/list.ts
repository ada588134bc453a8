/** The duty page's lists: alarms, junctions, what was sent to cabinets, what the watchdog found. */
import { read, readAll } from "../api/client";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { fact } from "../panels/figures";
import { chips, Desk } from "../shell/desk";
import { byId, h, replace, write } from "../shell/dom";
import { hasRole } from "../shell/page";
import { emptyState, errorState } from "../shell/states";
import { counted, named, text, wholeNumber } from "../shell/text";
import { offerNetworks } from "../signals/network_choice";
import { groupWords } from "../signals/groups";
import { doneWords, effectTable, requestFacts, stateTag, vehicleWords } from "./priority";
import type { Alarm, DayFinding, Overview, PriorityEffects, PriorityRequest, PriorityRequests, SentPlan, SignalNow } from "./types";
import { acknowledgeButton, ago, outcomeTag, said, seenTag, severityTag, told, workButton } from "./words";

const VIEWS = ["alarms", "over", "junctions", "sent", "priority", "findings"] as const;
type View = (typeof VIEWS)[number];
const SHOWN = 100;

export function junctionAddress(network: string, signal: string): string {
  return `/signals/duty/${network}/${encodeURIComponent(signal)}`;
}

export function percentText(share: number | null): string {
  return share === null ? text("duty.unknown") : `${wholeNumber(share * 100)} %`;
}

export class DutyPage {
  private readonly place = byId("rows");
  private readonly desk = new Desk(this.place, () => this.draw());
  private readonly mayAct = hasRole("engineer", "administrator");
  private readonly mayRaise = hasRole("engineer", "operator", "administrator");
  private view: View = "alarms";
  private network = "";
  private alarms: readonly Alarm[] = [];
  private over: readonly Alarm[] = [];
  private signals: readonly SignalNow[] = [];
  private sent: readonly SentPlan[] = [];
  private findings: readonly DayFinding[] = [];
  private asked: readonly PriorityRequest[] = [];
  private effect: PriorityEffects | null = null;
  private workLate = 0;
  private read = false;

  constructor() {
    const asked = new URLSearchParams(location.search).get("view");
    this.view = VIEWS.find((each) => each === asked) ?? "alarms";
    chips(byId("view"), VIEWS.map((each) => [each, named("duty.view", each)] as const), this.view, (chosen) => {
      this.view = chosen;
      this.desk.close();
      this.draw();
    });
    byId<HTMLSelectElement>("network").addEventListener("change", (event) => {
      this.network = (event.target as HTMLSelectElement).value;
      this.desk.close();
      void this.load();
    });
  }

  async start(): Promise<void> {
    try {
      const asked = new URLSearchParams(location.search).get("network");
      const { first } = await offerNetworks(byId("network"), asked);
      if (!first) {
        replace(this.place, emptyState(text("signals.none"), text("signals.none_advice")));
        return;
      }
      this.network = first.id;
    } catch (error) {
      replace(this.place, errorState(error, () => void this.start()));
    }
  }

  async load(): Promise<void> {
    if (!this.network) return;
    const home = `/api/v1/signal-networks/${this.network}`;
    try {
      const [open, over, overview, sent, findings, asked, effect, work] = await Promise.all([
        readAll<Alarm>(`${home}/alarms`, { state: "open", limit: 500 }),
        read<{ items: Alarm[] }>(`${home}/alarms`, { state: "cleared", limit: SHOWN }),
        read<Overview>(`${home}/overview`),
        read<{ items: SentPlan[] }>(`${home}/cabinet-acts`, { limit: SHOWN }),
        read<{ items: DayFinding[] }>(`${home}/findings`, { days: 7 }),
        read<PriorityRequests>(`${home}/priority-requests`, { limit: SHOWN }),
        read<PriorityEffects>(`${home}/priority-effect`, { hours: 24 }),
        read<{ counts: Record<string, number> }>("/api/v1/signal-work-orders", { network_id: this.network, limit: 1 }),
      ]);
      this.asked = asked.items;
      this.workLate = work.counts["overdue"] ?? 0;
      this.effect = effect;
      this.alarms = [...open].sort(gravest);
      this.over = over.items;
      this.signals = overview.signals;
      this.sent = sent.items;
      this.findings = findings.items;
      this.read = true;
      this.desk.wasRead();
      this.draw();
      document.body.dataset["network"] = this.network;
    } catch (error) {
      if (!this.read) replace(this.place, errorState(error, () => void this.load()));
    }
  }

  private title(signal: string): string {
    const known = this.signals.find((each) => each.signal === signal);
    const name = known ? said(known.title) : "";
    return name && name !== signal ? `${signal} ${name}` : signal;
  }

  private draw(): void {
    if (!this.read) return;
    const focused = (document.activeElement as HTMLElement | null)?.dataset["row"];
    const without = this.signals.filter((each) => each.heard_at !== null && each.alarms === 0).length;
    write(
      byId("summary"),
      [
        counted("duty.open", this.alarms.length),
        text("duty.unseen", { n: this.alarms.filter((each) => each.acknowledged_at === null).length }),
        text("duty.without", { n: without, total: this.signals.length }),
        ...(this.workLate > 0 ? [`▲ ${text("duty.work_late", { n: this.workLate })}`] : []),
      ].join(" · "),
    );
    const rows = this.rows();
    replace(
      this.place,
      this.view === "priority" && this.effect ? effectTable(this.effect) : null,
      rows.length === 0
        ? emptyState(named("duty.empty", this.view), named("duty.empty_advice", this.view))
        : h("ul", { class: "duty-list" }, ...rows.map((each) => h("li", {}, each))),
    );
    if (focused) this.place.querySelector<HTMLElement>(`[data-row="${focused}"]`)?.focus({ preventScroll: true });
  }

  private rows(): HTMLElement[] {
    switch (this.view) {
      case "alarms":
        return this.alarms.map((each) => this.alarmRow(each));
      case "over":
        return this.over.map((each) => this.alarmRow(each));
      case "junctions":
        return [...this.signals].sort(worst).map((each) => this.signalRow(each));
      case "sent":
        return this.sent.map((each) => this.sentRow(each));
      case "priority":
        return this.asked.map((each) => this.askedRow(each));
      case "findings":
        return this.findings.map((each, number) => this.findingRow(each, number));
    }
  }

  private alarmRow(alarm: Alarm): HTMLElement {
    return this.desk.row(
      alarm.id,
      () => void this.openAlarm(alarm),
      h("span", { class: "desk-top" }, h("strong", {}, this.title(alarm.signal)), severityTag(alarm)),
      h("span", {}, said(alarm.what)),
      h(
        "span",
        { class: "desk-top" },
        h("span", { class: "item-facts" }, text("duty.since_ago", { ago: ago(alarm.since_at) })),
        seenTag(alarm),
      ),
    );
  }

  private openAlarm(alarm: Alarm): Promise<void> {
    return this.desk.open(alarm.id, this.title(alarm.signal), () => Promise.resolve(this.alarmCase(alarm)));
  }

  private alarmCase(alarm: Alarm): HTMLElement {
    const mayAcknowledge = this.mayAct && alarm.acknowledged_at === null;
    return h(
      "div",
      { class: "case case-plain" },
      h(
        "section",
        { class: "panel-section" },
        h("p", { class: "tags" }, severityTag(alarm), seenTag(alarm)),
        h("p", { class: "duty-what" }, said(alarm.what)),
        told(alarm),
        h(
          "p",
          { class: "panel-acts" },
          mayAcknowledge
            ? acknowledgeButton(this.network, alarm, async (done) => {
                await this.load();
                await this.openAlarm(done);
              })
            : null,
          this.mayRaise && alarm.cleared_at === null ? workButton(alarm) : null,
          h("a", { class: "button", href: junctionAddress(this.network, alarm.signal) }, text("duty.open_junction")),
        ),
      ),
    );
  }

  private signalRow(signal: SignalNow): HTMLElement {
    const tag =
      signal.reporters === 0
        ? h("span", { class: "tag" }, text("duty.not_reported"))
        : signal.alarms > 0
          ? h("span", { class: signal.severe ? "tag tag-danger" : "tag tag-warning" }, counted("duty.open", signal.alarms))
          : signal.heard_at === null
            ? h("span", { class: "tag" }, `? ${text("duty.unknown")}`)
            : h("span", { class: "tag tag-good" }, `✓ ${text("duty.in_order")}`);
    return this.desk.row(
      `signal-${signal.signal}`,
      () => void this.openSignal(signal),
      h("span", { class: "desk-top" }, h("strong", {}, this.title(signal.signal)), tag),
      h(
        "span",
        { class: "item-facts" },
        `${text("duty.heard", { ago: ago(signal.heard_at) })} · ${text("duty.believed", { n: signal.believed, total: signal.detectors })}`,
      ),
    );
  }

  private openSignal(signal: SignalNow): Promise<void> {
    return this.desk.open(`signal-${signal.signal}`, this.title(signal.signal), () =>
      Promise.resolve(
        h(
          "div",
          { class: "case case-plain" },
          h(
            "section",
            { class: "panel-section" },
            h("dl", { class: "facts" }, ...signalFacts(signal)),
            h(
              "p",
              { class: "panel-acts" },
              h(
                "a",
                { class: "button button-primary", href: junctionAddress(this.network, signal.signal) },
                text("duty.open_junction"),
              ),
            ),
          ),
        ),
      ),
    );
  }

  private sentRow(sent: SentPlan): HTMLElement {
    return this.desk.row(
      sent.id,
      () =>
        void this.desk.open(sent.id, this.title(sent.signal), () =>
          Promise.resolve(
            h(
              "div",
              { class: "case case-plain" },
              h("section", { class: "panel-section" }, h("p", { class: "tags" }, outcomeTag(sent)), sentSteps(sent)),
            ),
          ),
        ),
      h("span", { class: "desk-top" }, h("strong", {}, this.title(sent.signal)), outcomeTag(sent)),
      h(
        "span",
        { class: "item-facts" },
        `${text("duty.asked", { at: exactly(instant(sent.asked_at)) })}${sent.steps.length ? ` · ${sent.steps[sent.steps.length - 1] ?? ""}` : ""}`,
      ),
    );
  }

  private askedRow(asked: PriorityRequest): HTMLElement {
    const open = (): Promise<void> =>
      this.desk.open(asked.id, this.title(asked.signal), async () => {
        const words = await groupWords(`/api/v1/signal-networks/${this.network}/signals/${encodeURIComponent(asked.signal)}`);
        return h(
          "div",
          { class: "case case-plain" },
          h(
            "section",
            { class: "panel-section" },
            h("p", { class: "tags" }, h("strong", {}, vehicleWords(asked)), stateTag(asked)),
            requestFacts(asked, words),
            h("p", { class: "panel-acts" }, h("a", { class: "button", href: junctionAddress(this.network, asked.signal) }, text("duty.open_junction"))),
          ),
        );
      });
    return this.desk.row(
      asked.id,
      () => void open(),
      h("span", { class: "desk-top" }, h("strong", {}, `${this.title(asked.signal)} · ${vehicleWords(asked)}`), stateTag(asked)),
      h("span", { class: "item-facts" }, doneWords(asked)),
    );
  }

  private findingRow(found: DayFinding, number: number): HTMLElement {
    const address = junctionAddress(this.network, found.signal);
    return this.desk.row(
      `finding-${number}`,
      () => location.assign(address),
      h(
        "span",
        { class: "desk-top" },
        h("strong", {}, this.title(found.signal)),
        h(
          "span",
          { class: found.severity === "high" ? "tag tag-danger" : "tag tag-warning" },
          `${found.severity === "high" ? "▲" : "●"} ${found.day}`,
        ),
      ),
      h("span", {}, said(found.words)),
    );
  }
}

/** What is grave and unseen stands first, then what began last. */
function gravest(a: Alarm, b: Alarm): number {
  const rank = (each: Alarm): number =>
    (each.severity === "high" ? 0 : 2) + (each.acknowledged_at === null ? 0 : 1);
  return rank(a) - rank(b) || instant(b.since_at) - instant(a.since_at);
}

function worst(a: SignalNow, b: SignalNow): number {
  return b.severe - a.severe || b.alarms - a.alarms || a.signal.localeCompare(b.signal);
}

export function signalFacts(signal: SignalNow): HTMLElement[] {
  const rate = signal.cycles ? signal.split_failures / signal.cycles : null;
  const pairs = [
    fact(text("duty.plan"), signal.plan || text("duty.unknown")),
    fact(text("duty.plan_since"), signal.plan_since ? exactly(instant(signal.plan_since)) : text("duty.unknown")),
    fact(text("duty.last_heard"), signal.reporters ? ago(signal.heard_at) : text("duty.not_reported")),
    fact(
      text("duty.detectors"),
      signal.detectors ? text("duty.believed", { n: signal.believed, total: signal.detectors }) : text("duty.unknown"),
    ),
    fact(text("duty.failing"), rate === null ? text("duty.unknown") : `${percentText(rate)} (${signal.split_failures} / ${signal.cycles})`),
    // A share of two cars says little: how many there were stands beside it.
    fact(
      text("duty.on_green"),
      signal.on_green === null ? text("duty.unknown") : `${percentText(signal.on_green)} (${Math.round(signal.on_green * signal.arrivals)} / ${signal.arrivals})`,
    ),
  ];
  return pairs;
}

export function sentSteps(sent: SentPlan): HTMLElement {
  return h(
    "div",
    {},
    h(
      "p",
      { class: "item-facts" },
      [
        text("duty.asked", { at: exactly(instant(sent.asked_at)) }),
        sent.ended_at ? text("duty.ended", { at: exactly(instant(sent.ended_at)) }) : null,
        sent.plan_number === null ? null : text("duty.plan_number", { n: sent.plan_number }),
      ]
        .filter(Boolean)
        .join(" · "),
    ),
    sent.steps.length
      ? h("ol", { class: "duty-steps" }, ...sent.steps.map((each) => h("li", {}, each)))
      : h("p", { class: "note" }, text("duty.no_steps")),
  );
}
