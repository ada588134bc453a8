/** Which network a page of signals begins with; the one chosen last is remembered on this device. */
import { readAll } from "../api/client";
import { h, replace } from "../shell/dom";
import { inLanguage } from "../shell/text";
import { instant } from "../format/time";
import type { Network } from "./types";

const KEY = "greenbay.signal-network";
const BESIDE_MS = 600_000;
const AT_ONCE = 100;

/** The one asked for; the one chosen last here; the newest whose controllers report; the newest. */
export function beginWith(networks: readonly Network[], asked: string | null, chosen: string | null): Network | undefined {
  const heard = networks.map((each) => (each.heard_at ? instant(each.heard_at) : -Infinity));
  const last = Math.max(...heard);
  return (
    networks.find((each) => each.id === asked) ??
    networks.find((each) => each.code === chosen) ??
    networks.find((_, place) => Number.isFinite(last) && (heard[place] ?? -Infinity) >= last - BESIDE_MS) ??
    networks[0]
  );
}

/** Fill a page's list of networks, remember what is chosen in it, and give the one to begin with. */
export async function offerNetworks(
  select: HTMLSelectElement,
  asked: string | null,
): Promise<{ networks: readonly Network[]; first: Network | undefined }> {
  const networks = await readAll<Network>("/api/v1/signal-networks", { limit: AT_ONCE });
  replace(
    select,
    ...networks.map((each) => h("option", { value: each.id }, `${inLanguage(each.name.zh, each.name.en)} · ${each.revision}`)),
  );
  select.onchange = () => {
    const chosen = networks.find((each) => each.id === select.value);
    // A code, not an id: its next revision is the same network to who works on it.
    if (chosen) localStorage.setItem(KEY, chosen.code);
  };
  const first = beginWith(networks, asked, localStorage.getItem(KEY));
  if (first) select.value = first.id;
  return { networks, first };
}
