/** The evidence timeline: the same for driver, attendant, operator and auditor. */
import "../../styles/timeline.css";
import { read } from "../api/client";
import type { Bill, Evidence, StayTimeline } from "../api/types";
import { flatFields } from "../format/frames";
import { instant } from "../format/time";
import { exactly, lastingText, moment, percent } from "../format/words";
import { evidenceSection } from "../panels/evidence";
import { plateLabel } from "../plates/label";
import { zone } from "../shell/clock";
import { h, replace, svg } from "../shell/dom";
import { seesEvidence } from "../shell/page";
import { emptyState, errorState, skeleton } from "../shell/states";
import { locale, named, text } from "../shell/text";
import { photosOf } from "./photos";
import { byDay, cameLate, story, type Entry, type Witness } from "./words";

/** State is shape and word, never colour alone: each witness has its own mark. */
const MARKS: Readonly<Record<Witness, string>> = {
  sensor: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 0 1 0-11z",
  gate: "M8 2l6.5 11.5h-13z",
  camera: "M2 4h12v8.5H2z",
  attendant: "M8 1.5L14.5 8L8 14.5L1.5 8z",
  driver: "M3 3h10v10H3z",
  system: "M5 2h6l3 4v4l-3 4H5l-3-4V6z",
  paper: "M3.5 1.5h6l3 3v10h-9z",
};

function mark(witness: Witness): SVGElement {
  return svg(
    "svg",
    { class: "said-mark", viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: MARKS[witness] }),
  );
}

function clock(atMs: number): string {
  return new Intl.DateTimeFormat(locale(), {
    timeZone: zone(),
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(atMs);
}

function dayText(atMs: number): string {
  return new Intl.DateTimeFormat(locale(), { timeZone: zone(), dateStyle: "full" }).format(atMs);
}

function written(detail: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = detail[name];
  return typeof value === "string" && value !== "" ? value : null;
}

/** What an entry says beyond its title, in words. */
function facts(entry: Entry): string[] {
  const said = entry.evidence;
  if (!said) return [];
  const found: string[] = [];
  const { detail } = said;
  const certain = written(detail, "certain_until");
  if (certain) found.push(text("story.certain_until", { at: exactly(instant(certain)) }));
  const until = written(detail, "until");
  if (until) found.push(text("story.until", { at: moment(instant(until)) }));
  const gate = written(detail, "gate");
  if (gate) found.push(text("story.gate", { gate }));
  const where = written(detail, "where");
  if (where) found.push(where);
  const aside = written(detail, "as");
  if (aside) found.push(named("set_aside", aside));
  if (entry.lane === "street") {
    const reason = written(detail, "reason");
    if (reason) found.push(named("closing", reason));
  }
  if (cameLate(entry) && entry.heardMs !== null) {
    found.push(
      text("story.heard_later", {
        at: exactly(entry.heardMs),
        later: lastingText(entry.atMs, entry.heardMs),
      }),
    );
  }
  return found;
}

/** For staff alone: who or what exactly spoke, how sure, and the ids that it names. */
function raw(entry: Entry): HTMLElement | null {
  const said = entry.evidence;
  if (!said || said.by === null) return null;
  const fields: [string, string][] = [
    [text("story.by"), said.by],
    [text("story.heard"), exactly(instant(said.recorded_at))],
    [text("bay.sure"), `${percent(said.certainty)} %`],
    ...flatFields(said.detail),
  ];
  return h(
    "details",
    { class: "said-raw" },
    h("summary", {}, text("story.raw")),
    h(
      "dl",
      { class: "fields" },
      ...fields.map(([name, value]) =>
        h("div", { class: "field-pair" }, h("dt", {}, name), h("dd", {}, value)),
      ),
    ),
  );
}

function entryItem(entry: Entry): HTMLElement {
  const said = entry.evidence;
  const more = facts(entry);
  return h(
    "li",
    {
      class: [
        "said",
        `said-${entry.lane}`,
        entry.corrects ? "said-corrects" : "",
        entry.doubtful ? "said-doubtful" : "",
        entry.witness === "paper" ? "said-paper" : "",
      ]
        .filter(Boolean)
        .join(" "),
      "data-kind": entry.kind,
    },
    h("time", { class: "said-at", datetime: new Date(entry.atMs).toISOString() }, clock(entry.atMs)),
    mark(entry.witness),
    h(
      "div",
      { class: "said-body" },
      h("p", { class: "said-title" }, named("said", entry.kind)),
      h(
        "p",
        { class: "said-by" },
        h("span", {}, named("witness", entry.witness)),
        entry.corrects ? h("span", { class: "tag tag-warning" }, text("story.correction")) : null,
        said?.read_as
          ? plateLabel(said.read_as)
          : said?.plate
            ? plateLabel(said.plate)
            : null,
      ),
      ...more.map((words) => h("p", { class: "said-fact" }, words)),
      entry.reason === null ? null : h("blockquote", { class: "said-why" }, entry.reason),
      raw(entry),
    ),
  );
}

/** What the stay came to, above all that was said of it. */
function outcome(found: StayTimeline): HTMLElement {
  const { session } = found;
  const fromMs = instant(session.opened_at);
  const toMs = session.closed_at ? instant(session.closed_at) : null;
  return h(
    "p",
    { class: "story-outcome" },
    h(
      "strong",
      {},
      toMs === null
        ? text("story.open_since", { at: moment(fromMs), lasting: lastingText(fromMs) })
        : text("story.counted", {
            from: moment(fromMs),
            to: moment(toMs),
            lasting: lastingText(fromMs, toMs),
          }),
    ),
    session.hold ? h("span", { class: "tag tag-warning" }, named("hold", session.hold)) : null,
    session.set_aside ? h("span", { class: "tag" }, named("set_aside", session.set_aside)) : null,
    found.parts.length ? h("span", { class: "tag" }, text("story.parts", { n: found.parts.length })) : null,
  );
}

/** Raw frames of the bay's sensor, for staff, on demand. */
function frames(bayId: string): HTMLElement {
  const place = h("div", {});
  const open = (): void => {
    replace(place, skeleton(3, "line"));
    read<Evidence>(`/api/v1/bays/${bayId}/evidence`).then(
      (found) => replace(place, evidenceSection(found)),
      (error: unknown) => replace(place, errorState(error, open)),
    );
  };
  replace(place, h("button", { class: "button", type: "button", onclick: open }, text("story.frames")));
  return place;
}

export function timeline(found: StayTimeline, bill: Bill | null): HTMLElement {
  const days = byDay(story(found, bill), zone());
  const { bay_id: bayId } = found.session;
  return h(
    "div",
    { class: "story-box" },
    outcome(found),
    days.length === 0
      ? emptyState(text("story.none"), text("story.none_advice"))
      : h(
          "div",
          { class: "story" },
          h(
            "p",
            { class: "story-lanes", "aria-hidden": "true" },
            h("span", {}, text("story.lane.street")),
            h("span", {}, text("story.lane.people")),
          ),
          ...days.map(([, entries]) => {
            const day = dayText(entries[0]?.atMs ?? 0);
            return h(
              "div",
              { class: "story-day" },
              h("p", { class: "story-date", "aria-hidden": "true" }, day),
              h("ol", { "aria-label": day }, ...entries.map(entryItem)),
            );
          }),
        ),
    seesEvidence() && bayId ? frames(bayId) : null,
  );
}

/** The timeline of a stay with its heading, read when it is shown. */
export function timelineSection(sessionId: string, bill: Bill | null): HTMLElement {
  const place = h("div", {}, skeleton(5, "line"));
  const load = (): void => {
    replace(place, skeleton(5, "line"));
    read<StayTimeline>(`/api/v1/sessions/${sessionId}/evidence`).then(
      (found) => replace(place, timeline(found, bill)),
      (error: unknown) => replace(place, errorState(error, load)),
    );
  };
  load();
  return h(
    "section",
    { class: "panel-section story-section", "aria-label": text("story.title") },
    h("h3", {}, text("story.title")),
    place,
    photosOf(sessionId),
  );
}
