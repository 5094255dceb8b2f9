# 电子邮件：已发送的邮件、模板、拒收的地址，以及程序自己写的内容。

mails-title = 电子邮件
mails-text = 自动化和程序发送的电子邮件。邮件服务器接收之前，会以相同的 Message-ID 再次发送。
mails-no-server = 尚未指定邮件服务器，因此不会发送邮件。请运维人员在配置中设置“mail_host”。
mails-none = 尚未发送任何邮件。
mails-older = 更早的邮件
mail-subject = 主题
mail-to = 收件人
mail-source = 发送方
mail-forgotten = （内容已不再保留）
mail-nothing-kept = 邮件内容未保留。
mail-facts = 发送结果
mail-run = 运行记录
mail-about = 关于
mail-text = 内容
mail-html = HTML 版本
mail-send-again = 再次发送
mail-state-waiting = 等待中
mail-state-sent = 已发送
mail-state-failed = 未能发送
mail-state-held = 已暂停
mail-templates = 模板
mail-template = 模板
mail-template-text = 用一条记录查看模板内容，记录类型：
mail-languages = 语言
mail-language = 语言
mail-in-en = English
mail-in-zh-CN = 简体中文
mail-in-zh-TW = 繁體中文
mail-record = 记录编号
mail-preview = 预览
mail-no-record = 没有这条记录。
mail-stops = 拒收的地址
mail-stops-text = 对方的邮件服务器已永久拒绝这些地址。在您允许之前，不再向它们发送邮件。
mail-release = 恢复发送
mail-release-address = 地址
mail-not-held = 该地址没有被暂停。
mail-test = 测试邮件服务器
mail-test-send = 发送测试邮件
mail-no-address = 这不是电子邮件地址。
done-mail-sent = 邮件已在发送途中。
done-mail-released = 已恢复向该地址发送邮件。
mail-test-subject = 来自 { $workspace } 的测试邮件
mail-test-text = 这封邮件没有内容。它由 { $workspace } 发出，说明发送正常。
mail-invitation-subject = 您在 { $workspace } 的账户
mail-invitation-text =
    { $name }，您好：

    您受邀加入 { $workspace }。请在此设置密码，链接只能使用一次，七天内有效：

    { $link }
