-- The person an administrator's session looks through the eyes of: read only, until it is ended.
alter table sys_session add column viewing bigint;
