-- Accounts of other servers that people have proved to be theirs.
create table sys_sso_link (
    issuer text collate "C" not null,
    subject text collate "C" not null,
    user_id bigint not null,
    primary key (issuer, subject)
);
create index ix_sys_sso_link_user on sys_sso_link (user_id);
