# What people are told.

notifications-title = Notifications
notifications-bell = { $count ->
    [0] Notifications
    [one] Notifications: { $count } unread
   *[other] Notifications: { $count } unread
  }
notifications-all = All
notifications-unread = Unread
notifications-read-all = Mark all as read
notifications-mark-read = Mark as read
notifications-mark-unread = Mark as unread
notifications-open = Open
notifications-new = New:
notifications-older = Older notifications
notifications-none = Nothing was told to you yet.
notifications-none-unread = You have read everything.
notification-automation-paused = The automation { $name } began more than { $detail } times within a minute and is paused. Look at it under Automations.
