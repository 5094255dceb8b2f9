# What an automation would have done.

what-if-title = What if
what-if-text = An automation is run over the last days in a copy of the workspace: what happened then is done once more, as the records were. Nothing is changed here, and nothing is sent.
what-if-none = (the definition below)
what-if-days = Days back
what-if-definition = New or changed definition
what-if-definition-help = Documents of kind: automation, as they would stand in a file. One with the id of an automation in force takes its place. Empty: the automation above as it is.
what-if-others = Run all other automations once more too, instead of taking what they did as it was
what-if-ask = Ask
what-if-answer = Answer
what-if-events = { $count ->
    [one] 1 event
   *[other] { $count } events
  }
what-if-fired = { $count ->
    [0] It would not have begun at all.
    [one] It would have begun once.
   *[other] It would have begun { $count } times.
  }
what-if-changed = Changed: { $list }
what-if-created = Made: { $list }
what-if-deleted = Deleted: { $list }
what-if-mails = { $count ->
    [one] 1 e-mail sent
   *[other] { $count } e-mails sent
  }
what-if-messages = { $count ->
    [one] 1 message to an endpoint
   *[other] { $count } messages to endpoints
  }
what-if-notifications = { $count ->
    [one] 1 notification
   *[other] { $count } notifications
  }
what-if-listed = { $shown } of { $all }
what-if-effects = What it would have changed
what-if-no-effects = It would have changed nothing.
what-if-what = What
what-if-before = Before
what-if-after = After
what-if-kind-create = made
what-if-kind-update = changed
what-if-kind-delete = deleted
what-if-kind-restore = restored
what-if-passed = Not done once more
what-if-passed-text = Events that happened and could not be repeated in the copy.
what-if-passed-refused = Refused, as the record stood by then: { $detail }
what-if-passed-gone = The record is not there, or its past is not kept ({ $detail })
what-if-passed-no-history = No history is kept ({ $detail })
what-if-count = How often
what-if-example = For example
what-if-shorter-kept = Less than asked for: older events are no longer kept.
what-if-shorter-many = Less than asked for: there are more events than are played again.
what-if-shorter-time = Less than asked for: it took too long. On the command line there is no limit.
