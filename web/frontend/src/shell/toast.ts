/** A short word about what was done, announced and gone again; never the only place of an error. */
import { h } from "./dom";

const SHOWN_MS = 5_000;

export function toast(words: string, tone: "plain" | "danger" = "plain"): void {
  const place = document.getElementById("toasts");
  if (!place) return;
  const note = h("p", { class: `toast toast-${tone}` }, words);
  place.append(note);
  setTimeout(() => note.remove(), SHOWN_MS);
}

/** Say something to screen readers alone. */
export function announce(words: string): void {
  const place = document.getElementById("announcer");
  if (place) place.textContent = words;
}
