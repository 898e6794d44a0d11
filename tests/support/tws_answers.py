"""Objects as a 10.2.8 master answers them."""

from __future__ import annotations

from typing import Any

JOB_ID = "ca15f24a-0e6b-3f1b-9251-854d8d0d3639"

JOB: dict[str, Any] = {
    "flowNodeType": "JOB",
    "id": JOB_ID,
    "name": "PAYROLL",
    "folder": "/",
    "workstation": "/AGENT07",
    "jobStreamName": "PAYDAILY",
    "jobStreamId": "bb15f24a-0e6b-3f1b-9251-854d8d0d3639",
    "jobStreamWorkstation": "/MDM",
    "key": "/AGENT07#PAYDAILY.PAYROLL",
    "priority": 10,
    "schedTime": "2026-11-22T22:00:00.000Z",
    "lastRunCompositeStatus": {"status": "ABEND", "canceled": False, "error": True},
    "lastRunCommonStatus": "ERROR",
    "jobStatusFlags": {"jobLate": True},
    "jobOptions": {"critical": True},
    "jobDefinitionFlags": {"monitored": True},
    "timeRestrictions": {
        "startTime": "2026-11-22T22:10:00.000Z",
        "latestStartTime": "2026-11-23T01:00:00-03:00",
        "deadlineTime": "2026-11-23T05:00:00.000Z",
    },
    "jobDefinition": {
        "description": "Net pay",
        "estimatedDuration": "PT12M30S",
        "recoveryOption": "STOP",
        "userLogins": ["payuser"],
        "task": {"UNIX": {"taskString": "/opt/pay/payroll.sh", "isCommand": False}},
    },
    "jobruns": [
        {
            "id": "run-1",
            "actualWorkstation": "/AGENT08",
            "jobNumber": 4711,
            "compositeStatus": {"status": "ABEND"},
            "commonStatus": "ERROR",
            "returnCode": 8,
            "rerunType": "REGULAR",
            "runAttempt": 1,
            "lastInRerunChain": True,
            "timeInfo": {
                "actualStartTime": "2026-11-22T22:10:03.000Z",
                "actualEndTime": "2026-11-22T22:23:03.000Z",
                "elapsedTime": "PT13M",
            },
            "actions": [{"key": "RERUN_JOB", "id": "run-1"}],
        }
    ],
    "actions": [{"key": "HOLD_JOB", "id": JOB_ID}],
}
