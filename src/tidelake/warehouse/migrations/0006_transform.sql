-- One row per window of loads that silver takes in one cycle, and one per published gold file.
create table tidelake.windows (
    to_load_id bigint primary key,
    from_load_id bigint not null unique check (from_load_id >= 0),
    generation bigint not null default 1,
    timezone text not null,
    status text not null default 'running' check (status in ('running', 'done', 'failed')),
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    raw_rows bigint,
    new_events bigint,
    repeats bigint,
    rejected bigint,
    failed_model text,
    message text,
    check (to_load_id > from_load_id)
);

-- A window that is not done keeps its bounds until it is: there is never a second one beside it.
create unique index windows_open on tidelake.windows ((true)) where status <> 'done';
create index windows_started_at on tidelake.windows (started_at);

comment on table tidelake.windows is 'The windows (from_load_id, to_load_id] of silver; its watermark is the highest one that is done';
comment on column tidelake.windows.generation is 'Grows when silver is rebuilt: gold made from an older one is made anew';
comment on column tidelake.windows.timezone is 'IANA zone in which the days of this silver are reckoned';
comment on column tidelake.windows.raw_rows is 'Rows that the loads of the window put into raw.events: new_events + repeats';

-- The windows of a silver that is built beside the one in use; they take its place with it.
create table tidelake.windows_next (like tidelake.windows including all);

create table tidelake.publications (
    version bigint primary key,
    to_load_id bigint not null,
    generation bigint not null,
    published_at timestamptz not null default now(),
    events bigint,
    bytes bigint,
    file text not null
);

comment on table tidelake.publications is 'One row per published gold file; a file without one is not trusted';

-- What the data tests said when they ran last.
create table tidelake.data_tests (
    layer text not null check (layer in ('silver', 'gold')),
    test text not null,
    status text not null,
    failures bigint,
    message text,
    tested_at timestamptz not null default now(),
    primary key (layer, test)
);

comment on table tidelake.data_tests is 'One row per dbt test: what it said when it ran last';

-- Called inside the transaction of every silver model of a cycle. A runner that slept while another one
-- finished its window and went on must change nothing when it wakes up; two runners on the same window
-- make a model one after the other. The lock on the row holds back whoever marks the window as done.
create function tidelake.enter_window(model text, suffix text, from_id bigint, to_id bigint)
returns void
language plpgsql
security definer
set search_path = pg_catalog
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('tidelake.window ' || model, 0));
    if suffix = '' then
        perform from tidelake.windows
        where to_load_id = to_id and from_load_id = from_id and status <> 'done' for share;
    else
        perform from tidelake.windows_next
        where to_load_id = to_id and from_load_id = from_id and status <> 'done' for share;
    end if;
    if not found then
        raise exception 'the window (%, %] is not open: another run has finished it', from_id, to_id;
    end if;
end
$$;

revoke execute on function tidelake.enter_window from public;
grant execute on function tidelake.enter_window to silver_owner, transform;

grant insert, update, delete
on tidelake.windows, tidelake.windows_next, tidelake.publications, tidelake.data_tests,
tidelake.lease
to transform;

-- dbt works as silver_owner, so that silver belongs to it.
grant usage on schema tidelake to silver_owner;
