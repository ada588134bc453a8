/** What the routes of studies answer. */
import type { components } from "../api/schema";

type Schemas = components["schemas"];

export type Way = Schemas["LaneWayOut"];
export type Approach = Schemas["ApproachLanesOut"];
export type Lanes = Schemas["SignalLanesOut"];
export type Study = Schemas["SignalStudyOut"];
export type StudyDetail = Schemas["SignalStudyDetailOut"];
export type Side = Schemas["StudySideOut"];
export type WithoutSignal = Schemas["WithoutSignalOut"];
/** The ways of each lane, from the kerb to the middle. */
export type Functions = readonly (readonly Way[])[];
