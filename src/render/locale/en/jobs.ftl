# The queue of jobs, for administrators.

jobs-title = Jobs
jobs-text = Work that is done later: scripts after the commit and on schedules, computing, keeping house. A job that fails is tried again after a growing pause; after its last attempt it stays here until somebody tries it again or cancels it.
jobs-state = State
jobs-all = All
jobs-state-ready = Waiting
jobs-state-running = Running
jobs-state-dead = Failed
jobs-count = { $count ->
    [one] { $count } job
   *[other] { $count } jobs
  }
jobs-kind = Kind
jobs-about = About
jobs-due = Due
jobs-attempt = Attempt
jobs-of = { $attempt } of { $most }
jobs-error = Last error
jobs-retry = Try again now
jobs-cancel = Cancel
jobs-actions = Actions
jobs-none = No such jobs.
jobs-older = Older jobs
jobs-next = Schedules
jobs-schedule = Schedule
jobs-next-at = Next time
jobs-last-at = Last time
jobs-gone = The job is done or gone already.
jobs-busy = The job is running now.
done-job-retried = The job is tried again now.
done-job-cancelled = The job is cancelled.

# Automations.

automations-title = Automations
automations-text = What follows by itself when something happens to a record, as the definitions say. Runs begin after the save is committed; each step is done exactly once.
automations-none = The definitions have no automations.
automations-paused = Automations began too often within a minute and are paused: { $names }
automation-name = Automation
automation-starts = Starts with
automation-rights = Rights of
automation-runs = Runs
automation-pause = Pause
automation-resume = Resume
automation-caller = Whoever made the change
automation-event-created = created
automation-event-updated = changed
automation-event-deleted = deleted
automation-event-stage = another stage
automation-paused-rate = Paused: began more than { $detail } times within a minute
automation-paused-person = Paused by an administrator
done-automation-paused = The automation is paused.
done-automation-resumed = The automation begins again with the next event.
runs-title = Runs
runs-none = No such runs.
runs-older = Older runs
run-all = All
run-state-running = Under way
run-state-done = Done
run-state-failed = Failed
run-state-cancelled = Cancelled
run-state-skipped = Did not run
run-reason = Reason
run-reason-condition = The condition does not hold: { $detail }
run-reason-loop = It would have started itself again: { $detail }
run-reason-rate = It began more than { $detail } times within a minute
run-reason-refused = Refused: { $detail }
run-reason-definition = It, or its step, is no longer in the definitions
run-reason-gone = The record was deleted
run-reason-crash = Each of the { $detail } times that it was begun the program ended before it was done
run-reason-steps = It took more than { $detail } steps
run-who = On behalf of
run-began = Began
run-ended = Ended
run-next = Next step
run-chain = Led here
run-steps = Steps
run-step = Step
run-input = Input
run-output = Result
automation-event-schedule = by the clock
automation-event-due = a date reached
automation-event-called = called
run-state-waiting = Waiting
run-reason-limit = More than { $detail } records were found
run-waits = Waits until
