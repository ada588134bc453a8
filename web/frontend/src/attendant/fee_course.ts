/**
 * What a stay costs without a line: read off a table that the city's one engine made, computed
 * nowhere here (docs/decisions). Exact while it holds; beyond it nobody on the street knows. Pure.
 */
import type { FeeCourse } from "../api/types";
import type { Money } from "../format/money";

export type Course = Pick<FeeCourse, "from_at" | "until_at" | "currency" | "steps">;

/** What is due of a stay that ends at an instant of the city's clock; null where it is not known. */
export function feeAt(course: Course, atMs: number): Money | null {
  const fromMs = Date.parse(course.from_at);
  // A fee is of whole seconds: the leaving is rounded down.
  const secondMs = Math.floor(atMs / 1_000) * 1_000;
  if (secondMs < fromMs || secondMs > Date.parse(course.until_at)) return null;
  const passedS = (secondMs - fromMs) / 1_000;
  const step = course.steps.findLast((each) => (each[0] ?? 0) <= passedS);
  return step ? { minor: step[1] ?? 0, currency: course.currency } : null;
}
