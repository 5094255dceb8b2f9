-- Public keys of devices. `counter` is what the device says of its uses, 0 where it does not count.
create table sys_passkey (
    id text primary key,
    user_id integer not null,
    name text not null,
    public_key text not null,
    counter integer not null,
    created_at integer not null,
    used_at integer
) strict, without rowid;
create index ix_sys_passkey_user on sys_passkey (user_id);
