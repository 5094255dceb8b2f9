-- Rows of the history are kept in the order in which they come: those of one save lie beside those of the saves before and
-- after it, so that a commit writes few pages. Where they lay by record, each save of an old record split a full page.
create table sys_history_in_order (
    record integer not null,
    version integer not null,
    entity text not null,
    action text not null,
    at integer not null,
    actor integer not null,
    actor_kind text not null,
    changes text not null
) strict;
insert into sys_history_in_order (record, version, entity, action, at, actor, actor_kind, changes)
    select record, version, entity, action, at, actor, actor_kind, changes from sys_history order by at, record, version;
drop table sys_history;
alter table sys_history_in_order rename to sys_history;
-- A save writes one version once: it names the version it replaces. An index that looks for doubles costs each save a search.
create index ix_sys_history_record on sys_history (record);
