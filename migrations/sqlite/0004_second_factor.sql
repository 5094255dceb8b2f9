-- What someone is in the middle of proving: between a right password and a code, for example. By the hash of its secret.
create table sys_challenge (
    hash text primary key,
    purpose text not null,
    user_id integer not null,
    data text not null,
    expires_at integer not null
) strict, without rowid;
create index ix_sys_challenge_expires on sys_challenge (expires_at);

-- Codes of an authenticator app (RFC 6238). A code of `last_step` or before is used up.
create table sys_totp (
    user_id integer primary key,
    secret text not null,
    confirmed_at integer,
    last_step integer not null
) strict;

create table sys_recovery_code (
    hash text primary key,
    user_id integer not null
) strict, without rowid;
create index ix_sys_recovery_code_user on sys_recovery_code (user_id);
