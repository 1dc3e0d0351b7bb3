"""The Job that migrates the database: a hook that brings along what it needs, or plain."""

import re

import pytest

from tests.chart.rendering import Object, main_container, render, rendered_case, variables
from tests.chart.values import DEMO, EXISTING, PLAIN_MIGRATION, hub, merged

HOOK = "helm.sh/hook"


def is_hook(each: Object) -> bool:
    return HOOK in each["metadata"].get("annotations", {})


def weight(each: Object) -> int:
    return int(each["metadata"]["annotations"]["helm.sh/hook-weight"])


def test_a_hook_runs_before_anything_of_an_installation_or_upgrade() -> None:
    job = rendered_case("as it comes").the("Job", "-migration")
    assert job["metadata"]["annotations"][HOOK] == "pre-install,pre-upgrade"
    assert job["metadata"]["annotations"]["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
    assert "ttlSecondsAfterFinished" not in job["spec"]


@pytest.mark.parametrize("case", ["as it comes", "network policies", "narrow network policies"])
def test_all_that_a_hook_needs_is_there_before_it(case: str) -> None:
    rendered = rendered_case(case)
    job = rendered.the("Job")
    before = [each for each in rendered.objects if is_hook(each) and each["kind"] not in {"Job", "Pod"}]
    assert all(weight(each) < weight(job) for each in before)
    pod = job["spec"]["template"]
    reference = variables(main_container(pod))["SMSHUB_DATABASE_URL"]["valueFrom"]["secretKeyRef"]
    assert reference["name"] in {each["metadata"]["name"] for each in before}
    assert "envFrom" not in main_container(pod)
    # The release's own is not there yet; every namespace has this one.
    assert pod["spec"]["serviceAccountName"] == "default"
    policies = [each for each in rendered.of("NetworkPolicy", "-migration") if is_hook(each)]
    assert len(policies) == ("polic" in case)


def test_the_secret_of_a_hook_holds_the_database_alone() -> None:
    assert rendered_case("all secrets").the("Secret", "-migration")["stringData"].keys() == {"database-url"}


@pytest.mark.parametrize("hook", [True, False])
def test_an_existing_secret_is_used_as_it_is(hook: bool) -> None:  # noqa: FBT001
    rendered = render({"secrets": EXISTING, "migration": {"hook": hook}})
    given = variables(main_container(rendered.the("Job")["spec"]["template"]))
    assert given["SMSHUB_DATABASE_URL"]["valueFrom"]["secretKeyRef"]["name"] == "made-by-hand"
    assert not rendered.of("Secret")


def test_an_account_that_is_there_is_used_by_the_hook_as_well() -> None:
    rendered = render(hub({"serviceAccount": {"create": False, "name": "texts"}}))
    assert {pod["spec"]["serviceAccountName"] for _, pod in rendered.pods()} == {"texts"}


def plain_job(*values: Object) -> Object:
    return render(hub(PLAIN_MIGRATION, *values)).the("Job")


def test_a_plain_job_is_part_of_the_release() -> None:
    rendered = render(hub(PLAIN_MIGRATION))
    job = rendered.the("Job")
    assert not any(is_hook(each) for each in rendered.objects)
    assert job["metadata"]["annotations"] == {"a.example/b": "c"}
    assert job["spec"]["ttlSecondsAfterFinished"] == 600
    pod = job["spec"]["template"]
    assert pod["spec"]["serviceAccountName"] == rendered.the("ServiceAccount")["metadata"]["name"]
    reference = variables(main_container(pod))["SMSHUB_DATABASE_URL"]["valueFrom"]["secretKeyRef"]
    assert reference["name"] == rendered.the("Secret")["metadata"]["name"]


def test_the_name_of_a_plain_job_holds_version_and_revision_and_changes_with_what_is_in_it() -> None:
    """As a Job cannot be changed."""
    name = plain_job()["metadata"]["name"]
    assert re.fullmatch(r"hub-sms-hub-migration-0-1-0-1-[0-9a-f]{8}", name)
    assert plain_job({"api": {"replicas": 5}})["metadata"]["name"] == name
    others: list[Object] = [
        {"image": {"tag": "9.9.9"}},
        {"config": {"SMSHUB_DATABASE_POOLER": True}},
        {"migration": {"nodeSelector": {"disk": "fast"}}},
    ]
    names = [plain_job(each)["metadata"]["name"] for each in others]
    assert len({name, *names}) == 4


def test_a_release_of_a_long_name_still_has_names_that_fit() -> None:
    rendered = render(hub(PLAIN_MIGRATION), release="a" * 53)
    assert max(len(each["metadata"]["name"]) for each in rendered.objects) <= 63


@pytest.mark.parametrize("values", [hub({"migration": {"enabled": False}}), merged(DEMO, PLAIN_MIGRATION)])
def test_without_a_migration_there_is_no_job(values: Object) -> None:
    assert not render(values).of("Job")
