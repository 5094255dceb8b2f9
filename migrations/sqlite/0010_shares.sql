-- Records shared with a person, a team (with those below it) or a role (src/store/shares.rs). What has ended stays until the
-- record is shared again: the moment of a request decides.
create table sys_share (
    id integer primary key,
    entity text not null,
    record integer not null,
    holder text not null,
    may_edit integer not null,
    ends_at integer,
    created_at integer not null,
    created_by integer not null
) strict;
create unique index ux_sys_share_record on sys_share (entity, record, holder);
create index ix_sys_share_holder on sys_share (holder, entity, record, may_edit, ends_at);
