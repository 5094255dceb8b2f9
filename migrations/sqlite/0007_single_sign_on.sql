-- Accounts of other servers that people have proved to be theirs.
create table sys_sso_link (
    issuer text not null,
    subject text not null,
    user_id integer not null,
    primary key (issuer, subject)
) strict, without rowid;
create index ix_sys_sso_link_user on sys_sso_link (user_id);
