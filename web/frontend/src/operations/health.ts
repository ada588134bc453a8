/** Devices by health: sums, filter, order. Pure. */
export const HEALTHS = ["fault", "silent", "battery", "signal", "never", "ok"] as const;
export type Health = (typeof HEALTHS)[number];

export interface HealthDevice {
  readonly id: string;
  readonly health: string;
  readonly network_key: string;
  readonly model: string;
  readonly bay_label: string | null;
  readonly district: string;
  readonly last_seen_at: string | null;
}

/** What is wrong first; a health that this page does not know counts as a fault, never as well. */
export function healthOf(device: { readonly health: string }): Health {
  return HEALTHS.find((health) => health === device.health) ?? "fault";
}

export function healthSums(devices: readonly HealthDevice[]): Record<Health, number> {
  const sums: Record<Health, number> = {
    fault: 0,
    silent: 0,
    battery: 0,
    signal: 0,
    never: 0,
    ok: 0,
  };
  for (const device of devices) sums[healthOf(device)] += 1;
  return sums;
}

/** Devices to show: the worst first, among them the longest silent. */
export function listed<T extends HealthDevice>(
  devices: readonly T[],
  health: Health | null,
  search: string,
): T[] {
  const wanted = search.trim().toLowerCase();
  const rank = (device: T): number => HEALTHS.indexOf(healthOf(device));
  return devices
    .filter((device) => health === null || healthOf(device) === health)
    .filter(
      (device) =>
        !wanted ||
        [device.network_key, device.model, device.bay_label ?? "", device.district].some((word) =>
          word.toLowerCase().includes(wanted),
        ),
    )
    .sort(
      (a, b) =>
        rank(a) - rank(b) ||
        (a.last_seen_at ?? "").localeCompare(b.last_seen_at ?? "") ||
        a.network_key.localeCompare(b.network_key),
    );
}
