-- What is due is found in its order, however much waits (src/store/jobs.rs): by priority, of which there are three.
update sys_job set priority = case when priority > 0 then 1 when priority < 0 then -1 else 0 end;
drop index ix_sys_job_due;
create index ix_sys_job_ready on sys_job (state, priority, run_at, id);
create index ix_sys_job_lease on sys_job (lease_until) where state = 'running';
