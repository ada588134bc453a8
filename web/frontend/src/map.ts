/** The live map page. */
import "../styles/base.css";
import "../styles/map.css";
import { ProblemError } from "./api/client";
import { lonLat } from "./api/types";
import { inWalkingOrder, runsNorth } from "./format/labels";
import { agoText } from "./format/words";
import { Feed, type FeedState } from "./live/feed";
import { boxAround, grown, holds, type Box } from "./live/occupancy";
import { bayPanel } from "./map/bay_panel";
import { City } from "./map/city";
import { facilityPanel, type Panel } from "./map/facility_panel";
import { citySum, FacilityList } from "./map/list";
import type { MapView } from "./map/view";
import { legend, occupancyBar } from "./panels/figures";
import { everySecond } from "./shell/clock";
import { byId, put, replace, write } from "./shell/dom";
import { onKey } from "./shell/keys";
import { page, startPage } from "./shell/page";
import { poll } from "./shell/poll";
import { errorState } from "./shell/states";
import { text } from "./shell/text";
import { age } from "./format/time";

const REFRESH_MS = 20_000;
/** Zoom at which a chosen facility and a chosen bay are shown. */
const FACILITY_ZOOM = 17.2;
const BAY_ZOOM = 18.2;
/** Stalls of a garage lie closer together. */
const STALL_ZOOM = 19.2;
const LABEL_ZOOM = 18;

type Selection = { kind: "facility" | "bay"; id: string } | null;

class MapPage {
  private readonly city = new City();
  private readonly main = byId("main");
  private readonly panelElement = byId("panel");
  private readonly panelTitle = byId("panel-title");
  private readonly panelBody = byId("panel-content");
  private readonly list: FacilityList;
  private readonly sumBar = occupancyBar();
  private readonly sumLegend = legend();
  private view: MapView | null = null;
  private panel: Panel | null = null;
  private watched: Box | null = null;
  private cityBox: Box | null = null;
  private feedState: FeedState = "connecting";
  private stale = true;
  private failed = false;
  private opener: HTMLElement | null = null;
  private scrolledTo = 0;

  private readonly feed = new Feed({
    snapshot: (rows, fresh) => {
      this.city.snapshot(rows, fresh);
      this.view?.setBays(this.city.live.bays);
      this.stale = true;
      // A linked bay can be shown once the feed has brought it.
      if (!this.panel && this.selection()) this.showSelection(false);
    },
    changes: (rows) => {
      const turned = this.city.changes(rows);
      this.view?.changeBays(turned);
      this.stale = true;
    },
    state: (state) => {
      this.feedState = state;
      this.showFeed();
    },
  });

  constructor() {
    this.list = new FacilityList(
      {
        items: byId("facilities"),
        search: byId<HTMLInputElement>("search"),
        sorting: byId<HTMLSelectElement>("sorting"),
        found: byId("found"),
      },
      (id) => this.open("facility", id),
      () => this.view?.centre() ?? null,
    );
    put(byId("city-sum"), this.sumBar.element, this.sumLegend.element);
    byId("panel-close").addEventListener("click", () => this.close());
    onKey("Escape", "keys.close", () => this.close());
    onKey("m", "keys.map", () => this.toggleMap());
    byId("map-size").addEventListener("click", () => this.toggleMap());
    byId("zoom-in").addEventListener("click", () => this.view?.zoomBy(1));
    byId("zoom-out").addEventListener("click", () => this.view?.zoomBy(-1));
    byId("zoom-city").addEventListener("click", () => {
      if (this.cityBox) this.view?.showBox(this.cityBox);
    });
    addEventListener("hashchange", () => this.showSelection(true));
    everySecond(() => this.tick());
  }

  start(): void {
    poll(() => this.refresh(), REFRESH_MS);
  }

  private async refresh(): Promise<void> {
    try {
      await this.city.loadFacilities();
    } catch (error) {
      // What stands stays, and its age tells; only an empty page shows the failure itself.
      if (this.city.places().length === 0) {
        replace(byId("facilities"), errorState(error, () => void this.refresh()));
        this.failed = true;
      }
      if (error instanceof ProblemError && error.offline) this.showFeed("offline");
      return;
    }
    const first = this.cityBox === null || this.failed;
    this.failed = false;
    this.showPlaces();
    if (first) await this.begin();
  }

  /** Once the facilities are known: where the city lies, the feed, then the map. */
  private async begin(): Promise<void> {
    const box = boxAround(this.city.places().map((place) => place.position));
    if (!box) {
      this.showFeed("live");
      this.noMap(text("map.no_city"));
      return;
    }
    this.cityBox = grown(box, 0.06);
    this.watch(grown(box, 0.3));
    this.showSelection(false);
    const { streets } = page();
    const { MapView, canDraw } = await import("./map/view");
    if (!canDraw()) {
      this.noMap(text("map.no_webgl"));
      return;
    }
    try {
      this.view = new MapView(
        byId("map"),
        streets ?? "/static/map/streets.geojson",
        this.cityBox,
        {
          pickFacility: (id) => this.open("facility", id),
          pickBay: (id) => this.open("bay", id),
          pickNothing: () => this.close(),
          moved: (seen, zoom) => this.moved(seen, zoom),
        },
        () => this.mapPadding(),
      );
    } catch (error) {
      console.error(error);
      this.noMap(text("map.no_webgl"));
      return;
    }
    this.view.setPlaces(this.city.places());
    this.view.setBays(this.city.live.bays);
    this.showSelection(true);
  }

  private noMap(words: string): void {
    const note = byId("map-note");
    note.textContent = words;
    note.hidden = false;
    this.main.dataset["map"] = "none";
  }

  private watch(box: Box): void {
    this.watched = box;
    this.feed.watch(box);
  }

  private moved(seen: Box, zoom: number): void {
    if (this.watched && !holds(this.watched, seen) && this.cityBox) {
      // Beyond what is watched: follow, unless there is nothing of the city out there.
      const wanted = grown(seen, 0.5);
      if (!holds(wanted, this.cityBox) || !holds(this.watched, this.cityBox)) this.watch(wanted);
    }
    if (zoom >= LABEL_ZOOM) void this.loadLabels(seen);
  }

  private async loadLabels(seen: Box): Promise<void> {
    const inView = new Set<string>();
    for (const bay of this.city.live.bays.values()) {
      const inside =
        bay.longitude >= seen.west &&
        bay.longitude <= seen.east &&
        bay.latitude >= seen.south &&
        bay.latitude <= seen.north;
      if (inside) inView.add(bay.facilityId);
    }
    const loaded = await Promise.allSettled([...inView].slice(0, 12).map((id) => this.city.baysOf(id)));
    this.view?.setLabels(
      loaded.flatMap((result) => {
        if (result.status === "rejected") return [];
        const row = inWalkingOrder(result.value);
        const atKerb = this.city.place(row[0]?.facility_id ?? "")?.facility.kind === "kerb";
        const beside = atKerb && runsNorth(row.map((bay) => lonLat(bay.position)));
        return row.map((bay) => [bay.id, { text: this.city.shortLabel(bay), beside }] as const);
      }),
    );
  }

  private mapPadding(): { top: number; right: number; bottom: number; left: number } {
    const stage = byId("stage").getBoundingClientRect();
    const panel = this.panelElement.getBoundingClientRect();
    const none = { top: 0, right: 0, bottom: 0, left: 0 };
    if (this.panelElement.hidden) return none;
    const overlapsX = panel.left < stage.right && panel.right > stage.left;
    const overlapsY = panel.top < stage.bottom && panel.bottom > stage.top;
    if (!overlapsX || !overlapsY) return none;
    return panel.width > stage.width * 0.8
      ? { ...none, bottom: Math.max(0, stage.bottom - panel.top) }
      : { ...none, right: Math.max(0, stage.right - panel.left) };
  }

  private tick(): void {
    if (this.stale) {
      this.stale = false;
      this.showPlaces();
    }
    this.panel?.update();
    this.showFeed();
  }

  private showPlaces(): void {
    const places = this.city.places();
    const sum = citySum(places);
    this.list.show(places);
    this.view?.setPlaces(places);
    this.sumBar.update(sum);
    this.sumLegend.update(sum);
    byId("city-sum").hidden = places.length === 0;
    this.panel?.update();
  }

  private showFeed(state: FeedState = this.feedState): void {
    const pill = byId("feed");
    pill.dataset["state"] = state;
    const heard = this.feed.heardAtMs;
    const since = heard === null ? null : age(heard, Date.now());
    const words =
      state === "live" && since && since.unit !== "now"
        ? text("feed.live_ago", { age: agoText(heard, Date.now()) })
        : text(`feed.${state}`);
    write(byId("feed-words"), words);
    document.documentElement.classList.toggle("is-offline", state === "offline");
  }

  private selection(): Selection {
    const match = /^#(facility|bay)\/([0-9a-f-]{36})$/.exec(location.hash);
    return match ? { kind: match[1] as "facility" | "bay", id: match[2] ?? "" } : null;
  }

  private open(kind: "facility" | "bay", id: string): void {
    if (!this.panel) this.opener = document.activeElement as HTMLElement | null;
    const hash = `#${kind}/${id}`;
    if (location.hash === hash) this.showSelection(true);
    else location.hash = hash;
  }

  private close(): void {
    if (!this.panel) return;
    history.replaceState(null, "", location.pathname + location.search);
    this.showSelection(false);
    if (this.opener?.isConnected) this.opener.focus();
    this.opener = null;
  }

  private showSelection(move: boolean): void {
    const chosen = this.selection();
    const bay = chosen?.kind === "bay" ? this.city.stateOf(chosen.id) : null;
    const facilityId = chosen?.kind === "facility" ? chosen.id : (bay?.facilityId ?? null);
    this.list.mark(facilityId);
    this.view?.choose({ facilityId, bayId: bay?.id ?? null });
    if (!chosen) {
      this.showPanel(null);
      return;
    }
    if (chosen.kind === "bay") {
      if (!bay) return;
      // Its label comes with the facility's bays.
      if (!this.city.bay(chosen.id)) {
        void this.city.baysOf(bay.facilityId).then(
          () => {
            if (this.city.bay(chosen.id)) this.showSelection(false);
          },
          () => undefined,
        );
      }
      this.showPanel(bayPanel(this.city, chosen.id, (id) => this.open("facility", id)));
      const atKerb = this.city.place(bay.facilityId)?.facility.kind === "kerb";
      if (move) this.view?.show([bay.longitude, bay.latitude], atKerb ? BAY_ZOOM : STALL_ZOOM);
      return;
    }
    const place = this.city.place(chosen.id);
    this.showPanel(facilityPanel(this.city, chosen.id, (id) => this.open("bay", id)));
    if (place && move) this.view?.show(place.position, FACILITY_ZOOM);
  }

  private showPanel(panel: Panel | null): void {
    const before = this.panel;
    // On narrow screens the sheet stands over the list: show the map above it meanwhile.
    if (panel && !before) {
      this.scrolledTo = scrollY;
      if (scrollY > 0) scrollTo(0, 0);
    } else if (!panel && before && this.scrolledTo > 0) scrollTo(0, this.scrolledTo);
    this.panel = panel;
    this.panelElement.hidden = !panel;
    this.main.dataset["panel"] = panel ? "open" : "closed";
    if (!panel) {
      this.panelBody.replaceChildren();
      return;
    }
    write(this.panelTitle, panel.title);
    replace(this.panelBody, panel.element);
    this.panelElement.scrollTop = 0;
    if (!before || before.title !== panel.title) this.panelTitle.focus({ preventScroll: true });
  }

  private toggleMap(): void {
    const wide = this.main.dataset["view"] === "map";
    this.main.dataset["view"] = wide ? "both" : "map";
    byId("map-size").setAttribute("aria-pressed", String(!wide));
    requestAnimationFrame(() => this.view?.resize());
  }
}

void startPage(() => new MapPage().start());
