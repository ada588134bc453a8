/** One operator, facility, zone or bay: what it is, what may be done, what it was. */
import { act, read } from "../api/client";
import { lonLat, type Facility, type Operator, type PlaceVersion } from "../api/types";
import { instant } from "../format/time";
import { agoText, exactly } from "../format/words";
import type { City } from "../map/city";
import { fact } from "../panels/figures";
import { h, replace } from "../shell/dom";
import { labelled, field, showForm } from "../shell/form";
import { errorState, problemText, skeleton } from "../shell/states";
import { toast } from "../shell/toast";
import { counted, named, text, wholeNumber } from "../shell/text";
import { baysForm, editBay, editFacility, facilityForm, zoneForm } from "./forms";
import { historySection } from "./history";
import { hoursText, ruleText, type Rule } from "./times";
import {
  kept,
  nameOf,
  PURPOSES,
  purposesOf,
  sumOf,
  zoneName,
  type BayState,
  type FacilityState,
  type Inside,
  type Kept,
  type Registry,
  type ZoneState,
} from "./registry";
import { suspendForm, suspensionSection } from "./suspend";
import type { Chosen } from "./tree";
import { onboardingTag, purposeWord, titleTag } from "./words";

export interface Shown {
  readonly title: string;
  readonly element: HTMLElement;
}

/** What panels may do with the page around them. */
export interface Page {
  readonly registry: Registry;
  readonly city: City;
  readonly mayKeep: boolean;
  readonly choose: (chosen: Chosen) => void;
  /** Something was written: all that is shown is asked for again. */
  readonly changed: () => void;
  readonly centre: () => readonly [number, number] | null;
}

function button(words: string, run: () => void, primary = false): HTMLElement {
  return h("button", { class: primary ? "button button-primary" : "button", type: "button", onclick: run }, words);
}

function acts(page: Page, ...buttons: readonly HTMLElement[]): HTMLElement | null {
  return page.mayKeep ? h("div", { class: "panel-acts" }, ...buttons) : null;
}

/** How many bays of each purpose, and how they stand now where the city is heard. */
function purposeTable(counts: Readonly<Record<string, number>>, live: Facility | null): HTMLElement {
  const now = { public: live?.counts, reserved: live?.reserved, permit: live?.permit };
  const head = ["purpose", "bays", "free", "taken", "unknown"] as const;
  return h(
    "table",
    { class: "purposes" },
    h("caption", { class: "visually-hidden" }, text("places.by_purpose")),
    h(
      "thead",
      {},
      h("tr", {}, ...head.map((key) => h("th", { scope: "col" }, text(`places.col_${key}`)))),
    ),
    h(
      "tbody",
      {},
      ...PURPOSES.map((purpose) => {
        const states = now[purpose];
        const cells = states ? [states.free, states.occupied, states.unknown] : [null, null, null];
        return h(
          "tr",
          {},
          h("th", { scope: "row" }, purposeWord(purpose)),
          h("td", {}, wholeNumber(counts[purpose] ?? 0)),
          ...cells.map((n) => h("td", {}, n === null ? "–" : wholeNumber(n))),
        );
      }),
    ),
  );
}

export function operatorPanel(page: Page, operator: Operator): Shown {
  const mine = page.registry.facilities.filter((each) => each.operator_id === operator.id);
  return {
    title: nameOf(operator),
    element: h(
      "div",
      { class: "panel-body" },
      h("p", { class: "panel-kind" }, text("places.operator")),
      purposeTable(sumOf(mine.map((each) => each.bays)), null),
      h(
        "dl",
        { class: "facts" },
        fact(text("places.code"), h("span", { class: "mono" }, operator.code)),
        fact(text("places.phone"), operator.phone ?? text("places.nothing")),
        fact(text("places.facilities_label"), wholeNumber(mine.length)),
      ),
      acts(
        page,
        button(text("places.new_facility"), () =>
          facilityForm(
            page.registry,
            page.centre(),
            (id) => {
              page.changed();
              page.choose({ kind: "facility", id });
            },
            operator.id,
          ),
        ),
      ),
    ),
  };
}

export async function facilityPanel(page: Page, id: string): Promise<Shown> {
  const [record, inside] = await Promise.all([
    read<PlaceVersion>(`/api/v1/facilities/${id}/record`),
    page.registry.insideOf(id),
  ]);
  const seen = kept<FacilityState>(record);
  const { state } = seen;
  const live = page.city.place(id)?.facility ?? null;
  const operator = page.registry.operators.find((each) => each.id === state.operator_id);
  const changed = (): void => page.changed();
  return {
    title: nameOf(state),
    element: h(
      "div",
      { class: "panel-body" },
      h(
        "p",
        { class: "panel-kind" },
        `${named("facility.kind", state.kind)} · ${named("facility.ownership", state.ownership)}`,
      ),
      h("p", { class: "tags" }, onboardingTag(state.onboarding), titleTag(state.title)),
      purposeTable(purposesOf(inside.bays), live),
      live?.closed ? h("p", { class: "note" }, counted("places.closed_now", live.closed)) : null,
      live
        ? h("p", { class: "item-facts" }, text("facility.heard", { age: agoText(live.heard_at ? instant(live.heard_at) : null) }))
        : null,
      acts(
        page,
        button(text("places.edit"), () => editFacility(page.registry, seen, changed)),
        button(text("places.new_bays_short"), () =>
          baysForm(state, inside.zones, null, page.centre() ?? lonLat(state.position), changed),
        ),
        button(text("places.new_zone_short"), () => zoneForm(id, null, changed)),
        ...(inside.bays.length
          ? [button(text("places.suspend_bays"), () => suspendForm(state, inside.bays, [], changed))]
          : []),
      ),
      facilityFacts(page, state, operator),
      bayGroups(page, id, inside),
      suspensionSection(id, inside.bays, null, page.mayKeep, changed),
      historySection("facilities", id),
    ),
  };
}

function facilityFacts(page: Page, state: FacilityState, operator: Operator | undefined): HTMLElement {
  const limits = Object.entries(state.limits).filter(([, value]) => value !== null);
  return h(
    "dl",
    { class: "facts" },
    fact(
      text("places.operator"),
      operator
        ? h(
            "button",
            { class: "link", type: "button", onclick: () => page.choose({ kind: "operator", id: operator.id }) },
            nameOf(operator),
          )
        : text("places.nothing"),
    ),
    fact(text("places.code"), h("span", { class: "mono" }, state.code)),
    fact(text("places.district"), state.district),
    fact(text("facility.tariff"), page.registry.tariffName(state.tariff_id) ?? text("places.no_tariff")),
    fact(text("facility.revenue"), named("facility.revenue", state.revenue_nature)),
    state.address ? fact(text("places.address"), state.address) : null,
    fact(
      text("places.opening"),
      hoursText(state.opening),
    ),
    ...limits.map(([name, value]) => fact(named("places.field", name), wholeOrMeasure(value ?? 0))),
    ...Object.entries(state.machine ?? {}).map(([name, value]) => fact(named("places.field", name), wholeNumber(value))),
    state.rules.length ? fact(text("places.rules"), ruleList(state.rules)) : null,
    fact(text("places.position"), h("span", { class: "number" }, pair(state.position))),
  );
}

function ruleList(rules: readonly Rule[]): HTMLElement {
  return h("ul", { class: "rule-list" }, ...rules.map((rule) => h("li", {}, ruleText(rule))));
}

function wholeOrMeasure(value: number): string {
  return value >= 100 ? wholeNumber(value) : String(value);
}

function pair(position: readonly number[]): string {
  return position.map((each) => each.toFixed(6)).join(", ");
}

/** The bays of a facility by purpose, each group with its own heading and never one sum. */
function bayGroups(page: Page, facilityId: string, inside: Inside): HTMLElement {
  const groups = PURPOSES.map((purpose) => ({
    purpose,
    bays: inside.bays.filter(({ state }) => state.purpose === purpose),
  })).filter(({ bays }) => bays.length);
  if (groups.length === 0) {
    return h("section", { class: "panel-section" }, h("p", { class: "note" }, text("places.no_bays")));
  }
  return h(
    "section",
    { class: "panel-section" },
    ...groups.flatMap(({ purpose, bays }) => [
      h(
        "h3",
        { class: "group-head" },
        text("places.group", { purpose: purposeWord(purpose), n: wholeNumber(bays.length) }),
      ),
      h(
        "div",
        { class: "tree-bays" },
        ...bays.map(({ state }) =>
          h(
            "button",
            {
              class: "tree-bay",
              type: "button",
              "data-purpose": state.purpose,
              onclick: () => page.choose({ kind: "bay", id: state.id, facilityId }),
            },
            state.label,
            state.kind === "standard" ? null : h("span", { class: "tree-bay-purpose" }, named("bay.kind", state.kind)),
          ),
        ),
      ),
    ]),
  );
}

export async function zonePanel(page: Page, facilityId: string, id: string): Promise<Shown | null> {
  const inside = await page.registry.insideOf(facilityId);
  const seen = inside.zones.find((zone) => zone.state.id === id);
  const home = page.registry.facility(facilityId);
  if (!seen) return null;
  const { state } = seen;
  const bays = inside.bays.filter((bay) => bay.state.zone_id === id);
  const changed = (): void => page.changed();
  const addBays = async (): Promise<void> => {
    const facility = kept<FacilityState>(await read<PlaceVersion>(`/api/v1/facilities/${facilityId}/record`));
    baysForm(facility.state, inside.zones, id, page.centre(), changed);
  };
  return {
    title: zoneName(state),
    element: h(
      "div",
      { class: "panel-body" },
      h("p", { class: "panel-kind" }, upLink(page, facilityId, home ? nameOf(home) : ""), ` · ${named("zone.kind", state.kind)}`),
      purposeTable(purposesOf(bays), null),
      acts(
        page,
        button(text("places.edit"), () => zoneForm(facilityId, seen, changed)),
        button(text("places.new_bays_short"), () => void addBays().catch(tell)),
      ),
      zoneFacts(state),
      bayGroups(page, facilityId, { zones: [], bays }),
      historySection("zones", id),
    ),
  };
}

function tell(error: unknown): void {
  toast(problemText(error), "danger");
}

function upLink(page: Page, facilityId: string, words: string): HTMLElement {
  return h(
    "button",
    { class: "link", type: "button", onclick: () => page.choose({ kind: "facility", id: facilityId }) },
    words,
  );
}

function zoneFacts(state: ZoneState): HTMLElement {
  return h(
    "dl",
    { class: "facts" },
    fact(text("places.code"), h("span", { class: "mono" }, state.code)),
    state.level === null ? null : fact(text("places.level"), String(state.level)),
    state.length_m === null ? null : fact(text("places.length"), String(state.length_m)),
    state.rules.length ? fact(text("places.rules"), ruleList(state.rules)) : null,
  );
}

export async function bayPanel(page: Page, facilityId: string, id: string): Promise<Shown> {
  const [record, inside, facility] = await Promise.all([
    read<PlaceVersion>(`/api/v1/bays/${id}/record`),
    page.registry.insideOf(facilityId),
    read<PlaceVersion>(`/api/v1/facilities/${facilityId}/record`),
  ]);
  const seen = kept<BayState>(record);
  const home = kept<FacilityState>(facility).state;
  const { state } = seen;
  const changed = (): void => page.changed();
  const inUse = state.retired_at === null;
  return {
    title: text("bay.title", { label: state.label }),
    element: h(
      "div",
      { class: "panel-body" },
      h("p", { class: "panel-kind" }, upLink(page, facilityId, nameOf(home)), ` · ${named("bay.kind", state.kind)}`),
      h(
        "p",
        { class: "tags" },
        h("span", { class: "tag" }, purposeWord(state.purpose)),
        inUse ? null : h("span", { class: "tag tag-danger" }, text("places.retired")),
      ),
      inUse
        ? acts(
            page,
            button(text("places.edit"), () => editBay(seen, inside.zones, changed)),
            button(text("places.suspend_bay"), () => suspendForm(home, inside.bays, [id], changed)),
            button(text("places.retire"), () => retireForm(page, seen)),
          )
        : null,
      bayFacts(state, inside),
      suspensionSection(facilityId, inside.bays, id, page.mayKeep, changed),
      historySection("bays", id),
    ),
  };
}

function bayFacts(state: BayState, inside: Inside): HTMLElement {
  const zone = inside.zones.find((each) => each.state.id === state.zone_id);
  const metres = (value: number | null): string => (value === null ? text("places.nothing") : String(value));
  return h(
    "dl",
    { class: "facts" },
    zone ? fact(text("places.zone"), zoneName(zone.state)) : null,
    fact(text("places.ground"), named("ground", state.ground)),
    fact(text("places.located"), named("located", state.located)),
    fact(text("places.position"), h("span", { class: "number" }, pair(state.position))),
    fact(text("places.bearing"), metres(state.bearing_deg === null ? null : Math.round(state.bearing_deg * 10) / 10)),
    state.length_m === null ? null : fact(text("places.bay_length"), metres(state.length_m)),
    state.width_m === null ? null : fact(text("places.bay_width"), metres(state.width_m)),
    fact(text("places.grid_cell"), h("span", { class: "mono" }, state.grid_cell ?? text("places.nothing"))),
    fact(text("places.component_code"), h("span", { class: "mono" }, state.component_code ?? text("places.nothing"))),
    state.rules.length ? fact(text("places.rules"), ruleList(state.rules)) : null,
    state.retired_at ? fact(text("places.retired"), exactly(instant(state.retired_at))) : null,
  );
}

/** Out of use for good cannot be undone: its number is typed before it happens. */
function retireForm(page: Page, seen: Kept<BayState>): void {
  const typed = field("", { required: true, pattern: escaped(seen.state.label), spellcheck: "false" });
  showForm({
    title: text("places.retire_title", { label: seen.state.label }),
    submit: text("places.retire"),
    parts: [
      h("p", { class: "note note-warning" }, text("places.retire_consequence")),
      labelled("retire-label", text("places.retire_type", { label: seen.state.label }), typed),
    ],
    send: async () => {
      await act<PlaceVersion>("POST", `/api/v1/bays/${seen.state.id}/retirement`, {});
      page.changed();
      return text("places.retired_done", { label: seen.state.label });
    },
  });
}

function escaped(words: string): string {
  return words.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}

/** Fill a panel with what comes, or with why it does not. */
export function loading(into: HTMLElement, title: (words: string) => void, load: () => Promise<Shown | null>): void {
  replace(into, h("div", { class: "panel-body" }, skeleton(8, "line")));
  load().then(
    (shown) => {
      if (!shown) return;
      title(shown.title);
      replace(into, shown.element);
    },
    (error: unknown) => replace(into, h("div", { class: "panel-body" }, errorState(error, () => loading(into, title, load)))),
  );
}
