# The frame around every page, home, search, errors, documentation.

skip-to-content = Skip to content
nav-main = Main navigation
nav-open = Open navigation
nav-close = Close navigation
nav-breadcrumb = You are here
nav-home = Home
nav-search = Search
nav-api = API reference
search-everything = Search everything
action-close = Close
action-cancel = Cancel
action-clear = Clear
action-copy = Copy
action-create = New { $entity }
action-delete = Delete
action-edit = Edit
action-more = More actions
action-restore = Restore
action-retry = Try again
action-save = Save
action-sign-in = Sign in
action-sign-out = Sign out
toast-failed = That did not work. Nothing was lost.
toast-forbidden = You may not do that.
toast-offline = The server cannot be reached.
toast-copied = Copied
done-created = { $title } was created.
done-moved = Moved to { $title }.
done-saved = Your changes were saved.
done-deleted = The record is in the recycle bin.
done-removed = The record was deleted.
done-restored = The record is back.
done-settings = Your settings were saved.
done-password = Your password was changed.
done-revoked = The token no longer works.
done-button = Done.
done-unchanged = Nothing was changed.
home-hello = Hello, { $name }
home-entities = What you keep here
home-no-entities = Nothing is defined yet. Add definitions and run "relata apply".
home-recent = Newest
home-no-recent = What you and others add will show here.
search-title = Search
search-nothing = Nothing found for “{ $query }”.
search-see-all = See all in { $entity }
error-home = Go to the start page
error-request = Request
error-not-found = There is nothing here
error-not-found-text = The page or record does not exist, or you may not see it.
error-forbidden = You may not do that
error-forbidden-text = Ask an administrator if you need it.
error-bad = The request could not be understood
error-busy = The workspace is busy
error-busy-text = Please try again in a moment.
error-failed = Something went wrong on our side
error-failed-text = Nothing you saved before was lost. If it happens again, tell your administrator the number below.
docs-title = API reference
docs-download = OpenAPI document
docs-groups = Contents
docs-start = How to call it
docs-start-text = Make a token on your account page and send it in the header Authorization.
docs-name = Name
docs-type = Type
docs-text = Meaning
docs-parameters = Parameters
docs-body = Body
docs-answers = Answers
docs-example = Example
docs-other = Everything else
time-now = just now
search-found =
    { $count ->
        [one] One record for “{ $query }”
       *[other] { $count } records for “{ $query }”
    }
time-minutes-ago =
    { $count ->
        [one] a minute ago
       *[other] { $count } minutes ago
    }
time-hours-ago =
    { $count ->
        [one] an hour ago
       *[other] { $count } hours ago
    }
time-days-ago =
    { $count ->
        [one] yesterday
       *[other] { $count } days ago
    }
time-in-minutes =
    { $count ->
        [one] in a minute
       *[other] in { $count } minutes
    }
time-in-hours =
    { $count ->
        [one] in an hour
       *[other] in { $count } hours
    }
time-in-days =
    { $count ->
        [one] tomorrow
       *[other] in { $count } days
    }
