-- Who may work now. A lease only keeps a second worker from wasting work; what is correct is decided
-- by compare-and-swap in the lake. Times are this server's, so that no other clock matters.
create table tidelake.lease (
    name text primary key,
    holder text not null,
    expires_at timestamptz not null
);

comment on table tidelake.lease is 'One row per kind of work that one process does at a time';
