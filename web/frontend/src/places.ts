/** Places for those who keep them: operators, facilities, zones and bays beside their map. */
import "../styles/base.css";
import "../styles/map.css";
import "../styles/places.css";
import { lonLat } from "./api/types";
import { boxAround, grown, type Box, type LiveBay } from "./live/occupancy";
import { City, liveOf } from "./map/city";
import type { MapView } from "./map/view";
import { importForm } from "./places/import";
import { facilityForm, operatorForm } from "./places/forms";
import {
  bayPanel,
  facilityPanel,
  loading,
  operatorPanel,
  zonePanel,
  type Page,
  type Shown,
} from "./places/panels";
import { Registry } from "./places/registry";
import { Tree, type Chosen } from "./places/tree";
import { ONBOARDINGS, wordsFor } from "./places/words";
import { byId, h, put, replace, write } from "./shell/dom";
import { runsNorth, inWalkingOrder } from "./format/labels";
import { onKey } from "./shell/keys";
import { hasRole, page, startPage } from "./shell/page";
import { errorState } from "./shell/states";
import { text } from "./shell/text";

const FACILITY_ZOOM = 17.2;
/** Stalls lie closer together than bays at the kerb. */
const GARAGE_ZOOM = 18.6;
const BAY_ZOOM = 18.6;

function keyOf(chosen: Chosen): string {
  return `${chosen.kind}/${chosen.id}`;
}

/** What the address names: '#facility/…', or '#bay/…/…' with the facility first. */
function chosenIn(hash: string): Chosen | null {
  const [kind, ...ids] = hash.replace(/^#/, "").split("/");
  const [first = "", second = ""] = ids;
  if ((kind === "operator" || kind === "facility") && first) return { kind, id: first };
  if ((kind === "zone" || kind === "bay") && second) return { kind, facilityId: first, id: second };
  return null;
}

function hashOf(chosen: Chosen): string {
  return "facilityId" in chosen
    ? `#${chosen.kind}/${chosen.facilityId}/${chosen.id}`
    : `#${chosen.kind}/${chosen.id}`;
}

class PlacesPage {
  private readonly registry = new Registry();
  private readonly city = new City();
  private readonly mayKeep = hasRole("operator", "administrator");
  private readonly panel = byId("panel");
  private readonly tree: Tree;
  private view: MapView | null = null;
  private box: Box | null = null;
  private shown = 0;
  private opener = "";

  constructor() {
    const state = byId<HTMLSelectElement>("onboarding");
    put(
      state,
      h("option", { value: "" }, text("places.any_state")),
      ...wordsFor("onboarding", ONBOARDINGS).map(([value, words]) => h("option", { value }, words)),
    );
    this.tree = new Tree(
      { root: byId("tree"), search: byId<HTMLInputElement>("search"), state, found: byId("found") },
      this.registry,
      (chosen) => this.choose(chosen),
    );
    byId("keeping").hidden = !this.mayKeep;
    byId("new-facility").addEventListener("click", () =>
      facilityForm(this.registry, this.view?.centre() ?? null, (id) => this.made({ kind: "facility", id })),
    );
    byId("new-operator").addEventListener("click", () =>
      operatorForm((id) => this.made({ kind: "operator", id })),
    );
    byId("import").addEventListener("click", () => importForm(this.registry, () => void this.again()));
    byId("panel-close").addEventListener("click", () => this.close());
    onKey("Escape", "keys.close", () => this.close());
    byId("zoom-in").addEventListener("click", () => this.view?.zoomBy(1));
    byId("zoom-out").addEventListener("click", () => this.view?.zoomBy(-1));
    byId("zoom-city").addEventListener("click", () => {
      if (this.box) this.view?.showBox(this.box);
    });
    addEventListener("hashchange", () => this.show(true));
  }

  async start(): Promise<void> {
    try {
      await Promise.all([this.registry.load(), this.city.loadFacilities()]);
    } catch (error) {
      replace(byId("tree"), h("li", {}, errorState(error, () => void this.start())));
      return;
    }
    this.tree.draw();
    this.show(false);
    await this.draw();
    this.show(true);
  }

  private async draw(): Promise<void> {
    const around = boxAround(this.registry.facilities.map((each) => lonLat(each.position)));
    const { streets } = page();
    const { MapView, canDraw } = await import("./map/view");
    if (!around || !canDraw()) {
      const note = byId("map-note");
      note.textContent = text(around ? "map.no_webgl" : "map.no_city");
      note.hidden = false;
      byId("main").dataset["map"] = "none";
      return;
    }
    this.box = grown(around, 0.06);
    this.view = new MapView(
      byId("map"),
      streets ?? "/static/map/streets.geojson",
      this.box,
      {
        pickFacility: (id) => this.choose({ kind: "facility", id }),
        pickBay: (id) => {
          const bay = this.city.bay(id);
          if (bay) this.choose({ kind: "bay", id, facilityId: bay.facility_id });
        },
        pickNothing: () => this.close(),
        moved: () => undefined,
      },
      () => this.padding(),
    );
    this.view.setPlaces(this.city.places());
  }

  private padding(): { top: number; right: number; bottom: number; left: number } {
    const none = { top: 0, right: 0, bottom: 0, left: 0 };
    if (this.panel.hidden) return none;
    const stage = byId("stage").getBoundingClientRect();
    const panel = this.panel.getBoundingClientRect();
    const beside = panel.left < stage.right && panel.left > stage.left;
    return beside ? { ...none, right: stage.right - panel.left } : none;
  }

  private readonly around: Page = {
    registry: this.registry,
    city: this.city,
    mayKeep: this.mayKeep,
    choose: (chosen) => this.choose(chosen),
    changed: () => void this.again(),
    centre: () => this.view?.centre() ?? null,
  };

  private made(chosen: Chosen): void {
    void this.again().then(() => this.choose(chosen));
  }

  /** Something was written: everything is asked for again, and the same place stays open. */
  private async again(): Promise<void> {
    this.city.forgetBays();
    try {
      await Promise.all([this.registry.load(), this.city.loadFacilities()]);
    } catch (error) {
      replace(byId("tree"), h("li", {}, errorState(error, () => void this.again())));
      return;
    }
    this.view?.setPlaces(this.city.places());
    this.tree.draw();
    this.show(false);
  }

  private choose(chosen: Chosen): void {
    this.opener = keyOf(chosen);
    if (location.hash === hashOf(chosen)) this.show(true);
    else location.hash = hashOf(chosen);
  }

  private close(): void {
    if (this.panel.hidden) return;
    history.replaceState(null, "", location.pathname + location.search);
    this.show(false);
    this.tree.focus(this.opener);
  }

  private show(move: boolean): void {
    const chosen = chosenIn(location.hash);
    this.panel.hidden = !chosen;
    byId("main").dataset["panel"] = chosen ? "open" : "closed";
    this.tree.mark(chosen ? keyOf(chosen) : "");
    if (!chosen) {
      byId("panel-content").replaceChildren();
      this.view?.choose({ facilityId: null, bayId: null });
      return;
    }
    const facilityId = "facilityId" in chosen ? chosen.facilityId : chosen.kind === "facility" ? chosen.id : null;
    const facility = facilityId === null ? null : this.registry.facility(facilityId);
    if (facility && move) this.tree.reveal(facility, chosen.kind !== "facility");
    this.tree.mark(keyOf(chosen));
    this.shown += 1;
    const mine = this.shown;
    const title = byId("panel-title");
    loading(
      byId("panel-content"),
      (words) => {
        if (mine === this.shown) write(title, words);
      },
      async () => {
        const shown = await this.panelOf(chosen);
        return mine === this.shown ? shown : null;
      },
    );
    if (move) {
      this.panel.scrollTop = 0;
      title.focus({ preventScroll: true });
    }
    this.view?.choose({ facilityId, bayId: chosen.kind === "bay" ? chosen.id : null });
    if (facilityId !== null) void this.onMap(facilityId, chosen, move);
  }

  private async panelOf(chosen: Chosen): Promise<Shown | null> {
    if (!("facilityId" in chosen)) {
      if (chosen.kind === "facility") return facilityPanel(this.around, chosen.id);
      const operator = this.registry.operators.find((each) => each.id === chosen.id);
      return operator ? operatorPanel(this.around, operator) : null;
    }
    if (chosen.kind === "zone") return zonePanel(this.around, chosen.facilityId, chosen.id);
    return bayPanel(this.around, chosen.facilityId, chosen.id);
  }

  /** The chosen facility's bays lie on the map; those of the others would cost and say nothing. */
  private async onMap(facilityId: string, chosen: Chosen, move: boolean): Promise<void> {
    const facility = this.registry.facility(facilityId);
    if (!this.view || !facility) return;
    const bays = inWalkingOrder(await this.city.baysOf(facilityId).catch(() => []));
    const live = new Map<string, LiveBay>(bays.map((bay) => [bay.id, liveOf(bay)]));
    const beside = facility.kind === "kerb" && runsNorth(bays.map((bay) => lonLat(bay.position)));
    this.view.setBays(live);
    this.view.setLabels(bays.map((bay) => [bay.id, { text: this.city.shortLabel(bay), beside }] as const));
    this.view.choose({ facilityId, bayId: chosen.kind === "bay" ? chosen.id : null });
    if (!move) return;
    const bay = chosen.kind === "bay" ? live.get(chosen.id) : null;
    if (bay) this.view.show([bay.longitude, bay.latitude], BAY_ZOOM);
    else this.view.show(lonLat(facility.position), facility.kind === "kerb" ? FACILITY_ZOOM : GARAGE_ZOOM);
  }
}

void startPage(() => new PlacesPage().start());
