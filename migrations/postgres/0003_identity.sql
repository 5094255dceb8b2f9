-- Raised by whatever changes who may sign in or what they are: people, teams, passwords, sessions and tokens that end.
-- What a process remembers of an older number is forgotten.
create table sys_identity (
    id bigint primary key check (id = 1),
    epoch bigint not null
);
insert into sys_identity (id, epoch) values (1, 1);

-- Addresses a token may be used from, separated by commas; empty means everywhere.
alter table sys_token add column networks text collate "C" not null default '';
-- Tokens made before there were scopes keep what they had.
update sys_token set scopes = '["admin"]' where scopes = '[]';
