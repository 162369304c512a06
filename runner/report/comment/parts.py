"""The parts of a site's details, each as Markdown or empty where there is nothing to tell. Pure."""

from __future__ import annotations

from runner.report.comment import changes
from runner.report.comment.foreign import block, code, commit, link
from runner.report.comment.row import UNSURE, Row, State
from runner.report.comment.words import count, lasted
from runner.report.text import Check
from runner.report.watch import size_of

_LINE = 160  # characters of a line of a log or an error
_BACK = "It comes back when the pull request is reopened, or with the next push to it."
_STAYS = "which keeps its files; functions are always those of the newest commit"


def folded(title: str, inside: str, *, is_open: bool = False) -> str:
    """A part that opens by a click; `title` is HTML, and nothing foreign unless in `code`."""
    if not inside:
        return ""
    return (
        f"<details{' open' if is_open else ''}><summary>{title}</summary>\n\n{inside}\n\n</details>"
    )


def failure(row: Row) -> str:
    """The error, its way out, and the build's last words."""
    if row.fault is None:
        return ""
    lines = tuple(row.fault.message.split("\n"))
    parts = [
        f"❌ **{code(row.fault.code)}**",
        block(lines, longest=_LINE),
        f"**What to do:** {code(row.fault.hint, longest=1_000)}" if row.fault.hint else "",
        _last_lines(row),
    ]
    return "\n\n".join(part for part in parts if part)


def _last_lines(row: Row) -> str:
    if not row.last_lines:
        return ""
    some = len(row.last_lines)
    title = f"The last {count(some, 'line') if some > 1 else 'line'} of the build"
    return folded(title, block(row.last_lines, longest=_LINE), is_open=True)


def standing(row: Row) -> str:
    """What is to be seen meanwhile, or why nothing is."""
    if row.state is State.REMOVED:
        why = f"{code(row.note, longest=1_000)}\\\n" if row.note else ""
        return f"{why}The preview is gone, with all that it was made of. {_BACK}"
    if row.state in UNSURE and row.url:
        still = "still shows" if row.state is State.FAILED else "shows until then"
        shown = f"{link(row.url)} {still} {commit(row.shows, run_url=row.run_url)}"
        return "\n\n".join(part for part in (shown, code(row.note, longest=1_000)) if part)
    return code(row.note, longest=1_000)


def lacking(row: Row) -> str:
    """What the site's own names still wait for: records for another DNS, as a rule."""
    if row.outcome is None or not row.url or not row.outcome.lacks:
        return ""
    listed = "\n".join(f"- {code(each, longest=1_000)}" for each in row.outcome.lacks)
    return f"🌐 **Still to be done for the domain**\n\n{listed}"


def addresses(row: Row, *, secrets: bool) -> str:
    """Where everything is; passwords and tokens only with `secrets`."""
    if row.outcome is None or not row.url:
        return ""
    lines = [
        _line("Preview" if row.is_preview else "Site", link(row.url)),
        _line("This commit", f"{link(row.commit_url)}, {_STAYS}" if row.commit_url else ""),
        _line("API", code(row.outcome.api_url)),
        _line("Files in S3", code(row.outcome.prefix)),
        _line("Release", code(row.outcome.release)),
    ]
    if secrets and row.password:
        lines += [_line("User", code("preview")), _line("Password", code(row.password))]
    told = "\n".join(line for line in lines if line)
    return f"{told}\n\n{_for_tests(row)}" if secrets and row.bypass else told


def _line(name: str, value: str) -> str:
    return f"- {name}: {value}" if value else ""


def _for_tests(row: Row) -> str:
    asking = f"curl -H 'x-jam-bypass: {row.bypass}' {row.url}/"
    return f"A test sends the header instead of the password:\n\n{block((asking,), longest=400)}"


def password(row: Row) -> str:
    """One line beside the address of what not everybody may see."""
    if not row.password or not row.url:
        return ""
    return f"🔒 User {code('preview')}, password {code(row.password)}"


def changed(row: Row) -> str:
    """The table of changes and what it costs."""
    if row.difference is None:
        return ""
    listed = "\n".join(f"- {line}" for line in changes.amounts(row.difference))
    return "\n\n".join(part for part in (changes.table(row.difference), listed) if part)


def checks(row: Row) -> str:
    if row.outcome is None:
        return ""
    listed = [_check(each) for each in row.outcome.checks]
    more = [f"- and {row.passed:,} more that passed"] if row.passed and listed else []
    return "\n".join([*listed, *more])


def _check(check: Check) -> str:
    sign = "✅" if check.outcome == "passed" else "❌"
    return f"- {sign} {code(check.name)}" + (f": {code(check.detail)}" if check.detail else "")


def checked(row: Row) -> str:
    """How the checks went, in a few words."""
    if row.outcome is None:
        return ""
    failed = sum(each.outcome != "passed" for each in row.outcome.checks)
    passed = len(row.outcome.checks) - failed + row.passed
    if failed:
        return f"❌ {failed:,} of {count(failed + passed, 'check')} failed"
    return f"✅ {count(passed, 'check')} passed" if passed else ""


def timing(row: Row) -> str:
    """What it took: stages, calls, uploads."""
    lines = [f"- {code(name)} {lasted(seconds)}" for name, seconds in row.stages]
    if row.outcome and row.state not in UNSURE:
        if not row.outcome.calls:  # told later, by another run
            return ""
        uploaded = row.outcome.uploaded
        sent = f"{count(uploaded.files, 'file')} uploaded ({size_of(uploaded.bytes)})"
        lines.append(f"- {count(row.outcome.calls, 'AWS call')}, {sent}")
    return "\n".join(lines)


def took(row: Row) -> str:
    """How long it took; empty where nobody measured."""
    seconds = row.outcome.seconds if row.outcome and row.state not in UNSURE else 0.0
    whole = seconds or sum(each for _, each in row.stages)
    return f"⏱️ {'Failed after' if row.state is State.FAILED else 'Took'} {lasted(whole)}"
