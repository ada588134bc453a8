/** Lets the pages be installed; where a browser has no service workers nothing is missing. */
const WORKER = "/static/build/service-worker.js";

export function installWorker(): void {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  // A browser inside another app may refuse: the page works without.
  navigator.serviceWorker.register(WORKER, { scope: "/" }).catch(() => undefined);
}
