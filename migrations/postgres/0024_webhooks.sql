-- Who is told over HTTP what happens to records, and what was sent (src/store/webhooks.rs). No values of records are in the
-- messages of events; those of automations hold what their definitions name.
create table sys_webhook (
    id bigint primary key,
    name text collate "C" not null,
    url text collate "C" not null,
    events text collate "C" not null,
    secret text collate "C" not null,
    former_secret text collate "C",
    former_until timestamptz,
    is_active boolean not null,
    failures bigint not null,
    failing_since timestamptz,
    hold_until timestamptz,
    stopped_why text collate "C",
    made_by bigint not null,
    made_at timestamptz not null
);
create unique index ux_sys_webhook_name on sys_webhook (name);

create table sys_delivery (
    id bigint primary key,
    webhook bigint not null,
    type text collate "C" not null,
    body text collate "C" not null,
    state text collate "C" not null,
    attempts bigint not null,
    status bigint,
    error text collate "C",
    took_ms bigint,
    run bigint,
    step text collate "C",
    made_at timestamptz not null,
    sent_at timestamptz
);
create index ix_sys_delivery_webhook on sys_delivery (webhook, id);
create index ix_sys_delivery_made on sys_delivery (made_at);
