-- Public keys of devices. `counter` is what the device says of its uses, 0 where it does not count.
create table sys_passkey (
    id text collate "C" primary key,
    user_id bigint not null,
    name text collate "C" not null,
    public_key text collate "C" not null,
    counter bigint not null,
    created_at timestamptz not null,
    used_at timestamptz
);
create index ix_sys_passkey_user on sys_passkey (user_id);
