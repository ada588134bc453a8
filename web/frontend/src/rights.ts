/** Rights beside permits: reservations, benefits, blacklists, compensation, the abuse report. */
import "../styles/base.css";
import "../styles/rights.css";
import { readAll } from "./api/client";
import type { RegisteredFacility } from "./api/types";
import { Abuse } from "./rights/abuse";
import { Benefits } from "./rights/benefits";
import { Blacklist } from "./rights/blacklist";
import { Compensations } from "./rights/compensation";
import { Reservations } from "./rights/reservations";
import { byId } from "./shell/dom";
import { hasRole, page, startPage } from "./shell/page";

async function districts(): Promise<string[]> {
  const all = await readAll<RegisteredFacility>("/api/v1/registered-facilities", { limit: 500 }, 20_000).catch(() => []);
  return [...new Set(all.map((each) => each.district))].sort();
}

async function start(): Promise<void> {
  const place = byId("section");
  const tools = byId("acts");
  const keeper = hasRole("operator", "administrator");
  switch (page().subject) {
    case "reservations":
      return new Reservations(place, tools, hasRole("operator")).start();
    case "benefits":
      return new Benefits(place, tools, keeper, await districts()).start();
    case "blacklist":
      return new Blacklist(place, tools, hasRole("operator"), keeper, await districts()).start();
    case "compensation":
      return new Compensations(place, keeper).start();
    default:
      return new Abuse(place).start();
  }
}

void startPage(start);
