-- What silver reads out of JSON text. A text that is none must not fail a window with all its events,
-- and pg_input_is_valid came with PostgreSQL 16 only.
create function tidelake.json_list(value text)
returns jsonb
language plpgsql
immutable
parallel safe
as $$
begin
    return case when jsonb_typeof(value::jsonb) = 'array' then value::jsonb else '[]' end;
exception when data_exception or program_limit_exceeded then
    return '[]';
end
$$;

comment on function tidelake.json_list(text)
is 'The JSON list in a text; an empty one where the text is null or holds none';
