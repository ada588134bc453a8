/** What every page does first: its data, its language, its theme, its clock, its keys. */
import { act, read } from "../api/client";
import type { DemoClock } from "../api/types";
import { instant, weekdayText } from "../format/time";
import { businessTime, clockSpeed, everySecond, setClock, zone } from "./clock";
import { write } from "./dom";
import { installWorker } from "./install";
import { installKeys } from "./keys";
import { loadCatalogue, locale, text, type Language } from "./text";
import { installTheme } from "./theme";
import { toast } from "./toast";

/** What the server's template wrote into the page, as data. */
export interface PageData {
  readonly language: Language;
  readonly roles: readonly string[];
  readonly now: string;
  readonly wall: string;
  readonly speed: number;
  readonly simulated: boolean;
  readonly timezone: string;
  /** Account of whoever is logged in. */
  readonly account: string | null;
  readonly streets: string | null;
  /** What the page is about, such as a bill's id. */
  readonly subject: string | null;
}

let data: PageData | null = null;

export function page(): PageData {
  if (!data) {
    const element = document.getElementById("page-data");
    data = JSON.parse(element?.textContent ?? "{}") as PageData;
  }
  return data;
}

export function hasRole(...roles: readonly string[]): boolean {
  return roles.some((role) => page().roles.includes(role));
}

const EVIDENCE_ROLES = [
  "attendant",
  "inspector",
  "operator",
  "engineer",
  "auditor",
  "administrator",
] as const;

export function seesEvidence(): boolean {
  return hasRole(...EVIDENCE_ROLES);
}

const CLOCK_POLL_MS = 20_000;

function installDemoClock(): void {
  const shown = document.querySelector<HTMLElement>("[data-demo-time]");
  if (!shown) return;
  const speedShown = document.querySelector<HTMLElement>("[data-demo-speed]");
  const select = document.querySelector<HTMLSelectElement>("select[data-demo-control]");
  const show = (): void => {
    write(shown, weekdayText(businessTime(), zone(), locale()));
    const speed = clockSpeed();
    if (speedShown) write(speedShown, speed === 0 ? text("demo.paused") : `×${speed}`);
    if (select && document.activeElement !== select) select.value = String(speed);
  };
  const take = (clock: DemoClock): void => {
    const wallMs = Date.now();
    setClock({ d0Ms: instant(clock.now), w0Ms: wallMs, speed: clock.speed }, wallMs);
    show();
  };
  everySecond(show);
  show();
  if (page().roles.length > 0) {
    setInterval(() => {
      if (!document.hidden) read<DemoClock>("/api/v1/demo/clock").then(take, () => undefined);
    }, CLOCK_POLL_MS);
  }
  select?.addEventListener("change", () => {
    act<DemoClock>("PUT", "/api/v1/demo/clock", { speed: Number(select.value) }).then(
      (clock) => {
        take(clock);
        toast(text("demo.speed_set", { speed: clock.speed }));
      },
      () => {
        toast(text("problem.not_done"), "danger");
        select.value = String(clockSpeed());
      },
    );
  });
}

/** Run a page once its words are there. */
export async function startPage(run: () => void | Promise<void>): Promise<void> {
  const { language, now, wall, speed, timezone } = page();
  await loadCatalogue(language);
  setClock({ d0Ms: instant(now), w0Ms: instant(wall), speed }, instant(wall), timezone);
  installTheme();
  installKeys();
  installDemoClock();
  // Sections that do not fit beside each other scroll: where one is must be seen.
  for (const open of document.querySelectorAll(".nav [aria-current], .rights-nav [aria-current]")) {
    open.scrollIntoView({ block: "nearest", inline: "center" });
  }
  installWorker();
  await run();
  document.documentElement.dataset["ready"] = "yes";
}
