with steps as (
    select * from (
        values (1, 'session'), (2, 'product view'), (3, 'cart'), (4, 'checkout'), (5, 'purchase')
    ) as steps (step, step_name)
),

sessions as (
    select
        day,
        project,
        country,
        sign,
        -- Who buys has been at the checkout, whether a client tells of it or not.
        case
            when purchases > 0 then 5
            when checkouts > 0 then 4
            when cart_updates > 0 then 3
            when product_views > 0 then 2
            else 1
        end as reached
    from {{ ref('news_sessions') }}
    where not is_bot
),

summed as (
    select day, project, country, step, step_name, sum(sign) as sessions
    from sessions
    inner join steps on steps.step <= sessions.reached
    group by day, project, country, step, step_name
)

select * from summed
