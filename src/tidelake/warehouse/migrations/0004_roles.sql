-- Who may do what. Roles belong to the whole server, so they are made where they are missing, also
-- when several databases migrate at once; rights belong to this database. docs/permissions.md shows
-- the outcome. On PostgreSQL 16 and later whoever makes a role administers it, yet may act as it
-- only once it is granted: hence the memberships of the current user.
do $$
declare
    wanted record;
    setting text;
    granted record;
begin
    for wanted in
        select * from (values
            ('raw_owner', 'nologin', '{}'::text []),
            ('silver_owner', 'nologin', '{}'),
            ('analyst', 'nologin', '{}'),
            ('developer', 'nologin', '{}'),
            ('pii_reader', 'nologin', '{}'),
            ('ingest', 'login connection limit 30', array['search_path = tidelake, public']),
            ('transform', 'login connection limit 10', array['search_path = tidelake, public']),
            ('dashboard', 'login connection limit 20', array[
                'search_path = tidelake, public',
                'default_transaction_read_only = on',
                'statement_timeout = ''10s''',
                'idle_in_transaction_session_timeout = ''60s'''
            ])
        ) as roles (name, options, settings)
    loop
        if to_regrole(wanted.name) is null then
            begin
                execute format('create role %I %s', wanted.name, wanted.options);
                execute format('comment on role %I is ''made by tidelake''', wanted.name);
                foreach setting in array wanted.settings loop
                    execute format('alter role %I set %s', wanted.name, setting);
                end loop;
            exception
                when duplicate_object or unique_violation then
                    null; -- another database of this server made it at the same moment
                when insufficient_privilege then
                    raise exception 'the login % may not create the role %', current_user, wanted.name
                        using hint = format('As a superuser: alter role %I createrole', current_user);
            end;
        end if;
        if shobj_description(to_regrole(wanted.name)::oid, 'pg_authid')
            is distinct from 'made by tidelake' then
            raise exception 'this server has a role % that tidelake did not make', wanted.name
                using hint = format(
                    'Rename it, or let tidelake use it: comment on role %I is ''made by tidelake''',
                    wanted.name
                );
        end if;
    end loop;

    for granted in
        select * from (values
            ('raw_owner', 'ingest'),
            ('silver_owner', 'transform'),
            ('analyst', 'pii_reader'),
            ('raw_owner', current_user),
            ('silver_owner', current_user),
            ('ingest', current_user),
            ('transform', current_user)
        ) as memberships (role, member)
    loop
        if not pg_has_role(granted.member, granted.role, 'usage') then
            begin
                execute format('grant %I to %I', granted.role, granted.member);
            exception when insufficient_privilege then
                raise exception 'the login % may not grant the role %', current_user, granted.role
                    using hint = format(
                        'Another login made it. As a superuser: grant %I to %I with admin option',
                        granted.role, current_user
                    );
            end;
        end if;
    end loop;

    execute format('revoke all on database %I from public', current_database());
    execute format(
        'grant connect on database %I to ingest, transform, dashboard, analyst, developer',
        current_database()
    );
    execute format(
        'grant temporary on database %I to ingest, transform, developer', current_database()
    );
end $$;

-- A schema with the owner, readers and default privileges of its kind. Those are keyed by who makes
-- a table and by the schema itself, not its name: a rebuild beside the old one needs them again.
create procedure tidelake.make_schema(name text, kind text)
language plpgsql as $$
declare
    creator text;
    role_that_owns text := case kind when 'raw' then 'raw_owner' else 'silver_owner' end;
    login text := case kind when 'raw' then 'ingest' else 'transform' end;
    readers text := case kind
        when 'raw' then 'silver_owner'
        when 'silver' then 'analyst, developer, dashboard'
        when 'silver_pii' then 'pii_reader'
    end;
begin
    if readers is null then
        raise exception 'no schema is of the kind %', kind;
    end if;
    execute format('create schema %I authorization %I', name, role_that_owns);
    execute format('grant usage on schema %I to %s', name, readers);
    foreach creator in array array[role_that_owns, login, current_user::text] loop
        execute format(
            'alter default privileges for role %I in schema %I grant select on tables to %s',
            creator, name, readers
        );
    end loop;
end $$;

revoke execute on procedure tidelake.make_schema from public;

call tidelake.make_schema('raw', 'raw');
call tidelake.make_schema('silver', 'silver');
call tidelake.make_schema('silver_pii', 'silver_pii');

comment on schema raw is 'Every row of the lake as it is, with personal fields';
comment on schema silver is 'Modelled data without personal fields';
comment on schema silver_pii is 'Modelled data with personal fields';

-- The tables of operation: each migration that adds one says who writes it. silver_owner is who
-- dbt becomes.
grant usage on schema tidelake to ingest, transform, dashboard, silver_owner;
grant select on all tables in schema tidelake to ingest, transform, dashboard, silver_owner;
grant insert, update, delete
on tidelake.lease, tidelake.consumers, tidelake.commits to ingest;
alter default privileges in schema tidelake
grant select on tables to ingest, transform, dashboard, silver_owner;

-- The lake's catalog: PyIceberg makes its tables later, wherever the owner's search path begins, which
-- is schema tidelake for an owner of that name, else public. `roles.grant_catalog` gives the rights.
revoke all on schema public from public;
grant usage on schema public to ingest, transform, dashboard;

-- The key behind every masked id, different in each database. Its two pads are those of HMAC
-- (RFC 2104), reckoned once, so that a hash is two calls of sha256.
create table silver_pii.masking_key (
    only_row boolean primary key default true check (only_row),
    key bytea not null check (length(key) = 32),
    inner_pad bytea not null check (length(inner_pad) = 64),
    outer_pad bytea not null check (length(outer_pad) = 64)
);

with new_key as (
    -- Of a random uuid 122 bits are random; sha256 spreads those of four over 32 bytes.
    select sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')) as key
    from generate_series(1, 4)
),

padded as (
    select
        position,
        key,
        case when position < 32 then get_byte(key, position) else 0 end as byte
    from new_key, generate_series(0, 63) as positions (position)
)

insert into silver_pii.masking_key (key, inner_pad, outer_pad)
select
    (array_agg(key))[1],
    decode(string_agg(lpad(to_hex(byte # 54), 2, '0'), '' order by position), 'hex'),
    decode(string_agg(lpad(to_hex(byte # 92), 2, '0'), '' order by position), 'hex')
from padded;

revoke all on silver_pii.masking_key from public, pii_reader;
alter table silver_pii.masking_key owner to silver_owner;
comment on table silver_pii.masking_key is 'One row; without it masked ids can not be made again';

-- With the pads as arguments it holds no secret, and PostgreSQL puts its body into the query. The
-- readers of a masked view need it: a view reads tables with its owner's rights, and calls functions
-- with the reader's.
create function silver_pii.keyed_hash(value text, inner_pad bytea, outer_pad bytea)
returns uuid
language sql
immutable
parallel safe
as $$
    select
        encode(
            substr(sha256(outer_pad || sha256(inner_pad || convert_to(value, 'UTF8'))), 1, 16),
            'hex'
        )::uuid
$$;

create function silver_pii.keyed_hash(value text)
returns uuid
language sql
stable
parallel safe
as $$
    select silver_pii.keyed_hash(value, masking_key.inner_pad, masking_key.outer_pad)
    from silver_pii.masking_key
$$;

revoke execute on function silver_pii.keyed_hash(text) from public;
revoke execute on function silver_pii.keyed_hash(text, bytea, bytea) from public;
grant execute on function silver_pii.keyed_hash(text, bytea, bytea)
to analyst, developer, dashboard;
alter function silver_pii.keyed_hash(text) owner to silver_owner;
alter function silver_pii.keyed_hash(text, bytea, bytea) owner to silver_owner;

comment on function silver_pii.keyed_hash(text)
is 'First 16 bytes of HMAC-SHA256 under silver_pii.masking_key; null for null';
