/** What waits, always in sight: how many, undo for ten seconds, and what the city refused. */
import { actWords } from "../attendant/bay_acts";
import { moment, price } from "../format/words";
import { everySecond } from "../shell/clock";
import { h, replace, write } from "../shell/dom";
import { counted, named, text } from "../shell/text";
import { toast } from "../shell/toast";
import { doneAtMs, takesCash, undoLeftMs, type KeptAct } from "./acts";
import type { Outbox } from "./outbox";
import type { KeptPhoto } from "./photos";

function wordsOf(act: Pick<KeptAct, "wanted" | "shown">): string {
  return actWords(act.wanted, act.shown, act.shown.amount ? price(act.shown.amount) : "");
}

/** The one line that says how it stands between this device and the city; empty where all is well. */
export function standingText(outbox: Outbox): string {
  const waiting = outbox.waiting().length;
  const refused = outbox.refused().length;
  const parts: string[] = [];
  if (outbox.barred) parts.push(counted("outbox.barred", waiting));
  else if (outbox.offline) parts.push(waiting > 0 ? counted("outbox.offline", waiting) : text("outbox.offline_none"));
  else if (waiting > 0) parts.push(counted("outbox.waiting", waiting));
  const photos = outbox.photosWaiting();
  if (photos > 0) parts.push(counted("outbox.photos", photos));
  const stuck = outbox.photos().length - photos;
  if (stuck > 0) parts.push(counted("outbox.photos_refused", stuck));
  if (outbox.photosLost > 0) parts.push(counted("outbox.photos_lost", outbox.photosLost));
  if (refused > 0) parts.push(counted("outbox.refused", refused));
  return parts.join(" · ");
}

/** Keeps the bar as it should be; `open` shows the list. */
export function outboxBar(place: HTMLElement, outbox: Outbox, open: () => void): void {
  const standing = h("button", { class: "outbox-standing", type: "button", onclick: open });
  const words = h("span", { class: "outbox-words" });
  const left = h("span", { class: "outbox-left", "aria-hidden": "true" });
  let last: KeptAct | null = null;
  const back = async (): Promise<void> => {
    if (!last) return;
    const undone = await outbox.undo(last);
    toast(text(undone ? "outbox.undone" : "outbox.undo_late"), undone ? "plain" : "danger");
  };
  const undo = h(
    "div",
    { class: "outbox-undo" },
    words,
    h("button", { class: "button", type: "button", onclick: () => void back() }, text("outbox.undo"), left),
    h(
      "button",
      { class: "button button-quiet", type: "button", onclick: () => void outbox.upload(true) },
      text("outbox.send_now"),
    ),
  );
  replace(place, standing, undo);
  const draw = (): void => {
    const said = outbox.person ? standingText(outbox) : "";
    write(standing, said);
    standing.classList.toggle("is-stale", outbox.offline || outbox.barred !== null);
    last = outbox.undoable();
    if (last) {
      write(words, wordsOf(last));
      write(left, ` ${Math.ceil(undoLeftMs(last, Date.now()) / 1_000)}`);
    }
    undo.hidden = last === null;
    standing.hidden = said === "";
    place.hidden = said === "" && last === null;
    document.body.classList.toggle("has-outbox", said !== "");
    document.body.classList.toggle("has-undo", last !== null);
  };
  outbox.onChange(draw);
  everySecond(draw);
  draw();
}

/** Why the city does not take a photo; what it may say is said in words, the rest with its code. */
function photoRefusal(reason: string): string {
  return reason === "spoilt" || reason === "id-used" ? text(`outbox.photo.${reason}`) : text("outbox.photo.other", { reason });
}

function photoRow(photo: KeptPhoto, outbox: Outbox): HTMLElement {
  const head = h(
    "p",
    { class: "outbox-act" },
    h("strong", {}, photo.of ? text("outbox.photo_of", { act: wordsOf(photo.of) }) : text("outbox.photo")),
    h("span", { class: "outbox-at" }, moment(photo.takenMs)),
  );
  if (photo.refused === null) {
    const percent = Math.floor((100 * photo.received) / Math.max(1, photo.content.byteLength));
    return h("li", { "data-photo": "waiting" }, head, h("p", { class: "note" }, percent > 0 ? text("outbox.photo_part", { percent }) : text("outbox.queued")));
  }
  return h(
    "li",
    { class: "outbox-refused", "data-photo": "refused" },
    head,
    h("p", { class: "note note-warning" }, photoRefusal(photo.refused)),
    h("button", { class: "button", type: "button", onclick: () => void outbox.retryPhoto(photo) }, text("outbox.send_again")),
  );
}

/** All that waits or was refused, each with what to do. */
export function outboxList(outbox: Outbox): { element: HTMLElement; update: () => void } {
  const element = h("div", { class: "panel-body outbox-list" });
  let shown = "";
  const row = (act: KeptAct): HTMLElement => {
    const { refusal } = act;
    const head = h(
      "p",
      { class: "outbox-act" },
      h("strong", {}, wordsOf(act)),
      h("span", { class: "outbox-at" }, moment(doneAtMs(act))),
    );
    if (!refusal) {
      return h("li", {}, head, h("p", { class: "note" }, text(act.sequence === null ? "outbox.held" : "outbox.queued")));
    }
    const advice = takesCash(act.wanted.kind) ? text("outbox.cash_refused") : named("outbox.advice", refusal.advice);
    return h(
      "li",
      { class: "outbox-refused" },
      head,
      h("p", { class: "note note-warning" }, refusal.words || text("outbox.cannot_read")),
      h("p", {}, advice),
      h(
        "button",
        {
          class: "button",
          type: "button",
          onclick: () => void (refusal.kept ? outbox.dismiss(act) : outbox.retry(act)),
        },
        text(refusal.kept ? "outbox.understood" : "outbox.send_again"),
      ),
    );
  };
  const room = h("p", { class: "note" });
  const measure = async (): Promise<void> => {
    const [told, safe] = await Promise.all([navigator.storage?.estimate?.(), navigator.storage?.persisted?.()]);
    if (!told?.quota) return;
    const free = Math.max(0, told.quota - (told.usage ?? 0)) / 1_048_576;
    write(room, text(safe ? "outbox.room_safe" : "outbox.room", { free: Math.floor(free) }));
  };
  const update = (): void => {
    const acts = [...outbox.refused(), ...outbox.waiting()];
    const photos = outbox.photos();
    const now = JSON.stringify([
      acts.map((act) => [act.order, act.sequence, act.refusal]),
      photos.map((photo) => [photo.id, photo.received, photo.refused]),
      outbox.photosLost,
      outbox.offline,
    ]);
    if (now === shown) return;
    shown = now;
    replace(
      element,
      h("p", {}, standingText(outbox) || text("outbox.none")),
      outbox.photosLost > 0 ? h("p", { class: "note note-warning" }, counted("outbox.photos_lost_advice", outbox.photosLost)) : null,
      h("ul", { class: "outbox-acts" }, ...acts.map(row), ...photos.map((photo) => photoRow(photo, outbox))),
      acts.length + photos.length > 0 &&
        h(
          "button",
          { class: "button", type: "button", onclick: () => void outbox.upload(true) },
          text("outbox.send_now"),
        ),
      room,
    );
    void measure();
  };
  update();
  return { element, update };
}
