/** What the duty page's routes answer. */
import type { components } from "../api/schema";

type Schemas = components["schemas"];

export type Alarm = Schemas["SignalAlarmOut"];
export type SignalNow = Schemas["SignalNowOut"];
export type Overview = Schemas["SignalOverviewOut"];
export type SentPlan = Schemas["SignalCabinetActOut"];
export type DayFinding = Schemas["SignalDayFindingOut"];
export type DetectorHealth = Schemas["DetectorHealthOut"];
export type ProfileHour = Schemas["SignalProfileHourOut"];
export type DetectorUse = Schemas["DetectorUseOut"];
export type SignalLights = Schemas["SignalLightsOut"];
export type GroupNow = Schemas["SignalGroupNowOut"];
export type Override = Schemas["SignalOverrideOut"];
export type Overrides = Schemas["SignalOverridesOut"];
export type PriorityRequest = Schemas["PriorityRequestOut"];
export type PriorityRequests = Schemas["PriorityRequestsOut"];
export type PriorityTurn = Schemas["PriorityTurnOut"];
export type PriorityTurns = Schemas["PriorityTurnsOut"];
export type PriorityEffects = Schemas["PriorityEffectsOut"];
