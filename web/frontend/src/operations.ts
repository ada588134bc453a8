/** Devices and how they do, devices nobody registered, and whether the city's reports come in. */
import "../styles/base.css";
import "../styles/rights.css";
import "../styles/operations.css";
import { read, readAll, type Page } from "./api/client";
import type { Device, DeviceDetail, Evidence, Facility, UnknownDevice } from "./api/types";
import { hexBytes } from "./format/frames";
import { instant } from "./format/time";
import { agoText, exactly } from "./format/words";
import { adoptDialog } from "./operations/adopt";
import { DeviceTable, healthTag } from "./operations/devices";
import { showIngest } from "./operations/ingest";
import { battery, evidenceSection, signal } from "./panels/evidence";
import { fact } from "./panels/figures";
import { everySecond } from "./shell/clock";
import { byId, h, replace, write } from "./shell/dom";
import { onKey } from "./shell/keys";
import { hasRole, startPage } from "./shell/page";
import { poll } from "./shell/poll";
import { emptyState, errorState, skeleton } from "./shell/states";
import { counted, text } from "./shell/text";

const REFRESH_MS = 15_000;

class OperationsPage {
  private readonly table: DeviceTable;
  private readonly panel = byId("panel");
  private facilities: readonly Facility[] = [];
  private models: readonly string[] = [];
  private readAtMs: number | null = null;
  private failed = false;
  private refresh: () => void = () => undefined;
  private opener: HTMLElement | null = null;

  constructor() {
    replace(byId("devices"), skeleton(8));
    replace(byId("unknown"), skeleton(2));
    this.table = new DeviceTable(
      {
        tiles: byId("tiles"),
        table: byId("devices"),
        search: byId<HTMLInputElement>("search"),
        count: byId("device-count"),
      },
      (id) => void this.open(id),
    );
    byId("panel-close").addEventListener("click", () => this.close());
    onKey("Escape", "keys.close", () => this.close());
    everySecond(() => this.showAge());
  }

  start(): void {
    this.refresh = poll(() => this.load(), REFRESH_MS);
  }

  private async load(): Promise<void> {
    const [devices, unknown, facilities] = await Promise.allSettled([
      readAll<Device>("/api/v1/devices", { limit: 500 }, 20_000),
      read<Page<UnknownDevice>>("/api/v1/devices/unknown", { limit: 100 }),
      readAll<Facility>("/api/v1/facilities", { limit: 500 }),
    ]);
    this.failed = devices.status === "rejected";
    if (facilities.status === "fulfilled") this.facilities = facilities.value;
    if (devices.status === "fulfilled") {
      this.readAtMs = Date.now();
      this.models = [...new Set(devices.value.map((device) => device.model))].sort();
      this.table.show(devices.value);
      byId("devices-problem").replaceChildren();
    } else {
      replace(byId("devices-problem"), errorState(devices.reason, () => this.refresh()));
    }
    if (unknown.status === "fulfilled") this.showUnknown(unknown.value.items);
    else replace(byId("unknown"), errorState(unknown.reason, () => this.refresh()));
    await showIngest(byId("ingest"));
    this.showAge();
  }

  private showAge(): void {
    write(
      byId("age"),
      this.failed || !navigator.onLine
        ? text("post.offline", { age: agoText(this.readAtMs, Date.now()) })
        : this.readAtMs === null
          ? ""
          : text("post.age", { age: agoText(this.readAtMs, Date.now()) }),
    );
    byId("age").classList.toggle("is-stale", this.failed || !navigator.onLine);
  }

  private showUnknown(devices: readonly UnknownDevice[]): void {
    write(byId("unknown-count"), counted("count.devices", devices.length));
    if (devices.length === 0) {
      replace(byId("unknown"), emptyState(text("unknown.none"), text("unknown.none_advice")));
      return;
    }
    const mayAdopt = hasRole("operator", "administrator");
    replace(
      byId("unknown"),
      h(
        "ul",
        { class: "unknown-list" },
        ...devices.map((device) =>
          h(
            "li",
            { class: "unknown-device" },
            h(
              "div",
              { class: "unknown-words" },
              h("p", { class: "mono unknown-key" }, device.network_key),
              h(
                "p",
                { class: "item-facts" },
                text("unknown.facts", {
                  source: device.source,
                  frames: device.frames,
                  age: agoText(instant(device.last_seen_at)),
                }),
              ),
              device.last_frame_hex
                ? h(
                    "p",
                    {},
                    h("span", { class: "frame-caption" }, text("frame.raw", { port: device.last_port ?? "–" })),
                    h("code", { class: "hex" }, hexBytes(device.last_frame_hex)),
                  )
                : null,
            ),
            mayAdopt &&
              h(
                "button",
                {
                  class: "button",
                  type: "button",
                  "aria-label": text("unknown.adopt_label", { key: device.network_key }),
                  onclick: () =>
                    adoptDialog(device, this.facilities, this.models, () => this.refresh()),
                },
                text("unknown.adopt"),
              ),
          ),
        ),
      ),
    );
  }

  private async open(id: string): Promise<void> {
    if (this.panel.hidden) this.opener = document.activeElement as HTMLElement | null;
    this.panel.hidden = false;
    byId("main").dataset["panel"] = "open";
    const content = byId("panel-content");
    replace(content, skeleton(6, "line"));
    byId("panel-title").focus({ preventScroll: true });
    try {
      const device = await read<DeviceDetail>(`/api/v1/devices/${id}`);
      write(byId("panel-title"), device.network_key);
      const evidence = device.bay_id
        ? await read<Evidence>(`/api/v1/bays/${device.bay_id}/evidence`).catch(() => null)
        : null;
      replace(
        content,
        h(
          "div",
          { class: "panel-body" },
          h("p", { class: "panel-kind" }, device.model, " ", healthTag(device)),
          h(
            "dl",
            { class: "facts" },
            fact(text("device.battery"), battery(device.battery_v, device.battery_low)),
            fact(text("device.signal"), signal(device.rssi, device.snr)),
            fact(
              text("device.last_seen"),
              device.last_seen_at ? exactly(instant(device.last_seen_at)) : text("age.never"),
            ),
            fact(
              text("device.first_seen"),
              device.first_seen_at ? exactly(instant(device.first_seen_at)) : text("age.never"),
            ),
          ),
          h(
            "section",
            { class: "panel-section" },
            h("h3", {}, text("device.placements")),
            device.placements.length
              ? h(
                  "ul",
                  { class: "placements" },
                  ...device.placements.map((place) =>
                    h(
                      "li",
                      {},
                      h("a", { href: `/#bay/${place.bay_id}` }, text("bay.title", { label: place.bay_label })),
                      h(
                        "span",
                        { class: "item-facts" },
                        place.until_at
                          ? text("stay.from_to", {
                              from: exactly(instant(place.since_at)),
                              to: exactly(instant(place.until_at)),
                            })
                          : text("device.since", { at: exactly(instant(place.since_at)) }),
                      ),
                    ),
                  ),
                )
              : h("p", { class: "note" }, text("device.no_bay")),
          ),
          evidence && evidenceSection(evidence, false),
        ),
      );
    } catch (error) {
      replace(content, errorState(error, () => void this.open(id)));
    }
  }

  private close(): void {
    this.panel.hidden = true;
    byId("main").dataset["panel"] = "closed";
    if (this.opener?.isConnected) this.opener.focus();
    this.opener = null;
  }
}

void startPage(() => new OperationsPage().start());
