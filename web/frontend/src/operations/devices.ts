/** The table of devices: what is wrong first, filtered by health, a hundred rows at a time. */
import type { Device } from "../api/types";
import { instant } from "../format/time";
import { agoText } from "../format/words";
import { battery, faultText, signal } from "../panels/evidence";
import { h, replace, write } from "../shell/dom";
import { onKey } from "../shell/keys";
import { emptyState } from "../shell/states";
import { counted, text, wholeNumber } from "../shell/text";
import { healthOf, healthSums, HEALTHS, listed, type Health } from "./health";

const STEP = 100;
const TONES: Readonly<Record<Health, string>> = {
  fault: "danger",
  silent: "danger",
  battery: "warning",
  signal: "warning",
  never: "plain",
  ok: "good",
};

export function healthTag(device: { readonly health: string }): HTMLElement {
  const health = healthOf(device);
  return h("span", { class: `tag tag-${TONES[health]}` }, text(`health.${health}`));
}

export class DeviceTable {
  private devices: readonly Device[] = [];
  private health: Health | null = null;
  private shown = STEP;
  private readonly rows: HTMLElement;
  private readonly tiles: HTMLElement;
  private readonly search: HTMLInputElement;
  private readonly count: HTMLElement;
  private readonly more: HTMLButtonElement;

  constructor(
    parts: { tiles: HTMLElement; table: HTMLElement; search: HTMLInputElement; count: HTMLElement },
    private readonly open: (id: string) => void,
  ) {
    this.tiles = parts.tiles;
    this.search = parts.search;
    this.count = parts.count;
    this.rows = h("tbody", {});
    this.more = h(
      "button",
      {
        class: "button",
        type: "button",
        onclick: () => {
          this.shown += STEP;
          this.draw();
        },
      },
      text("list.more"),
    );
    const head = ["key", "health", "bay", "model", "last_seen", "battery", "signal"] as const;
    replace(
      parts.table,
      h(
        "table",
        { class: "table table-cards" },
        h("caption", { class: "visually-hidden" }, text("device.table")),
        h("thead", {}, h("tr", {}, ...head.map((key) => h("th", { scope: "col" }, text(`device.${key}`))))),
        this.rows,
      ),
      this.more,
    );
    this.search.addEventListener("input", () => {
      this.shown = STEP;
      this.draw();
    });
    onKey("/", "keys.search", () => this.search.focus());
    onKey("j", "keys.next", () => this.step(1));
    onKey("k", "keys.previous", () => this.step(-1));
  }

  show(devices: readonly Device[]): void {
    this.devices = devices;
    this.draw();
  }

  private draw(): void {
    const sums = healthSums(this.devices);
    const tile = (health: Health | null, n: number): HTMLElement =>
      h(
        "button",
        {
          class: `tile tile-${health === null ? "all" : n > 0 ? TONES[health] : "none"}`,
          type: "button",
          "aria-pressed": String(this.health === health),
          onclick: () => {
            this.health = health;
            this.shown = STEP;
            this.draw();
            this.tiles
              .querySelector<HTMLElement>('[aria-pressed="true"]')
              ?.focus({ preventScroll: true });
          },
        },
        h("span", { class: "tile-number" }, wholeNumber(n)),
        h("span", { class: "tile-word" }, text(health === null ? "health.all" : `health.${health}`)),
      );
    const focused = this.tiles.contains(document.activeElement);
    replace(
      this.tiles,
      tile(null, this.devices.length),
      ...HEALTHS.map((health) => tile(health, sums[health])),
    );
    if (focused) {
      this.tiles.querySelector<HTMLElement>('[aria-pressed="true"]')?.focus({ preventScroll: true });
    }
    const found = listed(this.devices, this.health, this.search.value);
    write(this.count, counted("count.devices", found.length));
    const active = (document.activeElement as HTMLElement | null)?.dataset["device"];
    replace(
      this.rows,
      ...(found.length
        ? found.slice(0, this.shown).map((device) => this.row(device))
        : [
            h(
              "tr",
              { class: "row-empty" },
              h(
                "td",
                { colspan: 7 },
                emptyState(text("device.none"), text("device.none_advice")),
              ),
            ),
          ]),
    );
    if (active) {
      this.rows.querySelector<HTMLElement>(`[data-device="${active}"]`)?.focus({ preventScroll: true });
    }
    this.more.hidden = found.length <= this.shown;
  }

  private row(device: Device): HTMLElement {
    const cell = (label: string, ...content: (Node | string | null)[]): HTMLElement =>
      h("td", { "data-label": label }, ...content);
    return h(
      "tr",
      {},
      h(
        "th",
        { scope: "row" },
        h(
          "button",
          {
            class: "link mono",
            type: "button",
            "data-device": device.id,
            onclick: () => this.open(device.id),
          },
          device.network_key,
        ),
      ),
      cell(
        text("device.health"),
        h(
          "span",
          { class: "tags" },
          healthTag(device),
          ...device.faults.map((fault) => h("span", { class: "tag tag-danger" }, faultText(fault))),
        ),
      ),
      cell(text("device.bay"), device.bay_label ?? h("span", { class: "muted" }, text("device.no_bay"))),
      cell(text("device.model"), h("span", { class: "mono" }, device.model)),
      cell(
        text("device.last_seen"),
        agoText(device.last_seen_at ? instant(device.last_seen_at) : null),
      ),
      cell(text("device.battery"), battery(device.battery_v, device.battery_low)),
      cell(text("device.signal"), signal(device.rssi, device.snr)),
    );
  }

  private step(by: 1 | -1): void {
    const links = [...this.rows.querySelectorAll<HTMLElement>("[data-device]")];
    const at = links.findIndex((link) => link === document.activeElement);
    links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  }
}
