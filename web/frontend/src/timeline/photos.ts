/** The photos of a stay, each shown when somebody asks: a look is on record. */
import { read } from "../api/client";
import type { StayPhotos } from "../api/types";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { h, replace } from "../shell/dom";
import { named, text } from "../shell/text";

type Photo = StayPhotos["items"][number];

function item(sessionId: string, photo: Photo): HTMLElement {
  const place = h("div", { class: "photo-shown" });
  const show = (): void => {
    replace(
      place,
      h("img", {
        src: `/api/v1/sessions/${sessionId}/photos/${photo.id}/picture`,
        alt: text("photo.of_stay"),
        loading: "lazy",
      }),
    );
  };
  return h(
    "li",
    { class: "stay-photo" },
    h(
      "p",
      {},
      photo.moment ? `${named("photo.moment", photo.moment)} ` : null,
      photo.taken_at ? exactly(instant(photo.taken_at)) : null,
      " ",
      named("photo.state", photo.state),
    ),
    photo.state === "hidden"
      ? h("button", { class: "button", type: "button", onclick: show }, text("photo.show"))
      : null,
    place,
    h("p", { class: "note photo-hash" }, `SHA-256 ${photo.sha256.slice(0, 16)}…`),
  );
}

/** A list of a stay's photos; empty where it has none, or whoever reads may not see them. */
export function photosOf(sessionId: string): HTMLElement {
  const place = h("div", {});
  read<StayPhotos>(`/api/v1/sessions/${sessionId}/photos`).then(
    ({ items }) => {
      if (items.length === 0) return;
      replace(
        place,
        h("h4", {}, text("photo.title")),
        h("ul", { class: "stay-photos" }, ...items.map((each) => item(sessionId, each))),
      );
    },
    () => undefined,
  );
  return place;
}
