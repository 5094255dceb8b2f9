# E-mail: what was sent, templates, addresses that take nothing, and what the program itself writes.

mails-title = E-mail
mails-text = What automations and the program send by e-mail. A message is sent again, with the same Message-ID, until the mail server takes it.
mails-no-server = No mail server is named: nothing is sent. The operator names one with “mail_host” in the configuration.
mails-none = Nothing was sent yet.
mails-older = Older e-mail
mail-subject = Subject
mail-to = To
mail-source = Sent by
mail-forgotten = (no longer kept)
mail-nothing-kept = What it says is not kept.
mail-facts = What became of it
mail-run = the run
mail-about = About
mail-text = What it says
mail-html = As HTML
mail-send-again = Send again
mail-state-waiting = Waiting
mail-state-sent = Sent
mail-state-failed = Not sent
mail-state-held = Held back
mail-templates = Templates
mail-template = Template
mail-template-text = What the template says about one of
mail-languages = Languages
mail-language = Language
mail-in-en = English
mail-in-zh-CN = 简体中文
mail-in-zh-TW = 繁體中文
mail-record = Id of a record
mail-preview = Preview
mail-no-record = There is no such record.
mail-stops = Addresses that take nothing
mail-stops-text = Their mail server refused them for good. Nothing more is written to them until you say so.
mail-release = Write to it again
mail-release-address = Address
mail-not-held = Nothing is held back from this address.
mail-test = Try the mail server
mail-test-send = Send a test
mail-no-address = This is no address of an e-mail.
done-mail-sent = The e-mail is on its way.
done-mail-released = The address is written to again.
mail-test-subject = A test from { $workspace }
mail-test-text = This e-mail says nothing. It came out of { $workspace }, so sending works.
mail-invitation-subject = Your account in { $workspace }
mail-invitation-text =
    Hello { $name },

    you are invited to { $workspace }. Choose a password here; the link works once and for seven days:

    { $link }
