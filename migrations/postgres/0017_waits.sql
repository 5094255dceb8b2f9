-- Until when a run waits (src/store/runs.rs).
alter table sys_run add column wake_at timestamptz;
