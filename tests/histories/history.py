# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A history: what happens, step by step, to integrations of two AWS accounts and three Spot accounts, and what has to hold after each step.

Every step is a method that takes plain values; a history that breaks a rule is printed as the calls of these, to be pasted into a test.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from tests.histories import oracles, stack_sets, truth
from tests.histories.hands import filled_in
from tests.histories.healing import Healing
from tests.histories.modules import InProcessModules, at_call, healing_record, kill
from tests.histories.sites import BROKEN, FAULTS, REGIONS, SITES, TRANSIENT, Json, Place, Step, Trouble, Violation
from tests.histories.words import Words
from tests.integration.modules.runner import Run
from tests.sandbox.client import NOTIFICATION
from tests.sandbox.in_process import PLAIN, InProcess

TEMPLATE = Path(__file__).resolve().parents[2] / "roles" / "spot_eventbridge" / "files" / "spot-interruption-eventbridge.yml"


class History:
    """One history. `end()` judges it; `steps` are what has happened.

    Attributes:
        states: how often each state of a region was seen by verify: status and the checks that did not pass.
        outcomes: how often each check had each outcome.
        judged: how often verify was right that notices arrive, or do not, and how often it could not decide.
        begun: how many histories there were.
    """

    states: ClassVar[Counter[str]] = Counter()
    outcomes: ClassVar[Counter[str]] = Counter()
    judged: ClassVar[Counter[str]] = Counter()
    begun: ClassVar[int] = 0
    sandbox: ClassVar[Any] = None

    def __init__(self) -> None:
        History.begun += 1
        self.house: Any = self._house()
        self.house.reset()
        self.house.settings(enabled_regions=list(REGIONS), queue_name_seconds=0)
        self.modules: Any = self._modules()
        self.places = {name: Place() for name in SITES}
        self.steps: list[Step] = []
        self.troubled: set[str] = set()
        self.touched: set[str] = set()
        self._keys: dict[str, str] = {}
        self._rotations = 0
        self._nested = False
        self._others: dict[str, str] = {}

    @classmethod
    def _house(cls) -> Any:
        cls.sandbox = cls.sandbox or InProcess().start()
        return cls.sandbox

    def _modules(self) -> Any:
        return InProcessModules(self.house)

    @classmethod
    def close(cls) -> None:
        """Stop the sandbox of all histories."""
        if cls.sandbox:
            cls.sandbox.stop()
        cls.sandbox = None

    def _note(self, step: str, /, **given: Any) -> None:
        if not self._nested:
            self.steps.append((step, {name: value for name, value in given.items() if value not in (None, False, (), [], {})}))

    # Ours

    def onboard(
        self,
        site: str,
        regions: Sequence[str],
        *,
        on_existing: str = "stop",
        check: bool = False,
        trouble: Trouble | None = None,
        **options: Any,
    ) -> None:
        """Onboard a site in regions, as the role does: Spot is asked first."""
        self._note("onboard", site=site, regions=list(regions), on_existing=on_existing, check=check, trouble=trouble, **options)
        place = self.places[site]
        desired = {**place.options, **options}
        if not check:
            place.options = desired
        self._run_ours(site, regions, trouble, check=check, on_existing=on_existing, **desired)
        if not check:
            place.regions = tuple(dict.fromkeys([*place.regions, *regions]))

    def deploy_by(self, site: str, method: str) -> None:
        """Choose how a site is deployed from now on: `modules`; where nothing is deployed yet, also `cloudformation` or `stack_set`."""
        self._note("deploy_by", site=site, method=method)
        place = self.places[site]
        if not place.regions:
            place.stack, place.stack_set = method == "cloudformation", method == "stack_set"
        if place.stack_set:
            stack_sets.make_roles(self.house, SITES[site].aws_account)

    def repair(self, site: str, regions: Sequence[str], *, trouble: Trouble | None = None) -> None:
        """Verify, and onboard the regions that are broken, as the role does."""
        self._note("repair", site=site, regions=list(regions), trouble=trouble)
        found = self._info(site, regions)
        broken = [region for region, entry in found.items() if entry["status"] in BROKEN]
        if broken:
            self.places[site].revision += 1
            self._run_ours(site, broken, trouble, check=False, **self.places[site].options)

    def heal(self, site: str, regions: Sequence[str], *, check: bool = False, trouble: Trouble | None = None) -> None:
        """Heal a site in regions, as the role does: read, decide, repair, read again, record."""
        self._note("heal", site=site, regions=list(regions), check=check, trouble=trouble)
        preflight, before = self._query(site, regions, require_spot=False), self._read(site, regions)
        if preflight.failed or before.failed:
            return
        # Messages of the hub would add nothing: they name regions, and here the regions are given.
        healing = Healing(site, SITES[site].spot_account, preflight.answer, before.answer)
        repaired = healing.decide(self._now())
        self._demand(not (repaired and preflight.answer["obstacles"]), f"{repaired} would be repaired with a token that was not proved")
        run = self._run_ours(site, repaired, trouble, check=check, **self.places[site].options) if repaired else None
        if repaired and run is None:
            return  # killed, or refused by its own preflight
        after = self._read(site, repaired) if repaired else before
        if after.failed:
            return
        ended = healing.end(self._now(), after.answer, run.answer if run else None, predicted=check)
        for row in ended["summary"]:
            if row["region"] in repaired and row["status"] == "active":
                self._judge(site, [row["region"]])
        if ended["healing"]["records"]:
            self._record(site, ended["healing"]["records"], check=check)

    def _record(self, site: str, records: dict[str, str], *, check: bool) -> None:
        """Record what was healed, and demand that nothing but the tag of the rules is changed by it; in check mode, nothing at all."""
        before = self._all()
        access = self._access(SITES[site].aws_account)
        self.modules("spot_heal_record", check=check, name=SITES[site].name, records=records, **self._in_stack(site), **access)
        after = self._all()
        for resources in (before, after) if not check else ():
            for (_, _, kind, _), resource in resources.items():
                if kind == "rule":
                    resource["tags"].pop(healing_record.TAG, None)
        self._demand(oracles.same(before, after), "the record of a healing changed more than a tag of the rule")

    def verify(self, site: str, regions: Sequence[str]) -> None:
        """Verify a site in regions, and compare what it says with the truth."""
        self._note("verify", site=site, regions=list(regions))
        self._judge(site, regions)

    def offboard(self, site: str, regions: Sequence[str], *, check: bool = False, trouble: Trouble | None = None) -> None:
        """Offboard a site in regions."""
        self._note("offboard", site=site, regions=list(regions), check=check, trouble=trouble)
        self._offboard(site, regions, check=check, trouble=trouble)

    def rotate(self, site: str) -> None:
        """Make another token for a site; the old one is good until revoke()."""
        self._note("rotate", site=site)
        self._rotations += 1
        name = f"rotated-{self._rotations}"
        self.modules.tokens.add(self.house.add_token(name, "editor"))
        self.places[site].token = name
        self.places[site].revision += 1

    def revoke(self, name: str) -> None:
        """Revoke a token in Spot, if it is there."""
        self._note("revoke", name=name)
        if name in {token["name"] for token in self.house.spot_tokens()}:
            self.house.revoke_token(name)

    # Other hands, AWS and Spot

    def hand(self, site: str, region: str, call: tuple[str, str, Json]) -> None:
        """Let somebody make a call about a site's resources; that it is refused is no matter."""
        self._note("hand", site=site, region=region, call=call)
        service, operation, arguments = call
        try:
            given = filled_in(arguments, self._words(site, region))
        except (KeyError, ClientError, BotoCoreError):
            return  # there is no such thing, or it cannot be made
        self._touch(site)
        for preceding in self._preceding(site, region, operation):
            self._by_hand(site, region, *preceding)
        self._by_hand(site, region, service, operation, given)

    def foreign(
        self, site: str, region: str, *, account: str | None = None, hidden: bool = False, bus: str = "default", dead: bool = False
    ) -> None:
        """Let somebody make an integration of their own, for the same Spot account or another one."""
        self._note("foreign", site=site, region=region, account=account, hidden=hidden, bus=bus, dead=dead)
        from tests.integration.verify.foreign import CONNECTION, Foreign

        aws_account = SITES[site].aws_account
        if aws_account != "123456789012" or (aws_account, region, "connection", CONNECTION) in self._there(site):
            return
        self._touch(site)
        served = account or SITES[site].spot_account
        with suppress(ClientError, BotoCoreError):
            Foreign(self.house, region, endpoint=self.endpoint, account=served, hidden=hidden, bus=bus).make()
            if dead:
                self.house.boto3("events", region).delete_connection(Name=CONNECTION)

    def _touch(self, site: str) -> None:
        """Note that others have changed something in the AWS account of a site: it may hinder what is done there for another one."""
        self.touched |= {name for name, other in SITES.items() if other.aws_account == SITES[site].aws_account}

    def deny_regions(self, regions: Sequence[str], actions: Sequence[str] = ()) -> None:
        """Let the organisation deny regions."""
        self._note("deny_regions", regions=list(regions), actions=list(actions))
        self.house.deny_regions(list(regions), actions=list(actions))
        self.troubled.add("denied")

    def forbid(self, actions: Sequence[str]) -> None:
        """Let the caller of all modules be refused some actions."""
        self._note("forbid", actions=list(actions))
        deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": list(actions), "Resource": "*"}]}
        self.house.settings(control_policy=deny, control_policy_kind="permissions boundary")
        self.troubled.add("denied")

    def region_down(self, region: str, how: str = "drop") -> None:
        """Let a region answer no call any more."""
        self._note("region_down", region=region, how=how)
        self.house.add_fault(FAULTS[how], {"region": region, "target": "aws"})
        self.troubled.add("down")

    def spot_down(self, status: int) -> None:
        """Let Spot answer everything with a status."""
        self._note("spot_down", status=status)
        self.house.start_outage(status)
        self.troubled.add("spot")

    def refuse(self, site: str, region: str) -> None:
        """Let Spot refuse a notice once, as it does with a token that is not good: EventBridge takes the authorisation away."""
        self._note("refuse", site=site, region=region)
        self.house.start_outage(401)
        self.house.interrupt(region, SITES[site].aws_account)
        self._demand(self.house.settled(100_000), "a delivery has no end")
        if "spot" not in self.troubled:
            self.house.end_outage()

    def all_well(self) -> None:
        """End what goes wrong in AWS and Spot."""
        self._note("all_well")
        self._all_well()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._note("wait", seconds=seconds)
        self.house.clock.sleep(seconds)

    def slow(self, **settings: float) -> None:
        """Let AWS take its time for what it does at once otherwise: settings of the sandbox."""
        self._note("slow", **settings)
        self.house.settings(**settings)

    def notice(self, site: str, region: str) -> None:
        """Let EC2 announce an interruption; the truth that is read has to be what happens."""
        self._note("notice", site=site, region=region)
        self._notice(site, region)

    def end(self) -> None:
        """Judge: verify against notices, then one onboarding without faults, and everything removed in the end."""
        self._note("end")
        self._nested = True
        self._all_well()
        used = [site for site, place in self.places.items() if place.regions]
        for site in used:
            regions = self.places[site].regions
            self._judge(site, regions)
            for region in regions:
                self._notice(site, region)
        for site in used:
            self._settle(site)
        for site in used:
            self._remove(site)
        self._nested = False

    # How

    def _demand(self, holds: bool, what: str) -> None:
        if not holds:
            raise Violation(what)

    @property
    def endpoint(self) -> str:
        """Where notices go."""
        return self.house.spot_url + NOTIFICATION

    def _all_well(self) -> None:
        self.house.clear_faults()
        self.house.end_outage()
        self.house.settings(control_policy=None, state_seconds=0.0, destination_lag_seconds=0.0, read_lag_seconds=0.0)
        self.troubled.clear()
        self.house.clock.sleep(1)

    def _access(self, aws_account: str) -> Json:
        if aws_account not in self._keys:
            self._keys[aws_account] = self.house.key_of(aws_account)
        return {"access_key": self._keys[aws_account], "secret_key": "testing"}

    def _common(self, site: str, regions: Sequence[str]) -> Json:
        given = SITES[site]
        return {
            "name": given.name,
            "spot_account": given.spot_account,
            "invocation_endpoint": self.endpoint,
            "regions": list(regions),
            **self._access(given.aws_account),
        }

    def _token(self, site: str) -> str:
        return self.house.tokens[self.places[site].token]

    def _desired(self, site: str, regions: Sequence[str], on_existing: str, options: Json) -> Json:
        tags = {"ManagedBy": "spot.eventbridge", "SpotAccount": SITES[site].spot_account}
        return {
            **self._common(site, regions),
            "role_name": SITES[site].name,
            "spot_token": self._token(site),
            "on_existing": on_existing,
            "tags": tags,
            "purge_tags": False,
            **{name: self._filled(site, value) for name, value in options.items()},
        }

    def _filled(self, site: str, value: Any) -> Any:
        return filled_in(value, self._words(site, REGIONS[0])) if isinstance(value, str) and "{" in value else value

    def _preflight(self, site: str, regions: Sequence[str]) -> bool:
        """Ask AWS and Spot before any change, as the role does; where one of them refuses, something has to be wrong."""
        return not self._query(site, regions).failed

    def _query(self, site: str, regions: Sequence[str], **options: Any) -> Run:
        given = {**self._common(site, regions), "spot_token": self._token(site), "spot_api_url": self.house.spot_url}
        run = self.modules("spot_preflight_info", **given, **options)
        assert run is not None
        wrong = bool(self.troubled) or not self._token_is_good(site)
        self._demand(not run.failed or wrong, f"preflight failed although nothing is wrong: {run.message}")
        return run

    def _now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self.house.clock.time(), datetime.timezone.utc)

    def _run_ours(
        self, site: str, regions: Sequence[str], trouble: Trouble | None, *, check: bool, on_existing: str = "stop", **options: Any
    ) -> Run | None:
        if not self._preflight(site, regions):
            return None
        place = self.places[site]
        if place.stack_set:
            return self._run_stack_set(site, list(dict.fromkeys([*place.regions, *regions])), trouble, check=check, options=options)
        if place.adopting:
            on_existing = "adopt"
        given = self._desired(site, regions, on_existing, options)
        calm = not trouble and not self.troubled and not place.stack and not self._being_deleted(site)
        predicted = self.modules("spot_integration", check=True, **given) if calm and not check else None
        if place.stack and on_existing == "adopt":
            # From a stack to modules, for all regions at once.
            given["regions"] = list(dict.fromkeys([*place.regions, *regions]))
        elif place.stack:
            return self._run_stack(site, regions, trouble, check=check, on_existing=on_existing, options=options)
        run = self._act("spot_integration", site, trouble, check=check, removes=on_existing in ("migrate", "adopt"), **given)
        if place.stack and not check:
            # A region that the organisation denies meanwhile keeps its stack.
            left = run is None or run.failed or any(entry["status"] == "denied" for entry in _entries(run).values())
            place.stack = place.adopting = left
        if run is not None and not check:
            self._judge_run(site, run, predicted, trouble, options)
        return run

    def _judge_run(self, site: str, run: Run, predicted: Run | None, trouble: Trouble | None, options: Json) -> None:
        """Demand of an onboarding by modules that it does what was predicted, ends in spite of one fault, and says the truth."""
        if predicted:
            self._compare(predicted, run)
            self._as_desired(site, run, options)
        if trouble and trouble.what in TRANSIENT and trouble.times == 1 and not self.troubled and site not in self.touched:
            self._demand(not run.failed, f"{trouble.what} once, and the run has failed: {run.message}")
        if not trouble or trouble.what != "offboard":  # what another run removes behind it, no run can know
            self._claims(site, run)

    def _run_stack(
        self, site: str, regions: Sequence[str], trouble: Trouble | None, *, check: bool, on_existing: str, options: Json
    ) -> Run | None:
        """Deploy by CloudFormation, as the role does."""
        given = self._stack(site, regions, on_existing, options)
        run = self._act("spot_stack", site, trouble, check=check, removes=True, **given)
        # CloudFormation does not see what others have changed; verify does.
        if run is not None and not check and site not in self.touched and not (trouble and trouble.what == "offboard"):
            self._claims(site, run)
        return run

    def _run_stack_set(self, site: str, regions: Sequence[str], trouble: Trouble | None, *, check: bool, options: Json) -> Run | None:
        """Deploy by a stack set, as its role does; without regions, remove it."""
        given = self._stack_set(site, regions, options) if regions else stack_sets.absent(SITES[site])
        asked = [*regions, *self.places[site].regions, stack_sets.HOME]
        run = self._act("spot_stack_set", site, trouble, check=check, removes=True, asked=asked, **given)
        if trouble and not check:
            # A stack that CloudFormation could not roll back is not updated any more.
            self.touched.add(site)
        if run is None or check:
            return run
        there = self._there(site)
        for region in stack_sets.current(run, SITES[site]) if site not in self.touched else ():
            connection = there.get((SITES[site].aws_account, region, "connection", SITES[site].name), {})
            # It sees nothing that happens to a connection after it was made.
            if connection.get("connection_state") == "AUTHORIZED":
                self._demand_arrival(site, region, "a stack set says CURRENT")
        if not self.troubled and site not in self.touched:
            self._demand(not run.failed, f"a stack set failed although nothing is wrong: {run.answer.get('msg')}")
        return run

    def _stack_set(self, site: str, regions: Sequence[str], options: Json) -> Json:
        template = self._stack(site, regions, "stop", options)
        return stack_sets.present(SITES[site], regions, template, self.places[site].revision)

    def _stack(self, site: str, regions: Sequence[str], on_existing: str, options: Json) -> Json:
        names = {
            "maximum_event_age_in_seconds": "MaximumEventAgeInSeconds",
            "maximum_retry_attempts": "MaximumRetryAttempts",
            "invocation_rate_limit_per_second": "InvocationRateLimitPerSecond",
            "message_retention_period": "MessageRetentionPeriod",
            "description": "Description",
        }
        given = self._common(site, regions)
        return {
            **{name: value for name, value in given.items() if name != "name"},
            "stack_name": SITES[site].name,
            "on_existing": on_existing if on_existing != "adopt" else "stop",
            "template_body": TEMPLATE.read_text(encoding="utf-8"),
            "spot_token": self._token(site),
            "parameters": {
                "Name": SITES[site].name,
                "Endpoint": self.endpoint,
                **{names[option]: str(value) for option, value in options.items()},
            },
        }

    def _token_is_good(self, site: str) -> bool:
        place, spot = self.places[site], SITES[site]
        return any(
            token["name"] == place.token and token["role"] != "viewer" and (not token["accounts"] or spot.spot_account in token["accounts"])
            for token in self.house.spot_tokens()
        )

    def _offboard(self, site: str, regions: Sequence[str], *, check: bool = False, trouble: Trouble | None = None) -> Run | None:
        given = self._common(site, regions)
        given = {key: value for key, value in given.items() if key not in ("invocation_endpoint", "spot_account")}
        calm = not trouble and not self.troubled
        if self.places[site].adopting and not check:
            self._run_ours(site, regions, None, check=False, **self.places[site].options)
        if self.places[site].adopting:
            return None
        if self.places[site].stack_set:
            place = self.places[site]
            kept = [region for region in place.regions if region not in regions]
            run = self._run_stack_set(site, kept, trouble, check=check, options=place.options)
            if run is not None and not check:
                place.regions = stack_sets.left(run, place.regions)
            return run
        if self.places[site].stack:
            del given["name"]
            run = self._act("spot_stack", site, trouble, check=check, removes=True, stack_name=SITES[site].name, state="absent", **given)
            return self._removed(site, run, trouble) if run is not None and not check else run
        absent = {**given, "role_name": SITES[site].name, "state": "absent"}
        predicted = self.modules("spot_integration", check=True, **absent) if calm and not check else None
        run = self._act("spot_integration", site, trouble, check=check, **absent)
        if run is None or check:
            return run
        if predicted:
            self._compare(predicted, run)
            self._demand(not run.failed or oracles.may_stay(run), f"offboarding failed although nothing is wrong: {run.message}")
        return self._removed(site, run, trouble)

    def _removed(self, site: str, run: Run, trouble: Trouble | None) -> Run:
        if trouble and trouble.what == "onboard":  # what another run makes behind it, no run can know
            return run
        cleared = [region for region, entry in _entries(run).items() if entry["action"] != "failed" and entry["status"] == "absent"]
        there = self._there(site)
        for region in cleared:
            of_stack = self.places[site].stack and site in self.touched
            oracles.demand_cleared(there, SITES[site], region, self._demand, of_stack=of_stack)
        self.places[site].regions = tuple(region for region in self.places[site].regions if region not in cleared)
        return run

    def _act(
        self,
        module: str,
        site: str,
        trouble: Trouble | None,
        *,
        check: bool,
        removes: bool = False,
        asked: Sequence[str] | None = None,
        **given: Any,
    ) -> Run | None:
        """Run a module that writes, with what goes wrong meanwhile, and demand what holds for every run.

        Args:
            removes: whether it may remove what others have made.
            asked: the regions in which it may write, by default those that it is given.
        """
        before, regions = self._all(), given["regions"] if asked is None else asked
        elsewhere = self._arrivals_elsewhere(site, regions)
        self.house.clear_calls()
        interleaved: list[str] = []
        known = {fault["id"] for fault in self.house.faults()}
        run = self.modules(module, check=check, watcher=self._watcher(site, trouble, interleaved), **given)
        for fault in {fault["id"] for fault in self.house.faults()} - known:
            self.house.clear_faults(fault)
        after = self._all()
        if check:
            self._demand(oracles.same(before, after) or bool(interleaved), "check mode changed something")
        if not interleaved:
            now = self._arrivals_elsewhere(site, regions)
            # The execution role is one for all regions: made again, it makes others work that had lost it.
            lost = {place: (before_it, now[place]) for place, before_it in elsewhere.items() if set(before_it) - set(now[place])}
            self._demand(not lost, f"notices of regions that were not asked for: {lost} before and after")
            if module == "spot_integration" and not removes:  # a stack takes its dead letters with it, as its module's documentation says
                oracles.demand_dead_letters_kept(before, after, self._demand)
            if not trouble and not self.troubled and not removes:
                oracles.demand_written_once(self.house.calls(writes=True), self._demand)
            oracles.demand_others_untouched(before, after, SITES[site], regions, self._demand, removes=removes)
            oracles.demand_calls_where_asked(self.house.calls(writes=True), regions, self._demand)
            good = self._token_is_good(site)
            oracles.demand_good_token(before, after, SITES[site], self._token(site), self._demand, good=good)
        oracles.demand_no_token_stored(after, self.modules.tokens, self._demand)
        if run is not None and not trouble and module == "spot_integration" and not removes:
            lags = self.house.world.settings.read_lag_seconds > 0
            oracles.demand_diff_is_true(run, before, after, SITES[site], check=check, lags=lags, demand=self._demand)
        return run

    def _arrivals_elsewhere(self, site: str, regions: Sequence[str]) -> dict[tuple[str, str], list[truth.Arrival]]:
        """Where notices arrive of what is no business of a run."""
        return {
            (other, region): sorted(truth.arrivals(self.house.world, SITES[other].aws_account, region), key=repr)
            for other, place in self.places.items()
            for region in place.regions
            if region not in regions or SITES[other].aws_account != SITES[site].aws_account
        }

    def _watcher(self, site: str, trouble: Trouble | None, interleaved: list[str]) -> Callable[..., Any] | None:
        if trouble is None:
            return None
        if trouble.what in FAULTS:
            # Only calls with several targets have a partial success.
            struck = {"operation": "*Targets", "write": "yes"} if trouble.what == "partial" else {}
            after = trouble.call % 2 if struck else trouble.call
            # Services of AWS that lose or garble responses of one another, or do half of what is asked, have ways of their own to find out.
            struck |= {"by": "caller"} if trouble.what in ("lost_answer", "garbage", "partial") else {}
            self.house.add_fault(FAULTS[trouble.what], {"target": "aws", **struck}, after=after, times=trouble.times)
            return None
        if trouble.what in ("kill", "kill_after"):
            return at_call(trouble.call, kill, after=trouble.what == "kill_after")

        def second() -> None:
            interleaved.append(trouble.what)
            self._nested, nested = True, self._nested
            watcher, self.house.watcher = self.house.watcher, PLAIN
            try:
                getattr(self, f"_second_{trouble.what}")(site)
            finally:
                self._nested, self.house.watcher = nested, watcher

        return at_call(trouble.call, second)

    def _second_onboard(self, site: str) -> None:
        place = self.places[site]
        if place.stack_set:
            self.modules("spot_stack_set", **self._stack_set(site, place.regions or REGIONS[:1], place.options))
            return
        if place.stack and not place.adopting:
            self.modules("spot_stack", **self._stack(site, place.regions or REGIONS[:1], "stop", place.options))
            return
        self.modules("spot_integration", **self._desired(site, place.regions or REGIONS[:1], "stop", place.options))

    def _second_offboard(self, site: str) -> None:
        if self.places[site].stack_set:
            self.modules("spot_stack_set", **stack_sets.absent(SITES[site]))
            return
        if self.places[site].stack and not self.places[site].adopting:
            stack = {"stack_name": SITES[site].name, "regions": self.places[site].regions or REGIONS[:1]}
            self.modules("spot_stack", state="absent", **stack, **self._access(SITES[site].aws_account))
            return
        given = self._common(site, self.places[site].regions or REGIONS[:1])
        given = {key: value for key, value in given.items() if key not in ("invocation_endpoint", "spot_account")}
        self.modules("spot_integration", **given, role_name=SITES[site].name, state="absent")

    def _second_verify(self, site: str) -> None:
        self._info(site, self.places[site].regions or REGIONS[:1])

    def _in_stack(self, site: str) -> Json:
        stack = self.places[site].stack and not self.places[site].adopting
        return {"stack_name": SITES[site].name} if stack else {}

    def _read(self, site: str, regions: Sequence[str]) -> Run:
        options = {name: self._filled(site, value) for name, value in self.places[site].options.items()}
        given = {**self._common(site, regions), **self._in_stack(site)}
        if "stack_name" not in given:
            given["tags"] = {"ManagedBy": "spot.eventbridge", "SpotAccount": SITES[site].spot_account}
        run = self.modules("spot_integration_info", **given, spot_token=self._token(site), evidence_hours=0, **options)
        assert run is not None
        self._demand(not run.failed or bool(self.troubled), f"verify failed: {run.message}")
        self._demand(not run.changed, "verify changed something")
        return run

    def _info(self, site: str, regions: Sequence[str]) -> Json:
        run = self._read(site, regions)
        return {} if run.failed else _entries(run)

    def _judge(self, site: str, regions: Sequence[str]) -> dict[str, str]:
        found, lags = self._info(site, regions), bool(self.house.settings()["destination_lag_seconds"])
        refused = not self._token_is_good(site)
        if refused and not self.troubled:
            self._demand(not self._preflight(site, regions), "preflight takes a token that is not good")
        for region, entry in found.items():
            arrivals = truth.arrivals(self.house.world, SITES[site].aws_account, region)
            self.states[oracles.state_of(entry)] += 1
            self.outcomes.update(f"{finding['check']}={finding['outcome']}" for finding in entry["findings"])
            verdict = oracles.judge(entry, arrivals, SITES[site], self._demand, region, refused=refused, lags=lags)
            self.judged[verdict] += 1
        return {region: entry["status"] for region, entry in found.items()}

    def _notice(self, site: str, region: str) -> None:
        given = SITES[site]
        expected = Counter(arrival.spot_account for arrival in truth.arrivals(self.house.world, given.aws_account, region))
        instance = self.house.interrupt(region, given.aws_account)["instance_id"]
        self._demand(self.house.settled(100_000), "a delivery has no end")
        got = Counter(
            note["query"].get("accountId", "act-00000001")
            for note in self.house.notifications()
            if note["status"] == 200 and note["body"]["detail"].get("instance-id") == instance
        )
        self._demand("spot" in self.troubled or got == expected, f"{region}: the truth said {expected}, and there arrived {got}")

    def _settle(self, site: str) -> None:
        """One onboarding without faults: delivered, unchanged the second time, active."""
        place = self.places[site]
        if not self._token_is_good(site):
            place.token = "admin"
        regions = place.regions
        self._preflight(site, regions)
        if place.adopting:
            self._run_ours(site, regions, None, check=False, **place.options)
            self._demand(not place.adopting or site in self.touched, "adopting from stacks failed again although nothing is wrong")
        if place.stack_set:
            # An earlier run may have failed in an instance, and a token that AWS took from a connection has to be written again.
            place.revision += 1
            self._run_stack_set(site, regions, None, check=False, options=place.options)
            self._judge(site, regions)
            return
        if place.stack:
            self._run_stack(site, regions, None, check=False, on_existing="ignore", options=place.options)
            self._judge(site, regions)
            return
        given = self._desired(site, regions, "ignore", place.options)
        predicted = self.modules("spot_integration", check=True, **given)
        run = self._act("spot_integration", site, None, check=False, **given)
        assert run is not None and predicted is not None
        self._compare(predicted, run)
        failures = {region: entry["error"]["message"] for region, entry in _entries(run).items() if entry["action"] == "failed"}
        allowed = oracles.may_fail(run, site in self.touched, place.options)
        self._demand(not failures or allowed, f"onboarding failed although nothing is wrong: {failures or run.message}")
        self._demand(not run.failed or allowed, f"onboarding failed although nothing is wrong: {run.message}")
        self._claims(site, run)
        self._as_desired(site, run, place.options)
        again = self.modules("spot_integration", check=True, **given)
        assert again is not None
        self._demand(run.failed or not again.changed, f"onboarding again would change: {again.answer.get('diff')}")
        statuses = self._judge(site, regions)
        if not run.failed:
            for region, status in statuses.items():
                self._demand(
                    status in ("active", "unknown") or oracles.excused(self, site, region),
                    f"{region} is {status} after an onboarding that succeeded",
                )

    def _remove(self, site: str) -> None:
        run = self._offboard(site, self.places[site].regions)
        assert run is not None or self.places[site].adopting

    def _claims(self, site: str, run: Run) -> None:
        """What a successful run says is true."""
        for region, entry in _entries(run).items():
            if entry["action"] == "failed" or entry["status"] != "active":
                continue
            told = any("delivers each notice again" in note for note in entry.get("notes", []))
            self._demand_arrival(site, region, "onboarding says active", twice=told)

    def _demand_arrival(self, site: str, region: str, said: str, *, twice: bool = False) -> None:
        if self.house.world.settings.read_lag_seconds:  # a run cannot see that the connection is still being authorised
            self.house.clock.sleep(self.house.world.settings.state_seconds)
        arrivals = truth.arrivals(self.house.world, SITES[site].aws_account, region)
        ours = [arrival for arrival in arrivals if arrival.rule == SITES[site].name and arrival.spot_account == SITES[site].spot_account]
        good = (len(ours) == 1 or (twice and len(ours) > 1)) and ours[0].whole
        self._demand(
            good or bool(self.troubled) or not self._token_is_good(site) or oracles.excused(self, site, region),
            f"{region}: {said}, and {len(ours)} notices would arrive",
        )

    def _as_desired(self, site: str, run: Run, options: Json) -> None:
        """What a successful run has made is what was desired, and it says so."""
        if run.failed:
            return
        there = self._there(site)
        for region, entry in _entries(run).items():
            self._demand(
                entry["status"] in ("active", "unknown") or oracles.excused(self, site, region),
                f"{region}: an onboarding that succeeded says {entry['status']}",
            )
            if entry["status"] == "active":
                oracles.demand_as_desired(there, SITES[site], region, options, self._demand)

    def _compare(self, predicted: Run, run: Run) -> None:
        oracles.demand_predicted(predicted, run, self._demand)

    def _all(self) -> dict[truth.Key, Json]:
        found: dict[truth.Key, Json] = {}
        for account in {site.aws_account for site in SITES.values()}:
            found |= truth.resources(self.house.world, account, REGIONS)
        return found

    def _being_deleted(self, site: str) -> bool:
        """Tell whether a connection of others is about to go: a prediction may say what is no longer so when the run comes there."""
        return any(truth.is_deleting(SITES[site].aws_account, region) for region in REGIONS)

    def _there(self, site: str) -> dict[truth.Key, Json]:
        return truth.resources(self.house.world, SITES[site].aws_account, REGIONS)

    # By hand

    def _client(self, site: str, service: str, region: str) -> Any:
        return self.house.boto3(service, region, self._access(SITES[site].aws_account)["access_key"])

    def _by_hand(self, site: str, region: str, service: str, operation: str, arguments: Json) -> None:
        from botocore import xform_name

        with suppress(ClientError, BotoCoreError):
            getattr(self._client(site, service, "us-east-1" if service == "iam" else region), xform_name(operation))(**arguments)

    def _preceding(self, site: str, region: str, operation: str) -> Iterable[tuple[str, str, Json]]:
        """What somebody has to do before they can delete a rule or a role."""
        name, there = SITES[site].name, self._there(site)
        account = SITES[site].aws_account
        if operation == "DeleteRule" and (account, region, "rule", name) in there:
            ids = list(there[account, region, "rule", name]["targets"])
            if ids:
                yield "events", "RemoveTargets", {"Rule": name, "Ids": ids}
        if operation == "DeleteRole" and (account, "", "execution_role", name) in there:
            role = there[account, "", "execution_role", name]
            for policy in role["policies"]:
                yield "iam", "DeleteRolePolicy", {"RoleName": name, "PolicyName": policy}
            for arn in role["attached"]:
                yield "iam", "DetachRolePolicy", {"RoleName": name, "PolicyArn": arn}

    def _words(self, site: str, region: str) -> dict[str, str]:
        """What the words in braces stand for; other resources of a region are made when they are spoken of."""
        return Words(self, site, region)


def _entries(run: Run) -> Json:
    """The results by region; none of a run that failed before the first."""
    return dict(run.answer.get("regions", {}))
