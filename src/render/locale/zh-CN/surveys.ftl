# Surveys: the page that is answered without signing in
survey-thanks = 感谢您的答复，已保存。
survey-edit = 修改我的答复
survey-send = 提交
survey-required = （必填）
survey-wrong = 请查看标出的问题。
survey-more = 根据您的回答，还有几个问题。
survey-language = 语言
survey-closed-title = 此链接无法打开
survey-closed = 链接可能已过期或不完整，请从收到的消息中重新打开。

# Surveys: what came back
surveys-title = 调查
surveys-none = 这里没有调查
surveys-none-hint = 调查由定义声明；您只能看到有权查看答复的调查。
survey-answered-of = 已答复 { $answered } / { $asked }
survey-ask = 生成链接
survey-not-now = 以目前的状态，此记录不发起调查。
survey-lately = 最近已邀请过对方，{ $until } 之后才能再次邀请。
survey-link-hint = 把此链接发给您想询问的人。无需登录即可打开，直至答复或过期。
survey-all = 全部答复
survey-period = 邀请时间
survey-all-time = 全部时间
survey-days = 最近 { $count } 天
survey-asked = 已邀请
survey-answered = 已答复
survey-rate = 答复率
survey-value = 值
survey-share = 占比
survey-count = 答复数
survey-answers = { $count } 份答复
survey-nps = NPS
survey-csat = CSAT
survey-mean = 平均
survey-no-answers = 没有可统计的内容
survey-no-answers-hint = 此调查没有选项类问题，或您无权查看其答复。
