# 電子郵件：已傳送的郵件、範本、拒收的地址，以及程式自己寫的內容。

mails-title = 電子郵件
mails-text = 自動化和程式傳送的電子郵件。郵件伺服器接收之前，會以相同的 Message-ID 再次傳送。
mails-no-server = 尚未指定郵件伺服器，因此不會傳送郵件。請維運人員在設定中填寫「mail_host」。
mails-none = 尚未傳送任何郵件。
mails-older = 更早的郵件
mail-subject = 主旨
mail-to = 收件人
mail-source = 傳送方
mail-forgotten = （內容已不再保留）
mail-nothing-kept = 郵件內容未保留。
mail-facts = 傳送結果
mail-run = 執行記錄
mail-about = 關於
mail-text = 內容
mail-html = HTML 版本
mail-send-again = 再次傳送
mail-state-waiting = 等待中
mail-state-sent = 已傳送
mail-state-failed = 未能傳送
mail-state-held = 已暫停
mail-templates = 範本
mail-template = 範本
mail-template-text = 用一筆記錄檢視範本內容，記錄類型：
mail-languages = 語言
mail-language = 語言
mail-in-en = English
mail-in-zh-CN = 简体中文
mail-in-zh-TW = 繁體中文
mail-record = 記錄編號
mail-preview = 預覽
mail-no-record = 沒有這筆記錄。
mail-stops = 拒收的地址
mail-stops-text = 對方的郵件伺服器已永久拒絕這些地址。在您允許之前，不再向它們傳送郵件。
mail-release = 恢復傳送
mail-release-address = 地址
mail-not-held = 該地址沒有被暫停。
mail-test = 測試郵件伺服器
mail-test-send = 傳送測試郵件
mail-no-address = 這不是電子郵件地址。
done-mail-sent = 郵件已在傳送途中。
done-mail-released = 已恢復向該地址傳送郵件。
mail-test-subject = 來自 { $workspace } 的測試郵件
mail-test-text = 這封郵件沒有內容。它由 { $workspace } 發出，表示傳送正常。
mail-invitation-subject = 您在 { $workspace } 的帳戶
mail-invitation-text =
    { $name }，您好：

    您受邀加入 { $workspace }。請在此設定密碼，連結只能使用一次，七天內有效：

    { $link }
