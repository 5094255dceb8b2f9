# What people are told.

notifications-title = 通知
notifications-bell = { $count ->
    [0] 通知
   *[other] 通知：{ $count } 条未读
  }
notifications-all = 全部
notifications-unread = 未读
notifications-read-all = 全部标为已读
notifications-mark-read = 标为已读
notifications-mark-unread = 标为未读
notifications-open = 打开
notifications-new = 新：
notifications-older = 更早的通知
notifications-none = 还没有给您的通知。
notifications-none-unread = 您已全部读完。
notification-automation-paused = 自动化 { $name } 在一分钟内启动超过 { $detail } 次，已暂停。请在“自动化”中查看。
