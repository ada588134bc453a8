/** One junction: its alarms, pictures from its own events, detectors, hours, and what was sent to it. */
import { act, actKey, read, withQuery } from "../api/client";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { fact } from "../panels/figures";
import { chips } from "../shell/desk";
import { byId, h, replace, svg, write } from "../shell/dom";
import { showForm } from "../shell/form";
import { hasRole } from "../shell/page";
import { emptyState, errorState, skeleton } from "../shell/states";
import { named, text, wholeNumber } from "../shell/text";
import { groupWords } from "../signals/groups";
import { Lights } from "./lights";
import { OverridePanel } from "./override";
import { PriorityPanel } from "./priority";
import { percentText, sentSteps, signalFacts } from "./list";
import type { Alarm, DayFinding, DetectorHealth, DetectorUse, Overview, ProfileHour, SentPlan, SignalNow } from "./types";
import { acknowledgeButton, ago, outcomeTag, said, seenTag, severityTag, table, told, workButton } from "./words";

const SPANS = ["hour", "three", "day"] as const;
type Span = (typeof SPANS)[number];
const HOURS: Readonly<Record<Span, number>> = { hour: 1, three: 3, day: 24 };
const HOUR_MS = 3_600_000;
const ROUND_MS = 60_000;
const STATE_TAGS: Readonly<Record<DetectorHealth["state"], string>> = {
  ok: "tag tag-good",
  stuck: "tag tag-danger",
  chattering: "tag tag-danger",
  silent: "tag tag-danger",
  unknown: "tag",
};
const BAR_W = 24;
const BAR_H = 80;

export class JunctionPage {
  private readonly network: string;
  private readonly name: string;
  private readonly home: string;
  private readonly mayAct = hasRole("engineer", "administrator");
  private readonly mayRaise = hasRole("engineer", "operator", "administrator");
  private span: Span = "hour";

  constructor(subject: string) {
    const cut = subject.indexOf("/");
    this.network = subject.slice(0, cut);
    this.name = subject.slice(cut + 1);
    this.home = `/api/v1/signal-networks/${this.network}/signals/${encodeURIComponent(this.name)}`;
    byId<HTMLAnchorElement>("file").href = `/signals/maintenance/${this.network}/${encodeURIComponent(this.name)}`;
    byId<HTMLAnchorElement>("back").href = `/signals/duty?network=${this.network}`;
    chips(byId("span"), SPANS.map((each) => [each, named("duty.span", each)] as const), this.span, (chosen) => {
      this.span = chosen;
      void this.pictures();
    });
  }

  async start(): Promise<void> {
    write(byId("junction-name"), this.name);
    await this.load();
    const lights = new Lights(`${this.home}/lights`);
    lights.start();
    new OverridePanel(this.home, this.name, this.mayAct, lights).start();
    new PriorityPanel(this.network, this.name, lights).start();
    void this.nameGroups(lights);
    void this.pictures();
  }

  private async nameGroups(lights: Lights): Promise<void> {
    lights.words = await groupWords(this.home);
  }

  async load(): Promise<void> {
    const network = `/api/v1/signal-networks/${this.network}`;
    try {
      const [overview, open, over, health, uses, hours, sent, findings] = await Promise.all([
        read<Overview>(`${network}/overview`),
        read<{ items: Alarm[] }>(`${network}/alarms`, { state: "open", signal: this.name, limit: 100 }),
        read<{ items: Alarm[] }>(`${network}/alarms`, { state: "cleared", signal: this.name, limit: 10 }),
        read<{ detectors: DetectorHealth[] }>(`${this.home}/detector-health`),
        read<{ detectors: DetectorUse[] }>(`${this.home}/detectors`),
        read<{ hours: ProfileHour[] }>(`${this.home}/profile`),
        read<{ items: SentPlan[] }>(`${network}/cabinet-acts`, { signal: this.name, limit: 10 }),
        read<{ items: DayFinding[] }>(`${network}/findings`, { signal: this.name, days: 7 }),
      ]);
      const now = overview.signals.find((each) => each.signal === this.name);
      if (now) this.head(now, overview.at);
      this.alarms([...open.items, ...over.items]);
      this.detectors(health.detectors, uses.detectors);
      this.hours(hours.hours, uses.detectors);
      this.sent(sent.items);
      this.findings(findings.items);
      byId("work").hidden = false;
      byId("problem").replaceChildren();
      document.body.dataset["junction"] = this.name;
    } catch (error) {
      if (byId("work").hidden) replace(byId("problem"), errorState(error, () => void this.load()));
    }
  }

  private head(now: SignalNow, at: string): void {
    const title = said(now.title);
    write(byId("junction-name"), title && title !== this.name ? `${this.name} ${title}` : this.name);
    write(byId("age"), text("post.age", { age: ago(at) }));
    replace(
      byId("facts"),
      ...signalFacts(now),
      fact(text("duty.last_sent"), now.last_act ? named("duty.outcome", now.last_act.status) : text("duty.nothing_sent")),
    );
  }

  private alarms(items: readonly Alarm[]): void {
    replace(
      byId("alarms"),
      items.length === 0
        ? emptyState(text("duty.empty.alarms"), text("duty.empty_advice.alarms"))
        : h(
            "ul",
            { class: "duty-alarms" },
            ...items.map((each) =>
              h(
                "li",
                { class: "duty-alarm" },
                h("p", { class: "tags" }, severityTag(each), seenTag(each)),
                h("p", { class: "duty-what" }, said(each.what)),
                each.cleared_at === null ? told(each) : h("p", { class: "item-facts" }, text("duty.cleared_at", { at: exactly(instant(each.cleared_at)) })),
                this.mayAct && each.cleared_at === null && each.acknowledged_at === null
                  ? h("p", {}, acknowledgeButton(this.network, each, () => this.load()))
                  : null,
                this.mayRaise && each.cleared_at === null ? h("p", {}, workButton(each)) : null,
              ),
            ),
          ),
    );
  }

  private async pictures(): Promise<void> {
    const place = byId("pictures");
    replace(place, skeleton(2, "card"));
    const until = Math.floor(Date.now() / ROUND_MS) * ROUND_MS;
    const query = {
      from_at: new Date(until - HOURS[this.span] * HOUR_MS).toISOString(),
      until_at: new Date(until).toISOString(),
    };
    const asked = this.span;
    try {
      const { items } = await read<{ items: string[] }>(`${this.home}/pictures`, query);
      if (asked !== this.span) return;
      replace(
        place,
        ...items.map((each) => {
          const address = withQuery(`${this.home}/pictures/${encodeURIComponent(each)}`, query);
          const words = pictureWords(each);
          return h(
            "figure",
            { class: "duty-picture" },
            h("a", { href: address, target: "_blank", rel: "noopener" }, h("img", { src: address, alt: words, loading: "lazy", width: 960, height: 420 })),
            h("figcaption", { class: "item-facts" }, words),
          );
        }),
        items.length ? null : emptyState(text("duty.no_pictures"), text("duty.no_pictures_advice")),
      );
    } catch (error) {
      replace(place, errorState(error, () => void this.pictures()));
    }
  }

  private detectors(items: readonly DetectorHealth[], uses: readonly DetectorUse[]): void {
    replace(
      byId("detectors"),
      items.length === 0
        ? emptyState(text("duty.no_detectors"), text("duty.no_detectors_advice"))
        : table(
            [text("duty.channel"), text("duty.use"), text("duty.state"), text("duty.counted"), text("duty.stands_for"), text("duty.bin")],
            items.map((each) => [
              String(each.channel),
              usesWords(each.channel, uses),
              h("span", { class: STATE_TAGS[each.state] }, `${each.state === "ok" ? "✓" : each.state === "unknown" ? "?" : "▲"} ${named("duty.detector", each.state)}`),
              each.vehicles === null ? text("duty.unknown") : wholeNumber(each.vehicles),
              each.imputed === null ? "–" : `≈ ${wholeNumber(each.imputed)} (${named("duty.source", each.source ?? "")})`,
              exactly(instant(each.from_at)),
            ]),
            `${this.name} · ${text("duty.detectors")}`,
          ),
    );
  }

  private hours(items: readonly ProfileHour[], uses: readonly DetectorUse[]): void {
    const channels = [...new Set(items.map((each) => each.channel))].filter((channel) =>
      uses.every((use) => use.channel !== channel || use.function !== "presence"),
    );
    replace(
      byId("hours"),
      channels.length === 0
        ? emptyState(text("duty.no_hours"), text("duty.no_hours_advice"))
        : h(
            "div",
            { class: "duty-hours" },
            ...channels.map((channel) => hourBars(channel, items.filter((each) => each.channel === channel), usesWords(channel, uses))),
          ),
    );
  }

  private sent(items: readonly SentPlan[]): void {
    const last = items[0];
    const settled = last && last.status !== "waiting" && last.status !== "sending";
    replace(
      byId("send-again"),
      this.mayAct && settled
        ? h("button", { class: "button", type: "button", onclick: () => this.sendAgain() }, text("duty.send_again"))
        : null,
    );
    replace(
      byId("sent"),
      items.length === 0
        ? emptyState(text("duty.empty.sent"), text("duty.empty_advice.sent"))
        : h("ul", { class: "duty-alarms" }, ...items.map((each) => h("li", { class: "duty-alarm" }, h("p", { class: "tags" }, outcomeTag(each)), sentSteps(each)))),
    );
  }

  /** A signal moves by it: the consequence is said first. */
  private sendAgain(): void {
    const key = actKey();
    showForm({
      title: text("duty.send_again"),
      parts: [h("p", {}, text("duty.send_again_means"))],
      submit: text("duty.send_again"),
      send: async () => {
        await act("POST", `${this.home}/cabinet/acts`, {}, key);
        await this.load();
        return named("duty.outcome", "waiting");
      },
    });
  }

  private findings(items: readonly DayFinding[]): void {
    replace(
      byId("findings"),
      items.length === 0
        ? emptyState(text("duty.empty.findings"), text("duty.empty_advice.findings"))
        : h("ul", { class: "duty-alarms" }, ...items.map((each) => h("li", { class: "duty-alarm" }, h("p", { class: "item-facts" }, each.day), h("p", {}, said(each.words))))),
    );
  }
}

function usesWords(channel: number, uses: readonly DetectorUse[]): string {
  const mine = uses.filter((each) => each.channel === channel);
  return mine.map((each) => text("duty.use_of", { function: named("duty.function", each.function), phase: each.phase })).join(", ");
}

/** `coordination-J01-1.svg`: the kind first, the phase last where it has one. */
function pictureWords(name: string): string {
  const kind = name.slice(0, name.indexOf("-"));
  const last = name.slice(name.lastIndexOf("-") + 1).replace(".svg", "");
  const words = named("duty.picture", kind);
  return kind === "terminations" ? words : `${words} · ${text("duty.phase", { n: last })}`;
}

function hourBars(channel: number, items: readonly ProfileHour[], words: string): HTMLElement {
  const most = Math.max(...items.map((each) => each.vehicles), 1);
  const chart = svg(
    "svg",
    { viewBox: `0 0 ${24 * BAR_W} ${BAR_H + 18}`, class: "hour-bars", role: "img", "aria-label": `${text("duty.channel")} ${channel}: ${words}` },
    ...items.map((each) => {
      const tall = (each.vehicles / most) * BAR_H;
      return svg(
        "rect",
        { x: each.hour * BAR_W + 2, y: BAR_H - tall, width: BAR_W - 4, height: tall, class: each.imputed_share > 0 ? "hour-bar hour-bar-imputed" : "hour-bar" },
        svg("title", {}, text("duty.hour_words", { hour: each.hour, n: wholeNumber(each.vehicles), days: each.days, imputed: percentText(each.imputed_share) })),
      );
    }),
    ...[0, 6, 12, 18].map((hour) => svg("text", { x: hour * BAR_W, y: BAR_H + 15, class: "hour-mark" }, `${hour}:00`)),
  );
  return h(
    "figure",
    {},
    h("figcaption", {}, `${text("duty.channel")} ${channel} · ${words} · ${text("duty.most", { n: wholeNumber(most) })}`),
    chart,
    h(
      "details",
      {},
      h("summary", {}, text("schedules.as_table")),
      table(
        [text("duty.hour"), text("duty.vehicles"), text("duty.spread"), text("duty.days"), text("duty.imputed")],
        items.map((each) => [`${each.hour}:00`, wholeNumber(each.vehicles), wholeNumber(each.spread), String(each.days), percentText(each.imputed_share)]),
        `${text("duty.hours")} ${channel}`,
      ),
    ),
  );
}
