/** The business clock as the server has it: wall time outside the demo. */
import { businessNow, type ClockSetting } from "../format/time";

let setting: ClockSetting = { d0Ms: 0, w0Ms: 0, speed: 1 };
let wallOffsetMs = 0;
let cityZone = "Asia/Shanghai";
const listeners = new Set<() => void>();

/** Take the server's clock; `wallMs` is the server's wall clock when it answered. */
export function setClock(next: ClockSetting, wallMs: number | null, zone?: string): void {
  setting = next;
  if (wallMs !== null) wallOffsetMs = wallMs - Date.now();
  if (zone) cityZone = zone;
  for (const listener of listeners) listener();
}

export function businessTime(): number {
  return businessNow(setting, Date.now() + wallOffsetMs);
}

export function clockSpeed(): number {
  return setting.speed;
}

export function zone(): string {
  return cityZone;
}

export function onClockChange(listener: () => void): void {
  listeners.add(listener);
}

/**
 * A report from the city ahead of our clock shows that its clock was sped up elsewhere:
 * catch up rather than show ages below zero.
 */
export function noteCityTime(atMs: number): void {
  const wallMs = Date.now() + wallOffsetMs;
  if (atMs <= businessNow(setting, wallMs)) return;
  setting = { ...setting, d0Ms: atMs, w0Ms: wallMs };
}

/** Call `tick` every second while the page is seen, and once when it is seen again. */
export function everySecond(tick: () => void): void {
  setInterval(() => {
    if (!document.hidden) tick();
  }, 1_000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) tick();
  });
}

/** All that the clock follows from, to go on with it in a page that no server sent. */
export interface ClockState {
  readonly setting: ClockSetting;
  readonly wallOffsetMs: number;
}

export function clockState(): ClockState {
  return { setting, wallOffsetMs };
}

export function restoreClock(state: ClockState): void {
  setting = state.setting;
  wallOffsetMs = state.wallOffsetMs;
  for (const listener of listeners) listener();
}
