{{ config(
    alias='sessions',
    incremental_strategy='written_elsewhere',
    indexes=[{'columns': ['visitor_key', 'started_at']}]
) }}

{{ no_rows() }}
