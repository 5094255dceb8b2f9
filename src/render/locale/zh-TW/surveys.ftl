# Surveys: the page that is answered without signing in
survey-thanks = 感謝您的答覆，已儲存。
survey-edit = 修改我的答覆
survey-send = 送出
survey-required = （必填）
survey-wrong = 請查看標出的問題。
survey-more = 根據您的回答，還有幾個問題。
survey-language = 語言
survey-closed-title = 此連結無法開啟
survey-closed = 連結可能已過期或不完整，請從收到的訊息中重新開啟。

# Surveys: what came back
surveys-title = 調查
surveys-none = 這裡沒有調查
surveys-none-hint = 調查由定義宣告；您只能看到有權檢視答覆的調查。
survey-answered-of = 已答覆 { $answered } / { $asked }
survey-ask = 產生連結
survey-not-now = 以目前的狀態，此記錄不發起調查。
survey-lately = 最近已邀請過對方，{ $until } 之後才能再次邀請。
survey-link-hint = 把此連結傳給您想詢問的人。無需登入即可開啟，直到答覆或過期。
survey-all = 全部答覆
survey-period = 邀請時間
survey-all-time = 全部時間
survey-days = 最近 { $count } 天
survey-asked = 已邀請
survey-answered = 已答覆
survey-rate = 答覆率
survey-value = 值
survey-share = 占比
survey-count = 答覆數
survey-answers = { $count } 份答覆
survey-nps = NPS
survey-csat = CSAT
survey-mean = 平均
survey-no-answers = 沒有可統計的內容
survey-no-answers-hint = 此調查沒有選項類問題，或您無權檢視其答覆。
