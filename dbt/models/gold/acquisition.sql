with summed as (
    select
        day,
        project,
        country,
        referrer,
        campaign_source,
        campaign_medium,
        campaign_name,
        sum(sign) as sessions,
        sum(case when {{ is_bounce() }} then sign else 0 end) as bounces,
        sum(case when purchases > 0 then sign else 0 end) as converted
    from {{ ref('news_sessions') }}
    where not is_bot
    group by day, project, country, referrer, campaign_source, campaign_medium, campaign_name
)

select * from summed
