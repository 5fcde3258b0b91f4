-- What of the lake is in raw. A load is one file of the lake, put into raw in one transaction; its
-- number comes from one counter for both tables and is taken in that transaction, so whoever sees a
-- load sees every load with a lower number.
create table tidelake.load_counter (
    only_row boolean primary key default true check (only_row),
    last bigint not null
);

insert into tidelake.load_counter (last) values (0);

create table tidelake.loads (
    load_id bigint primary key,
    table_name text not null,
    file_path text not null,
    sequence_number bigint not null,
    rows bigint not null default 0,
    set_aside bigint not null default 0,
    load_day date not null,
    loaded_at timestamptz not null default clock_timestamp(),
    dropped_at timestamptz,
    unique (table_name, file_path)
);

create index loads_table_sequence on tidelake.loads (table_name, sequence_number);
create index loads_loaded_at on tidelake.loads (loaded_at);

comment on table tidelake.loads is 'One row per file of the lake that was loaded into raw';
comment on column tidelake.loads.file_path
is 'Location of the file; with #<sequence number> behind it, what a reconcile took of it';
comment on column tidelake.loads.rows is 'Rows in raw that this load brought, less what a reconcile removed';
comment on column tidelake.loads.set_aside is 'Rows of the file that PostgreSQL refused';
comment on column tidelake.loads.dropped_at is 'When retention dropped its rows; the counts stay';

-- Which records a load holds. Compaction gives files other names; the numbers of records stay.
create table tidelake.loaded_records (
    load_id bigint not null references tidelake.loads,
    stream text not null,
    records int8multirange not null,
    primary key (load_id, stream)
);

-- Sums of tidelake.loads, moved in the same transactions: compared with the lake at every look.
create table tidelake.load_totals (
    table_name text primary key,
    files bigint not null default 0,
    rows bigint not null default 0,
    set_aside bigint not null default 0,
    last_load_id bigint not null default 0,
    unexplained bigint not null default 0,
    epoch bigint not null default 0
);

insert into tidelake.load_totals (table_name) values ('events'), ('rejected_events');

comment on column tidelake.load_totals.unexplained
is 'Rows that the lake has beyond those here, and no reconcile could tell which';
comment on column tidelake.load_totals.epoch
is 'Grows when a reconcile begins or raw is made anew: who decided what to load before that looks again';

create table tidelake.set_aside (
    load_id bigint not null references tidelake.loads,
    table_name text not null,
    file_path text not null,
    row_number integer not null,
    source_position text,
    reason text not null,
    record jsonb not null,
    at timestamptz not null default now(),
    primary key (load_id, row_number)
);

comment on table tidelake.set_aside is 'Rows of the lake that PostgreSQL refused; their files went on without them';

create table tidelake.reconciliations (
    id bigint generated always as identity primary key,
    table_name text not null,
    sequence_number bigint not null,
    reason text not null,
    loaded bigint not null,
    removed bigint not null,
    highest_load_id bigint,
    unexplained bigint not null default 0,
    at timestamptz not null default now()
);

comment on column tidelake.reconciliations.sequence_number is 'Snapshot of the lake that raw was compared with';
comment on column tidelake.reconciliations.highest_load_id
is 'Highest load that lost rows: what was derived from it or an earlier one is out of date';

grant insert, update, delete
on tidelake.load_counter, tidelake.loads, tidelake.loaded_records, tidelake.load_totals,
tidelake.set_aside, tidelake.reconciliations
to ingest;

-- Whoever may read the tables of operation sees that rows were refused, and why, but not the rows.
revoke select on tidelake.set_aside from dashboard;
grant select (load_id, table_name, file_path, row_number, source_position, reason, at)
on tidelake.set_aside to dashboard;
