{{ config(materialized='replaced', alias='web_performance', meta={'kind': 'view'}) }}

{#- Without database and schema: a published file has another name than the one it was made in. -#}
with counted as (
    select
        *,
        sum(samples) over (
            partition by day, project, country, page_group, metric
            order by bin
            rows between unbounded preceding and current row
        ) as up_to_here,
        sum(samples) over (partition by day, project, country, page_group, metric) as all_samples
    from {{ ref('web_performance_bins').include(database=false, schema=false) }}
),

-- The first bin that holds the share: the percentile of a real sample, none between two samples.
percentiles as (
    select
        day,
        project,
        country,
        page_group,
        metric,
        cast(sum(samples) as bigint) as samples,
        {{ middle_of_bin('min(case when 100 * up_to_here >= 50 * all_samples then bin end)') }} as p50_ms,
        {{ middle_of_bin('min(case when 100 * up_to_here >= 75 * all_samples then bin end)') }} as p75_ms,
        {{ middle_of_bin('min(case when 100 * up_to_here >= 95 * all_samples then bin end)') }} as p95_ms
    from counted
    group by day, project, country, page_group, metric
)

select * from percentiles
