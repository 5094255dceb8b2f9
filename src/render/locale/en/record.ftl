# Record pages, forms, history, conflicts.

record-tabs = Parts of the record
record-details = Details
record-history = History
record-in-bin = This record is in the recycle bin.
record-created = Created
record-updated = Changed
related-add = Add
related-all = View all
related-empty = None yet.
history-erase = erased this person's values
history-create = created this
history-update = changed this
history-delete = deleted this
history-restore = restored this
history-older = Show older
history-none = No changes are recorded.
history-system = The system
form-new = New { $entity }
form-edit = Edit { $title }
form-create = Create { $entity }
form-save-new = Save and create another
form-unsaved = Not saved yet
form-saving = Saving…
form-general = General
form-more = More
form-used-twice = This form was already sent. Check whether the record is there, then save again.
conflict-title = Someone changed this record meanwhile
conflict-text = The last change is by { $who }. Nothing of yours was lost. What only one of you changed is put together already; choose for the rest, then save.
conflict-original = Before
conflict-unknown = not known
conflict-mine = Yours
conflict-theirs = Theirs
conflict-save = Save these choices
conflict-take-theirs = Leave mine and open theirs
action-erase = Erase personal values
erase-title = Erase what { $title } says of a person?
erase-text = All personal values leave this record and those that belong to it: also its history, the search, files and the queue. Nothing brings them back, not even an older backup. Amounts, dates and links stay.
erase-confirm = Erase for good
done-erased = Personal values are erased
delete-title = Delete { $title }?
delete-to-bin = It goes to the recycle bin and can be restored there.
delete-for-good = It cannot be restored.
delete-confirm = Delete { $entity }
definitions-broken = The newest definitions have faults; the last good ones are in force.
form-faults =
    { $count ->
        [one] One thing needs your attention
       *[other] { $count } things need your attention
    }
delete-refused =
    { $count ->
        [one] One { $entity } still refers to it.
       *[other] { $count } { $entity } still refer to it.
    }
record-stages = Stages
move-title = Move
move-to = Move to { $stage }
move-heading = Move to { $stage }?
move-missing =
    { $count ->
        [one] One thing before this can move to { $stage }
       *[other] { $count } things before this can move to { $stage }
    }
move-waits =
    { $count ->
        [one] one thing missing
       *[other] { $count } things missing
    }
move-met = Met already
move-fill-in = Fill in { $field }
move-hidden = A condition about something you may not read
move-save = Save and move
move-stay = Save, stay here
move-edit = Change the whole record
move-anyway = Move anyway
move-anyway-text = You may pass over what is missing. The reason is kept with the move.
move-reason = Reason
move-reason-needed = Say in at most 1,000 characters why it moves anyway.
move-stale = Someone changed this record meanwhile. Look at it again, then move it.
move-forbidden = You may read this record, but not move it.
stage-path = Stages of { $pipeline }
stage-here = now
stage-done = done
stage-limit =
    { $count ->
        [one] one day at most
       *[other] { $count } days at most
    }
stage-late = It has been here for longer than it should.
stage-since = In this stage since
stage-tasks = Tasks of this stage
stage-task-required = before it goes on
stage-task-missing = not there
stage-task-done = Mark done
stage-task-open = Open again
stage-task-add = Add
stage-task-of = { $act }: { $subject }
stage-key-fields = Key fields
stages-none = No stages are recorded yet.
stages-stage = Stage
stages-from = From
stages-entered = Entered
stages-stayed = Stayed
stages-by = By
stages-reason = Moved anyway because
stayed-minutes =
    { $count ->
        [one] one minute
       *[other] { $count } minutes
    }
stayed-hours =
    { $count ->
        [one] one hour
       *[other] { $count } hours
    }
stayed-days =
    { $count ->
        [one] one day
       *[other] { $count } days
    }
board-of = Board: { $pipeline }
board-as-list = As a list
board-others = Boards
board-columns = Columns
board-waits = Missing
board-move = Move { $title }
board-empty = Nothing here.
board-more = Next
board-count =
    { $count ->
        [one] one record
       *[other] { $count } records
    }
board-days =
    { $count ->
        [0] since today
        [one] one day
       *[other] { $count } days
    }
duplicate-title =
    { $count ->
        [one] There may be such a record already
       *[other] There may be such records already
    }
duplicate-asked = Nothing is saved yet. Use the record that is there, or save anyway if yours is another one.
duplicate-refused = Nothing was saved: it may be there only once. Use the record that is there.
duplicate-hidden = One of them you may not see. Ask whoever looks after it, or an administrator.
duplicate-likeness = { $percent } % alike
duplicate-new-tab = (in a new tab)
duplicate-save-anyway = Save anyway
action-merge = Merge…
merge-title = Merge
merge-heading = Merge { $title } with another record
merge-text = { $title } stays, { $other } goes into it. Choose the values that stay.
merge-no-difference = All values are the same.
merge-moves = Everything that is linked to the one that goes is linked to the one that stays. The other one goes to the recycle bin; the merge can be undone.
merge-do = Merge
merge-swap = Keep { $other } instead
merge-with = Which record is the same?
merge-none = No other record looks the same.
merge-choose = Choose
merge-other = Another record
merge-other-help = Its address, or its id from the foot of its page.
merge-unknown = There is no such record to merge with.
merge-before = Merged into this record
merge-undo = Undo
merge-undone = undone
merge-back = Back to the record
merge-stale = Somebody changed the record meanwhile. Look at the values again.
merge-clash = Linked records stand in the way ({ $entity }): { $why }
merge-not-allowed = You may not delete or change one of the two.
done-merged =
    { $moved ->
        [one] The records are one now; one link was moved. Undo it under Merge…
       *[other] The records are one now; { $moved } links were moved. Undo it under Merge…
    }
done-unmerged =
    { $left ->
        [0] { $title } is back, and all is as it was.
       *[other] { $title } is back. What was changed since the merge was kept: { $left }.
    }

# Service clocks
clocks-title = Service clocks
span-hours = { $count }h
span-minutes = { $count }m
clock-left = { $time } left
clock-over = overdue by { $time }
clock-held = on hold, { $time } left
clock-used = { $used } of { $limit } used
clock-due = due
clock-was-due = was due
