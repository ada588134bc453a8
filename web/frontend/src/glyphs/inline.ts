import { svg } from "../shell/dom";
import { GLYPHS, type GlyphName } from "./shapes";

/** The glyph as inline SVG; the word stands beside it, so readers skip the picture. */
export function glyph(name: GlyphName, size: "s" | "m" | "l" = "s"): SVGElement {
  const element = svg("svg", {
    class: `glyph glyph-${name} glyph-size-${size}`,
    viewBox: "0 0 24 24",
    "aria-hidden": "true",
    focusable: "false",
  });
  drawInto(element, name);
  return element;
}

/** Change an inline glyph in place. */
export function setGlyph(element: SVGElement, name: GlyphName): void {
  if (element.classList.contains(`glyph-${name}`)) return;
  element.setAttribute(
    "class",
    (element.getAttribute("class") ?? "").replace(/glyph-(?!size)[a-z_]+/, `glyph-${name}`),
  );
  element.replaceChildren();
  drawInto(element, name);
}

function drawInto(element: SVGElement, name: GlyphName): void {
  for (const shape of GLYPHS[name]) {
    element.append(
      svg("path", {
        d: shape.d,
        fill: shape.stroke ? "none" : "currentColor",
        stroke: shape.stroke ? "currentColor" : "none",
        "stroke-width": shape.stroke,
        "stroke-linecap": "round",
      }),
    );
  }
}
