# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import functools
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.conflicts import ADOPT, MIGRATE
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_names import names_in_stack
from ansible_collections.spot.eventbridge.plugins.module_utils._core.entry import wait_seconds
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import PASS, UNKNOWN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import failure_message
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import check_seconds
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.apply import SERVICES, integrate_everywhere
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.preflight import begin
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.results import account_result, names_of
from ansible_collections.spot.eventbridge.plugins.module_utils._proof.test_event import test_event
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.checks import TEST_EVENT
from ansible_collections.spot.eventbridge.plugins.module_utils._takeover.removal import Others, Removal, Removals, Removed

if t.TYPE_CHECKING:
    from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

SETTLE_SECONDS = 10
PROOF_SECONDS = 240

Send = t.Callable[[Region], Finding]


def integrate_and_take_over(module: AnsibleAWSModule) -> Document:
    """Bring the execution role and all regions to what the options desire, and take over from existing integrations.

    `adopt` has the stack retain its resources and go before anything is changed, so that CloudFormation does nothing afterwards.
    `migrate` creates the integration, proves it by a test event, and then removes the other: no notice is lost.

    :raises ArgumentError: an option is not valid.
    :returns: the result of `spot_integration`
    """
    params, timeout = module.params, wait_seconds(module.params)
    stack_timeout, settle = (check_seconds(params, option) for option in ("stack_timeout", "role_settle_time"))
    regions, before = begin(module, SERVICES)
    desired = Desired.from_parameters(params, regions)
    served = {"endpoint": desired.endpoint, "spot_account": desired.spot_account}
    removals = Removals(regions, module.check_mode, timeout, stack_timeout, params["all_regions"], **served)
    result = account_result(
        _integrate(desired, removals, settle),
        present=desired.present,
        predicted=module.check_mode,
        spot_account=params["spot_account"],
        aws_account=desired.aws_account or params["aws_account"],
        unsupported=params["unsupported_regions"],
        denied=params["denied_regions"],
    )
    return {**before, **result}


def _integrate(desired: Desired, removals: Removals, settle: float) -> Document:
    run = functools.partial(integrate_everywhere, desired, removals.regions, timeout=removals.timeout, settle=settle)
    if not desired.present or desired.on_existing not in (ADOPT, MIGRATE):
        return run(check_mode=removals.check_mode)
    if desired.on_existing == MIGRATE:
        send = functools.partial(_send, name=desired.rule.name, target_id=desired.rule.target_id)
        return migrate("integration", run(check_mode=removals.check_mode), send, removals)
    foreseen = run(check_mode=True)
    adopted = others_of(foreseen)
    if not (adopted or foreseen["changed"] or "msg" in foreseen):
        return foreseen
    released = removals.run(adopted, retain=True)
    # In a region of which too little could be read, a stack may still own what would be changed.
    unread = {name: Failure(**entry["error"]) for name, entry in foreseen["regions"].items() if entry["action"] == "failed"}
    whole = foreseen if removals.check_mode else run(check_mode=False, refused=unread)
    return _combined("integration", whole, adopted, {}, released)


def migrate(what: str, whole: Document, send: Send, removals: Removals) -> Document:
    """Prove the new integrations, and remove the others.

    :param what: the name of the new integration, in messages
    :param whole: the result of making it; its regions name the others in `other_integrations`
    :param send: sends a test event by the new integration of a region
    :returns: `whole`, in which a region that took over has `taken_over`, and one where both are left has `error`
    """
    existing = others_of(whole)
    if not existing:
        return whole
    proofs = {} if removals.check_mode else _prove(removals.regions, existing, send)
    proved = {region: others for region, others in existing.items() if removals.check_mode or proofs[region].outcome == PASS}
    removed = removals.run(proved, everywhere=len(proved) == len(existing))
    return _combined(what, whole, existing, proofs, removed)


def send_by_stack(region: Region, stack_name: str) -> Finding:
    """Send a test event by the integration that a stack holds."""
    names = names_in_stack(region, stack_name)
    return _send(region, name=names.rule, target_id=None, connection=names.connection)


def _send(region: Region, name: str, target_id: str | None, connection: str = "") -> Finding:
    return test_event(region, name, target_id, settle=SETTLE_SECONDS, timeout=PROOF_SECONDS, connection=connection)


def others_of(whole: Document) -> Others:
    """Return the other integrations by region, of the regions where ours is there, too."""
    return {
        region: entry["other_integrations"]
        for region, entry in whole["regions"].items()
        if entry["action"] != "failed" and entry.get("other_integrations")
    }


def _prove(regions: Regions, existing: Others, send: Send) -> dict[str, Finding]:
    results = regions.run(lambda region: send(region) if region.name in existing else None)
    return {region: _proof(region, results[region]) for region in existing}


def _proof(region: str, result: Finding | Failure | None) -> Finding:
    if isinstance(result, Failure):
        message = f"{region}: No test event could be sent, or not be followed: {result.code}: {result.message}"
        return Finding(TEST_EVENT, UNKNOWN, message, "Grant the permission, or try again.")
    return t.cast("Finding", result)


def _combined(what: str, whole: Document, existing: Others, proofs: t.Mapping[str, Finding], removed: Removed) -> Document:
    """Return the result of a takeover.

    :param existing: the other integrations by region
    :param proofs: the findings of the test events by region; none where nothing had to be proved
    :param removed: for the regions where the others were to be removed
    """
    regions = dict(whole["regions"])
    for region, others in existing.items():
        if regions[region]["action"] != "failed":
            regions[region] = _taken_over(regions[region], others, proofs.get(region), removed.regions.get(region))
    failures = {region: Failure(**entry["error"]) for region, entry in regions.items() if "error" in entry}
    return {
        **whole,
        "changed": any(entry["changed"] for entry in regions.values()) or whole["changed"],
        "regions": regions,
        "failed_regions": list(failures),
        "diff": [*whole["diff"], *(entry for removal in (*removed.regions.values(), removed.roles) for entry in removal.diff)],
        "notes": [*whole.get("notes", ()), *removed.roles.notes],
        **({"msg": failure_message(what, failures, len(regions))} if failures else {}),
    }


def _taken_over(entry: Document, others: t.Sequence[Document], proof: Finding | None, removal: Removal | None) -> Document:
    entry = {**entry, "other_integrations": list(others), **({"test_event": proof.as_dict()} if proof else {})}
    names, error = names_of(others), ""
    if removal is None:
        seen = proof.message if proof else "none was sent"
        error = f"it was created, but its test event did not arrive, so {names} was kept, too: {seen}"
    elif removal.failure:
        error = f"{names} could not be removed: {removal.failure.message}"
    if removal and removal.notes:
        notes = [*(entry["notes"] if "notes" in entry else filter(None, [entry.get("note")])), *removal.notes]
        entry.update({"notes": notes} if "notes" in entry else {"note": " ".join(notes)})
    if error:
        return {**entry, "error": Failure("NotTakenOver", error).as_dict()}
    return {**entry, "changed": True, "taken_over": True}
