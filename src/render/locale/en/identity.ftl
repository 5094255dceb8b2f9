# Sessions, tokens, second factors, invitations: who someone is.

confirm-help = You signed in more than ten minutes ago. Confirm that it is you.
confirm-needed = Give your password: this needs a confirmation that it is you.
sessions-title = Where you are signed in
sessions-text = A session that you end stops working at once.
sessions-end-others = End all other sessions
session-device = Device
session-address = Address
session-began = Signed in
session-seen = Last used
session-end = End
session-own = Signed in here
session-unknown = Unknown device
token-may = It may
token-scope-read = Read everything
token-scope-write = Read and change everything
token-scope-admin = Do all that you may do, but erase people
token-scope-erase = Erase people
token-scope-admin-erase = Do all that you may do, and erase people
token-may-help = Erasing removes what records say of a person, and nothing brings it back. Your password is asked before you erase somebody here; a program with such a token is not asked. Give it only to one that answers requests for erasure.
token-scope-read-one = Read { $entity }
token-scope-write-one = Read and change { $entity }
token-limits = Limit it further
token-entities = Only these
token-networks = Only from these addresses
token-networks-help = Addresses or blocks with commas between them. Empty: from everywhere.
token-for-ever = no end
token-bad-networks = One of the addresses cannot be read.
token-bad-scopes = Choose what the token may do.
done-session-ended = The session has ended.
done-sessions-ended = All other sessions have ended.
sign-in-over = That took too long. Please sign in again.
code-title = Confirm it is you
code-text = Enter the code that your authenticator app shows, or one of your recovery codes.
code-label = Code
code-wrong = The code is wrong or was used already. Wait for the next one.
code-again = Start again
enrol-title = Set up an authenticator app
enrol-forced = Your role needs a second factor. Set it up once to go on.
enrol-text = Scan this picture with an authenticator app on your phone. From then on signing in asks for its code.
enrol-type = Or type this into the app:
enrol-code = Code that the app shows
enrol-action = Confirm
codes-title = Your recovery codes
codes-text = Write these down and keep them safe. Each signs you in once without your phone. They are not shown again.
codes-done = I have kept them
factor-title = Second factor
factor-text = With an authenticator app on your phone, a stolen password alone lets nobody in.
factor-begin = Set up an authenticator app
factor-new-codes = New recovery codes
factor-remove = Remove the second factor
factor-required = Your role must have a second factor.
factor-on =
    { $count ->
        [one] An authenticator app is set up. One recovery code is left.
       *[other] An authenticator app is set up. { $count } recovery codes are left.
    }
done-factor-removed = The second factor was removed.
people-title = People
people-roles = Roles
people-state = State
people-state-active = active
people-state-invited = invited
people-state-no-password = without a password
people-state-inactive = deactivated
people-sessions = Sessions
people-yes = yes
people-no = no
people-invite = Invite someone
people-invite-text = You get a link to pass on. It works once and for seven days.
people-invite-action = Invite
people-link-once = Copy the link now and pass it on. It is not shown again.
people-link-mailed = It was sent to them by e-mail.
people-new-link = New invitation link
people-cannot-invite = This person is not active or has a password already.
people-bad-heir = The records cannot go to this person. Choose someone else who is active.
people-bad-role = There is no such role.
people-required = Second factor as a duty
people-required-text = People of these roles who have none are signed out and set one up when they next sign in.
people-access = Access
people-record = Record
people-end-sessions =
    { $count ->
        [one] End one session
       *[other] End { $count } sessions
    }
people-reset-factor = Remove the second factor
people-reactivate = Let in again
people-deactivate = Deactivate
people-deactivate-text = The person is signed out everywhere at once and can no longer sign in. Their API tokens stop working.
people-held = Records that name this person
people-heir = These go to
people-heir-none = nobody; they stay as they are
invitation-title = Welcome to { $workspace }
invitation-text = Choose a password to finish your account.
invitation-password-help = At least 10 characters; a sentence of several words is best.
invitation-action = Start
invitation-bad = This invitation is not valid, has been used or is over. Ask for a new one.
done-person-active = The person can sign in again.
done-person-inactive =
    { $left ->
        [0] The person can no longer sign in. Records handed over: { $moved }.
       *[other] The person can no longer sign in. Records handed over: { $moved }; refused by rules: { $left }.
    }
sso-with = Sign in with { $name }
sso-going = You go to { $name } to sign in.
sso-go = Continue
sso-refused = Single sign-on did not work. Please try again.
sso-unknown = Your account there is nobody's here. Ask an administrator to invite you.
sso-unreachable = The sign-in service cannot be reached now. Please try again later.
sso-join-title = Confirm that this is you
sso-join-text = { $name } vouches for this address, and someone here has it. Give your password once; from then on { $name } is enough.
sso-join-action = Join the accounts
passkeys-title = Passkeys
passkeys-text = A passkey signs you in with your device's finger, face or number, without a password and without a code.
passkey-name = Name of the device
passkey-name-example = For example: my phone
passkey-default-name = Passkey
passkey-add = Add a passkey
passkey-remove = Remove
passkey-use = Sign in with a passkey
passkey-refused = The passkey was not taken. Please try again.
done-passkey-added = The passkey was added.
done-passkey-removed = The passkey no longer works.
