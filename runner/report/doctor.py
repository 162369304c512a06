"""What `doctor` tells: as text for people, as a document for programs. Pure."""

from __future__ import annotations

from typing import Any

from runner.doctor import Health
from runner.plan.remarks import Remark


def doctor_document(health: Health) -> dict[str, Any]:
    return {
        "site": health.site,
        "account": health.account,
        "region": health.region,
        "well": health.is_well,
        "marked": health.is_marked,
        "remarks": [
            {
                "topic": str(each.topic),
                "wrong": each.is_wrong,
                "message": each.message,
                "hint": each.hint or None,
            }
            for each in health.remarks
        ],
        "drift": [
            {
                "kind": each.kind,
                "name": each.name,
                "state": str(each.state),
                "told": each.told or None,
                "mended_by_deploy": each.is_mended,
            }
            for each in health.drift.findings
        ],
    }


def doctor_text(health: Health) -> str:
    """A line a remark, and below what is wrong how to put it right."""
    lines = [line for each in health.remarks for line in _lines(each)]
    wrong = sum(each.is_wrong for each in health.remarks)
    end = f"{wrong} things are wrong" if wrong > 1 else "one thing is wrong"
    lines.append(f"{health.site}: {end if wrong else 'all is well'}")
    if health.is_marked:
        lines.append("It is noted: the next deploy looks at everything and puts it right.")
    return "\n".join(lines)


def _lines(each: Remark) -> list[str]:
    mark = "WRONG" if each.is_wrong else "ok"
    lines = [f"{each.topic:<12} {mark:<6} {each.message}"]
    return [*lines, f"{'':<20}{each.hint}"] if each.hint else lines
