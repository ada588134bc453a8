/** The map's own style: our streets in the design's tokens, nothing from anywhere else. Pure. */
import type {
  ExpressionSpecification,
  GeoJSONSourceSpecification,
  LayerSpecification,
  StyleSpecification,
} from "maplibre-gl";
import type { Language } from "../shell/text";

/** Colours as the page's tokens have them at this moment. */
export interface MapTokens {
  readonly paper: string;
  readonly surface: string;
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly accent: string;
  readonly taken: string;
  readonly information: string;
  readonly land: string;
  readonly water: string;
  readonly street: string;
  readonly casing: string;
  readonly green: string;
}

/** Fonts of this machine: MapLibre draws the glyphs itself where the style names no server. */
export const MAP_FONT = ["Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];

/**
 * Width of a street in pixels at zooms 13, 16 and 20, by class. From 16 on it is the true width
 * (carriageways, bicycle lanes and bays, at 31 degrees north), so that bays lie at the kerb.
 */
const WIDTHS: Readonly<Record<string, readonly [number, number, number]>> = {
  expressway: [4.4, 32, 512],
  arterial: [4, 28, 448],
  sub_arterial: [3, 21.4, 342],
  service: [0.8, 8, 128],
};
const OTHER_WIDTH = [2.2, 15.4, 246] as const;

function widthAt(index: 0 | 1 | 2, extra: number): ExpressionSpecification {
  const pairs = Object.entries(WIDTHS).flatMap(([name, widths]) => [name, widths[index] + extra]);
  return ["match", ["get", "class"], ...pairs, OTHER_WIDTH[index] + extra] as unknown as
    ExpressionSpecification;
}

function streetWidth(extra: number): ExpressionSpecification {
  return [
    "interpolate",
    ["exponential", 2],
    ["zoom"],
    13,
    widthAt(0, extra),
    16,
    widthAt(1, extra),
    20,
    widthAt(2, extra),
  ];
}

const NOTHING: GeoJSONSourceSpecification = {
  type: "geojson",
  data: { type: "FeatureCollection", features: [] },
};

const IS_LINE: ExpressionSpecification = ["==", ["geometry-type"], "LineString"];
const IS_POINT: ExpressionSpecification = ["==", ["geometry-type"], "Point"];
const IS_AREA: ExpressionSpecification = ["==", ["geometry-type"], "Polygon"];
const IS_BIG: ExpressionSpecification = ["in", ["get", "class"], ["literal", ["expressway", "arterial", "sub_arterial"]]];

/** From here on single bays are drawn; below, facilities carry their counts. */
export const BAYS_FROM_ZOOM = 14.6;

/** From here on the bays speak for themselves. */
const FACILITIES_TO_ZOOM = 18;
/** From here on a facility's pill carries its name too. */
const NAMES_FROM_ZOOM = 16.2;

function baseLayers(tokens: MapTokens, language: Language): LayerSpecification[] {
  const other = language === "zh" ? "en" : "zh";
  const name: ExpressionSpecification = [
    "coalesce",
    ["get", `name_${language}`],
    ["get", `name_${other}`],
    "",
  ];
  const halo = { "text-halo-color": tokens.land, "text-halo-width": 1.6 };
  return [
    { id: "land", type: "background", paint: { "background-color": tokens.land } },
    {
      id: "areas",
      type: "fill",
      source: "streets",
      filter: IS_AREA,
      paint: {
        "fill-color": ["match", ["get", "class"], ["park", "green"], tokens.green, tokens.water],
      },
    },
    {
      id: "street-casing",
      type: "line",
      source: "streets",
      filter: IS_LINE,
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": tokens.casing, "line-width": streetWidth(1.6) },
    },
    {
      id: "street",
      type: "line",
      source: "streets",
      filter: IS_LINE,
      layout: {
        "line-cap": "round",
        "line-join": "round",
        "line-sort-key": [
          "match",
          ["get", "class"],
          ["expressway", "arterial"],
          2,
          "sub_arterial",
          1,
          0,
        ],
      },
      paint: { "line-color": tokens.street, "line-width": streetWidth(0) },
    },
    {
      id: "junction",
      type: "circle",
      source: "streets",
      filter: IS_POINT,
      minzoom: 14.5,
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 14.5, 1.6, 18, 5],
        "circle-color": tokens.land,
        "circle-stroke-color": tokens.muted,
        "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 14.5, 0.8, 18, 1.6],
      },
    },
    {
      id: "street-name",
      type: "symbol",
      source: "streets",
      filter: ["all", IS_LINE, IS_BIG],
      minzoom: 13.4,
      layout: {
        "symbol-placement": "line",
        "symbol-spacing": 420,
        "text-field": name,
        "text-font": MAP_FONT,
        "text-size": ["interpolate", ["linear"], ["zoom"], 13, 10.5, 17, 13],
        "text-letter-spacing": language === "zh" ? 0.12 : 0.02,
        "text-padding": 12,
      },
      paint: { "text-color": tokens.muted, ...halo, "text-halo-color": tokens.street },
    },
    {
      id: "lane-name",
      type: "symbol",
      source: "streets",
      filter: ["all", IS_LINE, ["!", IS_BIG]],
      minzoom: 15.4,
      layout: {
        "symbol-placement": "line",
        "symbol-spacing": 360,
        "text-field": name,
        "text-font": MAP_FONT,
        "text-size": 11,
        "text-padding": 8,
      },
      paint: { "text-color": tokens.muted, ...halo, "text-halo-color": tokens.street },
    },
    {
      id: "area-name",
      type: "symbol",
      source: "streets",
      filter: IS_AREA,
      layout: {
        "text-field": name,
        "text-font": MAP_FONT,
        "text-size": 13,
        "text-letter-spacing": 0.2,
      },
      paint: { "text-color": tokens.muted },
    },
  ];
}

/** Pictures of two sizes, since a small one drawn from a large one is noise. */
const SMALL_PX = 12;
const LARGE_PX = 32;
const LARGE_FROM_ZOOM = 17.4;
/** Below this a bay is a dot; its shape would not be seen. */
const SHAPES_FROM_ZOOM = 16;

/** Pixels of a bay by zoom: bays 6 m apart just do not touch; those of garages are closer. */
function baySize(): ExpressionSpecification {
  const sized = (pixels: number, picture: number): ExpressionSpecification => [
    "*",
    pixels / picture,
    ["get", "scale"],
  ];
  return [
    "interpolate",
    ["exponential", 2],
    ["zoom"],
    16,
    sized(6.4, SMALL_PX),
    LARGE_FROM_ZOOM - 0.001,
    sized(13, SMALL_PX),
    LARGE_FROM_ZOOM,
    sized(13, LARGE_PX),
    18.4,
    sized(20, LARGE_PX),
    20,
    sized(42, LARGE_PX),
  ];
}

function bayLayers(tokens: MapTokens): LayerSpecification[] {
  const chosen: ExpressionSpecification = ["boolean", ["feature-state", "chosen"], false];
  const changed: ExpressionSpecification = ["boolean", ["feature-state", "changed"], false];
  return [
    {
      id: "bay-halo",
      type: "circle",
      source: "bays",
      minzoom: BAYS_FROM_ZOOM,
      paint: {
        "circle-radius": [
          "interpolate",
          ["exponential", 2],
          ["zoom"],
          14,
          5,
          16,
          8,
          18,
          ["*", 17, ["get", "scale"]],
          20,
          ["*", 36, ["get", "scale"]],
        ],
        "circle-color": ["case", chosen, tokens.information, tokens.accent],
        "circle-opacity": ["case", chosen, 0.28, changed, 0.22, 0],
        "circle-stroke-width": ["case", chosen, 2, 0],
        "circle-stroke-color": tokens.information,
      },
    },
    {
      id: "bay-dot",
      type: "circle",
      source: "bays",
      minzoom: BAYS_FROM_ZOOM,
      maxzoom: SHAPES_FROM_ZOOM,
      paint: {
        "circle-radius": [
          "interpolate",
          ["exponential", 2],
          ["zoom"],
          14,
          ["*", 1.2, ["get", "scale"]],
          SHAPES_FROM_ZOOM,
          ["*", 2.8, ["get", "scale"]],
        ],
        "circle-color": [
          "match",
          ["get", "state"],
          "free",
          tokens.accent,
          "occupied",
          tokens.taken,
          tokens.street,
        ],
        "circle-stroke-color": tokens.muted,
        "circle-stroke-width": ["match", ["get", "state"], "unknown", 1, 0],
      },
    },
    {
      id: "bay",
      type: "symbol",
      source: "bays",
      minzoom: SHAPES_FROM_ZOOM,
      layout: {
        "icon-image": [
          "step",
          ["zoom"],
          ["concat", "bay:", ["get", "state"], `:${SMALL_PX}`],
          LARGE_FROM_ZOOM,
          ["concat", "bay:", ["get", "state"], `:${LARGE_PX}`],
        ],
        "icon-size": baySize(),
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        // What is free lies on top of what is not.
        "symbol-sort-key": ["match", ["get", "state"], "free", 2, "unknown", 1, 0],
      },
    },
    {
      id: "bay-label",
      type: "symbol",
      source: "bays",
      minzoom: 18,
      layout: {
        "text-field": ["get", "label"],
        "text-font": MAP_FONT,
        "text-size": 11,
        "text-offset": [
          "case",
          ["get", "beside"],
          ["literal", [1.3, 0]],
          ["literal", [0, 1.3]],
        ],
        "text-anchor": ["case", ["get", "beside"], "left", "top"],
        "text-optional": true,
      },
      paint: { "text-color": tokens.ink, "text-halo-color": tokens.street, "text-halo-width": 1.2 },
    },
  ];
}

function facilityLayers(tokens: MapTokens): LayerSpecification[] {
  const chosen: ExpressionSpecification = ["boolean", ["feature-state", "chosen"], false];
  return [
    {
      id: "facility",
      type: "symbol",
      source: "facilities",
      maxzoom: FACILITIES_TO_ZOOM,
      layout: {
        "icon-image": ["get", "pill"],
        "icon-text-fit": "both",
        "icon-text-fit-padding": [3, 7, 3, 1],
        "text-field": [
          "step",
          ["zoom"],
          ["get", "count"],
          NAMES_FROM_ZOOM,
          [
            "format",
            ["get", "count"],
            {},
            ["concat", "  ", ["get", "name"]],
            { "font-scale": 0.85, "text-color": tokens.muted },
          ],
        ] as unknown as ExpressionSpecification,
        "text-font": MAP_FONT,
        "text-size": ["interpolate", ["linear"], ["zoom"], 13, 12, 16, 14],
        "text-max-width": 40,
        "text-padding": 4,
        "icon-padding": 4,
        "symbol-sort-key": ["get", "order"],
        "text-offset": ["step", ["zoom"], ["literal", [0, 0]], NAMES_FROM_ZOOM, ["literal", [0, -1.9]]],
      },
      paint: {
        "text-color": ["case", chosen, tokens.information, tokens.ink],
      },
    },
  ];
}

export function mapStyle(tokens: MapTokens, language: Language, streets: string): StyleSpecification {
  return {
    version: 8,
    sources: {
      streets: { type: "geojson", data: streets, tolerance: 0.2 },
      bays: { ...NOTHING, promoteId: "id" },
      facilities: { ...NOTHING, promoteId: "id" },
    },
    layers: [...baseLayers(tokens, language), ...bayLayers(tokens), ...facilityLayers(tokens)],
  };
}
