# 假如：自动化本会做什么。

what-if-title = 假如
what-if-text = 在工作区的副本中，让自动化在最近几天里再运行一遍：当时发生的事按记录当时的样子重做。这里什么都不会改变，也不会发送任何内容。
what-if-none = （下面的定义）
what-if-days = 回溯天数
what-if-definition = 新的或修改后的定义
what-if-definition-help = kind: automation 的文档，与文件中的写法相同。与现有自动化 id 相同的会取代它。留空则按上面所选的自动化原样运行。
what-if-others = 其他自动化也重新运行一遍，而不是按它们当时的结果处理
what-if-ask = 询问
what-if-answer = 结果
what-if-events = { $count } 个事件
what-if-fired = { $count ->
    [0] 一次也不会开始。
   *[other] 会开始 { $count } 次。
  }
what-if-changed = 修改：{ $list }
what-if-created = 新建：{ $list }
what-if-deleted = 删除：{ $list }
what-if-mails = 发送 { $count } 封电子邮件
what-if-messages = 向端点发送 { $count } 条消息
what-if-notifications = { $count } 条通知
what-if-listed = 共 { $all } 条，显示 { $shown } 条
what-if-effects = 会改变的内容
what-if-no-effects = 什么都不会改变。
what-if-what = 内容
what-if-before = 之前
what-if-after = 之后
what-if-kind-create = 新建
what-if-kind-update = 修改
what-if-kind-delete = 删除
what-if-kind-restore = 恢复
what-if-passed = 未能重做
what-if-passed-text = 当时发生、但在副本中无法重复的事件。
what-if-passed-refused = 按记录那时的状态被拒绝：{ $detail }
what-if-passed-gone = 记录不存在，或其过去未被保留（{ $detail }）
what-if-passed-no-history = 未保留历史（{ $detail }）
what-if-count = 次数
what-if-example = 例如
what-if-shorter-kept = 少于所要求的天数：更早的事件已不再保留。
what-if-shorter-many = 少于所要求的天数：事件多于可重做的数量。
what-if-shorter-time = 少于所要求的天数：用时过长。命令行没有此限制。
