/** What the API answers; the names are those of its schemas. */
import type { BayState } from "../glyphs/shapes";
import type { Money } from "../format/money";

export interface Names {
  readonly zh: string;
  readonly en: string;
}

export interface FacilityCounts {
  readonly free: number;
  readonly occupied: number;
  readonly unknown: number;
  readonly total: number;
}

export interface Facility {
  readonly id: string;
  readonly code: string;
  readonly name: Names;
  readonly district: string;
  readonly kind: string;
  readonly ownership: string;
  readonly position: readonly [number, number];
  readonly timezone: string;
  readonly tariff: string | null;
  readonly revenue_nature: "commercial" | "public_non_tax";
  readonly counts: FacilityCounts;
  readonly heard_at: string | null;
  readonly data_age_s: number | null;
  readonly quality: number;
}

export interface Bay {
  readonly id: string;
  readonly facility_id: string;
  readonly label: string;
  readonly kind: string;
  readonly position: readonly [number, number];
  readonly state: BayState;
  readonly since_at: string | null;
  readonly sure: number;
  readonly heard_at: string | null;
  readonly provisional: boolean;
}

export interface QuoteLine {
  readonly from_at: string;
  readonly to_at: string;
  readonly band: string;
  readonly units: number;
  readonly amount: Money;
  readonly why: Names;
}

export interface Quote {
  readonly total: Money;
  readonly lines: readonly QuoteLine[];
  readonly tariff: string;
  readonly version: number;
}

export interface EvidenceFrame {
  readonly received_at: string;
  readonly device_at: string | null;
  readonly port: number;
  readonly frame_hex: string;
  readonly counter: number | null;
  readonly verdict: string;
  readonly fields: Readonly<Record<string, unknown>> | null;
  readonly observations: readonly Readonly<Record<string, unknown>>[];
}

export interface EvidenceDevice {
  readonly id: string;
  readonly network_key: string;
  readonly model: string;
  readonly since_at: string;
  readonly last_seen_at: string | null;
  readonly battery_v: number | null;
  readonly battery_low: boolean | null;
  readonly rssi: number | null;
  readonly snr: number | null;
  readonly faults: readonly string[];
}

export interface Evidence {
  readonly bay: Bay;
  readonly devices: readonly EvidenceDevice[];
  readonly frames: readonly EvidenceFrame[];
}

export interface Plate {
  readonly text: string;
  readonly kind: string;
  readonly masked: boolean;
}

export interface Session {
  readonly id: string;
  readonly bay_id: string;
  readonly bay_label: string;
  readonly facility_id: string;
  readonly state: "open" | "closed" | "unattributed";
  readonly opened_at: string;
  readonly closed_at: string | null;
  readonly closing_reason: string | null;
  readonly uncertain_from_at: string | null;
  readonly plate: Plate | null;
  readonly attached_at: string | null;
  readonly bill_id: string | null;
}

export interface Bill {
  readonly id: string;
  readonly session_id: string;
  readonly facility_id: string;
  readonly facility: Names | null;
  readonly state: string;
  readonly amount: Money;
  readonly lines: readonly QuoteLine[];
  readonly plate: Plate | null;
  readonly issued_at: string;
  readonly due_at: string;
  readonly paid_at: string | null;
}

export interface Payment {
  readonly id: string;
  readonly bill_id: string;
  readonly channel: string;
  readonly amount: Money;
  readonly tendered: Money;
  readonly change: Money;
  readonly received_at: string;
}

export interface Device {
  readonly id: string;
  readonly network_key: string;
  readonly model: string;
  readonly district: string;
  readonly bay_id: string | null;
  readonly bay_label: string | null;
  readonly first_seen_at: string | null;
  readonly last_seen_at: string | null;
  readonly battery_v: number | null;
  readonly battery_low: boolean | null;
  readonly rssi: number | null;
  readonly snr: number | null;
  readonly faults: readonly string[];
  /** ok, silent, battery, signal, fault or never */
  readonly health: string;
}

export interface Placement {
  readonly bay_id: string;
  readonly bay_label: string;
  readonly since_at: string;
  readonly until_at: string | null;
}

export interface DeviceDetail extends Device {
  readonly placements: readonly Placement[];
}

export interface UnknownDevice {
  readonly id: string;
  readonly network_key: string;
  readonly source: string;
  readonly first_seen_at: string;
  readonly last_seen_at: string;
  readonly frames: number;
  readonly last_port: number | null;
  readonly last_frame_hex: string | null;
}

export interface AuditRecord {
  readonly id: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly sealed: boolean;
}

export interface AuditPage {
  readonly items: readonly AuditRecord[];
  readonly next: string | null;
  readonly unsealed_age_s: number | null;
}

export interface DemoClock {
  readonly now: string;
  readonly speed: number;
  readonly simulated: boolean;
}
