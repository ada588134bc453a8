/** Where this device is, as coarsely as its use needs; null where nobody may know. */
import type { Point } from "./walk";

const TIMEOUT_MS = 8_000;
const OLD_MS = 60_000;

let last: Point | null = null;

/** Ask the device; the browser asks the person where they have not said yet. */
export function askPlace(): Promise<Point | null> {
  if (!("geolocation" in navigator) || !isSecureContext) return Promise.resolve(last);
  return new Promise((resolve) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        last = { longitude: coords.longitude, latitude: coords.latitude };
        resolve(last);
      },
      () => resolve(last),
      { enableHighAccuracy: false, maximumAge: OLD_MS, timeout: TIMEOUT_MS },
    );
  });
}

/** The same where the person has already said that it may be known; nobody is asked. */
export async function knownPlace(): Promise<Point | null> {
  const permissions = navigator.permissions as Permissions | undefined;
  const said = await permissions?.query({ name: "geolocation" }).catch(() => null);
  return said?.state === "granted" ? askPlace() : last;
}
