# 假如：自動化本會做什麼。

what-if-title = 假如
what-if-text = 在工作區的副本中，讓自動化在最近幾天裡再執行一遍：當時發生的事按記錄當時的樣子重做。這裡什麼都不會改變，也不會傳送任何內容。
what-if-none = （下面的定義）
what-if-days = 回溯天數
what-if-definition = 新的或修改後的定義
what-if-definition-help = kind: automation 的文件，與檔案中的寫法相同。與現有自動化 id 相同的會取代它。留空則按上面所選的自動化原樣執行。
what-if-others = 其他自動化也重新執行一遍，而不是按它們當時的結果處理
what-if-ask = 詢問
what-if-answer = 結果
what-if-events = { $count } 個事件
what-if-fired = { $count ->
    [0] 一次也不會開始。
   *[other] 會開始 { $count } 次。
  }
what-if-changed = 修改：{ $list }
what-if-created = 新增：{ $list }
what-if-deleted = 刪除：{ $list }
what-if-mails = 傳送 { $count } 封電子郵件
what-if-messages = 向端點傳送 { $count } 則訊息
what-if-notifications = { $count } 則通知
what-if-listed = 共 { $all } 筆，顯示 { $shown } 筆
what-if-effects = 會改變的內容
what-if-no-effects = 什麼都不會改變。
what-if-what = 內容
what-if-before = 之前
what-if-after = 之後
what-if-kind-create = 新增
what-if-kind-update = 修改
what-if-kind-delete = 刪除
what-if-kind-restore = 還原
what-if-passed = 未能重做
what-if-passed-text = 當時發生、但在副本中無法重複的事件。
what-if-passed-refused = 按記錄那時的狀態被拒絕：{ $detail }
what-if-passed-gone = 記錄不存在，或其過去未被保留（{ $detail }）
what-if-passed-no-history = 未保留歷史（{ $detail }）
what-if-count = 次數
what-if-example = 例如
what-if-shorter-kept = 少於所要求的天數：更早的事件已不再保留。
what-if-shorter-many = 少於所要求的天數：事件多於可重做的數量。
what-if-shorter-time = 少於所要求的天數：用時過長。命令列沒有此限制。
