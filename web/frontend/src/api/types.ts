/** What the API answers: names of the page's own for the schemas of the OpenAPI document. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Facility = Schemas["FacilityOut"];
export type OneFacility = Schemas["OneFacilityOut"];
export type Bay = Schemas["BayOut"];
export type NearBay = Schemas["NearBay"];
export type Nearest = Schemas["NearestOut"];
/** Occupied bays ahead of a facility. */
export type Forecast = Schemas["ForecastOut"];
export type Quote = Schemas["QuoteOut"];
export type QuoteLine = Schemas["QuoteLine"];
export type Evidence = Schemas["EvidenceOut"];
export type EvidenceDevice = Schemas["EvidenceDevice"];
export type EvidenceFrame = Schemas["EvidenceFrame"];
export type Session = Schemas["SessionOut"];
/** A stay to which a plate was just attached, with what the attendant should know at once. */
export type Attached = Schemas["AttachedOut"];
export type Bill = Schemas["BillOut"];
/** What a stay costs up to an instant, with what was paid ahead. */
export type MyActs = Schemas["MyActsOut"];
export type Advance = Schemas["AdvanceOut"];
export type Fee = Schemas["FeeOut"];
/** The same by when it ends, for when there is no line. */
export type FeeCourse = Schemas["FeeCourseOut"];
/** A bill as whoever holds its link sees it, and an order over it at a channel. */
export type Invoice = Schemas["InvoiceOut"];
export type Invoices = Schemas["InvoicesOut"];
export type Payable = Schemas["PayableOut"];
export type PayOrder = Schemas["OrderOut"];
/** An order with what went back of it, for the back office. */
export type ChannelOrder = Schemas["ChannelOrderOut"];
export type ChannelOrders = Schemas["ChannelOrdersOut"];
export type ChannelRefund = Schemas["ChannelRefundOut"];
/** What moved on a parking card, with its entry. */
export type CardMove = Schemas["CardMoveOut"];
export type TopUp = Schemas["TopUpOut"];
export type TopUpBack = Schemas["TopUpBackOut"];
export type TopUpTerms = Schemas["TopUpTermsOut"];
export type Offer = Schemas["OfferOut"];
export type Owed = Schemas["OwedOut"];
export type Slip = Schemas["SlipOut"];
export type Several = Schemas["SeveralOut"];
export type Together = Schemas["TogetherOut"];
export type TogetherBill = Schemas["TogetherBillOut"];
export type TogetherLink = Schemas["TogetherLinkOut"];
export type UnpaidList = Schemas["UnpaidListOut"];
export type Dispute = Schemas["DisputeOut"];
export type ListedDispute = Schemas["ListedDisputeOut"];
/** A driver's own stay and vehicle. */
export type MyStay = Schemas["MyStayOut"];
export type Ticket = Schemas["TicketOut"];
export type MyVehicle = Schemas["VehicleOut"];
/** All that was said of a stay. */
export type StayTimeline = Schemas["TimelineOut"];
export type StayEvidence = Schemas["StayEvidenceOut"];
export type LongStay = Schemas["LongStayOut"];
export type StayCode = Schemas["CodeOut"];
export type Payment = Schemas["PaymentOut"];
export type Device = Schemas["DeviceOut"];
export type DeviceDetail = Schemas["DeviceDetailOut"];
export type UnknownDevice = Schemas["UnknownDeviceOut"];
export type Adopted = Schemas["AdoptOut"];
export type Permit = Schemas["PermitOut"];
export type PermitDetail = Schemas["PermitDetailOut"];
export type ListedVehicle = Schemas["ListedVehicleOut"];
export type ListedPlates = Schemas["ListedPlatesOut"];
export type Shift = Schemas["ShiftOut"];
export type Shifts = Schemas["ShiftsOut"];
export type ShiftStanding = Schemas["StandingOut"];
export type MyShift = Schemas["MineOut"];
export type Colleague = Schemas["ColleagueOut"];
export type CashMove = Schemas["MoveOut"];
export type CashMoves = Schemas["MovesOut"];
export type Till = Schemas["TillOut"];
export type Lane = Schemas["LaneOut"];
export type LaneVehicle = Schemas["LaneVehicleOut"];
export type LaneAlarm = Schemas["LaneAlarmOut"];
export type LaneAct = Schemas["LaneActOut"];
export type PlateRead = Schemas["ReadOut"];
export type CameraHour = Schemas["CameraHourOut"];
export type Terminal = Schemas["TerminalOut"];
export type TerminalCode = Schemas["TerminalCodeOut"];
export type TerminalStanding = Schemas["TerminalStandingOut"];
export type PosTerminal = Schemas["PosTerminalOut"];
export type PosBatch = Schemas["PosBatchOut"];
export type PosKey = Schemas["PosKeyOut"];
export type TerminalDay = Schemas["TerminalDayOut"];
export type TerminalAct = Schemas["ActOut"];
export type ActResults = Schemas["ActResultsOut"];
export type SignedIn = Schemas["SignedInOut"];
export type AuditPage = Schemas["AuditOut"];
export type AuditRecord = Schemas["AuditRecordOut"];
export type Tariff = Schemas["TariffOut"];
export type TariffVersion = Schemas["TariffVersionOut"];
export type TariffWithVersions = Schemas["TariffWithVersionsOut"];
export type TariffVersionDetail = Schemas["TariffVersionDetailOut"];
export type TariffSimulation = Schemas["TariffSimulationOut"];
export type TariffTrial = Schemas["TariffTrialOut"];
export type TariffTrialQuote = Schemas["TariffTrialQuote"];
export type FigureLine = Schemas["FigureLine"];
export type FiguresPage = Schemas["FiguresOut"];
export type BayFigureLine = Schemas["BayFigureLine"];
export type BayDay = Schemas["BayDayOut"];
export type Operator = Schemas["OperatorOut"];
export type RegisteredFacility = Schemas["RegisteredOut"];
export type PlaceVersion = Schemas["PlaceVersionOut"];
export type PlaceHistory = Schemas["PlaceHistoryOut"];
export type Suspension = Schemas["SuspensionOut"];
export type PlaceImport = Schemas["ImportOut"];
export type Reservation = Schemas["ReservationOut"];
export type MyReservation = Schemas["MyReservationOut"];
export type MyPermit = Schemas["MyPermitOut"];
export type Hold = Schemas["HoldOut"];
export type Benefit = Schemas["BenefitOut"];
export type Listing = Schemas["ListingOut"];
export type Policy = Schemas["PolicyOut"];
/** Versions of contracts about shares of fees, and of regions' rules on unpaid bills. */
export type Contract = Schemas["ContractVersionOut"];
export type Contracts = Schemas["ContractsOut"];
export type ContractSubjects = Schemas["ContractSubjectsOut"];
/** What one person proposed to be agreed to, until another decides. */
export type TermDraft = Schemas["TermDraftOut"];
export type TermDrafts = Schemas["TermDraftsOut"];
export type ExitRule = Schemas["ExitRuleOut"];
export type ExitRules = Schemas["ExitRulesOut"];
export type ContractTrial = Schemas["ContractTrialOut"];
export type RegionPolicy = Schemas["ArrearsPolicyVersionOut"];
export type RegionPolicies = Schemas["ArrearsPoliciesOut"];
export type PolicyTrial = Schemas["ArrearsPolicyTrialOut"];
export type Compensation = Schemas["CompensationOut"];
export type AbuseReport = Schemas["AbuseOut"];
export type Suspect = Schemas["SuspectOut"];
/** Parking cards. */
/** What a driver agreed to be deducted when the car has left. */
export type Agreement = Schemas["AgreementOut"];
export type Agreements = Schemas["AgreementsOut"];
export type Card = Schemas["CardOut"];
export type Cards = Schemas["CardsOut"];
export type IssuedCard = Schemas["IssuedOut"];
export type CardCode = Schemas["CodeOut"];
export type CardPayment = Schemas["CardPaymentOut"];
export type CodePayment = Schemas["CodePaymentOut"];
export type CardMovement = Schemas["MovementOut"];
export type CardLiabilities = Schemas["LiabilitiesOut"];
/** The finance desk. */
export type Takings = Schemas["TakingsOut"];
export type TakenPayment = Schemas["TakenPaymentOut"];
export type TakenRefund = Schemas["TakenRefundOut"];
export type Run = Schemas["RunOut"];
export type Runs = Schemas["RunsOut"];
export type Difference = Schemas["DifferenceOut"];
export type Differences = Schemas["DifferencesOut"];
export type ListedRefund = Schemas["ListedRefundOut"];
export type ListedRefunds = Schemas["ChannelRefundsOut"];
export type NumberedOrders = Schemas["NumberedOrdersOut"];
export type ListedPaper = Schemas["ListedPaperOut"];
export type ListedPapers = Schemas["PapersOut"];
export type ArrearsPage = Schemas["ArrearsOut"];
export type ArrearsCase = Schemas["CaseOut"];
export type WriteOff = Schemas["WriteOffOut"];
export type WriteOffs = Schemas["WriteOffsOut"];
export type Accounts = Schemas["AccountsOut"];
export type LedgerAccount = Schemas["AccountOut"];
export type Posting = Schemas["PostingOut"];
export type Postings = Schemas["PostingsOut"];
export type LedgerEntry = Schemas["EntryOut"];
export type Period = Schemas["PeriodOut"];
export type Periods = Schemas["PeriodsOut"];
export type DemoClock = Schemas["ClockOut"];
export type ProblemDocument = Schemas["Problem"];

/** Longitude and latitude of an answer's position, which JSON knows as a list of numbers only. */
export function lonLat(position: readonly number[]): readonly [number, number] {
  return [position[0] ?? 0, position[1] ?? 0];
}
/** What frees a stay of its fee at a place, and photos of stays. */
export type Exemptions = Schemas["ExemptionsOut"];
export type FeesByStart = Schemas["FeesByStartOut"];
export type StayPhotos = Schemas["StayPhotosOut"];
export type PhotoReceived = Schemas["PhotoReceivedOut"];
export type PlateCandidates = Schemas["PlateCandidatesOut"];
/** What calls for somebody around a place. */
export type PatrolAnswer = Schemas["PatrolOut"];
export type PatrolTask = Schemas["PatrolTaskOut"];
/** The street now, and who on it differs from peers. */
export type Supervision = Schemas["SupervisionOut"];
export type Honesty = Schemas["HonestyOut"];
export type HonestyLine = Schemas["HonestyLineOut"];
