{{ config(
    alias='events',
    incremental_strategy='written_elsewhere',
    indexes=[{'columns': ['load_id']}]
) }}

{{ no_rows() }}
