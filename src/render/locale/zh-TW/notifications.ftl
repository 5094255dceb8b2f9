# What people are told.

notifications-title = 通知
notifications-bell = { $count ->
    [0] 通知
   *[other] 通知：{ $count } 則未讀
  }
notifications-all = 全部
notifications-unread = 未讀
notifications-read-all = 全部標為已讀
notifications-mark-read = 標為已讀
notifications-mark-unread = 標為未讀
notifications-open = 開啟
notifications-new = 新：
notifications-older = 更早的通知
notifications-none = 還沒有給您的通知。
notifications-none-unread = 您已全部讀完。
notification-automation-paused = 自動化 { $name } 在一分鐘內啟動超過 { $detail } 次，已暫停。請在「自動化」中查看。
