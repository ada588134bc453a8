/**
 * How far this device's clock is off the city's, over reloads and restarts without a line.
 *
 * The device's own clock may be wrong, be put right, or begin anew at some old year after its
 * battery was out. Going back is seen and makes the offset unknown until the city tells the time
 * again; what is done meanwhile is told with no offset, and the city takes its own at the upload.
 */
import { businessTime, clockState, restoreClock, setClock, type ClockState } from "../shell/clock";

const KEY = "greenbay.clock";
const SLACK_MS = 5_000;

interface Kept extends ClockState {
  /** This device's clock when it was last looked at. */
  readonly deviceMs: number;
}

let known = document.documentElement.dataset["kept"] === undefined;
let lastDeviceMs = Date.now();
let lastSteadyMs = performance.now();

function read(): Kept | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "null") as Kept | null;
  } catch {
    return null;
  }
}

/** Go on with the clock as the city told it last, where this page was not loaded from it. */
export function resumeClock(): void {
  if (known) {
    keepClock();
    return;
  }
  const kept = read();
  if (!kept) return;
  restoreClock(kept);
  known = Date.now() >= kept.deviceMs - SLACK_MS;
}

/** See whether the device's clock was put back; remember how late it was. Cheap: every second. */
export function watchClock(): void {
  const [deviceMs, steadyMs] = [Date.now(), performance.now()];
  // Forward is also what a device does that slept: only back is certain.
  if (deviceMs - lastDeviceMs < steadyMs - lastSteadyMs - SLACK_MS) known = false;
  [lastDeviceMs, lastSteadyMs] = [deviceMs, steadyMs];
}

export function keepClock(): void {
  if (!known) return;
  const kept: Kept = { ...clockState(), deviceMs: Date.now() };
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Without room the next start without a line does not know its offset, and says so.
  }
}

/** Take the city's time as a terminal is told it: its clock is right from now on. */
export function noteStanding(serverAt: string, cityAt: string): void {
  const [wallMs, cityMs] = [Date.parse(serverAt), Date.parse(cityAt)];
  if (Number.isNaN(wallMs) || Number.isNaN(cityMs)) return;
  const { setting } = clockState();
  if (!known || Math.abs(businessTime() - cityMs) > SLACK_MS * Math.max(1, setting.speed)) {
    setClock({ d0Ms: cityMs, w0Ms: wallMs, speed: setting.speed }, wallMs);
  }
  known = true;
  keepClock();
}

/** The city's clock less this device's now, in whole ms; null where it is not known. */
export function deviceOffsetMs(): number | null {
  watchClock();
  return known ? Math.round(businessTime() - Date.now()) : null;
}
