{{ config(
    alias='identities',
    incremental_strategy='upsert',
    indexes=[{'columns': ['linked_user_key']}],
    pre_hook='set local enable_nestloop = off'
) }}

-- Without nested loops where there is a choice: how many rows a CTE has, PostgreSQL can only guess.
{%- set longest_chain = 16 %}
{%- set link = [
    'project', 'identity_id', 'linked_user_key', 'linked_user_id', 'linked_by', 'linked_at', 'link_event_key'
] %}

with new_events as (
    select * from {{ ref('new_events') }} where user_id is not null
),

masking as (
    select * from {{ source('masking', 'masking_key') }} limit 1
),

aliases as (
    select * from new_events where event_type = 'user_alias' and previous_id is not null
),

-- A previous id may be what a browser was called, or a user: it is looked up as both.
links as (
    select
        anonymous_key as identity_key,
        'anonymous' as kind,
        project,
        anonymous_id as identity_id,
        user_key as linked_user_key,
        user_id as linked_user_id,
        'identify' as linked_by,
        event_time as linked_at,
        event_key as link_event_key
    from new_events
    where anonymous_key is not null
    union all
    select
        {{ keyed_hash(['project', 'kinds.kind', 'previous_id']) }},
        kinds.kind,
        project,
        previous_id,
        user_key,
        user_id,
        'alias',
        event_time,
        event_key
    from aliases
    cross join masking
    cross join (values ('anonymous'), ('user')) as kinds (kind)
    where kinds.kind = 'anonymous' or previous_id <> user_id
),

ranked as (
    select
        *,
        row_number() over (
            partition by identity_key order by linked_at, link_event_key, linked_by desc
        ) as place
    from links
),

-- The earliest link wins, whenever it arrives.
winning as (
    select ranked.*
    from ranked
    left join lateral (
        select
            identities.linked_at,
            identities.link_event_key
        from {{ this }} as identities
        where identities.identity_key = ranked.identity_key
        limit 1
    ) as before on true
    where
        ranked.place = 1
        and (
            before.linked_at is null
            or ranked.linked_at < before.linked_at
            or (ranked.linked_at = before.linked_at and ranked.link_event_key < before.link_event_key)
        )
),

linked_users as (
    select * from winning where kind = 'user'
),

-- Whoever is linked, over whatever chain, to a user that is now linked itself.
reached as (
    with recursive reached as (
        select
            identity_key,
            kind
        from linked_users
        union
        select
            before.identity_key,
            before.kind
        from reached
        cross join lateral (
            select
                identities.identity_key,
                identities.kind
            from {{ this }} as identities
            where identities.linked_user_key = reached.identity_key
            limit 1000000
        ) as before
        where reached.kind = 'user'
    )

    select identity_key from reached
),

candidates as (
    select
        1 as choice,
        identity_key,
        kind,
        {{ link | join(',\n        ') }}
    from winning
    union all
    select
        2 as choice,
        before.identity_key,
        before.kind,
        {%- for column in link %}
        before.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from reached
    cross join lateral (
        select *
        from {{ this }} as identities
        where identities.identity_key = reached.identity_key
        limit 1
    ) as before
),

chosen as (
    select
        *,
        row_number() over (partition by identity_key order by choice) as place
    from candidates
),

-- From user to user, as long as the next was not passed already.
chains as (
    with recursive chains as (
        select
            identity_key,
            kind,
            {{ link | join(',\n            ') }},
            linked_user_key as user_key,
            linked_user_id as user_id,
            1 as hops,
            array[identity_key, linked_user_key] as passed
        from chosen
        where place = 1
        union all
        select
            chains.identity_key,
            chains.kind,
            {%- for column in link %}
            chains.{{ column }},
            {%- endfor %}
            coalesce(linked_users.linked_user_key, before.linked_user_key),
            coalesce(linked_users.linked_user_id, before.linked_user_id),
            chains.hops + 1,
            chains.passed || coalesce(linked_users.linked_user_key, before.linked_user_key)
        from chains
        left join linked_users on linked_users.identity_key = chains.user_key
        left join lateral (
            select
                identities.linked_user_key,
                identities.linked_user_id
            from {{ this }} as identities
            where identities.identity_key = chains.user_key
            limit 1
        ) as before on true
        where
            chains.hops < {{ longest_chain }}
            and coalesce(linked_users.linked_user_key, before.linked_user_key) <> all(chains.passed)
    )

    select
        *,
        row_number() over (partition by identity_key order by hops desc) as place
    from chains
),

identities as (
    select
        *,
        {{ var('to_load_id') | int }} as load_id
    from chains
    where place = 1
)

select * from identities
