/** Schedules: counts imported, day types and times of day, which plan runs when, and who approved. */
import "../styles/base.css";
import "../styles/signals.css";
import "../styles/schedules.css";
import { act, ProblemError, read, withQuery } from "./api/client";
import { busiest, dateStrip, dayStrip, legend, tonesOf } from "./schedules/strips";
import { SpecialDaysPart } from "./schedules/special";
import type { Counts, Day, Imported, Schedule, ScheduleDate, ScheduleDetail, ScheduleDocument } from "./schedules/types";
import { dayWords, kindWords, runsWords, statusTag } from "./schedules/words";
import { byId, h, replace, write } from "./shell/dom";
import { field, labelled, row, showForm, typedNumber } from "./shell/form";
import { hasRole, startPage } from "./shell/page";
import { emptyState, errorState, problemText, skeleton } from "./shell/states";
import { counted, language, text, wholeNumber } from "./shell/text";
import { offerNetworks } from "./signals/network_choice";

const LOOK_AGAIN_MS = 1_500;
const IMPORT_MS = 120_000;
const SHOWN = 24;
const CHUNK = 0x8000;

type Verb = "check" | "approval" | "entry" | "end" | "withdrawal";

const OPEN: Readonly<Record<string, readonly Verb[]>> = {
  waiting: ["withdrawal"],
  making: ["withdrawal"],
  draft: ["check", "withdrawal"],
  checked: ["approval", "withdrawal"],
  approved: ["entry", "withdrawal"],
  in_force: ["end"],
};

class SchedulesPage {
  private readonly mayDraw = hasRole("engineer", "administrator");
  private network = "";
  private counts: Counts = { signals: [] };
  private chosen: string | null = null;
  private timer = 0;

  constructor() {
    byId<HTMLSelectElement>("network").addEventListener("change", (event) =>
      void this.open((event.target as HTMLSelectElement).value),
    );
    byId("import-counts").addEventListener("click", () => this.importDialog());
    byId("ask").addEventListener("click", () => this.askDialog());
  }

  async start(): Promise<void> {
    replace(byId("schedules"), skeleton(2));
    try {
      const asked = new URLSearchParams(location.search).get("network");
      const { first } = await offerNetworks(byId("network"), asked);
      if (!first) {
        replace(byId("problem"), emptyState(text("signals.none"), text("signals.none_advice")));
        return;
      }
      await this.open(first.id);
    } catch (error) {
      replace(byId("problem"), errorState(error, () => void this.start()));
    }
  }

  private async open(id: string): Promise<void> {
    this.network = id;
    this.chosen = null;
    byId<HTMLSelectElement>("network").value = id;
    byId("schedule").hidden = true;
    byId("returned").replaceChildren();
    try {
      await this.showCounts();
      await this.list();
      byId("work").hidden = false;
      byId("problem").replaceChildren();
      document.body.dataset["network"] = id;
    } catch (error) {
      replace(byId("problem"), errorState(error, () => void this.open(id)));
    }
  }

  // --- counts -----------------------------------------------------------------------------------

  private async showCounts(): Promise<void> {
    const path = `/api/v1/signal-networks/${this.network}/counts`;
    this.counts = await read<Counts>(path);
    byId("import-counts").hidden = !this.mayDraw;
    byId("ask").hidden = !this.mayDraw || this.counts.signals.length === 0;
    for (const format of ["xlsx", "csv"]) {
      byId<HTMLAnchorElement>(`template-${format}`).href = withQuery(`${path}/template`, { format, language: language() });
    }
    replace(
      byId("counted"),
      this.counts.signals.length
        ? table(
            [text("signals.junction"), text("schedules.movements"), text("schedules.counted_days"), text("schedules.from_to")],
            this.counts.signals.map((each) => [each.signal, wholeNumber(each.movements), wholeNumber(each.days), `${each.first} – ${each.last}`]),
          )
        : emptyState(text("schedules.no_counts"), text("schedules.no_counts_advice")),
    );
  }

  private importDialog(): void {
    const file = h("input", { class: "input", type: "file", accept: ".xlsx,.csv", required: true });
    showForm({
      title: text("schedules.import"),
      parts: [labelled("counts-file", text("schedules.file"), file, text("schedules.file_hint"))],
      submit: text("schedules.import"),
      send: async () => {
        const chosen = file.files?.[0];
        if (!chosen) return null;
        // A workbook travels as it is; so does text, whatever its code: the server reads both.
        const content = base64(new Uint8Array(await chosen.arrayBuffer()));
        const made = await act<Imported>("POST", `/api/v1/signal-networks/${this.network}/counts`, { file: content }, undefined, IMPORT_MS);
        await this.showCounts();
        replace(byId("returned"), returned(made));
        return counted("schedules.taken", made.taken);
      },
    });
  }

  // --- schedules --------------------------------------------------------------------------------

  private async list(): Promise<void> {
    const page = await read<{ items: Schedule[] }>("/api/v1/signal-schedules", { network_id: this.network, limit: SHOWN });
    replace(
      byId("schedules"),
      ...page.items.map((each) =>
        h(
          "button",
          {
            class: "plan-choice",
            type: "button",
            "data-schedule": each.id,
            "aria-pressed": String(each.id === this.chosen),
            onclick: () => void this.guarded(() => this.show(each.id)),
          },
          h("strong", {}, `${text("schedules.number", { n: each.number })} ${each.title}`),
          statusTag(each),
        ),
      ),
      page.items.length ? null : h("p", { class: "note" }, text("schedules.none")),
    );
  }

  private askDialog(): void {
    const first = this.counts.signals.map((each) => each.first).sort()[0] ?? "";
    const last = this.counts.signals.map((each) => each.last).sort().pop() ?? "";
    const title = field("", { maxlength: 40, required: true });
    const signals = h(
      "select",
      { class: "input", multiple: true, required: true, size: Math.min(6, Math.max(2, this.counts.signals.length)) },
      ...this.counts.signals.map((each) => h("option", { value: each.signal }, each.signal)),
    );
    const from = field(first, { type: "date", required: true });
    const to = field(last, { type: "date", required: true });
    const least = field(30, { type: "number", min: 15, max: 720, step: 15, required: true });
    const keep = h("input", { type: "checkbox", id: "keep-stages" });
    const chosen = (): string[] => [...signals.selectedOptions].map((each) => each.value);
    const special = new SpecialDaysPart(this.network, chosen);
    showForm({
      title: text("schedules.ask"),
      parts: [
        labelled("schedule-name", text("schedules.title_label"), title),
        labelled("schedule-signals", text("schedules.signals_label"), signals, text("schedules.signals_hint")),
        row(labelled("schedule-first", text("schedules.first"), from), labelled("schedule-last", text("schedules.last"), to)),
        labelled("schedule-least", text("schedules.least_min"), least),
        h("p", { class: "form-part" }, keep, " ", h("label", { for: "keep-stages" }, text("schedules.keep_stages"))),
        special.element,
      ],
      submit: text("schedules.ask"),
      send: async () => {
        const made = await act<Schedule>("POST", "/api/v1/signal-schedules", {
          network_id: this.network,
          title: title.value,
          signals: chosen(),
          first: from.value,
          last: to.value,
          least_min: typedNumber(least) ?? 30,
          keep_stages: keep.checked,
          exceptions: special.read(),
        });
        await this.show(made.id);
        return text("schedules.asked");
      },
    });
  }

  private async show(id: string): Promise<void> {
    window.clearTimeout(this.timer);
    this.chosen = id;
    const [detail] = await Promise.all([read<ScheduleDetail>(`/api/v1/signal-schedules/${id}`), this.list()]);
    if (this.chosen !== id) return;
    const { schedule } = detail;
    const settings = schedule.settings as { first: string; last: string };
    byId("schedule").hidden = false;
    byId("schedule").dataset["status"] = schedule.status;
    replace(byId("schedule-title"), `${text("schedules.number", { n: schedule.number })} ${schedule.title} `, statusTag(schedule));
    write(
      byId("schedule-facts"),
      text("schedules.facts", { signals: schedule.signals.join(", "), first: settings.first, last: settings.last, profile: schedule.profile }),
    );
    byId("schedule-problem").hidden = !schedule.problem;
    write(byId("schedule-problem"), schedule.problem ?? "");
    this.acts(schedule);
    const made = detail.document as ScheduleDocument | null;
    byId("made").hidden = !made;
    if (made) this.drawn(made, detail.dates);
    if (schedule.status === "waiting" || schedule.status === "making") {
      this.timer = window.setTimeout(() => void this.show(id).catch(() => undefined), LOOK_AGAIN_MS);
    }
  }

  private drawn(made: ScheduleDocument, dates: readonly ScheduleDate[]): void {
    const tones = tonesOf(made);
    const days = new Map(made.days.map((day) => [day.name, day]));
    const types = new Map(made.day_types.map((each) => [each.name, each]));
    replace(byId("legend"), legend(made, tones));
    replace(
      byId("days"),
      ...made.days.map((day) => {
        const type = types.get(day.base);
        return h(
          "section",
          { class: "day-card", "aria-label": dayWords(day.name) },
          h("h4", {}, dayWords(day.name)),
          h(
            "p",
            { class: "item-facts" },
            day.exception ? text("schedules.changes", { base: dayWords(day.base) }) : counted("schedules.day_counted", type?.counted_days ?? 0),
            ` · ${text("schedules.most", { n: wholeNumber(busiest(day)) })}`,
            type?.unlike.length ? ` · ${text("schedules.unlike", { days: type.unlike.join(", ") })}` : null,
          ),
          h("div", { class: "day-strip-box" }, dayStrip(day, tones)),
          h("details", {}, h("summary", {}, text("schedules.as_table")), dayTable(day)),
        );
      }),
    );
    replace(
      byId("calendar"),
      h(
        "ol",
        { class: "calendar-strip" },
        ...dates.map((date) => {
          const day = date.day === null ? undefined : days.get(date.day);
          return h(
            "li",
            { "data-date": date.date },
            h("span", { class: "calendar-date" }, date.date.slice(5), " ", weekday(date.date), date.kind === "holiday" || date.kind === "make-up" ? h("span", { class: "tag" }, kindWords(date.kind)) : null),
            day ? dateStrip(day, tones) : h("span", { class: "note" }, text("schedules.nothing")),
            h("span", { class: "item-facts" }, day ? dayWords(day.name) : null, date.calendar_published ? null : ` · ${text("schedules.unpublished")}`),
          );
        }),
      ),
    );
  }

  private acts(schedule: Schedule): void {
    const verbs = this.mayDraw ? (OPEN[schedule.status] ?? []) : [];
    replace(
      byId("acts"),
      ...verbs.map((verb, place) =>
        h(
          "button",
          {
            class: place === 0 && verb !== "withdrawal" && verb !== "end" ? "button button-primary" : "button",
            type: "button",
            "data-act": verb,
            onclick: () => void this.guarded(() => this.step(schedule, verb)),
          },
          text(`schedules.act_${verb}`),
        ),
      ),
    );
  }

  private async step(schedule: Schedule, verb: Verb): Promise<void> {
    const send = async (body: unknown): Promise<void> => {
      await act("POST", `/api/v1/signal-schedules/${schedule.id}/${verb}`, body);
      await this.show(schedule.id);
    };
    if (verb === "check" || verb === "approval") return send({});
    const reason = verb === "entry" ? null : field("", { maxlength: 200, required: true });
    showForm({
      title: text(`schedules.act_${verb}`),
      parts: [reason ? labelled("schedule-reason", text("signals.reason"), reason) : h("p", {}, text("schedules.entry_says"))],
      submit: text(`schedules.act_${verb}`),
      send: async () => {
        await send(reason ? { reason: reason.value } : {});
        return text("schedules.done");
      },
    });
    return Promise.resolve();
  }

  private async guarded(run: () => Promise<void>): Promise<void> {
    const problem = byId("act-problem");
    problem.hidden = true;
    try {
      await run();
    } catch (error) {
      problem.hidden = false;
      // Why four eyes or a conflict stand in the way is the server's to say.
      const told = error instanceof ProblemError && (error.status === 403 || error.status === 409);
      write(problem, told ? error.detail || problemText(error) : problemText(error));
    }
  }
}

function weekday(date: string): string {
  return new Intl.DateTimeFormat(language() === "zh" ? "zh-CN" : "en-GB", { weekday: "short", timeZone: "UTC" }).format(new Date(`${date}T00:00:00Z`));
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): HTMLElement {
  return h(
    "div",
    { class: "table-box" },
    h(
      "table",
      { class: "table" },
      h("thead", {}, h("tr", {}, ...headings.map((words) => h("th", { scope: "col" }, words)))),
      h(
        "tbody",
        {},
        ...rows.map((cells) => h("tr", {}, ...cells.map((words, place) => (place === 0 ? h("th", { scope: "row" }, words) : h("td", {}, words))))),
      ),
    ),
  );
}

function dayTable(day: Day): HTMLElement {
  const seconds = (value: number | null): string => (value === null ? "–" : text("schedules.seconds", { n: value.toFixed(1) }));
  return table(
    [text("schedules.time"), text("schedules.plan"), text("schedules.delay"), text("schedules.in_force_delay")],
    day.stretches.map((each) => [`${each.from}–${each.until}`, runsWords(each), seconds(each.delay_s), seconds(each.delay_in_force_s)]),
  );
}

function returned(made: Imported): HTMLElement {
  return h(
    "div",
    {},
    h("p", {}, [counted("schedules.taken", made.taken), made.gaps ? counted("schedules.gaps", made.gaps) : ""].filter(Boolean).join(" · ")),
    made.refused ? h("p", { class: "form-problem" }, counted("schedules.returned", made.refused)) : null,
    made.refused
      ? table(
          [text("schedules.row"), text("signals.junction"), text("schedules.column"), text("schedules.why")],
          made.refusals.map((each) => [String(each.row), each.junction, each.field, each.why]),
        )
      : null,
  );
}

void startPage(() => new SchedulesPage().start());
