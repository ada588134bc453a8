/** Bays laid in a row from its first one, as somebody reads them off a plan. Pure. */

export interface RowPlan {
  /** Of the first bay's middle. */
  readonly longitude: number;
  readonly latitude: number;
  /** From the first bay to the last, clockwise from north. */
  readonly bearing_deg: number;
  /** From one middle to the next. */
  readonly pitch_m: number;
  readonly count: number;
  readonly prefix: string;
  readonly first: number;
}

export interface LaidBay {
  readonly label: string;
  readonly position: readonly [number, number];
}

const METRES_A_DEGREE = 111_320;

/** Numbers take as many digits as the last one has, at least two. */
export function layRow(plan: RowPlan): LaidBay[] {
  const radians = (plan.bearing_deg * Math.PI) / 180;
  const north = (Math.cos(radians) * plan.pitch_m) / METRES_A_DEGREE;
  const east =
    (Math.sin(radians) * plan.pitch_m) /
    (METRES_A_DEGREE * Math.cos((plan.latitude * Math.PI) / 180));
  const digits = Math.max(2, String(plan.first + plan.count - 1).length);
  return Array.from({ length: plan.count }, (_, index) => ({
    label: plan.prefix + String(plan.first + index).padStart(digits, "0"),
    position: [
      Number((plan.longitude + east * index).toFixed(7)),
      Number((plan.latitude + north * index).toFixed(7)),
    ] as const,
  }));
}
