-- What people are told inside the program (src/store/notifications.rs). No value of a record is kept here.
create table sys_notification (
    id integer primary key,
    person integer not null,
    source text not null,
    said text not null,
    entity text,
    record integer,
    at integer not null,
    read_at integer
) strict;
create index ix_sys_notification_person on sys_notification (person, id);
create index ix_sys_notification_unread on sys_notification (person) where read_at is null;
create index ix_sys_notification_at on sys_notification (at);
