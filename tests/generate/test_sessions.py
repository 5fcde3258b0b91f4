"""Events of a session follow one another, and its counters agree with them."""

from __future__ import annotations

from tests.generate.fortnight import Questions

_STEPS = """
with steps as (
    select *, row_number() over session as step, lag(page.path) over session as page_before,
        lag(session) over session as earlier, lag(time) over session as time_before,
        first_value(time) over session as began
    from events window session as (partition by session_id order by line)
)
"""


def test_a_session_is_new_at_its_first_event_only(fortnight: Questions) -> None:
    # Sessions that were under way when the fortnight began have their first event before it.
    late = fortnight.one(
        _STEPS + "select count(*) from steps where session.is_new_session and step > 1"
    )
    begun = fortnight.one(
        _STEPS + "select avg(session.is_new_session::int) from steps where step = 1"
    )

    assert late == 0
    assert begun > 0.998


def test_counters_of_a_session_never_go_back(fortnight: Questions) -> None:
    back = fortnight.one(
        _STEPS + "select count(*) from steps where session.duration < earlier.duration"
        " or session.pages_visited < earlier.pages_visited"
        " or session.pages_visited > earlier.pages_visited + 1"
    )

    assert back == 0


def test_duration_is_the_seconds_since_the_session_began(fortnight: Questions) -> None:
    wrong = fortnight.one(
        _STEPS + "select count(*) from steps where not exists (select 1 from steps as s where"
        " s.session_id = steps.session_id and s.step = 1 and not s.session.is_new_session)"
        " and session.duration != floor(date_diff('ms', began, time) / 1000)"
    )

    assert wrong == 0


def test_a_session_keeps_its_entry_page_and_exits_where_it_is(fortnight: Questions) -> None:
    entries = fortnight.one(
        "select max(n) from (select count(distinct (session.entry_page, session.referrer)) as n"
        " from events group by session_id)"
    )
    astray = fortnight.one("select count(*) from events where session.exit_page != page.path")
    elsewhere = fortnight.one(
        "select count(*) from events where session.is_new_session"
        " and session.entry_page != page.path"
    )

    assert (entries, astray, elsewhere) == (1, 0, 0)


def test_a_page_is_reached_from_the_page_before_it(fortnight: Questions) -> None:
    jumps = fortnight.one(
        _STEPS + "select count(*) from steps where session.pages_visited > earlier.pages_visited"
        " and page.referrer != 'https://shop.example' || page_before"
    )

    assert jumps == 0


def test_clicks_forms_and_carts_stay_on_their_page(fortnight: Questions) -> None:
    moved = fortnight.one(
        _STEPS + "select count(*) from steps where event_type in ('click', 'cart_update')"
        " and step > 1 and page.path != page_before"
    )

    assert moved == 0


def test_a_session_has_one_user_one_device_and_one_place(fortnight: Questions) -> None:
    most = fortnight.one(
        "select max(n) from (select count(distinct (coalesce(anonymous_id, user_id), metadata,"
        " location, agent.screen_resolution, agent.language)) as n from events group by session_id)"
    )

    assert most == 1


def test_a_user_is_known_from_the_login_on(fortnight: Questions) -> None:
    nobody = fortnight.one(
        "select count(*) from events where user_id is null and anonymous_id is null"
    )
    forgotten = fortnight.one(
        "select count(*) from (select user_id, lag(user_id) over (partition by session_id"
        " order by line) as before from events) where before is not null"
        " and user_id is distinct from before"
    )
    unnamed = fortnight.one(
        "select count(*) from events where event_type = 'user_login'"
        " and (user_id is null or anonymous_id is null)"
    )
    anonymous = fortnight.one("select avg((user_id is null)::int) from events")

    assert (nobody, forgotten, unnamed) == (0, 0, 0)
    assert 0.3 < anonymous < 0.7


def test_no_session_is_silent_for_half_an_hour(fortnight: Questions) -> None:
    longest = fortnight.one(
        _STEPS + "select max(date_diff('minute', time_before, time)) from steps"
    )

    assert longest < 30


def test_time_on_page_is_the_time_until_the_next_event(fortnight: Questions) -> None:
    off = fortnight.one(
        "select count(*) from (select engagement.time_on_page as stayed, date_diff('ms', time,"
        " lead(time) over (partition by session_id order by line)) / 1000 as passed from events)"
        " where abs(stayed - passed) > 0.011"
    )

    assert off == 0


def test_sessions_are_mostly_short_with_a_long_tail(fortnight: Questions) -> None:
    ((bounced, median, p90, most),) = fortnight.rows(
        "select avg((n = 1)::int), median(n), quantile_cont(n, 0.9), max(n)"
        " from (select count(*) as n from events group by session_id)"
    )
    ((half, nine_tenths),) = fortnight.rows(
        "select median(d), quantile_cont(d, 0.9) from (select max(session.duration) as d"
        " from events group by session_id having count(*) > 1)"
    )

    assert 0.1 < bounced < 0.35
    assert (3 <= median <= 7, 10 <= p90 <= 20, 30 <= most <= 90) == (True, True, True)
    assert (90 < half < 360, 360 < nine_tenths < 1800) == (True, True)


def test_each_step_towards_a_purchase_loses_visitors(fortnight: Questions) -> None:
    shares = dict(
        fortnight.rows(
            "select event_type, count(distinct session_id) / (select count(distinct session_id)"
            " from events) from events group by event_type"
        )
    )

    assert len(shares) == 9
    steps = ("product_view", "cart_update", "checkout_start", "purchase")
    assert list(steps) == sorted(steps, key=lambda step: -shares[step])
    assert 0.6 < shares["product_view"] < 0.9
    assert 0.12 < shares["cart_update"] / shares["product_view"] < 0.4
    assert 0.12 < shares["purchase"] / shares["cart_update"] < 0.35
    assert 0.02 < shares["purchase"] < 0.08


def test_nobody_buys_what_is_not_in_the_cart(fortnight: Questions) -> None:
    # Only sessions seen from their beginning.
    bought = fortnight.rows(
        "with whole as (select session_id from events group by session_id"
        " having bool_or(session.is_new_session)),"
        " carts as (select session_id, line, event_type, coalesce(doc.order.items, doc.cart.items)"
        " as items, lag(doc.cart.items) over (partition by session_id order by line) as cart"
        " from events semi join whole using (session_id)"
        " where event_type in ('cart_update', 'purchase'))"
        " select items = cart, count(*) from carts where event_type = 'purchase' group by 1"
    )

    assert [same for same, _ in bought] == [True]
    assert bought[0][1] > 500


def test_only_what_was_viewed_gets_into_the_cart(fortnight: Questions) -> None:
    unseen = fortnight.one(
        "with whole as (select session_id from events group by session_id"
        " having bool_or(session.is_new_session)),"
        " carted as (select session_id, line, unnest(doc.cart.items).product_id as product"
        " from events semi join whole using (session_id) where event_type = 'cart_update')"
        " select count(*) from carted where not exists (select 1 from events as e where"
        " e.session_id = carted.session_id and e.line < carted.line"
        " and e.doc.product.product_id = carted.product)"
    )

    assert unseen == 0
