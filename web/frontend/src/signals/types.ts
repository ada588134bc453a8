/** What the signals' routes answer, and a plan as its document has it. */
import type { components } from "../api/schema";

type Schemas = components["schemas"];

export type Network = Schemas["SignalNetworkOut"];
export type NetworkDetail = Schemas["SignalNetworkDetailOut"];
export type Signal = Schemas["SignalOut"];
export type Outlook = Schemas["SignalOutlookOut"];
export type PlanVersion = Schemas["SignalPlanOut"];
export type PlanDetail = Schemas["SignalPlanDetailOut"];
export type Difference = Schemas["SignalDifferenceOut"];
export type Trial = Schemas["SignalTrialOut"];
export type Street = Schemas["SignalStreetOut"];
export type Stop = Schemas["SignalStopOut"];
export type Direction = Schemas["SignalDirectionOut"];
export type Optimisation = Schemas["SignalOptimisationOut"];
export type Drive = Schemas["SignalDriveOut"];
export type Comparison = Schemas["SignalComparisonOut"];
export type Estimate = Schemas["SignalEstimateOut"];

export type Point = readonly [number, number];

export interface Interval {
  duration_s: number;
  readonly shows: Readonly<Record<string, string>>;
}

/** One signal's plan as a document of plans has it. */
export interface Plan {
  readonly junction: string;
  readonly name: string;
  offset_s: number;
  readonly intervals: Interval[];
}

export interface Movement {
  readonly name: string;
  readonly group: string;
  readonly from_lane: string;
  readonly to_lane: string;
  readonly turn: string;
  readonly kind: string;
  readonly path: readonly { readonly shape: readonly Point[] }[];
}

export interface Model {
  readonly roads: readonly {
    readonly name: string;
    readonly lanes: readonly { readonly name: string; readonly shape: readonly Point[] }[];
  }[];
  readonly junctions: readonly {
    readonly name: string;
    readonly groups: readonly { readonly name: string; readonly kind: string }[];
    readonly movements: readonly Movement[];
  }[];
}

export interface SignalDetail {
  readonly signal: Signal;
  readonly model: Model;
  readonly plan: Plan | null;
}

export interface Violation {
  readonly rule: string;
  readonly junction: string;
  readonly what: string;
  readonly shown: number | null;
  readonly required: number | null;
  readonly unit: string;
}

export interface Report {
  readonly safe: boolean;
  readonly profile: string;
  readonly violations: readonly Violation[];
}

export function reportOf(value: unknown): Report | null {
  return value ? (value as Report) : null;
}

export function copyOf(plan: Plan): Plan {
  return JSON.parse(JSON.stringify(plan)) as Plan;
}
