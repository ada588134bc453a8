/** One candidate: the answer first, then what each figure is made of, then the way there. */
import type { NearBay } from "../api/types";
import { instant } from "../format/time";
import { exactly, inLanguage, moment, price } from "../format/words";
import { fact, sureness } from "../panels/figures";
import { businessTime } from "../shell/clock";
import { h, write } from "../shell/dom";
import { named, text, wholeNumber } from "../shell/text";
import { heardText, type Shown } from "./candidates";
import { whatIf } from "./what_if";
import type { Wish } from "./wish";
import { chanceText, metresText, minutesText, painted, restrictionsOf } from "./words";

const APPS = ["amap", "baidu", "apple", "google"] as const;
type App = (typeof APPS)[number];
const KEPT_APP = "greenbay.navigation_app";

/** The app that was opened last; else the one that the device is likely to have. */
function usualApp(): App {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEPT_APP);
  } catch {
    // Storage may be refused inside other apps: then nothing is remembered.
  }
  return APPS.find((app) => app === kept) ?? "amap";
}

function remember(app: App): void {
  try {
    localStorage.setItem(KEPT_APP, app);
  } catch {
    // As above.
  }
}

function navigation(found: NearBay): HTMLElement {
  const usual = usualApp();
  const order = [usual, ...APPS.filter((app) => app !== usual)];
  return h(
    "section",
    { class: "panel-section", "aria-labelledby": "nav-title" },
    h("h3", { id: "nav-title" }, text("find.navigate")),
    h(
      "div",
      { class: "nav-apps" },
      ...order.map((app) =>
        h(
          "a",
          {
            class: app === usual ? "button button-primary" : "button",
            href: found.navigation[app],
            target: "_blank",
            rel: "noopener noreferrer",
            "data-app": app,
            onclick: () => remember(app),
          },
          app === usual
            ? text("find.open_in", { app: text(`find.app.${app}`) })
            : text(`find.app.${app}`),
        ),
      ),
    ),
    h("p", { class: "hint" }, text("find.navigate_note")),
  );
}

function tile(label: string, value: string, note: string, unknown = false): HTMLElement {
  return h(
    "div",
    { class: unknown ? "answer is-unknown" : "answer" },
    h("dt", {}, label),
    h("dd", { class: "answer-value" }, value),
    h("dd", { class: "answer-note" }, note),
  );
}

/** The way in parts, as a bar and in words. */
function wayParts(found: NearBay): HTMLElement {
  const parts = [
    ["drive", found.drive_s],
    ["retrieval", found.retrieval_s || null],
    ["walk", found.walk_s],
  ] as const;
  const known = parts.filter((part): part is [(typeof part)[0], number] => part[1] !== null);
  return h(
    "section",
    { class: "panel-section" },
    h("h3", {}, text("find.way")),
    h(
      "div",
      { class: "way-bar", "aria-hidden": "true" },
      ...known.map(([name, seconds]) => {
        const part = h("span", { class: `way-part way-${name}` });
        part.style.flexGrow = String(Math.max(1, seconds));
        return part;
      }),
    ),
    h(
      "ul",
      { class: "way-legend" },
      ...known.map(([name, seconds]) =>
        h(
          "li",
          {},
          h("i", { class: `way-dot way-${name}`, "aria-hidden": "true" }),
          h("span", {}, text(`find.part.${name}`)),
          h(
            "span",
            { class: "number" },
            name === "walk" ? `${minutesText(seconds)} · ${metresText(found.walk_m)}` : minutesText(seconds),
          ),
        ),
      ),
    ),
    found.drive_s === null && h("p", { class: "note" }, text("find.drive_unknown")),
    found.basis !== "streets" && h("p", { class: "note" }, text("find.straight_line")),
  );
}

function judgedText(found: NearBay): string {
  const judged = found.chance_judged;
  if (!judged) return text("find.not_judged");
  return text("find.judged", {
    n: wholeNumber(judged.rows),
    brier: judged.brier.toFixed(3),
    base: judged.brier_base.toFixed(3),
  });
}

function chanceSection(found: NearBay): HTMLElement {
  const at = moment(instant(found.arrive_at));
  if (found.chance_free === null) {
    return h(
      "section",
      { class: "panel-section" },
      h("h3", {}, text("find.chance")),
      h("p", {}, text("find.chance_why_unknown")),
    );
  }
  return h(
    "section",
    { class: "panel-section" },
    h("h3", {}, text("find.chance")),
    h("p", {}, text("find.chance_told", { chance: chanceText(found), at })),
    h("p", { class: "note" }, judgedText(found)),
  );
}

export interface CandidatePanel {
  readonly element: HTMLElement;
  readonly title: string;
  readonly tick: () => void;
  readonly gone: () => void;
}

export function candidatePanel(shown: Shown, wish: Wish): CandidatePanel {
  const { found, leaveMs } = shown;
  const heard = h("dd", {});
  const taken = h("p", { class: "note note-warning", role: "alert", hidden: true }, text("find.gone"));
  const told = restrictionsOf(found, leaveMs);
  const arriveMs = instant(found.arrive_at);
  const soon = arriveMs - businessTime() < 60_000;
  const element = h(
    "div",
    { class: "panel-body" },
    h(
      "p",
      { class: "painted-line" },
      h("span", { class: "painted" }, painted(found)),
      h(
        "span",
        { class: "painted-words" },
        h("span", { class: "muted" }, text("find.painted")),
        h(
          "span",
          {},
          [named("facility.kind", found.facility_kind), named("bay.kind", found.bay.kind)].join(" · "),
        ),
      ),
    ),
    taken,
    h(
      "dl",
      { class: "answers" },
      tile(
        text("find.answer.price"),
        found.price_total ? price(found.price_total) : text("find.unknown"),
        found.price_per_hour
          ? text("find.first_hour", { price: price(found.price_per_hour) })
          : text("find.no_tariff"),
        !found.price_total,
      ),
      tile(
        text(found.drive_s === null ? "find.answer.walk" : "find.answer.door"),
        minutesText(found.door_to_door_s),
        text("find.answer.to", { place: wish.to?.name || text("find.point") }),
      ),
      tile(
        text("find.answer.chance"),
        found.chance_free === null ? text("find.unknown") : chanceText(found),
        soon ? text("find.answer.now") : text("find.answer.at", { at: moment(arriveMs) }),
        found.chance_free === null,
      ),
    ),
    told.length > 0 &&
      h(
        "ul",
        { class: "restrictions", "aria-label": text("find.restrictions") },
        ...told.map((each) =>
          h("li", { class: each.warns ? "note note-warning" : "tag" }, each.words),
        ),
      ),
    navigation(found),
    whatIf(found, wish.vehicle, leaveMs),
    wayParts(found),
    chanceSection(found),
    h(
      "section",
      { class: "panel-section" },
      h("h3", {}, text("find.source")),
      h(
        "dl",
        { class: "facts" },
        h("div", { class: "fact" }, h("dt", {}, text("bay.heard")), heard),
        h("div", { class: "fact" }, h("dt", {}, text("bay.sure")), h("dd", {}, sureness(found.bay.sure))),
        fact(
          text("find.height_limit"),
          found.restrictions.limits.max_height_m === null
            ? text("find.not_stated")
            : text("find.max_height", { n: found.restrictions.limits.max_height_m.toFixed(1) }),
        ),
        fact(text("find.arrival"), exactly(arriveMs)),
      ),
    ),
  );
  const tick = (): void => write(heard, heardText(shown));
  tick();
  return {
    element,
    title: inLanguage(found.facility.zh, found.facility.en),
    tick,
    gone: () => {
      taken.hidden = false;
    },
  };
}
