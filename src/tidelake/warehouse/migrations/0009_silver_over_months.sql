-- What keeps silver and the ledger of raw right over months: which models made what, which changes
-- were put together, which days of raw came back, and which files the ledger no longer names.
alter table tidelake.windows add column models text;
alter table tidelake.windows add column compacted boolean not null default false;
alter table tidelake.windows_next add column models text;
alter table tidelake.windows_next add column compacted boolean not null default false;

comment on column tidelake.windows.models is 'Fingerprint of the models of silver that took it; null where that is not known, or more than one';
comment on column tidelake.windows.compacted is 'Changes up to its end were put together: gold that stands before it can not go on';

alter table tidelake.load_totals add column brought_back_at timestamptz;
alter table tidelake.load_totals add column unnamed_up_to bigint not null default 0;

comment on column tidelake.load_totals.brought_back_at
is 'When a rebuild brought back days that retention had dropped: it holds them until silver has taken them since';
comment on column tidelake.load_totals.unnamed_up_to
is 'Highest sequence number of loads that were put together: files up to it are told by their records only';

-- A pipeline that runs has up to eight connections of this login, a command beside it as many. Roles
-- belong to the whole server: another database may have done it, or its owner may have made them.
do $$
begin
    if (select rolconnlimit from pg_roles where rolname = 'transform') = 10 then
        alter role transform connection limit 30;
    end if;
exception
    when insufficient_privilege then
        raise notice 'as a superuser: alter role transform connection limit 30';
    when internal_error then
        null; -- another database of this server did it at the same moment
end $$;
