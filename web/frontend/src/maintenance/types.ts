/** What the routes of maintenance answer. */
import type { components } from "../api/schema";

type Schemas = components["schemas"];

export type Work = Schemas["SignalWorkOut"];
export type Works = Schemas["SignalWorksOut"];
export type WorkDetail = Schemas["SignalWorkDetailOut"];
export type WorkEntry = Schemas["SignalWorkEntryOut"];
export type Worker = Schemas["SignalWorkerOut"];
export type WorkPolicy = Schemas["SignalWorkPolicyOut"];
export type JunctionFile = Schemas["JunctionFileOut"];
export type JunctionDocument = Schemas["JunctionDocumentOut"];
export type OnLine = Schemas["OnLineOut"];
export type SignalsOnLine = Schemas["SignalsOnLineOut"];
export type WorkAct = "take" | "assign" | "hand_back" | "note" | "done" | "check" | "give_back" | "withdraw";

export const KINDS = ["controller", "lamp", "detector", "line", "clock", "power", "cabinet", "other"] as const;
export const PRIORITIES = ["urgent", "high", "normal", "low"] as const;
export const PAPERS = ["drawing", "photo", "wiring", "plan", "other"] as const;
export const WORK = "/api/v1/signal-work-orders";
