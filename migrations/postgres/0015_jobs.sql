-- Jobs of higher priority are claimed first (src/store/jobs.rs).
alter table sys_job add column priority bigint not null default 0;
