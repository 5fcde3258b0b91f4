{{ config(materialized="view") }}

select day, sum(events) as events
from {{ ref("daily_traffic").include(database=false) }}
group by day
