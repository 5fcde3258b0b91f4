-- How far each consumer of a lake table has read. Care rewrites only files at or below the lowest.
create table tidelake.consumers (
    table_name text not null,
    consumer text not null,
    sequence_number bigint not null check (sequence_number >= 0),
    updated_at timestamptz not null default now(),
    primary key (table_name, consumer)
);

comment on column tidelake.consumers.sequence_number
is 'Iceberg data sequence number; every file at or below it has been read';
