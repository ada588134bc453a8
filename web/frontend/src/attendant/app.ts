/** The attendant's page as an app: kept on the device with all it needs, and told of its next version. */
import { h, replace } from "../shell/dom";
import { language, text } from "../shell/text";

const KEEP_EVERY_MS = 30 * 60_000;

/** Scripts of the page as it was just kept; none where nothing could be kept. */
interface Kept {
  readonly kind: "post-kept";
  readonly scripts: readonly string[];
}

/** Have the page kept, in both languages, now and every so often; say where another one stands. */
export function keepApp(place: HTMLElement): void {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!workers) return;
  const ask = (): void => {
    void workers.ready.then((ready) => ready.active?.postMessage({ kind: "keep-post", language: language() }));
  };
  workers.addEventListener("message", (event: MessageEvent<Kept>) => {
    if (event.data?.kind !== "post-kept") return;
    document.documentElement.dataset["app"] = "kept";
    // The entry's name changes with every part that it loads.
    const mine = document.querySelector<HTMLScriptElement>("script[type=module][src]")?.src;
    const { scripts } = event.data;
    if (!mine || scripts.length === 0 || scripts.includes(new URL(mine).pathname)) return;
    replace(
      place,
      h("span", {}, text("app.newer")),
      h("button", { class: "button", type: "button", onclick: () => location.reload() }, text("app.reload")),
    );
    place.hidden = false;
  });
  ask();
  setInterval(() => {
    if (navigator.onLine) ask();
  }, KEEP_EVERY_MS);
  addEventListener("online", ask);
}
