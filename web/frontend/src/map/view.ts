/** The map itself: MapLibre over our own streets, loaded after the list stands. */
import { Map as GlMap, Marker, setWorkerUrl, type GeoJSONSource, type MapMouseEvent } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import type { Feature, FeatureCollection, Point } from "geojson";
import { rasterGlyph } from "../glyphs/raster";
import { GLYPH_TOKEN, GLYPHS, type GlyphName } from "../glyphs/shapes";
import type { Box, LiveBay } from "../live/occupancy";
import { language, text, inLanguage } from "../shell/text";
import { onThemeChange, token } from "../shell/theme";
import type { Place } from "./city";
import { standing } from "./order";
import { pillImage } from "./pill";
import { MAP_FONT, mapStyle, type MapTokens } from "./style";

/** Stalls of a garage lie 2.5 m apart, bays at the kerb 6 m. */
const GARAGE_SCALE = 0.55;
const CHANGED_SHOWN_MS = 1_600;
const BATCH_MS = 200;
const STREETS_AGAIN_MS = 3_000;

export interface Choice {
  readonly facilityId: string | null;
  readonly bayId: string | null;
}

export interface BayLabel {
  readonly text: string;
  /** Beside the bay and not below it. */
  readonly beside: boolean;
}

/** An element that stands on the map with its foot at a place. */
export interface Pin {
  readonly id: string;
  readonly at: readonly [number, number];
  readonly element: HTMLElement;
  /** Its middle, and not its foot, stands at the place. */
  readonly centred?: boolean;
}

export interface MapListener {
  pickFacility(id: string): void;
  pickBay(id: string): void;
  pickNothing(at: readonly [number, number]): void;
  moved(box: Box, zoom: number): void;
}

function tokens(): MapTokens {
  return {
    paper: token("--paper"),
    surface: token("--surface"),
    ink: token("--ink"),
    muted: token("--muted"),
    line: token("--line"),
    accent: token("--accent"),
    taken: token("--taken"),
    information: token("--information"),
    land: token("--map-land"),
    water: token("--map-water"),
    street: token("--map-street"),
    casing: token("--map-casing"),
    green: token("--map-green"),
  };
}

function point(id: string, at: readonly [number, number], properties: object): Feature<Point> {
  return {
    type: "Feature",
    geometry: { type: "Point", coordinates: [at[0], at[1]] },
    properties: { id, ...properties },
  };
}

function collection(features: Feature<Point>[]): FeatureCollection<Point> {
  return { type: "FeatureCollection", features };
}

export class MapView {
  private readonly map: GlMap;
  private places: readonly Place[] = [];
  private bays: ReadonlyMap<string, LiveBay> = new Map();
  private choice: Choice = { facilityId: null, bayId: null };
  private shownPlaces = "";
  private garages: ReadonlySet<string> = new Set();
  private readonly labels = new Map<string, BayLabel>();
  private readonly pins = new Map<string, Marker>();
  private readonly pending = new Map<string, LiveBay>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private readonly calm = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(
    container: HTMLElement,
    streets: string,
    first: Box,
    private readonly listener: MapListener,
    private readonly padding: () => { top: number; right: number; bottom: number; left: number },
  ) {
    const streetsUrl = new URL(streets, location.href).href;
    setWorkerUrl(new URL(workerUrl, location.href).href);
    this.map = new GlMap({
      container,
      style: mapStyle(tokens(), language(), streetsUrl),
      bounds: [first.west, first.south, first.east, first.north],
      fitBoundsOptions: { padding: 48 },
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      maxZoom: 20.5,
      // Half a degree of town fits a phone's map between its margins.
      minZoom: 8,
      localIdeographFontFamily: MAP_FONT.join(","),
      fadeDuration: this.calm.matches ? 0 : 150,
      locale: { "Map.Title": text("map.title") },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.setMissingStyleImageResolver((id) => this.draw(id));
    this.map.on("error", (event) => {
      console.error(event.error.message);
      // Opened on a line that then broke: bays without streets are no map.
      const failed = (event as unknown as { sourceId?: string }).sourceId;
      if (failed === "streets") setTimeout(() => this.source("streets")?.setData(streetsUrl), STREETS_AGAIN_MS);
    });
    // Not 'load': that waits until no source is busy, and a living city always is.
    this.map.once("style.load", () => {
      this.fillSources();
      this.tellMoved();
    });
    this.map.on("sourcedata", ({ sourceId, isSourceLoaded }) => {
      if (sourceId === "streets" && isSourceLoaded) container.dataset["loaded"] = "yes";
    });
    this.map.on("moveend", () => this.tellMoved());
    this.map.on("click", (event) => this.clicked(event));
    this.map.on("mousemove", (event) => {
      this.map.getCanvas().style.cursor = this.under(event) ? "pointer" : "";
    });
    onThemeChange(() => {
      this.map.setStyle(mapStyle(tokens(), language(), streetsUrl), { diff: false });
      this.map.once("style.load", () => this.fillSources());
    });
  }

  setPlaces(places: readonly Place[]): void {
    this.places = places;
    const garages = places.filter((place) => place.facility.kind !== "kerb");
    const known = this.garages.size;
    this.garages = new Set(garages.map((place) => place.id));
    if (this.garages.size !== known) this.setBays(this.bays);
    const features = places.map((place) => this.facility(place));
    const shown = JSON.stringify(features.map(({ properties }) => properties));
    const source = this.source("facilities");
    if (!source || shown === this.shownPlaces) return;
    this.shownPlaces = shown;
    source.setData(collection(features));
  }

  setBays(bays: ReadonlyMap<string, LiveBay>): void {
    this.bays = bays;
    this.source("bays")?.setData(collection([...bays.values()].map((bay) => this.bay(bay))));
  }

  /** Show what turned, a batch at a time: a rush of reports costs one redraw, not one each. */
  changeBays(turned: readonly LiveBay[]): void {
    for (const bay of turned) this.pending.set(bay.id, bay);
    this.timer ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  setLabels(labels: Iterable<readonly [string, BayLabel]>): void {
    let news = false;
    for (const [id, label] of labels) {
      if (this.labels.has(id)) continue;
      this.labels.set(id, label);
      news = true;
    }
    if (news) this.setBays(this.bays);
  }

  choose(choice: Choice): void {
    this.markChoice(false);
    this.choice = choice;
    this.markChoice(true);
  }

  /** Show these pins and no others; one of an id that stands already keeps its element. */
  setPins(pins: readonly Pin[]): void {
    const wanted = new Set(pins.map(({ id }) => id));
    for (const [id, marker] of this.pins) {
      if (wanted.has(id)) continue;
      marker.remove();
      this.pins.delete(id);
    }
    for (const { id, at, element, centred } of pins) {
      const standing = this.pins.get(id);
      if (standing?.getElement() === element) {
        standing.setLngLat([at[0], at[1]]);
        continue;
      }
      standing?.remove();
      // A click on a pin is none on the map below it.
      element.addEventListener("click", (event) => event.stopPropagation());
      const marker = new Marker({ element, anchor: centred ? "center" : "bottom" });
      this.pins.set(id, marker.setLngLat([at[0], at[1]]).addTo(this.map));
    }
  }

  /** Bring a place into view, beside whatever panel covers the map. */
  show(at: readonly [number, number], zoom: number): void {
    this.map.easeTo({
      center: [at[0], at[1]],
      zoom: Math.max(this.map.getZoom(), zoom),
      padding: this.padding(),
      duration: this.calm.matches ? 0 : 450,
    });
  }

  zoomBy(step: 1 | -1): void {
    if (step > 0) this.map.zoomIn();
    else this.map.zoomOut();
  }

  showBox(box: Box, maxZoom?: number): void {
    const beside = this.padding();
    this.map.fitBounds([box.west, box.south, box.east, box.north], {
      padding: {
        top: 48 + beside.top,
        right: 48 + beside.right,
        bottom: 48 + beside.bottom,
        left: 48 + beside.left,
      },
      ...(maxZoom === undefined ? {} : { maxZoom }),
      duration: this.calm.matches ? 0 : 450,
    });
  }

  centre(): readonly [number, number] {
    const { lng, lat } = this.map.getCenter();
    return [lng, lat];
  }

  resize(): void {
    this.map.resize();
  }

  private source(name: string): GeoJSONSource | undefined {
    return this.map.getSource<GeoJSONSource>(name);
  }

  private fillSources(): void {
    this.shownPlaces = "";
    this.setPlaces(this.places);
    this.setBays(this.bays);
    this.markChoice(true);
  }

  private facility(place: Place): Feature<Point> {
    const stands = standing(place.counts);
    return point(place.id, place.position, {
      name: inLanguage(place.zh, place.en),
      count: stands === "unknown" ? "?" : String(place.counts.free),
      pill: `pill:${stands}`,
      order: -place.counts.free - (place.facility.kind === "garage" ? 1_000 : 0),
    });
  }

  private bay(bay: LiveBay): Feature<Point> {
    return point(bay.id, [bay.longitude, bay.latitude], {
      state: bay.state,
      label: this.labels.get(bay.id)?.text ?? "",
      beside: this.labels.get(bay.id)?.beside ?? false,
      scale: this.garages.has(bay.facilityId) ? GARAGE_SCALE : 1,
    });
  }

  private flush(): void {
    this.timer = null;
    const bays = [...this.pending.values()];
    this.pending.clear();
    const source = this.source("bays");
    if (!source || bays.length === 0) return;
    void source.updateData({
      update: bays.map((bay) => ({
        id: bay.id,
        addOrUpdateProperties: [{ key: "state", value: bay.state }],
      })),
    });
    if (this.calm.matches) return;
    for (const bay of bays) this.feature("bays", bay.id, { changed: true });
    setTimeout(() => {
      for (const bay of bays) this.feature("bays", bay.id, { changed: false });
    }, CHANGED_SHOWN_MS);
  }

  private feature(source: string, id: string, state: Readonly<Record<string, boolean>>): void {
    if (this.map.getSource(source)) this.map.setFeatureState({ source, id }, { ...state });
  }

  private markChoice(chosen: boolean): void {
    if (this.choice.bayId) this.feature("bays", this.choice.bayId, { chosen });
    if (this.choice.facilityId) this.feature("facilities", this.choice.facilityId, { chosen });
  }

  private draw(id: string): void {
    const now = tokens();
    const ratio = Math.max(2, devicePixelRatio);
    const [kind, word, size] = id.split(":");
    const name = word as GlyphName;
    if (!(name in GLYPHS)) return;
    const colour = token(GLYPH_TOKEN[name]);
    if (kind === "bay") {
      const raster = rasterGlyph(name, colour, now.street, Number(size), ratio);
      this.map.addImage(id, raster, { pixelRatio: ratio });
    } else if (kind === "pill") {
      const pill = pillImage(name, colour, now.surface, now.line, ratio);
      this.map.addImage(id, pill.raster, pill.options);
    }
  }

  private under(event: MapMouseEvent): { layer: string; id: string } | null {
    const reach = 6;
    const { x, y } = event.point;
    const layers = ["facility", "bay", "bay-dot"].filter((name) => this.map.getLayer(name));
    const found = this.map.queryRenderedFeatures(
      [
        [x - reach, y - reach],
        [x + reach, y + reach],
      ],
      { layers },
    )[0];
    const id: unknown = found?.properties["id"];
    return found && typeof id === "string" ? { layer: found.layer.id, id } : null;
  }

  private clicked(event: MapMouseEvent): void {
    const found = this.under(event);
    if (!found) this.listener.pickNothing([event.lngLat.lng, event.lngLat.lat]);
    else if (found.layer.startsWith("bay")) this.listener.pickBay(found.id);
    else this.listener.pickFacility(found.id);
  }

  private tellMoved(): void {
    const bounds = this.map.getBounds();
    this.listener.moved(
      {
        west: bounds.getWest(),
        south: bounds.getSouth(),
        east: bounds.getEast(),
        north: bounds.getNorth(),
      },
      this.map.getZoom(),
    );
  }
}

/** Whether this browser can draw the map at all. */
export function canDraw(): boolean {
  try {
    return document.createElement("canvas").getContext("webgl2") !== null;
  } catch {
    return false;
  }
}
