-- Who is told over HTTP what happens to records, and what was sent (src/store/webhooks.rs). No values of records are in the
-- messages of events; those of automations hold what their definitions name.
create table sys_webhook (
    id integer primary key,
    name text not null,
    url text not null,
    events text not null,
    secret text not null,
    former_secret text,
    former_until integer,
    is_active integer not null,
    failures integer not null,
    failing_since integer,
    hold_until integer,
    stopped_why text,
    made_by integer not null,
    made_at integer not null
) strict;
create unique index ux_sys_webhook_name on sys_webhook (name);

create table sys_delivery (
    id integer primary key,
    webhook integer not null,
    type text not null,
    body text not null,
    state text not null,
    attempts integer not null,
    status integer,
    error text,
    took_ms integer,
    run integer,
    step text,
    made_at integer not null,
    sent_at integer
) strict;
create index ix_sys_delivery_webhook on sys_delivery (webhook, id);
create index ix_sys_delivery_made on sys_delivery (made_at);
