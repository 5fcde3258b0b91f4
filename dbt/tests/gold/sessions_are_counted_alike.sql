-- Sessions of people: all of them enter the funnel, and each came from somewhere.
with sessions as (
    select
        day,
        project,
        country,
        sum(sessions) as sessions,
        sum(bounces) as bounces,
        sum(converted) as converted
    from {{ ref('sessions_by_day') }}
    group by day, project, country
    having sum(sessions) > 0
),

came as (
    select
        day,
        project,
        country,
        sum(sessions) as sessions,
        sum(bounces) as bounces,
        sum(converted) as converted
    from {{ ref('acquisition') }}
    group by day, project, country
),

entered as (
    select day, project, country, sessions from {{ ref('funnel') }} where step = 1
)

select *
from sessions
full join came using (day, project, country)
full join entered using (day, project, country)
where
    sessions.sessions is distinct from came.sessions
    or sessions.bounces is distinct from came.bounces
    or sessions.converted is distinct from came.converted
    or sessions.sessions is distinct from entered.sessions
    or sessions.bounces > sessions.sessions
    or sessions.converted > sessions.sessions
