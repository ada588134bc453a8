/** Keys on the desktop: single letters, never while somebody types, listed under `?`. */
import { byId, h, replace } from "./dom";
import { text, type TextKey } from "./text";

interface Key {
  readonly key: string;
  readonly does: TextKey;
  readonly run: (event: KeyboardEvent) => void;
}

const keys: Key[] = [];

export function onKey(key: string, does: TextKey, run: (event: KeyboardEvent) => void): void {
  keys.push({ key, does, run });
}

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("input, textarea, select"))
  );
}

function showHelp(): void {
  const dialog = byId<HTMLDialogElement>("help");
  replace(
    byId("help-keys"),
    ...keys.flatMap(({ key, does }) => [
      h("dt", {}, h("kbd", {}, key === "Escape" ? "Esc" : key)),
      h("dd", {}, text(does)),
    ]),
  );
  if (!dialog.open) dialog.showModal();
}

export function installKeys(): void {
  onKey("?", "keys.help", showHelp);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    const escape = event.key === "Escape";
    if (typing(event.target) && !escape) return;
    const found = keys.find(({ key }) => key === event.key);
    if (!found) return;
    if (!escape) event.preventDefault();
    found.run(event);
  });
}
