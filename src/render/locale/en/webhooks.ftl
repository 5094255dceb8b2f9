# Endpoints that are told over HTTP what happens to records.

webhooks-title = Webhooks
webhooks-text = Other programs are told over HTTP what happens to records, in messages signed after the Standard Webhooks specification. Messages of events name the record and what changed, no values. What is not taken is sent again, with the same id.
webhooks-none = Nobody is told yet.
webhook-new = New endpoint
webhook-name = Name
webhook-name-help = Lower-case letters, digits, “_” and “-”. Automations call it by this name.
webhook-url = Address
webhook-events = Events
webhook-events-help = One a line: { $examples }. Leave it empty for an endpoint that only automations write to.
webhook-make = Make endpoint
webhook-taken = Another endpoint has this name.
webhook-too-many = There are as many endpoints as there may be.
webhook-state-active = Active
webhook-state-failing = Does not take messages ({ $count ->
    [one] { $count } attempt
   *[other] { $count } attempts
  } failed)
webhook-state-stopped = Stopped by an administrator
webhook-state-gone = Stopped: it said that it is gone
webhook-state-given-up = Stopped: it failed for five days
webhook-secret-once = Messages are signed with this secret. Copy it now: it is not shown again.
webhook-settings = Settings
webhook-former = The former secret ends
webhook-test = Send a test
webhook-stop = Stop
webhook-start = Start
webhook-rotate = New secret
webhook-delete = Delete
webhook-deliveries = Messages
webhook-message = Message
webhook-body = Body
webhook-answer = Answer
webhook-attempts = { $count ->
    [one] { $count } attempt
   *[other] { $count } attempts
  }
webhook-send-again = Send again
webhook-older = Older messages
webhook-none-sent = Nothing was sent yet.
delivery-state-waiting = Waiting
delivery-state-delivered = Delivered
delivery-state-failed = Failed
done-webhook-sent = The message is on its way.
done-webhook-changed = The endpoint is changed.
done-webhook-deleted = The endpoint is gone.
notification-webhook-gone = The endpoint { $name } said that it is gone and is told nothing more. Look at it under Webhooks.
notification-webhook-failing = The endpoint { $name } has not taken a message for five days and is stopped. Look at it under Webhooks.
