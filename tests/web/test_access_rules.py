"""Who may call what: nothing without a rule, the public list as the contract has it, each role."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from city.people.roles import Role
from tests.web.small_site import UNKNOWN_ID, Site
from web import access
from web.app import create_live_app

if TYPE_CHECKING:
    from flask import Flask

    from journeys.wiring import Wiring

PUBLIC = {
    "GET /",
    "GET /log-in",
    "POST /log-in",
    "GET /log-in/driver",
    "POST /log-in/driver/code",
    "POST /log-in/driver/verify",
    "GET /static/<path:name>",
    # A bay's QR page.
    "GET /bays/<uuid:bay_id>",
    # What it leads to where a stay that ended is to be paid: few plates, few facts.
    "GET /bays/<uuid:bay_id>/pay",
    "POST /api/v1/bays/<uuid:bay_id>/unpaid",
    # A bill's pay page, by the bearer link in its address.
    "GET /pay/<link>",
    "GET /pay/<link>/orders/<order_no>/code.svg",
    "GET /pay/<link>/invoices/<uuid:invoice_id>",
    # Inside WeChat: to its app to learn who pays, and back by what the browser keeps sealed.
    "GET /pay/<link>/payer",
    "GET /pay/together/<link>/payer",
    "GET /pay/payer/back",
    "GET /pay/together/<link>",
    "GET /pay/together/<link>/code.svg",
    "GET /pay/together/<link>/orders/<order_no>/code.svg",
    "POST /api/v1/pay/together",
    "GET /api/v1/pay/together/<link>",
    "POST /api/v1/pay/together/<link>/orders",
    "GET /api/v1/pay/together/<link>/orders/<order_no>",
    "GET /api/v1/pay/<link>",
    "POST /api/v1/pay/<link>/orders",
    "GET /api/v1/pay/<link>/orders/<order_no>",
    "GET /api/v1/pay/<link>/invoices",
    "POST /api/v1/pay/<link>/invoices",
    "GET /api/v1/pay/<link>/invoices/<uuid:invoice_id>",
    "GET /healthz",
    "GET /readyz",
    "GET /api/openapi.json",
    "GET /api/docs",
    "GET /api/v1/facilities",
    "GET /api/v1/facilities/<uuid:facility_id>",
    "GET /api/v1/facilities/<uuid:facility_id>/bays",
    "GET /api/v1/bays/nearest",
    "POST /api/v1/quotes",
    # Sends on to the feed, which looks at who asks by itself.
    "GET /live/<path:rest>",
    # By the channel's own signature: its view says so.
    "POST /api/v1/channel-notices/<channel>",
    # By a one-time code and the signature of the key that enrols: its view says so.
    "POST /api/v1/terminals/enrolment",
    # On loopback, or with the token: its view says so.
    "GET /metrics",
}
"""The contract's list, 'Public without log-in'."""

PUBLIC_LIVE = {"GET /live/occupancy", "GET /healthz"}

EVERYBODY_WITH_AN_ACCOUNT = set(Role)
BACK_OFFICE = {
    Role.ATTENDANT,
    Role.INSPECTOR,
    Role.OPERATOR,
    Role.FINANCE,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
}
REGISTRY = {Role.OPERATOR, Role.ENGINEER, Role.AUDITOR, Role.ADMINISTRATOR}
TARIFF_AUTHORS = {Role.OPERATOR, Role.FINANCE, Role.ADMINISTRATOR}
TARIFF_READERS = {*TARIFF_AUTHORS, Role.AUDITOR}
KEEPERS = {Role.OPERATOR, Role.ADMINISTRATOR}
RIGHTS = BACK_OFFICE
BLACKLIST = BACK_OFFICE - {Role.FINANCE}
FIGURES = {Role.OPERATOR, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR}

FINANCE_READERS = {Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR}
SHIFT_READERS = {Role.OPERATOR, Role.FINANCE, Role.AUDITOR}
CASH_HANDS = {Role.ATTENDANT, Role.OPERATOR, Role.FINANCE}

ON_THE_STREET = {Role.ATTENDANT, Role.OPERATOR}

SEES_PICTURES = {*ON_THE_STREET, Role.INSPECTOR, Role.AUDITOR}
LANE_READERS = {*ON_THE_STREET, Role.ENGINEER, Role.AUDITOR, Role.ADMINISTRATOR}

SIGNAL_AUTHORS = {Role.ENGINEER, Role.ADMINISTRATOR}
SIGNAL_READERS = {*SIGNAL_AUTHORS, Role.OPERATOR, Role.AUDITOR}
WORK_RAISERS = {*SIGNAL_AUTHORS, Role.OPERATOR, Role.MAINTAINER}
WALKERS = {Role.ATTENDANT, Role.INSPECTOR, Role.OPERATOR}
ROLES: dict[str, set[Role]] = {
    "GET /api/v1/patrol": WALKERS,
    "POST /api/v1/patrol/marks": WALKERS,
    "GET /api/v1/supervision": {Role.OPERATOR, Role.AUDITOR},
    "GET /supervision": {Role.OPERATOR, Role.AUDITOR},
    "GET /api/v1/honesty": {Role.OPERATOR, Role.AUDITOR},
    "GET /api/v1/signal-networks": SIGNAL_READERS | {Role.ESCORT, Role.MAINTAINER},
    "GET /api/v1/signal-work-orders": SIGNAL_READERS | {Role.MAINTAINER},
    "POST /api/v1/signal-work-orders": WORK_RAISERS,
    "GET /api/v1/signal-work-orders/<uuid:order_id>": SIGNAL_READERS | {Role.MAINTAINER},
    "POST /api/v1/signal-work-orders/<uuid:order_id>/acts": WORK_RAISERS,
    "POST /api/v1/signal-work-orders/<uuid:order_id>/photos": WORK_RAISERS,
    "GET /api/v1/signal-work-orders/<uuid:order_id>/photos/<string:sha256>": (
        SIGNAL_READERS | {Role.MAINTAINER}
    ),
    "GET /api/v1/signal-workers": SIGNAL_READERS | {Role.MAINTAINER},
    "GET /api/v1/signal-work-policy": SIGNAL_READERS | {Role.MAINTAINER},
    "PUT /api/v1/signal-work-policy": SIGNAL_AUTHORS,
    "GET /signals/maintenance": SIGNAL_READERS | {Role.MAINTAINER},
    "GET /signals/maintenance/<uuid:network_id>/<string:name>": SIGNAL_READERS | {Role.MAINTAINER},
    "GET /api/v1/signal-networks/<uuid:network_id>/on-line": SIGNAL_READERS | {Role.MAINTAINER},
    "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/file": (
        SIGNAL_READERS | {Role.MAINTAINER}
    ),
    "POST /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/documents": (
        SIGNAL_AUTHORS | {Role.MAINTAINER}
    ),
    "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/documents/"
    "<uuid:document_id>/content": SIGNAL_READERS | {Role.MAINTAINER},
    "GET /api/v1/signal-escorts": {Role.ESCORT},
    "POST /api/v1/signal-escorts": {Role.ESCORT},
    "GET /api/v1/signal-escorts/<uuid:escort_id>": {Role.ESCORT},
    "POST /api/v1/signal-escorts/<uuid:escort_id>/approval": {Role.ESCORT},
    "POST /api/v1/signal-escorts/<uuid:escort_id>/withdrawal": {Role.ESCORT},
    "POST /api/v1/signal-escorts/<uuid:escort_id>/start": {Role.ESCORT},
    "POST /api/v1/signal-escorts/<uuid:escort_id>/end": {Role.ESCORT},
    "POST /api/v1/signal-escorts/<uuid:escort_id>/stops/<int:place>/hold": {Role.ESCORT},
    "POST /api/v1/signal-escorts/<uuid:escort_id>/stops/<int:place>/return": {Role.ESCORT},
    "GET /signals/escorts": {Role.ESCORT},
    "POST /api/v1/signal-networks": SIGNAL_AUTHORS,
    "GET /api/v1/signal-networks/<uuid:network_id>": SIGNAL_READERS,
    "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>": SIGNAL_READERS,
    "GET /api/v1/signal-networks/<uuid:network_id>/file": SIGNAL_READERS,
    "POST /api/v1/signal-networks/<uuid:network_id>/demands": SIGNAL_AUTHORS,
    "POST /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/drawn-plans": (
        SIGNAL_AUTHORS
    ),
    "POST /api/v1/signal-trials": SIGNAL_READERS,
    "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/counted-flows": (
        SIGNAL_READERS
    ),
    "GET /api/v1/signal-plans": SIGNAL_READERS,
    "POST /api/v1/signal-plans": SIGNAL_AUTHORS,
    "GET /api/v1/signal-plans/<uuid:version_id>": SIGNAL_READERS,
    "PUT /api/v1/signal-plans/<uuid:version_id>": SIGNAL_AUTHORS,
    "POST /api/v1/signal-plans/<uuid:version_id>/check": SIGNAL_AUTHORS,
    "POST /api/v1/signal-plans/<uuid:version_id>/approval": SIGNAL_AUTHORS,
    "POST /api/v1/signal-plans/<uuid:version_id>/deployment": SIGNAL_AUTHORS,
    "POST /api/v1/signal-plans/<uuid:version_id>/measurement": SIGNAL_AUTHORS,
    "GET /api/v1/signal-plans/<uuid:version_id>/effect": SIGNAL_READERS,
    "POST /api/v1/signal-plans/<uuid:version_id>/effect": SIGNAL_AUTHORS,
    "POST /api/v1/signal-plans/<uuid:version_id>/decision": SIGNAL_AUTHORS,
    "POST /api/v1/signal-plans/<uuid:version_id>/withdrawal": SIGNAL_AUTHORS,
    "GET /api/v1/signal-networks/<uuid:network_id>/counts": SIGNAL_READERS,
    "POST /api/v1/signal-networks/<uuid:network_id>/counts": SIGNAL_AUTHORS,
    "GET /api/v1/signal-networks/<uuid:network_id>/counts/template": SIGNAL_READERS,
    "GET /api/v1/signal-networks/<uuid:network_id>/cabinets": SIGNAL_READERS,
    "GET /api/v1/signal-networks/<uuid:network_id>/cabinet-acts": SIGNAL_READERS,
    "PUT /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/cabinet": SIGNAL_AUTHORS,
    "POST /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/cabinet/removal": (
        SIGNAL_AUTHORS
    ),
    "POST /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/cabinet/acts": (
        SIGNAL_AUTHORS
    ),
    "GET /api/v1/signal-networks/<uuid:network_id>/reporters": SIGNAL_READERS,
    "POST /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/reporters": (
        SIGNAL_AUTHORS
    ),
    (
        "POST /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/reporters"
        "/<uuid:reporter_id>/removal"
    ): SIGNAL_AUTHORS,
    "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/detectors": (
        SIGNAL_READERS
    ),
    "PUT /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/detectors": (
        SIGNAL_AUTHORS
    ),
    "GET /api/v1/signal-networks/<uuid:network_id>/pass-lanes": SIGNAL_READERS,
    "GET /api/v1/signal-networks/<uuid:network_id>/travel-times": SIGNAL_READERS,
    "GET /api/v1/signal-networks/<uuid:network_id>/origins": SIGNAL_READERS,
    "PUT /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/reading-rate": (
        SIGNAL_AUTHORS
    ),
    "PUT /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/pass-lanes": (
        SIGNAL_AUTHORS
    ),
    "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/measures": (
        SIGNAL_READERS
    ),
    "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/profile": (SIGNAL_READERS),
    "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/detector-health": (
        SIGNAL_READERS
    ),
    "GET /api/v1/signal-networks/<uuid:network_id>/priority-askers": SIGNAL_READERS,
    "POST /api/v1/signal-networks/<uuid:network_id>/priority-askers": SIGNAL_AUTHORS,
    "POST /api/v1/signal-networks/<uuid:network_id>/priority-askers/<uuid:asker_id>/removal": (
        SIGNAL_AUTHORS
    ),
    "GET /api/v1/signal-networks/<uuid:network_id>/priority-requests": SIGNAL_READERS,
    "GET /api/v1/signal-networks/<uuid:network_id>/priority-effect": SIGNAL_READERS,
    "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/priority-orders": (
        SIGNAL_READERS
    ),
    "GET /api/v1/signal-networks/<uuid:network_id>/alarms": SIGNAL_READERS | {Role.MAINTAINER},
    "GET /api/v1/signal-networks/<uuid:network_id>/overview": SIGNAL_READERS | {Role.MAINTAINER},
    "GET /api/v1/signal-networks/<uuid:network_id>/findings": SIGNAL_READERS,
    "POST /api/v1/signal-networks/<uuid:network_id>/alarms/<uuid:alarm_id>/acknowledgement": (
        SIGNAL_AUTHORS
    ),
    "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/pictures": (
        SIGNAL_READERS
    ),
    (
        "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/pictures"
        "/<string:picture>"
    ): SIGNAL_READERS,
    "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/lights": SIGNAL_READERS,
    "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/overrides": (
        SIGNAL_READERS
    ),
    "POST /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/overrides": (
        SIGNAL_AUTHORS
    ),
    (
        "POST /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/overrides"
        "/<uuid:override_id>/confirmation"
    ): SIGNAL_AUTHORS,
    (
        "POST /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/overrides"
        "/<uuid:override_id>/end"
    ): SIGNAL_AUTHORS,
    "PUT /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/intersection": (
        SIGNAL_AUTHORS
    ),
    "POST /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/intersection/removal": (
        SIGNAL_AUTHORS
    ),
    "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/spat": SIGNAL_READERS,
    "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/map": SIGNAL_READERS,
    "GET /signals/duty": SIGNAL_READERS,
    "GET /signals/duty/<uuid:network_id>/<string:name>": SIGNAL_READERS,
    "GET /api/v1/signal-schedules": SIGNAL_READERS,
    "POST /api/v1/signal-schedules": SIGNAL_AUTHORS,
    "GET /api/v1/signal-schedules/<uuid:schedule_id>": SIGNAL_READERS,
    "POST /api/v1/signal-schedules/<uuid:schedule_id>/check": SIGNAL_AUTHORS,
    "POST /api/v1/signal-schedules/<uuid:schedule_id>/approval": SIGNAL_AUTHORS,
    "POST /api/v1/signal-schedules/<uuid:schedule_id>/entry": SIGNAL_AUTHORS,
    "POST /api/v1/signal-schedules/<uuid:schedule_id>/end": SIGNAL_AUTHORS,
    "POST /api/v1/signal-schedules/<uuid:schedule_id>/withdrawal": SIGNAL_AUTHORS,
    "POST /api/v1/signal-plans/<uuid:version_id>/drives": SIGNAL_AUTHORS,
    "GET /api/v1/signal-drives/<uuid:drive_id>": SIGNAL_READERS,
    "POST /api/v1/signal-drives/<uuid:drive_id>/cancellation": SIGNAL_AUTHORS,
    "GET /api/v1/signal-drives/<uuid:drive_id>/replay": SIGNAL_READERS,
    "GET /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/lanes": SIGNAL_READERS,
    "POST /api/v1/signal-networks/<uuid:network_id>/signals/<string:name>/flows": SIGNAL_AUTHORS,
    "GET /api/v1/signal-studies": SIGNAL_READERS,
    "POST /api/v1/signal-studies": SIGNAL_AUTHORS,
    "GET /api/v1/signal-studies/<uuid:study_id>": SIGNAL_READERS,
    "POST /api/v1/signal-studies/<uuid:study_id>/cancellation": SIGNAL_AUTHORS,
    "POST /api/v1/signal-studies/<uuid:study_id>/keeping": SIGNAL_AUTHORS,
    "POST /api/v1/signal-studies/<uuid:study_id>/discarding": SIGNAL_AUTHORS,
    "GET /api/v1/signal-studies/<uuid:study_id>/network": SIGNAL_READERS,
    "POST /api/v1/signal-optimisations": SIGNAL_AUTHORS,
    "GET /api/v1/signal-optimisations/<uuid:optimisation_id>": SIGNAL_READERS,
    "POST /api/v1/signal-optimisations/<uuid:optimisation_id>/cancellation": SIGNAL_AUTHORS,
    "GET /api/v1/me": EVERYBODY_WITH_AN_ACCOUNT,
    "GET /api/v1/demo/clock": EVERYBODY_WITH_AN_ACCOUNT,
    "GET /api/v1/places": EVERYBODY_WITH_AN_ACCOUNT,
    "GET /find": EVERYBODY_WITH_AN_ACCOUNT,
    "PUT /api/v1/demo/clock": KEEPERS,
    "GET /api/v1/facilities/<uuid:facility_id>/forecast": EVERYBODY_WITH_AN_ACCOUNT,
    "GET /api/v1/chances": {Role.OPERATOR, Role.ENGINEER, Role.AUDITOR, Role.ADMINISTRATOR},
    "GET /api/v1/audit": {Role.AUDITOR, Role.ADMINISTRATOR},
    "GET /api/v1/bays/<uuid:bay_id>/evidence": {
        Role.ATTENDANT,
        Role.INSPECTOR,
        Role.OPERATOR,
        Role.ENGINEER,
        Role.AUDITOR,
        Role.ADMINISTRATOR,
    },
    "GET /api/v1/sessions": BACK_OFFICE,
    "GET /api/v1/sessions/<uuid:session_id>": BACK_OFFICE,
    "POST /api/v1/sessions/<uuid:session_id>/vehicle": {Role.ATTENDANT, Role.OPERATOR},
    "GET /api/v1/sessions/<uuid:session_id>/evidence": BACK_OFFICE | {Role.DRIVER},
    "GET /api/v1/facilities/<uuid:facility_id>/exemptions": BACK_OFFICE,
    "GET /api/v1/facilities/<uuid:facility_id>/fees-by-start": ON_THE_STREET,
    "GET /api/v1/exemption-policies": TARIFF_READERS,
    "POST /api/v1/exemption-policies": {Role.ADMINISTRATOR},
    "POST /api/v1/sessions/<uuid:session_id>/exemption": ON_THE_STREET,
    "POST /api/v1/sessions/<uuid:session_id>/exemption/withdrawal": {Role.OPERATOR},
    "POST /api/v1/sessions/<uuid:session_id>/escape/withdrawal": {Role.OPERATOR},
    "GET /api/v1/sessions/<uuid:session_id>/photos": BACK_OFFICE | {Role.DRIVER},
    "GET /api/v1/sessions/<uuid:session_id>/photos/<uuid:photo_id>/picture": SEES_PICTURES
    | {Role.DRIVER},
    "POST /api/v1/terminals/photos/<uuid:photo_id>/given-up": {Role.OPERATOR},
    "PUT /api/v1/patrol/tasks/<uuid:task_id>/photos/<uuid:photo_id>": {
        *ON_THE_STREET,
        Role.INSPECTOR,
    },
    "POST /api/v1/plate-readings": {*ON_THE_STREET, Role.INSPECTOR},
    "GET /api/v1/sessions/long": {
        Role.ATTENDANT,
        Role.OPERATOR,
        Role.AUDITOR,
        Role.ADMINISTRATOR,
    },
    "POST /api/v1/sessions/<uuid:session_id>/corrections": ON_THE_STREET,
    "POST /api/v1/sessions/<uuid:session_id>/code": ON_THE_STREET,
    "GET /api/v1/sessions/<uuid:session_id>/fee": BACK_OFFICE | {Role.DRIVER},
    "GET /api/v1/sessions/<uuid:session_id>/fee-course": ON_THE_STREET,
    "POST /api/v1/sessions/<uuid:session_id>/advances": {Role.ATTENDANT, Role.FINANCE},
    "POST /api/v1/sessions/<uuid:session_id>/refunds": {Role.ATTENDANT, Role.FINANCE},
    "POST /api/v1/sessions/<uuid:session_id>/coupons": ON_THE_STREET,
    "POST /api/v1/facilities/<uuid:facility_id>/sessions": ON_THE_STREET,
    "POST /api/v1/facilities/<uuid:facility_id>/tickets": {Role.DRIVER},
    "GET /api/v1/lanes": LANE_READERS,
    "POST /api/v1/lanes": KEEPERS,
    "POST /api/v1/lanes/<uuid:lane_id>/retirement": KEEPERS,
    "GET /api/v1/lanes/<uuid:lane_id>/acts": LANE_READERS,
    "POST /api/v1/lanes/<uuid:lane_id>/acts": ON_THE_STREET,
    "POST /api/v1/facilities/<uuid:facility_id>/fire": ON_THE_STREET,
    "GET /api/v1/lane-alarms": LANE_READERS,
    "GET /api/v1/frames/<uuid:frame_id>/picture": SEES_PICTURES,
    "GET /api/v1/reads": LANE_READERS,
    "GET /api/v1/reads/cameras": LANE_READERS,
    "GET /api/v1/reads/<uuid:read_id>/plate": ON_THE_STREET,
    "POST /api/v1/reads/<uuid:read_id>/review": ON_THE_STREET,
    "POST /api/v1/reads/search": {Role.OPERATOR},
    "GET /api/v1/reads/<uuid:read_id>/picture": SEES_PICTURES,
    "POST /api/v1/lane-alarms/<uuid:alarm_id>/answer": ON_THE_STREET,
    "GET /api/v1/gates/unmatched": ON_THE_STREET | {Role.AUDITOR},
    "GET /api/v1/gates/unmatched/<uuid:evidence_id>/plate": ON_THE_STREET,
    "POST /api/v1/gates/unmatched/<uuid:evidence_id>/match": ON_THE_STREET,
    "GET /api/v1/bills": BACK_OFFICE,
    "GET /api/v1/bills/<uuid:bill_id>": BACK_OFFICE | {Role.DRIVER},
    "POST /api/v1/bills/<uuid:bill_id>/disputes": {Role.DRIVER},
    "POST /api/v1/disputes/<uuid:dispute_id>/withdrawal": {Role.DRIVER},
    "POST /api/v1/disputes/<uuid:dispute_id>/resolution": {Role.OPERATOR, Role.FINANCE},
    "GET /api/v1/disputes": {Role.OPERATOR, Role.FINANCE, Role.AUDITOR},
    "GET /api/v1/arrears": {Role.OPERATOR, Role.FINANCE, Role.AUDITOR},
    "POST /api/v1/arrears/lookups": {
        Role.ATTENDANT,
        Role.INSPECTOR,
        Role.OPERATOR,
        Role.FINANCE,
    },
    "GET /api/v1/sessions/<uuid:session_id>/arrears": {
        Role.INSPECTOR,
        Role.ATTENDANT,
        Role.OPERATOR,
        Role.FINANCE,
    },
    "POST /api/v1/arrears/payments": {Role.ATTENDANT, Role.FINANCE},
    "GET /api/v1/gates/exit-rules": {
        Role.OPERATOR,
        Role.FINANCE,
        Role.AUDITOR,
        Role.ADMINISTRATOR,
    },
    "GET /api/v1/term-drafts": {Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR},
    "POST /api/v1/term-drafts/<uuid:draft_id>/decision": {Role.FINANCE, Role.ADMINISTRATOR},
    "POST /api/v1/gates/exit-rules": {Role.FINANCE},
    "POST /api/v1/arrears/links": {Role.ATTENDANT, Role.INSPECTOR, Role.FINANCE},
    "POST /api/v1/arrears/slips/<uuid:notice_id>": {Role.ATTENDANT, Role.INSPECTOR},
    "GET /api/v1/arrears/policies": {
        Role.OPERATOR,
        Role.FINANCE,
        Role.AUDITOR,
        Role.ADMINISTRATOR,
    },
    "POST /api/v1/arrears/policies": {Role.FINANCE},
    "POST /api/v1/arrears/policy-trials": {Role.FINANCE},
    "GET /api/v1/bills/<uuid:bill_id>/case": BACK_OFFICE,
    "POST /api/v1/bills/<uuid:bill_id>/adjustments": {Role.OPERATOR, Role.FINANCE},
    "POST /api/v1/bills/<uuid:bill_id>/write-offs": {Role.FINANCE},
    "GET /api/v1/bills/<uuid:bill_id>/court-file": {Role.FINANCE},
    "GET /api/v1/write-offs": {Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR},
    "POST /api/v1/write-offs/<uuid:write_off_id>/decision": {Role.FINANCE, Role.ADMINISTRATOR},
    "GET /api/v1/ledger/accounts": {Role.FINANCE, Role.AUDITOR},
    "GET /api/v1/ledger/postings": {Role.FINANCE, Role.AUDITOR},
    "GET /api/v1/ledger/entries/<uuid:entry_id>": {Role.FINANCE, Role.AUDITOR},
    "GET /api/v1/ledger/periods": {Role.FINANCE, Role.AUDITOR},
    "POST /api/v1/ledger/periods": {Role.FINANCE},
    "GET /api/v1/contracts": {Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR},
    "GET /api/v1/contract-subjects": {Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR},
    "POST /api/v1/contract-trials": {Role.FINANCE},
    "GET /api/v1/takings": FINANCE_READERS,
    "GET /api/v1/takings/card-moves": FINANCE_READERS,
    "GET /api/v1/takings/payments": FINANCE_READERS,
    "GET /api/v1/takings/export": FINANCE_READERS,
    "GET /api/v1/takings/refunds": FINANCE_READERS,
    "GET /api/v1/write-offs/export": FINANCE_READERS,
    "GET /api/v1/reconciliations/export": FINANCE_READERS,
    "GET /api/v1/ledger/periods/export": {Role.FINANCE, Role.AUDITOR},
    "GET /api/v1/contracts/export": FINANCE_READERS,
    "GET /api/v1/term-drafts/export": FINANCE_READERS,
    "GET /api/v1/arrears/policies/export": FINANCE_READERS | {Role.OPERATOR},
    "GET /api/v1/gates/exit-rules/export": FINANCE_READERS | {Role.OPERATOR},
    "GET /api/v1/arrears/export": {Role.OPERATOR, Role.FINANCE, Role.AUDITOR},
    "GET /api/v1/channel-refunds/export": FINANCE_READERS | {Role.OPERATOR},
    "GET /api/v1/ledger/accounts/export": {Role.FINANCE, Role.AUDITOR},
    "GET /api/v1/channel-orders": FINANCE_READERS | {Role.OPERATOR},
    "GET /api/v1/channel-refunds": FINANCE_READERS | {Role.OPERATOR},
    "POST /api/v1/cards": {Role.ATTENDANT, Role.FINANCE},
    "POST /api/v1/cards/found": {Role.ATTENDANT, Role.FINANCE},
    "POST /api/v1/cards/top-ups": {Role.ATTENDANT, Role.FINANCE},
    "POST /api/v1/cards/media": {Role.ATTENDANT, Role.FINANCE},
    "POST /api/v1/cards/losses": {Role.ATTENDANT, Role.FINANCE},
    "POST /api/v1/cards/recoveries": {Role.ATTENDANT, Role.FINANCE},
    "POST /api/v1/cards/replacements": {Role.ATTENDANT, Role.FINANCE},
    "POST /api/v1/cards/renewals": {Role.ATTENDANT, Role.FINANCE},
    "POST /api/v1/cards/<uuid:card_id>/refunds": {Role.FINANCE, Role.ADMINISTRATOR},
    "POST /api/v1/bills/<uuid:bill_id>/card-payments": {Role.ATTENDANT, Role.FINANCE},
    "POST /api/v1/bills/<uuid:bill_id>/code-payments": {Role.ATTENDANT, Role.FINANCE},
    "GET /api/v1/bills/<uuid:bill_id>/code-payments/<order_no>": {Role.ATTENDANT, Role.FINANCE},
    "POST /api/v1/bills/<uuid:bill_id>/code-payments/<order_no>/cancellation": {
        Role.ATTENDANT,
        Role.FINANCE,
    },
    "GET /api/v1/cards": FINANCE_READERS,
    "GET /api/v1/cards/liabilities": FINANCE_READERS,
    "GET /api/v1/cards/export": FINANCE_READERS,
    "GET /api/v1/cards/<uuid:card_id>/movements/export": FINANCE_READERS,
    "GET /api/v1/invoices": FINANCE_READERS,
    "GET /api/v1/invoices/export": FINANCE_READERS,
    "GET /finance/invoices": FINANCE_READERS,
    "GET /api/v1/cards/<uuid:card_id>": FINANCE_READERS,
    "GET /api/v1/cards/<uuid:card_id>/movements": FINANCE_READERS,
    "POST /api/v1/reconciliations/cards": {Role.FINANCE},
    "POST /api/v1/shifts": {Role.ATTENDANT},
    "GET /api/v1/shifts": SHIFT_READERS,
    "GET /api/v1/shifts/export": SHIFT_READERS,
    "GET /api/v1/cash-moves/export": SHIFT_READERS,
    "GET /api/v1/shifts/mine": {Role.ATTENDANT},
    "GET /api/v1/shifts/colleagues": CASH_HANDS,
    "GET /api/v1/shifts/<uuid:shift_id>": SHIFT_READERS,
    "POST /api/v1/shifts/<uuid:shift_id>/breaks": {Role.ATTENDANT},
    "POST /api/v1/shifts/<uuid:shift_id>/breaks/end": {Role.ATTENDANT},
    "POST /api/v1/shifts/<uuid:shift_id>/count": {Role.ATTENDANT},
    "PUT /api/v1/shifts/<uuid:shift_id>/note": {Role.ATTENDANT},
    "POST /api/v1/shifts/<uuid:shift_id>/approvals": {Role.OPERATOR, Role.FINANCE},
    "POST /api/v1/cash-moves": {Role.ATTENDANT},
    "GET /api/v1/cash-moves": SHIFT_READERS,
    "POST /api/v1/cash-moves/floats": {Role.OPERATOR, Role.FINANCE},
    "POST /api/v1/cash-moves/deposits": {Role.OPERATOR, Role.FINANCE},
    "POST /api/v1/cash-moves/<uuid:move_id>/acceptance": CASH_HANDS,
    "POST /api/v1/cash-moves/<uuid:move_id>/refusal": CASH_HANDS,
    "POST /api/v1/cash-moves/<uuid:move_id>/withdrawal": CASH_HANDS,
    "GET /api/v1/tills": SHIFT_READERS,
    "GET /api/v1/me/agreements": {Role.DRIVER},
    "POST /api/v1/me/agreements": {Role.DRIVER},
    "POST /api/v1/me/agreements/<uuid:agreement_id>/confirmation": {Role.DRIVER},
    "POST /api/v1/me/agreements/<uuid:agreement_id>/end": {Role.DRIVER},
    "GET /api/v1/me/cards": {Role.DRIVER},
    "POST /api/v1/me/cards": {Role.DRIVER},
    "POST /api/v1/me/cards/registrations": {Role.DRIVER},
    "POST /api/v1/me/cards/<uuid:card_id>/payments": {Role.DRIVER},
    "POST /api/v1/me/cards/<uuid:card_id>/code": {Role.DRIVER},
    "POST /api/v1/me/cards/<uuid:card_id>/loss": {Role.DRIVER},
    "POST /api/v1/me/cards/<uuid:card_id>/recovery": {Role.DRIVER},
    "POST /api/v1/me/cards/<uuid:card_id>/replacement": {Role.DRIVER},
    "GET /api/v1/me/cards/<uuid:card_id>/movements": {Role.DRIVER},
    "POST /api/v1/me/cards/<uuid:card_id>/top-ups": {Role.DRIVER},
    "GET /api/v1/me/cards/<uuid:card_id>/top-ups": {Role.DRIVER},
    "GET /api/v1/me/top-ups/terms": {Role.DRIVER},
    "GET /api/v1/me/top-ups/<order_no>": {Role.DRIVER},
    "POST /api/v1/me/top-ups/<order_no>/refunds": {Role.DRIVER},
    "POST /api/v1/reconciliations/fetches": {Role.FINANCE},
    "POST /api/v1/reconciliations/stays": {Role.FINANCE},
    "GET /api/v1/ledger/postings/export": {Role.FINANCE, Role.AUDITOR},
    "GET /cards": FINANCE_READERS | {Role.ATTENDANT},
    "GET /mine/agreements": {Role.DRIVER},
    "GET /mine/cards": {Role.DRIVER},
    "GET /mine/cards/payer": {Role.DRIVER},
    "GET /mine/cards/top-ups/<order_no>": {Role.DRIVER},
    "GET /mine/cards/top-ups/<order_no>/code.svg": {Role.DRIVER},
    "GET /finance": FINANCE_READERS,
    "GET /finance/reconciliation": FINANCE_READERS,
    "GET /finance/refunds": FINANCE_READERS,
    "GET /finance/arrears": FINANCE_READERS,
    "GET /finance/ledger": {Role.FINANCE, Role.AUDITOR},
    "GET /finance/terms": {Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR},
    "GET /api/v1/reconciliations": FINANCE_READERS,
    "POST /api/v1/reconciliations": {Role.FINANCE},
    "GET /api/v1/differences": FINANCE_READERS,
    "GET /api/v1/differences/export": FINANCE_READERS,
    "POST /api/v1/differences/<uuid:difference_id>/proposal": {Role.FINANCE},
    "POST /api/v1/differences/<uuid:difference_id>/decision": {Role.FINANCE, Role.ADMINISTRATOR},
    "POST /api/v1/differences/<uuid:difference_id>/resolution": {Role.FINANCE},
    "POST /api/v1/contracts": {Role.FINANCE},
    "POST /api/v1/me/stays/<uuid:session_id>/offer": {Role.DRIVER},
    "GET /api/v1/me/vehicles": {Role.DRIVER},
    "POST /api/v1/me/vehicles": {Role.DRIVER},
    "POST /api/v1/me/vehicles/<uuid:vehicle_id>/unbinding": {Role.DRIVER},
    "GET /api/v1/me/stays": {Role.DRIVER},
    "POST /api/v1/me/stays": {Role.DRIVER},
    "POST /api/v1/me/stays/<uuid:session_id>/extension": {Role.DRIVER},
    "POST /api/v1/me/stays/<uuid:session_id>/end": {Role.DRIVER},
    "GET /api/v1/me/bills": {Role.DRIVER},
    "GET /api/v1/me/reservations": {Role.DRIVER},
    "POST /api/v1/me/reservations": {Role.DRIVER},
    "POST /api/v1/me/reservations/<uuid:reservation_id>/return": {Role.DRIVER},
    "GET /api/v1/me/permits": {Role.DRIVER},
    "POST /api/v1/bills/<uuid:bill_id>/payments": {Role.ATTENDANT, Role.FINANCE},
    "POST /api/v1/bills/<uuid:bill_id>/refunds": {Role.ATTENDANT, Role.FINANCE},
    "POST /api/v1/bills/<uuid:bill_id>/cash-refunds": {Role.FINANCE, Role.ADMINISTRATOR},
    "GET /api/v1/registered-facilities": {
        Role.OPERATOR,
        Role.FINANCE,
        Role.ENGINEER,
        Role.AUDITOR,
        Role.ADMINISTRATOR,
    },
    "GET /api/v1/facilities/<uuid:facility_id>/bay-records": {
        Role.OPERATOR,
        Role.FINANCE,
        Role.ENGINEER,
        Role.AUDITOR,
        Role.ADMINISTRATOR,
    },
    "GET /api/v1/zones/<uuid:zone_id>/history": {
        Role.OPERATOR,
        Role.ENGINEER,
        Role.AUDITOR,
        Role.ADMINISTRATOR,
    },
    "GET /api/v1/bays/<uuid:bay_id>/holds": set(Role) - {Role.DRIVER, Role.ESCORT, Role.MAINTAINER},
    "GET /api/v1/permits": RIGHTS,
    "POST /api/v1/permits": KEEPERS,
    "GET /api/v1/permits/<uuid:permit_id>": RIGHTS,
    "GET /api/v1/permits/<uuid:permit_id>/vehicles": RIGHTS,
    "POST /api/v1/permits/<uuid:permit_id>/vehicles": KEEPERS,
    "POST /api/v1/permits/<uuid:permit_id>/vehicles/<uuid:vehicle_id>/removal": KEEPERS,
    "POST /api/v1/permits/<uuid:permit_id>/revocation": KEEPERS,
    "POST /api/v1/permits/<uuid:permit_id>/renewal": KEEPERS,
    "POST /api/v1/permits/compensations": KEEPERS,
    "GET /api/v1/reservations": RIGHTS,
    "POST /api/v1/reservations": {Role.ATTENDANT, Role.OPERATOR},
    "GET /api/v1/reservations/<uuid:reservation_id>": RIGHTS,
    "POST /api/v1/reservations/<uuid:reservation_id>/return": {Role.ATTENDANT, Role.OPERATOR},
    "GET /api/v1/sessions/<uuid:session_id>/coverage": RIGHTS,
    "GET /api/v1/benefits": RIGHTS,
    "POST /api/v1/benefits": KEEPERS,
    "POST /api/v1/benefits/<uuid:benefit_id>/end": KEEPERS,
    "GET /api/v1/rights/abuse": {Role.INSPECTOR, Role.OPERATOR, Role.AUDITOR},
    "GET /api/v1/blacklist": BLACKLIST,
    "POST /api/v1/blacklist": {Role.OPERATOR},
    "POST /api/v1/blacklist/<uuid:listing_id>/lifting": {Role.OPERATOR},
    "GET /api/v1/blacklist/policies/<string:district>": BLACKLIST,
    "PUT /api/v1/blacklist/policies/<string:district>": KEEPERS,
    "GET /api/v1/devices": REGISTRY,
    "GET /api/v1/devices/<uuid:device_id>": REGISTRY,
    "GET /api/v1/devices/unknown": REGISTRY,
    "POST /api/v1/devices": KEEPERS,
    "POST /api/v1/devices/<uuid:device_id>/placement": KEEPERS,
    "POST /api/v1/devices/<uuid:device_id>/retirement": KEEPERS,
    "POST /api/v1/devices/unknown/<uuid:unknown_id>/adopt": KEEPERS,
    "POST /api/v1/facilities/<uuid:facility_id>/siting-checks": REGISTRY,
    "GET /api/v1/readers": REGISTRY,
    "POST /api/v1/readers": KEEPERS,
    "POST /api/v1/readers/<uuid:reader_id>/retirement": KEEPERS,
    "GET /terminals": REGISTRY,
    "GET /gates": LANE_READERS,
    "GET /reads": LANE_READERS,
    "GET /shifts": SHIFT_READERS,
    "GET /api/v1/terminals": REGISTRY,
    "GET /api/v1/terminals/<uuid:terminal_id>/days/<day>": REGISTRY | {Role.FINANCE},
    "GET /api/v1/terminals/acts": BACK_OFFICE,
    "POST /api/v1/terminals/sign-ins": ON_THE_STREET,
    "GET /api/v1/terminals/<uuid:terminal_id>/acts/mine/<day>": ON_THE_STREET,
    "POST /api/v1/terminals": KEEPERS,
    "GET /api/v1/pos-terminals": REGISTRY,
    "POST /api/v1/pos-terminals": KEEPERS,
    "POST /api/v1/pos-terminals/<uuid:terminal_id>/key": KEEPERS,
    "POST /api/v1/pos-terminals/<uuid:terminal_id>/lock": KEEPERS,
    "POST /api/v1/pos-terminals/<uuid:terminal_id>/unlock": KEEPERS,
    "POST /api/v1/pos-terminals/<uuid:terminal_id>/retirement": KEEPERS,
    "POST /api/v1/terminals/<uuid:terminal_id>/code": KEEPERS,
    "POST /api/v1/terminals/<uuid:terminal_id>/lock": KEEPERS,
    "PUT /api/v1/terminals/<uuid:terminal_id>/offline-cash": KEEPERS,
    "POST /api/v1/terminals/<uuid:terminal_id>/unlock": KEEPERS,
    "POST /api/v1/terminals/<uuid:terminal_id>/revocation": KEEPERS,
    "GET /api/v1/tariffs": TARIFF_READERS,
    "GET /api/v1/tariffs/<string:code>": TARIFF_READERS,
    "POST /api/v1/tariffs/<string:code>/versions": TARIFF_AUTHORS,
    "POST /api/v1/tariffs/<string:code>/demand-proposals": TARIFF_AUTHORS,
    "PUT /api/v1/tariffs/<string:code>/notice": {Role.ADMINISTRATOR},
    "GET /api/v1/tariff-language": TARIFF_READERS,
    "POST /api/v1/tariff-trials": TARIFF_READERS,
    "GET /api/v1/tariff-versions/<uuid:version_id>": TARIFF_READERS,
    "PUT /api/v1/tariff-versions/<uuid:version_id>": TARIFF_AUTHORS,
    "POST /api/v1/tariff-versions/<uuid:version_id>/simulations": TARIFF_AUTHORS,
    "POST /api/v1/tariff-versions/<uuid:version_id>/approval": {
        Role.FINANCE,
        Role.ADMINISTRATOR,
    },
    "POST /api/v1/tariff-versions/<uuid:version_id>/publication": TARIFF_AUTHORS,
    "POST /api/v1/tariff-versions/<uuid:version_id>/withdrawal": TARIFF_AUTHORS,
    "GET /api/v1/tariff-simulations/<uuid:simulation_id>": TARIFF_READERS,
    "GET /api/v1/figures": FIGURES,
    "GET /api/v1/figures/areas": FIGURES,
    "GET /api/v1/figures/bays": FIGURES,
    "GET /api/v1/figures/file": FIGURES,
    "GET /api/v1/bays/<uuid:bay_id>/days/<day>": FIGURES,
    "GET /figures": FIGURES,
    "GET /api/v1/operators": REGISTRY,
    "POST /api/v1/operators": KEEPERS,
    "POST /api/v1/facilities": KEEPERS,
    "PATCH /api/v1/facilities/<uuid:facility_id>": KEEPERS,
    "GET /api/v1/facilities/<uuid:facility_id>/record": REGISTRY,
    "GET /api/v1/facilities/<uuid:facility_id>/history": REGISTRY,
    "GET /api/v1/facilities/<uuid:facility_id>/zones": REGISTRY,
    "POST /api/v1/facilities/<uuid:facility_id>/zones": KEEPERS,
    "POST /api/v1/facilities/<uuid:facility_id>/bays": KEEPERS,
    "PATCH /api/v1/zones/<uuid:zone_id>": KEEPERS,
    "PATCH /api/v1/bays/<uuid:bay_id>": KEEPERS,
    "POST /api/v1/bays/<uuid:bay_id>/retirement": KEEPERS,
    "GET /api/v1/bays/<uuid:bay_id>/record": REGISTRY,
    "GET /api/v1/bays/<uuid:bay_id>/history": REGISTRY,
    "GET /api/v1/facilities/<uuid:facility_id>/suspensions": BACK_OFFICE - {Role.FINANCE}
    | {Role.ENGINEER},
    "POST /api/v1/facilities/<uuid:facility_id>/suspensions": KEEPERS,
    "POST /api/v1/suspensions/<uuid:suspension_id>/lifting": KEEPERS,
    "POST /api/v1/place-imports": KEEPERS,
    "GET /attendant": {Role.ATTENDANT, Role.OPERATOR},
    "GET /inspector": {Role.INSPECTOR, Role.OPERATOR},
    "GET /mine": {Role.DRIVER},
    "GET /pay": {Role.DRIVER},
    "POST /api/v1/me/unpaid": {Role.DRIVER},
    "GET /api/v1/bills/<uuid:bill_id>/channel-orders": FIGURES,
    "POST /api/v1/channel-orders/<order_no>/refunds": {Role.FINANCE, Role.ADMINISTRATOR},
    "POST /api/v1/channel-refunds/<refund_no>/withdrawal": {Role.FINANCE, Role.ADMINISTRATOR},
    "GET /api/v1/channel-refunds/<refund_no>": FIGURES,
    "GET /bills/<uuid:bill_id>/pay": EVERYBODY_WITH_AN_ACCOUNT,
    "GET /bills/<uuid:bill_id>/code.svg": EVERYBODY_WITH_AN_ACCOUNT,
    "GET /disputes": {Role.OPERATOR, Role.FINANCE, Role.AUDITOR},
    "GET /stays": BACK_OFFICE,
    "GET /bays/<uuid:bay_id>/qr.svg": KEEPERS,
    "GET /facilities/<uuid:facility_id>/signs": KEEPERS,
    "GET /facilities/<uuid:facility_id>/gate": {Role.DRIVER},
    "GET /mine/tickets/<uuid:vehicle_id>": {Role.DRIVER},
    "GET /api/v1/me/tickets/<uuid:vehicle_id>": {Role.DRIVER},
    "GET /operations": {Role.OPERATOR, Role.ENGINEER, Role.ADMINISTRATOR},
    "GET /tariffs": TARIFF_READERS,
    "GET /signals": SIGNAL_READERS,
    "GET /signals/plans/<uuid:version_id>": SIGNAL_READERS,
    "GET /signals/schedules": SIGNAL_READERS,
    "GET /signals/travel": SIGNAL_READERS,
    "GET /signals/lanes": SIGNAL_READERS,
    "GET /signals/lanes/<uuid:study_id>": SIGNAL_READERS,
    "GET /places": {Role.OPERATOR, Role.ENGINEER, Role.AUDITOR, Role.ADMINISTRATOR},
    "GET /reservations": {Role.OPERATOR, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR},
    "GET /benefits": {Role.OPERATOR, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR},
    "GET /blacklist": {Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR},
    "GET /compensation": {Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR},
    "GET /abuse": {Role.OPERATOR, Role.AUDITOR},
    "GET /permits": {Role.OPERATOR, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR},
    "GET /audit": {Role.AUDITOR, Role.ADMINISTRATOR},
    "GET /bills/<uuid:bill_id>": EVERYBODY_WITH_AN_ACCOUNT,
    "POST /log-out": EVERYBODY_WITH_AN_ACCOUNT,
}

INTEGRATIONS = {
    "POST /api/v1/uplinks/ttn",
    "POST /api/v1/uplinks/chirpstack",
    "POST /api/v1/uplinks/ctwing",
    "POST /api/v1/gates/passages",
    "POST /api/v1/gates/exits",
    "POST /api/v1/lanes/<uuid:lane_id>/reports",
    "POST /api/v1/lanes/<uuid:lane_id>/reads",
    "POST /api/v1/lanes/<uuid:lane_id>/photos",
    "POST /api/v1/bays/<uuid:bay_id>/reads",
    "POST /api/v1/bays/<uuid:bay_id>/frames",
}
DEVICES = {
    "POST /api/v1/gates/passages",
    "POST /api/v1/gates/exits",
    "POST /api/v1/lanes/<uuid:lane_id>/reports",
    "POST /api/v1/lanes/<uuid:lane_id>/reads",
    "POST /api/v1/lanes/<uuid:lane_id>/photos",
    "POST /api/v1/bays/<uuid:bay_id>/reads",
    "POST /api/v1/bays/<uuid:bay_id>/frames",
}
"""Of these, what devices may call too: each for its own gate or bays."""

REPORTERS: dict[str, dict[str, object]] = {
    "POST /api/v1/signal-events": {"rows": []},
    "POST /api/v1/signal-requests": {"requests": []},
    "POST /api/v1/signal-counts": {"rows": []},
    "POST /api/v1/signal-passes": {"rows": []},
    "POST /api/v1/escort-positions": {"at": "2026-03-02T00:00:00Z", "position": [114.3, 30.6]},
}
"""For devices registered to tell of a signal, to ask there, or as a convoy's, alone."""

TERMINALS = {
    "POST /api/v1/terminals/health",
    "POST /api/v1/terminals/acts",
    "POST /api/v1/terminals/photos",
}
"""By a terminal's signature alone: nobody's session or token does."""


def routes(app: Flask) -> dict[str, str]:
    """Give every route of an application as method and path, with its endpoint."""
    return {
        f"{method} {rule.rule}": rule.endpoint
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def rules(app: Flask) -> dict[str, access.Rule | None]:
    return {
        route: access.rule_of(app.view_functions[endpoint])
        for route, endpoint in routes(app).items()
    }


@pytest.fixture
def live_app(wiring: Wiring) -> Flask:
    app = create_live_app(wiring)
    app.extensions["hub"].stop()
    return app


def test_every_route_of_both_applications_states_a_rule(site: Site, live_app: Flask) -> None:
    without = [route for app in (site.app, live_app) for route, r in rules(app).items() if not r]
    assert without == []


def test_the_public_routes_are_the_contracts(site: Site, live_app: Flask) -> None:
    assert {route for route, r in rules(site.app).items() if r and r.everybody} == PUBLIC
    assert {route for route, r in rules(live_app).items() if r and r.everybody} == PUBLIC_LIVE


def test_every_other_route_is_in_the_matrix(site: Site) -> None:
    assert set(routes(site.app)) == PUBLIC | set(ROLES) | INTEGRATIONS | set(REPORTERS) | TERMINALS


def test_a_view_without_a_rule_is_denied_to_everybody(site: Site) -> None:
    site.app.add_url_rule("/forgotten", view_func=lambda: "secret")
    for who in (None, "administrator", "integration"):
        answer = site.get("/forgotten", who)
        assert (answer.status_code, b"secret" in answer.data) == (403, False)


def test_a_rule_without_a_role_cannot_be_stated() -> None:
    with pytest.raises(ValueError, match="needs a role"):
        access.allow()


def outcome(site: Site, route: str, who: str | None) -> int:
    method, _, path = route.partition(" ")
    path = re.sub(r"<int:\w+>", "0", path.replace("<string:code>", "nowhere"))
    path = re.sub(r"<uuid:\w+>", UNKNOWN_ID, path).replace("<string:district>", "0153")
    body: dict[str, Any] = {} if method == "GET" else {"json": {"speed": 1}}
    return site.call(method, path, who, **body).status_code


def test_each_role_may_do_what_is_stated_and_nothing_else(site: Site) -> None:
    allowed = {
        (route, role): outcome(site, route, role.value) not in {401, 403}
        for route in ROLES
        for role in Role
    }
    assert allowed == {
        (route, role): role in roles for route, roles in ROLES.items() for role in Role
    }


def test_nobody_and_devices_get_nothing_that_is_not_public(site: Site) -> None:
    for route in (*ROLES, *INTEGRATIONS):
        assert (route, outcome(site, route, None)) == (route, 401)
        refused = outcome(site, route, "device") == 403
        assert (route, refused) == (route, route not in DEVICES)


def test_reporters_routes_take_registered_devices_alone(site: Site) -> None:
    for route, body in REPORTERS.items():
        assert outcome(site, route, None) == 401
        for who in ("integration", *(role.value for role in Role)):
            assert (route, who, outcome(site, route, who)) == (route, who, 403)
        path = route.partition(" ")[2]
        assert site.post(path, "device", json=body).status_code == 403


def test_terminals_routes_take_a_signature_and_nothing_else(site: Site) -> None:
    for route in TERMINALS:
        for who in (None, "device", *(role.value for role in Role)):
            assert (route, who, outcome(site, route, who)) == (route, who, 401)


def test_webhooks_are_for_integrations_alone(site: Site) -> None:
    for route in INTEGRATIONS:
        assert outcome(site, route, "integration") not in {401, 403}
        for role in Role:
            assert (route, role, outcome(site, route, role.value)) == (route, role, 403)


def test_integrations_may_not_do_what_people_do(site: Site) -> None:
    for route in ROLES:
        assert (route, outcome(site, route, "integration")) == (route, 403)


def test_an_attendant_of_another_district_neither_sees_nor_acts(site: Site) -> None:
    site.hear(site.message(occupied=True))
    site.clock.advance(60)
    site.consume()
    (stay,) = site.get("/api/v1/sessions", "attendant").get_json()["items"]
    assert site.get("/api/v1/sessions", "attendant-west").get_json()["items"] == []
    assert site.get(f"/api/v1/sessions/{stay['id']}", "attendant-west").status_code == 403
    path = f"/api/v1/sessions/{stay['id']}/vehicle"
    body = {"plate": "京A12345", "kind": "blue7"}
    assert site.post(path, "attendant-west", json=body).status_code == 403
    evidence = f"/api/v1/bays/{site.bays[0].id}/evidence"
    assert site.get(evidence, "attendant-west").status_code == 404
    assert site.get(evidence, "attendant").status_code == 200


def test_an_operator_of_another_district_keeps_only_its_own_devices(site: Site) -> None:
    keys = [
        device["network_key"]
        for device in site.get("/api/v1/devices", "operator-west").get_json()["items"]
    ]
    assert keys == ["24e124fffe0000aa"]
    device = site.devices["24e124fffe000001"].id
    assert site.get(f"/api/v1/devices/{device}", "operator-west").status_code == 403
    for act, body in (("placement", {"bay_id": None}), ("retirement", {})):
        answer = site.post(f"/api/v1/devices/{device}/{act}", "operator-west", json=body)
        assert (act, answer.status_code) == (act, 403)
    fresh = {"network_key": "new", "model": "bosch-tps110", "district": "0153"}
    assert site.post("/api/v1/devices", "operator-west", json=fresh).status_code == 403
    fresh["district"] = "0154"
    assert site.post("/api/v1/devices", "operator-west", json=fresh).status_code == 201
