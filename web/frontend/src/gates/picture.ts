/** Pictures that are evidence: each look is on record, so each is asked for by a press. */
import { h, replace } from "../shell/dom";
import { text } from "../shell/text";

const AGAIN_MS = 1_500;
const MOST_TRIES = 6;

/** A frame with everybody else hidden; asked for again while that is being done. */
export function frameShown(address: string, part: "frame" | "crop" = "frame"): HTMLElement {
  const place = h("div", { class: "frame-place" });
  let tries = 0;
  const look = (): void => {
    const image = h("img", {
      class: `frame-shown ${part === "crop" ? "crop" : ""}`.trim(),
      src: `${address}?part=${part}`,
      alt: text("gates.picture_alt"),
    });
    image.addEventListener("error", () => {
      tries += 1;
      replace(place, h("p", { class: "note" }, text("gates.no_picture")));
      if (tries < MOST_TRIES && place.isConnected) setTimeout(look, AGAIN_MS);
    });
    replace(place, image);
  };
  look();
  return place;
}
