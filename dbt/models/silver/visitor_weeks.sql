{{ config(incremental_strategy='written_elsewhere') }}

{{ no_rows() }}
