"""Which tests take minutes, and in what order all of them run."""

import random
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import pytest

_TESTS = Path(__file__).parent

# What `make test` leaves out, by folder, file or test: whatever needs a browser, other languages, Helm or Prometheus,
# what waits for processes that are killed or for time to pass, what fills a database. The longest come first. Of each
# layer enough is left: all of the domain, what is stored on both databases, the interface, a few whole hubs.
_LONG = (
    "contract/http/test_schemathesis.py",
    "browser",
    "docs/test_commands.py",
    "docs/test_site.py",
    "docs/test_helm.py",
    "clients",
    "e2e/test_dispatch_faults.py",
    "e2e/test_canaries.py",
    "e2e/test_accepting.py",
    "e2e/test_upgrade.py",
    "e2e/test_restore.py",
    "e2e/test_erasures.py",
    "e2e/test_schedules.py",
    "e2e/test_restart.py",
    "e2e/test_failover.py",
    "e2e/test_receipts.py",
    "e2e/test_database_away.py",
    "e2e/test_key_rotation.py",
    "e2e/test_budgets.py",
    "e2e/test_opt_outs.py",
    "e2e/test_pooler.py",
    "e2e/test_stand_ins.py",
    "e2e/test_traces.py",
    "e2e/test_sandbox.py",
    "e2e/test_logins.py",
    "e2e/test_keys.py",
    "e2e/test_mailed_instead.py",
    "e2e/test_two_commands.py",
    "e2e/test_processes.py::test_any_interface_and_any_dispatcher_will_do",
    "e2e/test_processes.py::test_a_dispatcher_that_is_stopped_hands_back_what_it_has_not_sent",
    "e2e/test_processes.py::test_a_process_waits_for_the_schema_and_is_not_ready_before",
    "e2e/test_processes.py::test_of_two_that_wait_for_the_database_with_one_port_one_gives_up",
    "e2e/test_processes.py::test_while_it_drains_it_is_not_ready_and_finishes_what_it_has_begun",
    "e2e/test_processes.py::test_a_port_in_use_is_told_in_one_line",
    "e2e/test_processes.py::test_missing_signing_keys_are_told_in_one_line",
    "e2e/test_processes.py::test_it_listens_where_the_environment_says_if_no_option_does",
    "observability/test_live.py",
    "observability/test_rules.py",
    "contract/test_query_plans.py",
    "contract/test_stand_in_numbers.py",
    "contract/test_quiet_hours_kept.py",
    "contract/test_oidc.py",
    "contract/test_delivery_queue.py::test_one_who_opted_out_ends_no_claim_however_much_it_takes",
    "contract/test_delivery_queue.py::test_every_delivery_is_claimed_once_and_no_slots_overlap",
    "contract/test_delivery_queue.py::test_whatever_happens_no_slots_of_a_sender_overlap",
    "contract/test_sms_provider.py::test_what_may_have_been_taken_is_unknown_and_was_written_once",
    "contract/test_sms_provider.py::test_the_wait_for_the_departure_is_not_the_providers",
    "contract/test_delivery_queue.py::test_two_dispatchers_that_race_for_one_limit_never_overlap",
    "contract/test_delivery_queue.py::test_senders_of_one_limit_share_its_pace",
    "contract/test_delivery_queue.py::test_as_much_can_be_handed_back_as_a_dispatcher_can_hold",
    "contract/test_text_log.py::test_ten_thousand_deliveries_are_stored_in_their_order",
    "contract/test_workload.py::test_a_hundred_senders_are_told_those_with_the_most_waiting",
    "contract/test_restored_copy.py::test_many_are_doubted_in_portions",
    "contract/test_quiet_hours.py::test_however_many_wait_when_they_end_it_takes_few_claims",
    "contract/test_duplicates.py::test_a_great_many_numbers",
    "contract/test_sms_provider.py::test_no_number_no_text_and_no_secret_is_logged_or_shown",
    "contract/test_sms_provider.py::test_nothing_is_sent_where_as_many_calls_as_may_be_are_under_way",
    "contract/test_sms_provider.py::test_nothing_is_sent_while_the_connection_is_being_made",
    "contract/test_twilio_stand_in_calls.py::test_a_slow_number_is_answered_after_three_seconds",
    "contract/test_store_unavailable.py::test_a_file_that_another_has_locked_is_away",
    "contract/test_store_unavailable.py::test_a_server_that_is_stopped_is_away_and_all_goes_on_when_it_is_back",
    "contract/test_credentials_check.py::test_a_provider_that_does_not_say_was_not_asked",
    "contract/test_callbacks.py::test_a_final_state_is_never_left",
    "contract/test_schema.py",
    "contract/test_webhook_delivery.py::test_one_that_accepts_nothing_for_five_days_is_called_no_more",
    "contract/http/test_examples.py",
    "contract/http/test_csv.py::test_a_file_that_cannot_be_made_to_its_end_does_not_look_whole",
    "contract/http/test_cancel_and_filters.py::test_pages_have_each_text_once_while_others_are_added",
    "contract/http/test_cancel_and_filters.py::test_what_is_canceled_is_not_sent",
    "contract/http/test_first_hub_clients.py::test_a_token_that_is_not_good_is_answered_with_exactly_401",
    "contract/http/test_first_hub_clients.py::test_a_trusted_proxy_tells_where_a_client_is",
    "contract/http/test_bad_input.py::test_a_body_that_is_announced_too_large_is_refused_at_once",
    "contract/http/test_bad_input.py::test_numbers_texts_keys_and_tokens_show_in_no_problem_no_log_and_no_metric",
    "contract/http/test_accepting.py::test_what_could_not_be_sent_in_time_expires",
    "contract/http/test_accepting.py::test_a_text_is_sent_when_its_time_comes_and_not_before",
    "contract/http/test_accepting.py::test_a_request_whose_twin_does_not_come_to_its_end_is_told_to_ask_again",
    "contract/http/test_bad_input.py::test_a_client_that_goes_away_leaves_nothing_behind",
    "contract/http/test_console_pages.py",
    "contract/http/test_key_set.py",
    "contract/http/test_staff_sign_in.py",
    "architecture/test_migrations.py",
    "chart",
    "old_clients",
    "samples",
    "upkeep",
    "docs/test_newcomer.py",
    "integration/test_failover.py",
    "integration/test_list_commands.py",
    "integration/test_operators_commands.py",
    "integration/test_shared_sender.py",
    "integration/test_throttle_faults.py",
    "integration/test_unknown_outcomes.py",
    "integration/test_vonage.py",
    "integration/test_mailed_instead.py",
    "integration/test_deletions.py",
    "integration/test_webhooks.py",
    "integration/test_container.py::test_the_library_of_a_provider_is_loaded_when_that_provider_gets_ready",
    "integration/test_container.py::test_opentelemetry_is_loaded_where_traces_are_on_alone",
    "integration/test_logs_and_metrics.py",
    "image",
)
# What is stored is tested on both databases; what is made of it is the same on each.
_ON_SQLITE_ALONE = ("contract/http", "integration")


def mark_long(items: Iterable[pytest.Item]) -> None:
    for item in items:
        again = "postgresql" in item.name and bool(_names(item) & set(_ON_SQLITE_ALONE))
        if again or _place(item) < len(_LONG):
            item.add_marker(pytest.mark.long)


def is_left_out(path: Path, marks: str) -> bool:
    """Whether all that is in this file or folder is, so that it need not be read. `marks` is what follows `-m`."""
    return marks == "not long" and path.is_relative_to(_TESTS) and path.relative_to(_TESTS).as_posix() in _LONG


def longest_first(items: list[pytest.Item]) -> None:
    """So that no worker is left with a long one while the others have nothing to do."""
    items.sort(key=_place)


def shuffle(items: list[pytest.Item], seed: str) -> None:
    """Files among each other, and the tests of each file. Who has the same seed, has the same order."""
    chance = random.Random(seed)
    files = [list(its) for _, its in groupby(items, key=lambda item: item.path)]
    chance.shuffle(files)
    for its in files:
        chance.shuffle(its)
    items[:] = [item for its in files for item in its]


def _place(item: pytest.Item) -> int:
    """Among those that are long; behind all of them if it is not."""
    names = _names(item)
    return next((place for place, each in enumerate(_LONG) if each in names), len(_LONG))


def _names(item: pytest.Item) -> set[str]:
    """What it may be called by: itself, its file, and the folders that this is in."""
    path = item.path.relative_to(_TESTS)
    test = f"{path.as_posix()}::{item.name.partition('[')[0]}"
    return {test, path.as_posix(), *(parent.as_posix() for parent in path.parents)}
