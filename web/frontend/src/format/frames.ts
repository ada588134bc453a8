/** Raw frames and signal for people. Pure. */

/** '02ff10' as '02 ff 10': bytes are read in pairs. */
export function hexBytes(hex: string): string {
  return hex.toLowerCase().replace(/(..)(?=.)/g, "$1 ");
}

/** Nested decoded fields as name and value, names dotted, in the order they came. */
export function flatFields(fields: Readonly<Record<string, unknown>>): [string, string][] {
  const flat: [string, string][] = [];
  const walk = (prefix: string, value: unknown): void => {
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      for (const [name, inner] of Object.entries(value)) {
        walk(prefix ? `${prefix}.${name}` : name, inner);
      }
      return;
    }
    flat.push([prefix, Array.isArray(value) ? JSON.stringify(value) : String(value)]);
  };
  walk("", fields);
  return flat;
}

/**
 * Signal in 0 to 4 bars for LoRa and NB-IoT: by received power, held down by a poor
 * signal-to-noise ratio, since a strong signal under more noise is heard as badly as a weak one.
 */
export function signalBars(rssi: number, snr: number | null): 0 | 1 | 2 | 3 | 4 {
  const byPower = rssi >= -90 ? 4 : rssi >= -105 ? 3 : rssi >= -115 ? 2 : rssi >= -122 ? 1 : 0;
  if (snr === null) return byPower;
  const byNoise = snr >= 0 ? 4 : snr >= -7 ? 3 : snr >= -13 ? 2 : 1;
  return Math.min(byPower, byNoise) as 0 | 1 | 2 | 3 | 4;
}
