from domain.model.claim_rhythm import ClaimRhythm

MS = 1_000


def a_rhythm(*took_ms: int, most_in_flight: int = 500, claimed: int = 500) -> ClaimRhythm:
    """After claims that took so long."""
    rhythm = ClaimRhythm(most_in_flight=most_in_flight, now_us=0)
    for each in took_ms:
        rhythm.claim_took(each * MS, claimed=claimed)
    return rhythm


def portion(rhythm: ClaimRhythm, *, in_flight: int = 0, now_us: int = 1_000 * MS) -> int:
    return rhythm.portion(in_flight=in_flight, now_us=now_us)


def test_as_much_is_claimed_as_there_are_calls_for() -> None:
    assert portion(a_rhythm()) == 500
    assert portion(a_rhythm(), in_flight=100) == 400


def test_half_of_all_calls_are_over_soon() -> None:
    assert portion(a_rhythm(), in_flight=500) == 250
    assert portion(a_rhythm(most_in_flight=1), in_flight=1) == 1


def test_where_calls_are_short_more_is_claimed_than_there_are_calls_at_once() -> None:
    rhythm = a_rhythm(most_in_flight=64)
    for _ in range(2_000):
        rhythm.call_began()
    assert portion(rhythm, in_flight=64, now_us=1_000 * MS) == 200
    # Those calls are counted.
    assert portion(rhythm, in_flight=64, now_us=2_000 * MS) == 32


def test_claims_that_take_too_long_are_made_smaller_and_larger_again_when_they_are_quick() -> None:
    assert portion(a_rhythm(160)) == 250
    assert portion(a_rhythm(160, 160, 160, 160, 160)) == 100
    assert portion(a_rhythm(160, 100)) == 250
    assert portion(a_rhythm(160, 60)) == 500


def test_finding_nothing_is_no_sign_of_being_quick() -> None:
    rhythm = a_rhythm(160)
    rhythm.claim_took(1 * MS, claimed=0)
    assert portion(rhythm) == 250


def test_the_next_claim_is_taken_to_last_as_long_as_the_quicker_of_the_last_two() -> None:
    assert a_rhythm(140).takes_us == 0
    assert a_rhythm(140, 8).takes_us == 8 * MS
    assert a_rhythm(140, 8, 10).takes_us == 8 * MS
    assert a_rhythm(140, 100).takes_us == 100 * MS


def test_claims_take_no_more_than_a_third_of_the_time_but_come_often_enough() -> None:
    assert a_rhythm().cadence_us == 50 * MS
    assert a_rhythm(5).cadence_us == 50 * MS
    assert a_rhythm(30).cadence_us == 90 * MS
    assert a_rhythm(90).cadence_us == 150 * MS
