-- One row per commit to the lake, for status, latency and the monitor. The lake is the authority: a row
-- may be missing here after a crash, and recovery writes it again.
create table tidelake.commits (
    commit_id uuid primary key,
    table_name text not null,
    snapshot_id bigint not null,
    sequence_number bigint not null,
    operation text not null,
    committed_at timestamptz not null,
    prepared_at timestamptz,
    records bigint not null default 0,
    files integer not null default 0,
    bytes bigint not null default 0,
    raw_bytes bigint not null default 0,
    positions jsonb not null default '{}'
);

create index commits_committed_at on tidelake.commits (committed_at);
create index commits_table_sequence on tidelake.commits (table_name, sequence_number);

comment on column tidelake.commits.prepared_at is 'When the batch was handed to the committer';
comment on column tidelake.commits.bytes is 'Parquet bytes added';
comment on column tidelake.commits.raw_bytes is 'Bytes received, decompressed, behind the records';
comment on column tidelake.commits.positions is '{stream: [from, to]}, both inclusive rows moved by it';
