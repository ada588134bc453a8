/** The map beside the list: the destination and the candidates as pins; a tap is a destination. */
import { lonLat } from "../api/types";
import { inLanguage, price } from "../format/words";
import { boxAround, grown, type Box } from "../live/occupancy";
import type { MapView, Pin } from "../map/view";
import { byId, h, svg, write } from "../shell/dom";
import { page } from "../shell/page";
import { text } from "../shell/text";
import type { Shown } from "./candidates";
import type { Destination, LonLat } from "./wish";
import { painted } from "./words";

const CLOSEST_ZOOM = 17;
const BAY_ZOOM = 16.6;
const TO = "to";

export interface Picked {
  pickPoint(at: LonLat): void;
  pickBay(id: string): void;
}

export class CandidateMap {
  private view: MapView | null = null;
  private whole: Box | null = null;
  private readonly elements = new Map<string, HTMLElement>();
  private box: Box | null = null;

  constructor(private readonly picked: Picked) {
    byId("zoom-in").addEventListener("click", () => this.view?.zoomBy(1));
    byId("zoom-out").addEventListener("click", () => this.view?.zoomBy(-1));
    byId("zoom-all").addEventListener("click", () => {
      const box = this.box ?? this.whole;
      if (box) this.view?.showBox(box, CLOSEST_ZOOM);
    });
  }

  /** Load and draw the map; without a city or a way to draw it says so, and the list goes on. */
  async start(city: Box | null): Promise<void> {
    if (!city) {
      this.without(text("map.no_city"));
      return;
    }
    this.whole = grown(city, 0.06);
    try {
      const { MapView, canDraw } = await import("../map/view");
      if (!canDraw()) {
        this.without(text("map.no_webgl"));
        return;
      }
      this.view = new MapView(
        byId("map"),
        page().streets ?? "/static/map/streets.geojson",
        this.whole,
        {
          pickFacility: () => undefined,
          pickBay: () => undefined,
          pickNothing: (at) => this.picked.pickPoint(at),
          moved: () => undefined,
        },
        () => this.padding(),
      );
    } catch (error) {
      console.error(error);
      this.without(text("map.no_webgl"));
    }
  }

  without(words: string): void {
    const note = byId("map-note");
    write(note, words);
    note.hidden = false;
    byId("main").dataset["map"] = "none";
  }

  /** Show the destination and the candidates; `move` brings all of them into view. */
  show(to: Destination | null, shown: readonly Shown[], move: boolean): void {
    const pins: Pin[] = shown.map((each) => this.candidate(each));
    if (to) pins.push({ id: TO, at: to.at, element: this.destination(to), centred: true });
    const wanted = new Set(pins.map(({ id }) => id));
    for (const id of this.elements.keys()) if (!wanted.has(id)) this.elements.delete(id);
    this.view?.setPins(pins);
    this.box = boxAround(pins.map(({ at }) => at));
    if (move && this.box && pins.length > 0) this.view?.showBox(grown(this.box, 0.1), CLOSEST_ZOOM);
  }

  /** Let one candidate stand out, or none. */
  point(id: string | null): void {
    for (const [key, element] of this.elements) {
      if (key !== TO) element.classList.toggle("pin-chosen", key === id);
    }
  }

  look({ found }: Shown): void {
    this.view?.show(lonLat(found.bay.position), BAY_ZOOM);
  }

  private candidate({ found, number }: Shown): Pin {
    const { id } = found.bay;
    let element = this.elements.get(id);
    if (!element) {
      element = h(
        "button",
        { class: "pin", type: "button", tabindex: -1, onclick: () => this.picked.pickBay(id) },
        h("span", { class: "pin-number" }),
        h("span", { class: "pin-price" }),
        // Spoken after what is seen, so that the name holds all of it.
        h("span", { class: "visually-hidden" }),
      );
      this.elements.set(id, element);
    }
    // Where pins overlap, the better candidate lies on top.
    element.style.zIndex = String(100 - number);
    const [count, cost, spoken] = [...element.children];
    if (count) write(count, String(number));
    const priced = found.price_total ? price(found.price_total) : "?";
    if (cost) write(cost, priced);
    const name = inLanguage(found.facility.zh, found.facility.en);
    if (spoken) write(spoken, ` ${text("find.pin", { name, label: painted(found) })}`);
    return { id, at: lonLat(found.bay.position), element };
  }

  private destination(to: Destination): HTMLElement {
    let element = this.elements.get(TO);
    if (!element) {
      element = h(
        "div",
        { class: "pin-to", role: "img" },
        svg(
          "svg",
          { viewBox: "0 0 32 32", "aria-hidden": "true", focusable: "false" },
          svg("circle", { class: "pin-to-body", cx: 16, cy: 16, r: 13 }),
          svg("circle", { class: "pin-to-eye", cx: 16, cy: 16, r: 5 }),
        ),
      );
      this.elements.set(TO, element);
    }
    element.setAttribute("aria-label", text("find.pin_to", { place: to.name || text("find.point") }));
    return element;
  }

  private padding(): { top: number; right: number; bottom: number; left: number } {
    const none = { top: 0, right: 0, bottom: 0, left: 0 };
    const panel = byId("panel");
    if (panel.hidden) return none;
    const stage = byId("stage").getBoundingClientRect();
    const over = panel.getBoundingClientRect();
    if (over.left >= stage.right || over.right <= stage.left) return none;
    if (over.top >= stage.bottom || over.bottom <= stage.top) return none;
    return over.width > stage.width * 0.8
      ? { ...none, bottom: Math.max(0, Math.min(stage.height - 120, stage.bottom - over.top)) }
      : { ...none, right: Math.max(0, stage.right - over.left) };
  }
}
