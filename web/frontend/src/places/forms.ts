/** Forms that register places and change them. An edit sends what changed, and what it saw. */
import { act, actKey } from "../api/client";
import type { Operator, PlaceVersion } from "../api/types";
import { h } from "../shell/dom";
import { choice, field, labelled, row, showForm, typedNumber } from "../shell/form";
import { text } from "../shell/text";
import { changes } from "./changes";
import type { BayState, FacilityState, Kept, Registry, ZoneState } from "./registry";
import { nameOf, zoneName } from "./registry";
import { layRow } from "./rows";
import { ruleEditor, spanEditor } from "./time_editors";
import {
  BAY_KINDS,
  FACILITY_KINDS,
  GROUNDS,
  ONBOARDINGS,
  OWNERSHIPS,
  REVENUES,
  TITLES,
  wordsFor,
  ZONE_KINDS,
} from "./words";
import { PURPOSES } from "./registry";

const MOST_BAYS = 500;
type Members = Record<string, unknown>;

function position(at: readonly [number, number] | null): { lon: HTMLInputElement; lat: HTMLInputElement } {
  const coordinate = { type: "number", step: "any", required: true, inputmode: "decimal" };
  return {
    lon: field(at ? at[0].toFixed(6) : null, { ...coordinate, min: -180, max: 180 }),
    lat: field(at ? at[1].toFixed(6) : null, { ...coordinate, min: -90, max: 90 }),
  };
}

function nameFields(name?: { zh: string; en: string }): { zh: HTMLInputElement; en: HTMLInputElement } {
  return {
    zh: field(name?.zh, { required: true, maxlength: 200 }),
    en: field(name?.en, { required: true, maxlength: 200 }),
  };
}

/** Send what differs from what was read; nothing where nothing does. */
async function change(
  path: string,
  seen: Kept<FacilityState> | Kept<ZoneState> | Kept<BayState>,
  members: Members,
): Promise<boolean> {
  const before = seen.state as unknown as Members;
  const old = Object.fromEntries(Object.keys(members).map((name) => [name, before[name]]));
  const sent = Object.fromEntries(changes(old, members).map(({ field: name, after }) => [name, after]));
  if (Object.keys(sent).length === 0) return false;
  await act<PlaceVersion>("PATCH", path, { ...sent, version: seen.version });
  return true;
}

export function operatorForm(done: (id: string) => void): void {
  const key = actKey();
  const code = field("", { required: true, maxlength: 64, pattern: "[A-Za-z0-9][A-Za-z0-9_.\\-]*" });
  const name = nameFields();
  const phone = field("", { type: "tel", maxlength: 32 });
  showForm({
    title: text("places.new_operator"),
    submit: text("places.register"),
    parts: [
      labelled("operator-code", text("places.code"), code, text("places.code_hint")),
      row(
        labelled("operator-zh", text("places.name_zh"), name.zh),
        labelled("operator-en", text("places.name_en"), name.en),
      ),
      labelled("operator-phone", text("places.phone"), phone, text("places.optional")),
    ],
    send: async () => {
      const made = await act<Operator>(
        "POST",
        "/api/v1/operators",
        {
          code: code.value.trim(),
          name: { zh: name.zh.value.trim(), en: name.en.value.trim() },
          phone: phone.value.trim() || null,
        },
        key,
      );
      done(made.id);
      return text("places.was_registered", { name: nameOf(made) });
    },
  });
}

function facilityFields(registry: Registry, now: FacilityState | null, at: readonly [number, number] | null) {
  const measure = { type: "number", step: "0.01", min: 0.1 };
  const where = position(now ? [now.position[0] ?? 0, now.position[1] ?? 0] : at);
  const name = nameFields(now?.name);
  const inputs = {
    ownership: choice(wordsFor("facility.ownership", OWNERSHIPS), now?.ownership ?? "roadside"),
    kind: choice(wordsFor("facility.kind", FACILITY_KINDS), now?.kind ?? "kerb"),
    revenue: choice(wordsFor("facility.revenue", REVENUES), now?.revenue_nature ?? "public_non_tax"),
    onboarding: choice(wordsFor("onboarding", ONBOARDINGS), now?.onboarding ?? "proposed"),
    title: choice(wordsFor("title", TITLES), now?.title ?? "unknown"),
    tariff: choice(
      [
        ["", text("places.no_tariff")],
        ...registry.tariffs.map(({ id, code }): [string, string] => [id, `${registry.tariffName(id)} (${code})`]),
      ],
      now?.tariff_id ?? "",
    ),
    operator: choice(
      registry.operators.map((each): [string, string] => [each.id, nameOf(each)]),
      now?.operator_id ?? null,
    ),
    address: field(now?.address, { maxlength: 512 }),
    height: field(now?.limits["max_height_m"], measure),
    width: field(now?.limits["max_width_m"], measure),
    length: field(now?.limits["max_length_m"], measure),
    weight: field(now?.limits["max_weight_kg"], { type: "number", step: 1, min: 1 }),
    lifts: field(now?.machine?.["lifts"], { type: "number", min: 1, max: 100 }),
    pallets: field(now?.machine?.["pallets"], { type: "number", min: 1 }),
    retrieval: field(now?.machine?.["retrieval_s"], { type: "number", min: 1, max: 7200 }),
    opening: spanEditor(text("places.opening"), text("places.opening_hint"), now?.opening ?? []),
    rules: ruleEditor(now?.rules ?? []),
  };
  const machine = h(
    "fieldset",
    { class: "form-group" },
    h("legend", {}, text("places.machine")),
    row(
      labelled("f-lifts", text("places.lifts"), inputs.lifts),
      labelled("f-pallets", text("places.pallets"), inputs.pallets),
      labelled("f-retrieval", text("places.retrieval"), inputs.retrieval),
    ),
  );
  const turn = (): void => {
    const mechanical = inputs.kind.value === "mechanical";
    machine.hidden = !mechanical;
    for (const one of [inputs.lifts, inputs.pallets, inputs.retrieval]) one.required = mechanical;
  };
  inputs.kind.addEventListener("change", turn);
  turn();
  const parts: HTMLElement[] = [
    row(labelled("f-zh", text("places.name_zh"), name.zh), labelled("f-en", text("places.name_en"), name.en)),
    row(
      labelled("f-kind", text("places.kind"), inputs.kind),
      labelled("f-ownership", text("places.ownership"), inputs.ownership),
      labelled("f-revenue", text("places.revenue"), inputs.revenue),
    ),
    machine,
    row(
      labelled("f-operator", text("places.operator"), inputs.operator),
      labelled("f-tariff", text("facility.tariff"), inputs.tariff),
    ),
    row(
      labelled("f-onboarding", text("places.onboarding"), inputs.onboarding),
      labelled("f-title", text("places.title_state"), inputs.title),
    ),
    row(
      labelled("f-lon", text("places.longitude"), where.lon),
      labelled("f-lat", text("places.latitude"), where.lat),
    ),
    h("p", { class: "hint" }, text(now ? "places.wgs84" : "places.at_centre")),
    labelled("f-address", text("places.address"), inputs.address, text("places.optional")),
    h(
      "fieldset",
      { class: "form-group" },
      h("legend", {}, text("places.limits")),
      row(
        labelled("f-height", text("places.max_height"), inputs.height),
        labelled("f-width", text("places.max_width"), inputs.width),
        labelled("f-length", text("places.max_length"), inputs.length),
        labelled("f-weight", text("places.max_weight"), inputs.weight),
      ),
    ),
    h(
      "details",
      { class: "form-more" },
      h("summary", {}, text("places.hours_and_rules")),
      inputs.opening.element,
      inputs.rules.element,
    ),
  ];
  const members = (): Members => ({
    name: { zh: name.zh.value.trim(), en: name.en.value.trim() },
    ownership: inputs.ownership.value,
    kind: inputs.kind.value,
    revenue_nature: inputs.revenue.value,
    onboarding: inputs.onboarding.value,
    title: inputs.title.value,
    tariff_id: inputs.tariff.value || null,
    operator_id: inputs.operator.value,
    address: inputs.address.value.trim() || null,
    position: moved(now?.position, where),
    limits: {
      max_height_m: typedNumber(inputs.height),
      max_width_m: typedNumber(inputs.width),
      max_length_m: typedNumber(inputs.length),
      max_weight_kg: typedNumber(inputs.weight),
    },
    machine:
      inputs.kind.value === "mechanical"
        ? {
            lifts: Number(inputs.lifts.value),
            pallets: Number(inputs.pallets.value),
            retrieval_s: Number(inputs.retrieval.value),
          }
        : null,
    opening: inputs.opening.value(),
    rules: inputs.rules.value(),
  });
  return { parts, members, focusName: name.zh };
}

/** What was typed; the kept digits where nobody moved it, since the field shows six of them. */
function moved(
  before: readonly number[] | undefined,
  { lon, lat }: { lon: HTMLInputElement; lat: HTMLInputElement },
): readonly number[] {
  const typed = [Number(lon.value), Number(lat.value)] as const;
  if (before && before.every((value, index) => value.toFixed(6) === typed[index]?.toFixed(6))) return before;
  return typed;
}

export function facilityForm(
  registry: Registry,
  at: readonly [number, number] | null,
  done: (id: string) => void,
  operatorId: string | null = null,
): void {
  const key = actKey();
  const code = field("", { required: true, maxlength: 64, pattern: "[A-Za-z0-9][A-Za-z0-9_.\\-]*" });
  const districts = [...new Set(registry.facilities.map((each) => each.district))].sort();
  const known = h("datalist", { id: "f-districts" }, ...districts.map((each) => h("option", { value: each })));
  const district = field(districts.length === 1 ? districts[0] : "", {
    required: true,
    pattern: "[0-9a-z]{2,12}",
    list: "f-districts",
  });
  const { parts, members } = facilityFields(registry, null, at);
  const operator = parts
    .map((part) => part.querySelector<HTMLSelectElement>("#f-operator"))
    .find((found) => found !== null);
  if (operator && operatorId) operator.value = operatorId;
  showForm({
    title: text("places.new_facility"),
    submit: text("places.register"),
    wide: true,
    parts: [
      row(
        labelled("f-code", text("places.code"), code, text("places.code_hint")),
        labelled("f-district", text("places.district"), district, text("places.district_hint")),
      ),
      known,
      ...parts,
    ],
    send: async () => {
      const body = { ...members(), code: code.value.trim(), district: district.value.trim() };
      const made = await act<PlaceVersion>("POST", "/api/v1/facilities", body, key);
      const state = made.state as unknown as FacilityState;
      done(state.id);
      return text("places.was_registered", { name: nameOf(state) });
    },
  });
}

export function editFacility(registry: Registry, seen: Kept<FacilityState>, done: () => void): void {
  const { parts, members } = facilityFields(registry, seen.state, null);
  showForm({
    title: text("places.edit_title", { name: nameOf(seen.state) }),
    submit: text("places.save"),
    wide: true,
    parts,
    send: async () => {
      const news = await change(`/api/v1/facilities/${seen.state.id}`, seen, members());
      if (news) done();
      return text(news ? "places.saved" : "places.nothing_changed");
    },
  });
}

export function zoneForm(
  facilityId: string,
  seen: Kept<ZoneState> | null,
  done: () => void,
): void {
  const key = actKey();
  const code = field("", { required: true, maxlength: 64, pattern: "[A-Za-z0-9][A-Za-z0-9_.\\-]*" });
  const kind = choice(wordsFor("zone.kind", ZONE_KINDS));
  const name = nameFields(seen?.state.name);
  const level = field(seen?.state.level, { type: "number", min: -20, max: 60 });
  const length = field(seen?.state.length_m, { type: "number", min: 0.1, step: "any" });
  const rules = ruleEditor(seen?.state.rules ?? []);
  const members = (): Members => ({
    name: { zh: name.zh.value.trim(), en: name.en.value.trim() },
    level: typedNumber(level),
    length_m: typedNumber(length),
    rules: rules.value(),
  });
  showForm({
    title: seen ? text("places.edit_title", { name: zoneName(seen.state) }) : text("places.new_zone"),
    submit: text(seen ? "places.save" : "places.register"),
    parts: [
      seen
        ? null
        : row(
            labelled("z-code", text("places.code"), code, text("places.code_hint")),
            labelled("z-kind", text("places.kind"), kind),
          ),
      row(labelled("z-zh", text("places.name_zh"), name.zh), labelled("z-en", text("places.name_en"), name.en)),
      row(
        labelled("z-level", text("places.level"), level, text("places.level_hint")),
        labelled("z-length", text("places.length"), length, text("places.optional")),
      ),
      h(
        "details",
        { class: "form-more" },
        h("summary", {}, text("places.rules")),
        rules.element,
      ),
    ],
    send: async () => {
      if (seen) {
        const news = await change(`/api/v1/zones/${seen.state.id}`, seen, members());
        if (news) done();
        return text(news ? "places.saved" : "places.nothing_changed");
      }
      const body = { ...members(), code: code.value.trim(), kind: kind.value };
      await act("POST", `/api/v1/facilities/${facilityId}/zones`, body, key);
      done();
      return text("places.was_registered", { name: code.value.trim() });
    },
  });
}

function zoneChoice(zones: readonly Kept<ZoneState>[], chosen: string | null): HTMLSelectElement {
  return choice(
    [
      ["", text("places.no_zone")],
      ...zones.map(({ state }): [string, string] => [state.id, zoneName(state)]),
    ],
    chosen ?? "",
  );
}

export function baysForm(
  facility: FacilityState,
  zones: readonly Kept<ZoneState>[],
  zoneId: string | null,
  at: readonly [number, number] | null,
  done: () => void,
): void {
  const key = actKey();
  const prefix = field(`${facility.code}-`, { maxlength: 56 });
  const first = field(1, { type: "number", min: 0, max: 99_999, required: true });
  const count = field(1, { type: "number", min: 1, max: MOST_BAYS, required: true });
  const kind = choice(wordsFor("bay.kind", BAY_KINDS));
  const purpose = choice(wordsFor("purpose", PURPOSES));
  const ground = choice(wordsFor("ground", GROUNDS), facility.kind === "kerb" ? "carriageway" : "off_street");
  const zone = zoneChoice(zones, zoneId);
  const where = position(at);
  const bearing = field(0, { type: "number", min: 0, max: 359.9, step: "any", required: true });
  const pitch = field(6, { type: "number", min: 1, max: 60, step: "any", required: true });
  const length = field(null, { type: "number", min: 0.5, max: 60, step: "any" });
  const width = field(null, { type: "number", min: 0.5, max: 60, step: "any" });
  const preview = h("p", { class: "hint", role: "status" });
  const laid = () =>
    layRow({
      longitude: Number(where.lon.value),
      latitude: Number(where.lat.value),
      bearing_deg: Number(bearing.value),
      pitch_m: Number(pitch.value),
      count: Math.min(MOST_BAYS, Math.max(1, Math.floor(Number(count.value) || 1))),
      prefix: prefix.value.trim(),
      first: Number(first.value),
    });
  const show = (): void => {
    const bays = laid();
    preview.textContent =
      bays.length === 1
        ? text("places.one_laid", { first: bays[0]?.label ?? "" })
        : text("places.laid", { n: bays.length, first: bays[0]?.label ?? "", last: bays.at(-1)?.label ?? "" });
  };
  for (const input of [prefix, first, count]) input.addEventListener("input", show);
  show();
  showForm({
    title: text("places.new_bays", { name: nameOf(facility) }),
    submit: text("places.register"),
    wide: true,
    parts: [
      row(
        labelled("b-prefix", text("places.prefix"), prefix),
        labelled("b-first", text("places.first_number"), first),
        labelled("b-count", text("places.how_many"), count),
      ),
      preview,
      row(
        labelled("b-kind", text("places.kind"), kind),
        labelled("b-purpose", text("places.purpose"), purpose),
        labelled("b-ground", text("places.ground"), ground),
        zones.length ? labelled("b-zone", text("places.zone"), zone) : null,
      ),
      row(
        labelled("b-lon", text("places.first_longitude"), where.lon),
        labelled("b-lat", text("places.first_latitude"), where.lat),
      ),
      h("p", { class: "hint" }, text("places.at_centre")),
      row(
        labelled("b-bearing", text("places.bearing"), bearing, text("places.bearing_hint")),
        labelled("b-pitch", text("places.pitch"), pitch),
        labelled("b-length", text("places.bay_length"), length, text("places.optional")),
        labelled("b-width", text("places.bay_width"), width, text("places.optional")),
      ),
    ],
    send: async () => {
      const bays = laid().map((each) => ({
        ...each,
        kind: kind.value,
        purpose: purpose.value,
        ground: ground.value,
        zone_id: zone.value || null,
        bearing_deg: Number(bearing.value),
        length_m: typedNumber(length),
        width_m: typedNumber(width),
      }));
      await act("POST", `/api/v1/facilities/${facility.id}/bays`, { bays }, key);
      done();
      return text("places.bays_registered", { n: bays.length });
    },
  });
}

export function editBay(seen: Kept<BayState>, zones: readonly Kept<ZoneState>[], done: () => void): void {
  const { state } = seen;
  const label = field(state.label, { required: true, maxlength: 64 });
  const kind = choice(wordsFor("bay.kind", BAY_KINDS), state.kind);
  const purpose = choice(wordsFor("purpose", PURPOSES), state.purpose);
  const ground = choice(wordsFor("ground", GROUNDS), state.ground);
  const zone = zoneChoice(zones, state.zone_id);
  const where = position([state.position[0] ?? 0, state.position[1] ?? 0]);
  const bearing = field(state.bearing_deg, { type: "number", min: 0, max: 359.9, step: "any" });
  const length = field(state.length_m, { type: "number", min: 0.5, max: 60, step: "any" });
  const width = field(state.width_m, { type: "number", min: 0.5, max: 60, step: "any" });
  const cell = field(state.grid_cell, { pattern: "[0-9]{15}", inputmode: "numeric" });
  const component = field(state.component_code, { pattern: "[0-9]{16}", inputmode: "numeric" });
  const rules = ruleEditor(state.rules);
  showForm({
    title: text("places.edit_title", { name: state.label }),
    submit: text("places.save"),
    wide: true,
    parts: [
      row(
        labelled("b-label", text("places.label"), label),
        labelled("b-kind", text("places.kind"), kind),
        labelled("b-purpose", text("places.purpose"), purpose),
      ),
      row(
        labelled("b-ground", text("places.ground"), ground),
        zones.length ? labelled("b-zone", text("places.zone"), zone) : null,
        labelled("b-bearing", text("places.bearing"), bearing),
      ),
      row(
        labelled("b-lon", text("places.longitude"), where.lon),
        labelled("b-lat", text("places.latitude"), where.lat),
        labelled("b-length", text("places.bay_length"), length),
        labelled("b-width", text("places.bay_width"), width),
      ),
      row(
        labelled("b-cell", text("places.grid_cell"), cell, text("places.grid_cell_hint")),
        labelled("b-component", text("places.component_code"), component, text("places.component_code_hint")),
      ),
      h(
        "details",
        { class: "form-more" },
        h("summary", {}, text("places.rules")),
        rules.element,
      ),
    ],
    send: async () => {
      const news = await change(`/api/v1/bays/${state.id}`, seen, {
        label: label.value.trim(),
        kind: kind.value,
        purpose: purpose.value,
        ground: ground.value,
        zone_id: zone.value || null,
        bearing_deg: bearing.value === "" ? null : Number(bearing.value),
        position: moved(state.position, where),
        length_m: typedNumber(length),
        width_m: typedNumber(width),
        grid_cell: cell.value.trim() || null,
        component_code: component.value.trim() || null,
        rules: rules.value(),
      });
      if (news) done();
      return text(news ? "places.saved" : "places.nothing_changed");
    },
  });
}
