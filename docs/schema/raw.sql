create schema if not exists raw;

create table if not exists raw.events (
    load_id bigint not null,
    row_number integer not null,
    load_day date not null,
    event_key bytea not null,
    event_id text not null,
    event_type text not null,
    event_name text not null,
    event_time timestamptz not null,
    event_day date not null,
    received_at timestamptz not null,
    user_id text,
    anonymous_id text,
    previous_id text,
    group_id text,
    source text not null,
    source_position text not null,
    format text not null,
    project text,
    quality_flags text[] not null,
    metadata_browser text,
    metadata_os text,
    metadata_device text,
    session_info_session_id text,
    session_info_duration double precision,
    session_info_pages_visited bigint,
    session_info_entry_page text,
    session_info_exit_page text,
    session_info_referrer text,
    session_info_is_new_session boolean,
    user_agent_browser_version text,
    user_agent_platform_version text,
    user_agent_device_type text,
    user_agent_screen_resolution text,
    user_agent_language text,
    user_agent_timezone text,
    location_country text,
    location_region text,
    location_city text,
    location_ip_address text,
    location_isp text,
    location_connection_type text,
    engagement_scroll_depth double precision,
    engagement_time_on_page double precision,
    engagement_interactions bigint,
    engagement_form_submissions bigint,
    engagement_video_views bigint,
    engagement_downloads bigint,
    performance_page_load_time double precision,
    performance_first_contentful_paint double precision,
    performance_dom_interactive double precision,
    performance_network_latency double precision,
    page_url text,
    page_path text,
    page_title text,
    page_referrer text,
    page_search text,
    campaign_source text,
    campaign_medium text,
    campaign_name text,
    campaign_term text,
    campaign_content text,
    order_id text,
    order_total double precision,
    order_subtotal double precision,
    order_shipping double precision,
    order_tax double precision,
    order_discount double precision,
    order_coupon text,
    order_currency text,
    search_query text,
    items text,
    traits text,
    envelope text,
    _doc text,
    _rest text,
    _doc_at bigint
) partition by range (load_day);
comment on table raw.events is 'One row per accepted record; a client''s repeats are rows that share an event_key.';
comment on column raw.events.event_key is 'Identity of the event: equal for every retry of it';
comment on column raw.events.event_id is 'Id that the client gave the event';
comment on column raw.events.event_type is 'Type in snake_case, one of the registry where it is known';
comment on column raw.events.event_name is 'Type or name as the client sent it';
comment on column raw.events.event_time is 'When it happened, corrected for the client''s clock where it can be';
comment on column raw.events.event_day is 'UTC day as the client stated it; 1970-01-01 where it stated none';
comment on column raw.events.received_at is 'When the collector received it';
comment on column raw.events.user_id is 'Known user';
comment on column raw.events.anonymous_id is 'Device or browser of a user who may not be known yet';
comment on column raw.events.previous_id is 'Id that this user had before (alias)';
comment on column raw.events.group_id is 'Account or organisation of the user';
comment on column raw.events.source is 'api, kinesis, cdc or file';
comment on column raw.events.source_position is 'Stream and number of the record in it';
comment on column raw.events.format is 'native, segment, cloudevents or cdc';
comment on column raw.events.project is 'Name behind the write key';
comment on column raw.events.quality_flags is 'What was not as it should be, e.g. wrong_type:order_total';
comment on column raw.events.metadata_browser is 'Browser name';
comment on column raw.events.metadata_os is 'Operating system name';
comment on column raw.events.metadata_device is 'Device name or class';
comment on column raw.events.session_info_session_id is 'The client''s own session';
comment on column raw.events.session_info_duration is 'Time since the session began (seconds)';
comment on column raw.events.session_info_pages_visited is 'Pages seen in the session so far (pages)';
comment on column raw.events.session_info_entry_page is 'First page of the session';
comment on column raw.events.session_info_exit_page is 'Last page of the session so far';
comment on column raw.events.session_info_referrer is 'Where the session came from';
comment on column raw.events.session_info_is_new_session is 'True for the first event of a session';
comment on column raw.events.user_agent_browser_version is 'Browser version';
comment on column raw.events.user_agent_platform_version is 'Operating system version';
comment on column raw.events.user_agent_device_type is 'desktop, mobile, tablet, bot, other';
comment on column raw.events.user_agent_screen_resolution is 'Width x height (pixels)';
comment on column raw.events.user_agent_language is 'BCP 47 language tag';
comment on column raw.events.user_agent_timezone is 'IANA time zone';
comment on column raw.events.location_country is 'ISO 3166-1 alpha-2 code, or the name as sent';
comment on column raw.events.location_region is 'Region or state';
comment on column raw.events.location_city is 'City';
comment on column raw.events.location_ip_address is 'IP address of the client';
comment on column raw.events.location_isp is 'Internet provider';
comment on column raw.events.location_connection_type is 'wifi, 4g, ethernet, …';
comment on column raw.events.engagement_scroll_depth is 'How far the page was scrolled (percent)';
comment on column raw.events.engagement_time_on_page is 'Time on the page (seconds)';
comment on column raw.events.engagement_interactions is 'Clicks and key presses (count)';
comment on column raw.events.engagement_form_submissions is 'Forms sent (count)';
comment on column raw.events.engagement_video_views is 'Videos played (count)';
comment on column raw.events.engagement_downloads is 'Files downloaded (count)';
comment on column raw.events.performance_page_load_time is 'Navigation start to load event (milliseconds)';
comment on column raw.events.performance_first_contentful_paint is 'First contentful paint (milliseconds)';
comment on column raw.events.performance_dom_interactive is 'DOM interactive (milliseconds)';
comment on column raw.events.performance_network_latency is 'Round trip to the server (milliseconds)';
comment on column raw.events.page_url is 'Full address of the page';
comment on column raw.events.page_path is 'Path of the page';
comment on column raw.events.page_title is 'Title of the page';
comment on column raw.events.page_referrer is 'Page before this one';
comment on column raw.events.page_search is 'Query string of the page';
comment on column raw.events.campaign_source is 'utm_source';
comment on column raw.events.campaign_medium is 'utm_medium';
comment on column raw.events.campaign_name is 'utm_campaign';
comment on column raw.events.campaign_term is 'utm_term';
comment on column raw.events.campaign_content is 'utm_content';
comment on column raw.events.order_id is 'Order number';
comment on column raw.events.order_total is 'What the customer pays (currency)';
comment on column raw.events.order_subtotal is 'Items less discount (currency)';
comment on column raw.events.order_shipping is 'Shipping (currency)';
comment on column raw.events.order_tax is 'Tax (currency)';
comment on column raw.events.order_discount is 'Discount (currency)';
comment on column raw.events.order_coupon is 'Coupon code';
comment on column raw.events.order_currency is 'ISO 4217 code';
comment on column raw.events.search_query is 'What was searched for';
comment on column raw.events.items is 'JSON list of {product_id, sku, name, category, price, quantity}';
comment on column raw.events.traits is 'JSON object of what is known of the user or group';
comment on column raw.events.envelope is 'JSON object: what the request knew and the record does not';
comment on column raw.events._doc is 'The nested document, byte for byte as sent';
comment on column raw.events._rest is 'The native record with the value of _doc replaced by null';
comment on column raw.events._doc_at is 'rest[:at] + doc + rest[at+4:] is the record as sent (bytes)';

create table if not exists raw.rejected_events (
    load_id bigint not null,
    row_number integer not null,
    load_day date not null,
    reason text not null,
    field text,
    detail text,
    body bytea,
    envelope text,
    source text not null,
    source_position text not null,
    format text not null,
    project text,
    received_at timestamptz not null,
    records bigint not null
) partition by range (load_day);
comment on table raw.rejected_events is 'One row per record that could not become an event, with the reason and its bytes.';
comment on column raw.rejected_events.reason is 'Why it was rejected, one of the closed list';
comment on column raw.rejected_events.field is 'Column at fault, where one is';
comment on column raw.rejected_events.detail is 'What was found, in a sentence';
comment on column raw.rejected_events.body is 'The record, byte for byte as received';
comment on column raw.rejected_events.envelope is 'JSON object: what the request knew';
comment on column raw.rejected_events.source is 'api, kinesis, cdc or file';
comment on column raw.rejected_events.source_position is 'Stream and number of the record in it';
comment on column raw.rejected_events.format is 'native, segment, cloudevents or cdc';
comment on column raw.rejected_events.project is 'Name behind the write key';
comment on column raw.rejected_events.received_at is 'When it was received';
comment on column raw.rejected_events.records is 'Records this row stands for: 1, or those lost in a damaged frame';
