# Sign-in, setup, the account page.

sign-in-title = Sign in
sign-in-help = No access? Ask an administrator of this workspace.
sign-in-wrong = E-mail or password is wrong.
sign-in-throttled = Too many attempts. Please wait a little and try again.
sign-in-link-title = Sign in by link
sign-in-link-text = This link signs you in once.
sign-in-link-bad = This link is not valid or has been used.
entry-email = E-mail
entry-name = Your name
entry-password = Password
entry-password-help = At least 8 characters; a sentence of several words is best.
entry-show-password = Show password
entry-language = Language
setup-title = Welcome to Relata
setup-text = Create the first administrator.
setup-action = Create and sign in
setup-closed = Setup is finished. Sign in with your account.
setup-bad-link = This setup link is not valid. The server prints the right one at its start.
account-title = Your account
account-settings = Language and appearance
account-theme = Colours
account-zone = Time zone
account-workspace-default = As the workspace
theme-auto = As the device
theme-light = Light
theme-dark = Dark
account-password = Password
account-current-password = Current password
account-new-password = New password
account-change-password = Change password
account-wrong-password = The current password is wrong.
account-weak-password = Choose a longer or less common password.
account-tokens = API tokens
account-tokens-text = A token lets a program act as you.
account-token-once = Copy the token now. It is not shown again.
token-name = Name
token-name-example = For example: nightly import
token-created = Created
token-used = Last used
token-expires = Expires
token-never = never
token-days = Valid for
token-create = Create token
token-revoke = Revoke
token-bad-name = Give the token a name.
days =
    { $count ->
        [one] One day
       *[other] { $count } days
    }
