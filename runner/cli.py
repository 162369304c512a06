"""The command line: reads arguments and the environment, hands everything on as parameters.

The front door: nothing else reads `os.environ`. What is slow to import is imported by the command
that needs it, so that `--help` and `--version` are instant.
"""

from __future__ import annotations

import errno
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import click

from runner import __version__
from runner.errors import JamError, Turn

if TYPE_CHECKING:
    from runner.aws.session import Aws
    from runner.config.load import Config, Overrides
    from runner.deploy import World
    from runner.develop.machine import Machine
    from runner.names import Names
    from runner.report.watch import Watcher


_PATH = click.Path(path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What every command takes."""

    config: Path | None
    site: str | None
    region: str | None
    as_json: bool
    verbose: bool


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the common options, gathered into one `options` argument, and the error border."""

    @wraps(command)
    def run(*, config: Path | None, site: str | None, region: str | None, **rest: Any) -> None:
        as_json, verbose = rest.pop("as_json"), rest.pop("verbose")
        options = Options(config=config, site=site, region=region, as_json=as_json, verbose=verbose)
        with _border(options):
            command(options, **rest)

    for option in (
        click.option("-v", "--verbose", is_flag=True, help="Say more; show where an error arose."),
        click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
        click.option("--region", help="AWS region, if not from jam.toml or AWS_REGION."),
        click.option("--site", help="Name of the site, if not from jam.toml."),
        click.option("--config", type=_PATH, help="Settings file (default: jam.toml)."),
    ):
        run = option(run)
    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Deploys a JAMstack site with serverless functions into your own AWS account."""


@cli.command()
@_options
@click.option("--yes", is_flag=True, help="Take what was detected; ask nothing.")
def init(options: Options, yes: bool) -> None:
    """Looks at the repository, writes jam.toml and a workflow."""
    from runner.initialise import Asking, initialise

    asking = Asking(
        text=lambda question, found: str(click.prompt(question, default=found, err=True)),
        consent=lambda question: bool(click.confirm(question, default=False, err=True)),
    )
    asks = sys.stdin.isatty() and not yes
    written = initialise(
        Path.cwd(),
        _overrides(options),
        asking=asking if asks else None,
        say=lambda line: click.echo(line, err=True),
    )
    _tell(options, {"written": list(written)}, "\n".join(f"wrote {name}" for name in written))


@cli.command()
@_options
@click.option("--print", "only_print", is_flag=True, help="Only print the template.")
def bootstrap(options: Options, only_print: bool) -> None:
    """Once per account: the boundary and CodeDeploy's role, as a CloudFormation stack."""
    from runner.aws import bootstrap as stack
    from runner.deploy import account_of

    if only_print:
        click.echo(stack.template())
        return
    with _world(options) as world:
        stack.bootstrap(
            account_of(world, region=options.region or _surrounding_region() or None),
            world.watcher.note,
        )
    _tell(options, {"stack": stack.STACK}, f"the stack {stack.STACK} is in place")


@cli.command()
@_options
def plan(options: Options) -> None:
    """Says what deploy would do, and why; builds, but changes nothing in AWS."""
    from runner.config.explain import explain
    from runner.deploy import decide
    from runner.report.text import plan_json, plan_text

    config = _config(options)
    with _world(options) as world:
        for reason in explain(config):
            world.watcher.note(reason)
        decided = decide(config, world)
    if options.as_json:
        click.echo(plan_json(decided.plan, decided.release, decided.changes))
        return
    for line in decided.changes:
        click.echo(line)
    click.echo(plan_text(decided.plan))


@cli.command()
@_options
@click.option("--now", is_flag=True, help="All visitors at once.")
def deploy(options: Options, now: bool) -> None:
    """Builds, packages and releases to production."""
    from runner.deploy import decide, release
    from runner.report.text import summary

    del now  # every release goes to all visitors at once until rollouts are built
    config = _config(options)
    with _world(options) as world:
        decided = decide(config, world)
        outcome = release(decided, world)
    click.echo(outcome.to_json() if options.as_json else summary(outcome, decided.changes))


@cli.command()
@_options
def status(options: Options) -> None:
    """Says what is live where, since when and from which commit, and how its functions do."""
    from runner.operate.status import status as look
    from runner.report.status import status_document, status_text

    found = look(*_account(options))
    _tell(options, status_document(found), status_text(found))


@cli.command()
@_options
@click.argument("function", default="")
@click.option("-f", "--follow", is_flag=True, help="Go on until interrupted.")
@click.option("--since", default="10m", show_default=True, help="How far back: 90s, 10m, 2h, 1d.")
def logs(options: Options, function: str, follow: bool, since: str) -> None:
    """Shows recent log lines of the live functions, or of FUNCTION.

    FUNCTION is a name of the site's (notes/[id]) or a part of one that no other has. With --json
    and --follow each line is one JSON document.
    """
    from runner.operate.show_logs import Wanted, show

    aws, names = _account(options)
    try:
        show(
            Wanted(function=function, since=since, follow=follow, as_json=options.as_json),
            names=names,
            connect=lambda: _connect(names.region),
            aws=aws,
            colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"),
            out=click.echo,
            say=lambda text: click.echo(text, err=True),
        )
    except KeyboardInterrupt:
        if not follow:
            raise
        sys.stdout.flush()
        os._exit(Turn.CANCELLED)  # how following ends: nothing is to be explained


@cli.command()
@_options
@click.argument("function")
@click.argument("folder", type=_PATH, metavar="DIR")
def get(options: Options, function: str, folder: Path) -> None:
    """Fetches the code of a deployed function into DIR, a new or empty folder.

    FUNCTION is one of the site's, or any Lambda function's name or ARN in the account.
    """
    from runner.fetch import fetch_from, loopback
    from runner.operate.code import get as fetch_code
    from runner.operate.find import find
    from runner.report.code import got_document, got_text

    aws, names = _account(options)
    target, described = find(aws, names, word=function)
    near = loopback(os.environ.get("AWS_ENDPOINT_URL", ""))
    got = fetch_code(
        target,
        described,
        folder=folder,
        fetch_from=lambda base: fetch_from(base, connect_to=near),
    )
    _tell(options, got_document(got), got_text(got))


@cli.command()
@_options
@click.argument("function")
@click.option("--event", type=click.File("rb"), required=True, help="JSON file; - reads stdin.")
def invoke(options: Options, function: str, event: BinaryIO) -> None:
    """Calls a deployed function once and prints what it returns; status 2 if it failed.

    FUNCTION is one of the site's, called in its live version, or any Lambda function's name or ARN
    in the account.
    """
    from runner.operate.call import document, event_of
    from runner.operate.call import invoke as call
    from runner.operate.find import find
    from runner.report.called import called_text, payload_text

    payload = event_of(event.read(), event.name)
    aws, names = _account(options)
    called = call(aws, find(aws, names, word=function)[0], payload)
    with_log = options.verbose or bool(called.failure and not options.as_json)
    click.echo(called_text(called, with_log=with_log), err=True)
    _tell(options, document(called), payload_text(called.answer))
    if called.failure:
        sys.exit(called.failure.turn)


@cli.command()
@_options
@click.option("--port", default=3999, show_default=True, help="Port on loopback; 0 picks one.")
def dev(options: Options, port: int) -> None:
    """Serves the front end, by its own server, and the functions behind one port."""
    from runner.develop.serve import serve_site

    serve_site(partial(_local_config, options), _machine(options), port=port)


@cli.command()
@_options
@click.option("--port", default=3999, show_default=True, help="Port on loopback; 0 picks one.")
def functions(options: Options, port: int) -> None:
    """Serves the site's functions alone; a saved file counts at the next request."""
    from runner.develop.serve import serve_functions

    serve_functions(partial(_local_config, options), _machine(options), port=port)


@cli.command()
@_options
@click.option("--port", default=4566, show_default=True, help="Port on loopback; 0 picks one.")
@click.option("--state", type=_PATH, help="Folder that survives a restart.")
@click.option("--speed", default=1.0, show_default=True, help="Cloud seconds in one of ours.")
def cloud(options: Options, port: int, state: Path | None, speed: float) -> None:
    """Runs the embedded cloud in the foreground."""
    from runner.local.run import run_cloud

    del options
    run_cloud(port=port, state=state, speed=speed, emit=click.echo)


@cli.command()
@_options
@click.argument("site_dir", type=_FOLDER, default=".")
@click.option("--keep", is_flag=True, help="Leave the cloud running and print the URLs.")
def rehearse(options: Options, site_dir: Path, keep: bool) -> None:
    """Plays a site's whole story on an embedded cloud; no account is touched."""
    from runner.rehearse import perform
    from runner.report.text import rehearsal_text

    with _world(options) as world:
        receipt = perform(
            site_dir,
            environment=os.environ,
            artifacts=Path("artifacts").resolve(),
            watcher=world.watcher,
            clock=world.clock,
            keep=keep,
            wait=signal.pause,
        )
    _tell(options, receipt, rehearsal_text(receipt))
    if receipt["outcome"] != "passed":
        sys.exit(Turn.US)


@cli.group()
def new() -> None:
    """Writes new parts of a site from templates: `new function NAME`."""


@new.command("function")
@_options
@click.argument("name")
@click.option(
    "--template",
    type=click.Choice(("basic", "html", "table", "invoke")),
    default="basic",
    show_default=True,
    help="JSON; a page; a DynamoDB table; a call of another function.",
)
@click.option("--runtime", type=click.Choice(("node", "python")), default="node", show_default=True)
def new_function(options: Options, name: str, template: str, runtime: str) -> None:
    """Writes the function NAME (notes, notes/[id]) from a template; -v with explaining comments."""
    from dataclasses import asdict

    from runner.develop.new import Wanted
    from runner.develop.new import new_function as write
    from runner.package.functions.discover import Language

    config = _local_config(options)
    wanted = Wanted(
        name=name, template=template, language=Language(runtime), explained=options.verbose
    )
    written = write(wanted, config.root, config.functions)
    lines = [f"wrote {written.path}, which answers at {written.route}"]
    if written.settings:
        lines += ["", "add to jam.toml:", "", written.settings.rstrip()]
    if written.commands:
        lines += ["", "then run:", *(f"  {command}" for command in written.commands)]
    _tell(options, asdict(written), "\n".join(lines))


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, _interrupt)
    cli(prog_name="jam-deploy")


def _config(options: Options) -> Config:
    from runner.config.load import load

    file = options.config
    root = file.resolve().parent if file else Path.cwd()
    return load(root, file, _overrides(options))


def _account(options: Options) -> tuple[Aws, Names]:
    """The site's account, for commands that look and build nothing."""
    from runner.config.load import whereabouts
    from runner.names import Names

    file = options.config
    root = file.resolve().parent if file else Path.cwd()
    site, region = whereabouts(root, file, _overrides(options))
    aws = _connect(region)
    return aws, Names(site, aws.account, region, aws.partition)


def _connect(region: str) -> Aws:
    from runner.aws.session import connect

    return connect(region=region, clock=time.time, sleep=time.sleep, chance=random.random)


def _overrides(options: Options) -> Overrides:
    from runner.config.load import Overrides

    return Overrides(
        site=options.site or "",
        region=options.region or "",
        default_region=_surrounding_region(),
    )


def _surrounding_region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""


@contextmanager
def _world(options: Options) -> Iterator[World]:
    from runner.deploy import World

    with _watcher(options) as watcher:
        yield World(
            environment=dict(os.environ),
            clock=time.monotonic,
            now=time.time,
            sleep=time.sleep,
            chance=random.random,
            watcher=watcher,
            cache=_cache(),
        )


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jam-deploy"


def _local_config(options: Options) -> Config:
    """As a deploy's, but no region has to be named: what runs here runs in none."""
    from runner.config.load import load

    file = options.config
    root = file.resolve().parent if file else Path.cwd()
    known = _overrides(options)
    return load(root, file, replace(known, default_region=known.default_region or "us-east-1"))


def _machine(options: Options) -> Machine:
    from runner.develop.machine import Machine

    def emit(url: str, port: int) -> None:
        text = f'{{"url": "{url}", "port": {port}}}' if options.as_json else f"ready on {url}"
        click.echo(text, err=not options.as_json)

    def parameter(name: str) -> str:
        from runner.aws.session import connect

        region = options.region or _surrounding_region() or None
        aws = connect(region=region, clock=time.time, sleep=time.sleep, chance=random.random)
        return aws.parameter(name)

    return Machine(
        environment=dict(os.environ),
        cache=_cache(),
        home=Path.home(),
        clock=time.monotonic,
        now=time.time,
        say=lambda line: click.echo(line, err=True),
        emit=emit,
        parameter=parameter,
    )


@contextmanager
def _watcher(options: Options) -> Iterator[Watcher]:
    if sys.stderr.isatty() and not options.as_json:
        from rich.console import Console

        from runner.report.terminal import Terminal

        with Terminal(Console(stderr=True)) as terminal:
            yield terminal
        return
    from runner.report.watch import Lines

    groups = os.environ.get("GITHUB_ACTIONS") == "true"
    yield Lines(lambda line: click.echo(line, err=True), time.monotonic, groups=groups)


@contextmanager
def _border(options: Options) -> Iterator[None]:
    """Where every failure becomes an exit status, a sentence and a hint."""
    try:
        yield
    except JamError as error:
        _fail(options, error)
    except KeyboardInterrupt:
        _fail(options, _CANCELLED)
    except BrokenPipeError:  # `… | head` has enough: click ends without a word
        raise
    except OSError as error:
        if error.errno != errno.ENOSPC:
            _fail(options, _defect(error))
        _fail(options, _disk_full(error))
    except (click.ClickException, click.Abort, click.exceptions.Exit):
        raise
    except Exception as error:  # noqa: BLE001 -- the last border: a defect gets a code as well
        _fail(options, _defect(error))


def _fail(options: Options, error: JamError) -> NoReturn:
    from runner.report.printable import printable
    from runner.report.text import error_json, error_text

    if options.verbose:
        import traceback

        traceback.print_exception(error.__cause__ or error, file=sys.stderr)
    click.echo(printable(error_text(error)), err=True)
    if options.as_json:
        click.echo(error_json(error))
    sys.stdout.flush()
    sys.stderr.flush()
    if error.turn is Turn.CANCELLED:
        os._exit(error.turn)  # threads may still wait for AWS: an interrupted run does not
    sys.exit(error.turn)


_CANCELLED = JamError(
    "JAM-CANCELLED",
    "interrupted: no further step was begun",
    hint="Nothing is lost; run the same command again.",
    turn=Turn.CANCELLED,
)


def _defect(error: Exception) -> JamError:
    found = JamError(
        "JAM-DEFECT",
        f"{type(error).__name__}: {error}",
        hint="This is a defect of jam-deploy. Run again with -v and report what it prints.",
        turn=Turn.US,
    )
    found.__cause__ = error
    return found


def _disk_full(error: OSError) -> JamError:
    return JamError(
        "JAM-DISK-FULL",
        f"the disk is full: {error.filename or error}",
        hint="Make room (`.jam/` holds caches that may be deleted) and run again; nothing is lost.",
        turn=Turn.AGAIN,
    )


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _tell(options: Options, document: dict[str, Any], text: str) -> None:
    import json

    from runner.report.printable import printable

    as_json = printable(json.dumps(document, indent=2, ensure_ascii=False))
    click.echo(as_json if options.as_json else text)
