"""Codes of all statuses but 2, without AWS's own refusals. Pure data: meaning, remedy by code."""

from __future__ import annotations

from runner.errors import Turn

AWS: dict[str, tuple[str, str]] = {
    "JAM-ALARM-MISSING": (
        "An alarm of [production.rollout] does not exist.", "Correct `alarms`, or make it."
    ),
    "JAM-ALARM-RED": (
        "An alarm rings before the rollout began. Nobody has seen the candidate.",
        "Wait until it is quiet; `deploy --unprotected` goes on without alarms.",
    ),
    "JAM-ALARM-SILENT": (
        "The candidate's alarm did not ring for a failure that was planted for it.",
        "Look at CloudWatch's state; `deploy --unprotected` goes on without.",
    ),
    "JAM-BOOTSTRAP": (
        "The account is not prepared.", "An administrator runs `jam-deploy bootstrap` once."
    ),
    "JAM-BOOTSTRAP-ELSEWHERE": (
        "The account is prepared already, from another region.", "Nothing is to be done."
    ),
    "JAM-BOOTSTRAP-FAILED": (
        "CloudFormation could not make the stack; its reasons are shown.",
        "Correct what it names and run `jam-deploy bootstrap` again.",
    ),
    "JAM-BUCKET-FOREIGN": (
        "The bucket holds objects that are not ours; they are named. Nothing was removed.",
        "Move or delete them, then run this again.",
    ),
    "JAM-BUCKET-KEPT": (
        "S3 did not delete objects.", "An object lock or a bucket policy may forbid it."
    ),
    "JAM-CODE-DAMAGED": (
        "What came as a function's code is not what Lambda says it has.", "Run again."
    ),
    "JAM-CODE-UNSAFE": (
        "A function's archive would not stay in its folder.", "Look at it before you run it."
    ),
    "JAM-DRIFT": (
        "What is recorded is gone, and the release does not hold what would make it again.",
        "The hint names what is lost and how to bring it back; `jam-deploy doctor` lists it all.",
    ),
    "JAM-ENTRY-FAILS": (
        "The entry of the candidate fails. Nothing was switched.", "Its last lines are shown."
    ),
    "JAM-FN-FAILED": (
        "Lambda could not make a function ready; its StateReason and code are shown.",
        "Correct what Lambda names and run again.",
    ),
    "JAM-FUNCTION-GONE": (
        "A version that the record names is gone from Lambda.", "Deploy again."
    ),
    "JAM-NOT-OURS": (
        "A resource of that name exists and does not bear this site's tags: it is neither adopted "
        "nor deleted.",
        "Choose another `site`, or delete it if nobody needs it.",
    ),
    "JAM-OPEN-GONE": (
        "A kept release cannot be shown: parts of it are gone.", "Deploy its commit again."
    ),
    "JAM-PREVIEW-RIGHTS": (
        "A preview's functions ask for what previews' role may not use yet; it is named.",
        "Merge these settings first, or run production's deploy with them.",
    ),
    "JAM-PREVIEW-SHARED": (
        "What all previews share is not there, and previews' role may not make it.",
        "Run production's deploy once, then `bootstrap` once more.",
    ),
    "JAM-QUOTA-STAGES": (
        "The API has all the stages that API Gateway allows. Nothing was switched.",
        "Delete stages that others added, or ask AWS for more.",
    ),
    "JAM-ROLLBACK-GONE": (
        "Parts of the release are gone. Nothing was changed.",
        "Deploy its commit again, or choose another.",
    ),
    "JAM-ROLLOUT-NO-WAY-BACK": (
        "CodeDeploy could not be told which version to go back to. Nobody has seen the candidate.",
        "`deploy --now` goes without CodeDeploy.",
    ),
    "JAM-ROLLOUT-SAME": (
        "The alias points at the candidate already.", "`jam-deploy settle`, then again."
    ),
    "JAM-SCHEMA": (
        "A record of the site was made by a newer jam-deploy, in a form that this one does not "
        "know. Nothing was changed.",
        "Use the version that the site's last deploy ran with, or a later one.",
    ),
    "JAM-SMOKE": (
        "The candidate failed before anybody was shown it. Nothing was switched.",
        "What failed is listed; deploy again.",
    ),
    "JAM-VERIFY": (
        "Some of what changed is not served as released, though it is live.",
        "Deploy again to put it right, or deploy the earlier commit.",
    ),
}  # fmt: skip

AGAIN: dict[str, tuple[str, str]] = {
    "JAM-ALIAS-BUSY": ("Others kept moving an alias.", "Run again when they are done."),
    "JAM-BOOTSTRAP-BUSY": ("CloudFormation takes longer than usual.", "Run it again."),
    "JAM-BUSY": (
        "Another run has the lease; its page at GitHub is named.",
        "Run again when it has ended. One that died is taken over by itself: nobody unlocks.",
    ),
    "JAM-CF-CHANGED": ("Somebody else kept changing a thing of CloudFront's.", "Run again."),
    "JAM-CF-PROPAGATING": (
        "CloudFront has not told all its edges yet. After a deploy it is a notice, and status 0.",
        "Run again later: it goes on from here.",
    ),
    "JAM-CODE-GONE": ("Lambda's address for a function's code has expired.", "Run again."),
    "JAM-CERTIFICATE-SILENT": (
        "ACM does not tell the DNS records of a certificate.", "Run again: it goes on from here."
    ),
    "JAM-DOMAIN-CAA": (
        "A CAA record of the domain lets no authority of Amazon's issue a certificate. A notice, "
        "and status 0.",
        'Add `0 issue "amazon.com"`, then deploy again.',
    ),
    "JAM-DOMAIN-RECORD": (
        "A name of the site leads elsewhere by a record that is not ours. A notice, and status 0.",
        "Delete the record, or make it an alias of the distribution, then deploy again.",
    ),
    "JAM-DOMAIN-TAKEN": (
        "Another distribution has a name of the site; it is named. A notice, and status 0.",
        "Take the name off there, or move it with `associate-alias`, then deploy again.",
    ),
    "JAM-DESTROY-BUSY": ("Something could not be removed yet.", "Run again: it goes on."),
    "JAM-DISK-FULL": ("The disk is full.", "Make room and run again."),
    "JAM-FN-BUSY": (
        "Somebody else kept changing a function for 300 s.", "Run again when they are done."
    ),
    "JAM-FUNCTION-INDEX": ("The index of Python packages does not answer.", "Run again."),
    "JAM-LEASE-LOST": (
        "This run was silent so long that another took over; it stopped, and undid nothing.",
        "Look what is live with `jam-deploy status`.",
    ),
    "JAM-MEMORY": ("The machine has no memory left.", "Run again on a larger machine."),
    "JAM-PREVIEW-POOL": (
        "All hosts of the site's previews are taken.", "Close some, or set `[preview] domain`."
    ),
    "JAM-ROLE-NOT-READY": (
        "A new role was not known everywhere in time.", "Run again: it can take minutes."
    ),
    "JAM-ROLLOUT-BUSY": (
        "CodeDeploy is shifting this site already; its deployment is named.",
        "`jam-deploy settle`, then again; `on_open` says what a deploy does of itself.",
    ),
    "JAM-ROLLOUT-OPEN": ("A rollout is open.", "`jam-deploy settle`, then again."),
    "JAM-ROLLOUT-UNWATCHED": (
        "The rollout goes on without this run, which cannot watch it.",
        "`jam-deploy settle` follows it; the guard settles it anyway.",
    ),
    "JAM-STATE-UNAVAILABLE": (
        "DynamoDB gives neither records nor lease. Nothing was changed.",
        "Run again when it answers.",
    ),
    "JAM-STATE-UNKNOWN": (
        "Visitors have the release, but whether it was recorded is not known. Nothing was undone.",
        "Run the same again: it looks first, and sets alias, store and record alike.",
    ),
    "JAM-STORE-BUSY": ("Others kept changing the key value store.", "Run again."),
    "JAM-SUPERSEDED": (
        "Another run recorded its release while this one ran. (An older run ends without an error: "
        "outcome `superseded`, status 0.)",
        "Run again to deploy on top of it; give the job a `concurrency` group.",
    ),
    "JAM-TABLE-BUSY": ("A table was not active in time.", "Run again: it goes on from here."),
    "JAM-TOOLCHAIN": ("npm installed no esbuild for this platform.", "The hint says why."),
    "JAM-UNREACHABLE": ("An address cannot be reached.", "Check the network and run again."),
}  # fmt: skip

# Those of which a status has few.
ELSEWHERE: dict[str, tuple[Turn, str, str]] = {
    "JAM-BROWSER": (Turn.US, "The rehearsal's browser stopped.", "Play it with --keep."),
    "JAM-CANARY-INCONCLUSIVE": (
        Turn.TAKEN_BACK,
        "Too few visitors to judge the candidate, which `on_inconclusive` takes back. One that it "
        "promotes ends with status 0 and a notice.",
        "A longer `interval`, a larger `percent`, or another `on_inconclusive`.",
    ),
    "JAM-CANCELLED": (
        Turn.CANCELLED,
        "A signal came: no further step was begun, and the lease is free.",
        "Run the same command again; nothing is lost.",
    ),
    "JAM-UNEXPLAINED": (
        Turn.AWS, "`audit` found what no record explains.", "Remove it, or its tag, by hand."
    ),
    "JAM-UNWELL": (
        Turn.AWS, "`doctor` found something wrong.", "Each line says how to put it right."
    ),
    "JAM-CLOUD": (Turn.US, "The rehearsal's cloud did not start.", "Its last words are shown."),
    "JAM-DEFECT": (Turn.US, "An error of ours.", "Run again with -v and report what it prints."),
    "JAM-EVENT-UNREADABLE": (
        Turn.GITHUB, "GitHub's event cannot be read.", "GITHUB_EVENT_PATH must name its file."
    ),
    "JAM-GITHUB-DENIED": (
        Turn.GITHUB, "The token lacks a permission.", "Add the line of the hint to `permissions`."
    ),
    "JAM-GITHUB-DOWN": (
        Turn.AGAIN, "GitHub does not answer, or puts us off.", "Run again later."
    ),
    "JAM-GITHUB-GONE": (
        Turn.GITHUB, "GitHub has no such thing, or none that the token may see.", "See the hint."
    ),
    "JAM-GITHUB-REFUSED": (
        Turn.GITHUB, "Against GitHub's rules, which the message tells.", "See the hint."
    ),
    "JAM-PLAN": (Turn.US, "A plan waits for what nothing makes.", "Report it."),
    "JAM-REHEARSAL": (Turn.US, "The rehearsal failed.", "Play it with --keep and look."),
    "JAM-DRILL": (
        Turn.US,
        "The drill went otherwise than it has to; its site was taken down.",
        "Look at the receipt's steps; play it again with -v and report what it prints.",
    ),
    "JAM-CALL": (Turn.US, "A call to AWS could not be made.", "Report it."),
    "JAM-ROLLED-BACK": (
        Turn.TAKEN_BACK,
        "The candidate was taken back; alarm, value and threshold, or the counts, are named.",
        "Visitors have what they had before. The release is kept, and can be looked at.",
    ),
}  # fmt: skip
