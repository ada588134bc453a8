/** What the API answers: names of the page's own for the schemas of the OpenAPI document. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Facility = Schemas["FacilityOut"];
export type Bay = Schemas["BaysOut.BayOut"];
export type Quote = Schemas["QuoteOut"];
export type QuoteLine = Schemas["QuoteOut.QuoteLine"];
export type Evidence = Schemas["EvidenceOut"];
export type EvidenceDevice = Schemas["EvidenceOut.EvidenceDevice"];
export type EvidenceFrame = Schemas["EvidenceOut.EvidenceFrame"];
export type Session = Schemas["SessionOut"];
/** A stay to which a plate was just attached, with what the attendant should know at once. */
export type Attached = Schemas["AttachedOut"];
export type Bill = Schemas["BillOut"];
export type Payment = Schemas["PaymentOut"];
export type Device = Schemas["DevicesOut.DeviceOut"];
export type DeviceDetail = Schemas["DeviceDetailOut"];
export type UnknownDevice = Schemas["UnknownDevicesOut.UnknownDeviceOut"];
export type Adopted = Schemas["AdoptOut"];
export type AuditPage = Schemas["AuditOut"];
export type AuditRecord = Schemas["AuditOut.AuditRecordOut"];
export type DemoClock = Schemas["ClockOut"];
export type ProblemDocument = Schemas["Problem"];

/** Longitude and latitude of an answer's position, which JSON knows as a list of numbers only. */
export function lonLat(position: readonly number[]): readonly [number, number] {
  return [position[0] ?? 0, position[1] ?? 0];
}
