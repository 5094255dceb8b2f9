-- Events of many records that differ in nothing else are one row: the ids, a JSON array. The row's position is that of the
-- last of them, and those before it are theirs.
alter table sys_outbox add column records text;
