"""Why a delivery is as it is: each reason's word, which callers rely on, with a sentence for the people who sent it."""

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    # The hub's own.
    "opted-out": "The recipient has asked not to be texted by you.",
    "duplicate": "The same text went to this number a short while ago.",
    "too-many-texts": "This number has got as many of your texts lately as it may.",
    "not-sent-in-time": "It could not be sent before it expired.",
    "quiet-hours": "It is sent when your program's texting hours begin where the recipient is.",
    "throttled": "The provider takes texts more slowly at the moment; it will be sent a little later.",
    "failed-over": "The sender that it was to come from cannot send at the moment, so another of yours does.",
    "not-at-provider": "The provider did not get it.",
    "never-known": "It was sent several times, and each time nobody could tell whether it arrived.",
    "resent-after-unknown": "Nobody could tell whether it was sent, so it is sent again, as your program wants it.",
    "dispatcher-lost": "The hub was interrupted while it sent it, so it may have been sent or not.",
    "restored-from-backup": "The hub was restored from a backup, so it may have been sent since that was made or not.",
    "stopped-while-sending": "The hub was stopped while it sent it, so it may have been sent or not.",
    "provider-adapter-failed": "The hub made a mistake while it sent it, which its log explains.",
    # Where e-mails go in place of texts.
    "mailed-instead": "It was sent by e-mail instead, as the program is being tried out.",
    "mail-refused": "It was to be sent by e-mail instead, and the mail server refused it.",
    "mail-server-away": "It is to be sent by e-mail instead, and the mail server takes none at the moment.",
    "mail-not-set-up": "It was to be sent by e-mail instead, and the hub has no mail server.",
    # The way to the provider.
    "no-connection": "The provider could not be reached.",
    "no-secure-connection": "The provider could not be reached safely.",
    "connection-lost": "The connection broke before the provider answered, so it may have been sent or not.",
    "no-answer": "The provider did not answer, so it may have been sent or not.",
    "server-error": "The provider had a fault while it took it, so it may have been sent or not.",
    "unreadable-answer": "The provider's answer made no sense, so it may have been sent or not.",
    "provider-error": "The provider has a fault at the moment and did not take it.",
    "already-sent": "The provider says that it has it already.",
    # The recipient's number.
    "invalid-recipient": "There is no such phone number.",
    "not-textable": "This number cannot receive texts; it may be a landline.",
    "number-deactivated": "This number is not in use any more.",
    "unknown-handset": "The number is not in use, or its phone is unknown to the carrier.",
    "number-barred": "The provider sends nothing to this number.",
    "unroutable": "The provider has no way to this number.",
    "country-not-allowed": "Your organisation's account may not text this country.",
    "unreachable": "The recipient's phone could not be reached; it may be switched off.",
    "opted-out-at-provider": "The recipient has asked the provider for no more texts from this sender.",
    "blocked-by-recipient": "The recipient has blocked this sender.",
    "recipient-without-credit": "The recipient's prepaid phone has no credit left to receive it.",
    "age-restricted": "The carrier holds such texts back from recipients of this age.",
    # The text.
    "content-refused": "The provider does not send this text because of what it says, or because it is too long.",
    "request-refused": "The provider could not make sense of the hub's request.",
    "filtered": "A carrier's filter took it for an unwanted text.",
    "taken-for-fraud": "The provider's protection against fraud stopped it.",
    "blocked-by-regulation": "The rules of the recipient's country do not allow it from this sender.",
    "partly-sent": "Only a part of it was sent; it is not sent again, as the recipient would get that part twice.",
    "refused-by-provider": "The provider refused it.",
    # The account and the sender.
    "credentials-refused": "The provider does not accept the hub's password.",
    "credentials-unreadable": "The hub cannot read the password that it keeps for the provider.",
    "credentials-unusable": "The password that the hub keeps for the provider is of another kind.",
    "account-not-found": "The provider does not know your organisation's account.",
    "account-suspended": "The provider has suspended your organisation's account.",
    "account-on-trial": "Your organisation's account is on trial and may text only a few numbers.",
    "no-credit": "Your organisation's account has no credit left.",
    "not-permitted": "Your organisation's account may not send texts in this way.",
    "callback-refused": "The provider does not accept the address that its receipts are to go to.",
    "sender-refused": "The provider does not let this sender send texts.",
    "sender-not-registered": "This sender is not registered with the carriers as it must be.",
    "no-sender-in-service": "The messaging service has no number to send from.",
    # What became of it at the carrier.
    "provider-queue-full": "Too many texts were waiting at the provider.",
    "too-fast-for-carrier": "The carrier took no more texts at that moment.",
    "daily-limit-reached": "No more texts may be sent from this sender today.",
    "blocked-by-carrier": "The recipient's carrier blocked it.",
    "carrier-error": "The carrier could not deliver it and does not say why.",
    "not-confirmed": "Nobody could confirm that all of it arrived.",
    "expired": "It did not reach the phone in time.",
    "not-delivered": "The carrier could not deliver it.",
    "failed-at-provider": "The provider could not send it.",
    "canceled-at-provider": "It was canceled at the provider.",
}


def sentence_of(reason: str) -> str | None:
    """None for a word of another version of the hub."""
    return SENTENCES.get(reason)
