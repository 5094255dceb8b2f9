# Surveys: the page that is answered without signing in
survey-thanks = Thank you. Your answer has been saved.
survey-edit = Change my answer
survey-send = Send
survey-required = (required)
survey-wrong = Please look at the questions that are marked.
survey-more = A few more questions follow from your answers.
survey-language = Language
survey-closed-title = This link is not open
survey-closed = It may have expired, or not be complete. Open it once more from the message you were sent.

# Surveys: what came back
surveys-title = Surveys
surveys-none = There is no survey here
surveys-none-hint = Surveys are part of the definitions; you see those whose answers you may read.
survey-answered-of = { $answered } of { $asked } answered
survey-ask = Make a link
survey-not-now = Nobody is asked about this record as it stands now.
survey-lately = Whoever is to be asked was asked lately. They can be asked again from { $until } on.
survey-link-hint = Send this link to whom you want to ask. It is open without signing in until it is answered or expires.
survey-all = All answers
survey-period = Asked
survey-all-time = All time
survey-days = Last { $count } days
survey-asked = Asked
survey-answered = Answered
survey-rate = Response rate
survey-value = Value
survey-share = Share
survey-count = Answers
survey-answers =
    { $count ->
        [one] one answer
       *[other] { $count } answers
    }
survey-nps = NPS
survey-csat = CSAT
survey-mean = Mean
survey-no-answers = Nothing to count
survey-no-answers-hint = The survey has no question with choices, or you may not read its answers.
