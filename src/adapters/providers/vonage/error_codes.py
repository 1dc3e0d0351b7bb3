"""What Vonage's refusals mean for a text (https://developer.vonage.com/en/api-errors).

Where a country's rules forbid a text, that text alone is refused: the sender may well go on texting other countries.
"""

from collections.abc import Mapping

from domain.model.pace import SECOND_US
from domain.model.send_outcome import Barred, NotSent, Refused, SendOutcome, Throttled, Unknown

# The numbers at the end of a problem's type, and the words that stand there for problems of all of Vonage's APIs.
MESSAGES_API: Mapping[str, SendOutcome] = {
    # The recipient.
    "1040": Refused("invalid-recipient"),
    "1050": Refused("number-barred"),
    "1170": Refused("invalid-recipient"),
    "1190": Refused("number-deactivated"),
    "1200": Refused("unroutable"),  # the number was ported
    "1240": Refused("opted-out-at-provider", opted_out=True),
    "1250": Refused("unroutable"),
    "1251": Refused("unroutable"),
    "1260": Refused("unreachable"),
    "1270": Refused("age-restricted"),
    "1280": Refused("blocked-by-carrier"),
    "1290": Refused("recipient-without-credit"),
    "1300": Refused("not-textable"),
    "1310": Refused("not-textable"),
    "1430": Refused("invalid-recipient"),
    "1474": Refused("country-not-allowed"),
    # The text.
    "1090": Refused("content-refused"),  # too long
    "1210": Refused("filtered"),
    "1282": Refused("content-refused"),
    "1470": Refused("taken-for-fraud"),
    "1473": Refused("taken-for-fraud"),
    "1475": Refused("taken-for-fraud"),
    "1480": Refused("blocked-by-regulation"),
    "1481": Refused("blocked-by-regulation"),
    "1482": Refused("blocked-by-regulation"),
    "1483": Refused("blocked-by-regulation"),
    "1484": Refused("blocked-by-regulation"),
    "2001": Refused("taken-for-fraud"),
    # The request.
    "1010": Refused("request-refused"),
    "1020": Refused("request-refused"),
    "1130": Refused("request-refused"),  # its time to live
    "1410": Refused("request-refused"),
    "1440": Refused("request-refused"),
    "1450": Refused("request-refused"),  # our reference
    "invalid-json": Refused("request-refused"),
    "invalid-params": Refused("request-refused"),
    # Credentials and account.
    "1060": Barred("account-suspended"),
    "1070": Barred("no-credit"),
    "1080": Barred("not-permitted"),
    "1140": Barred("not-permitted"),
    "1160": Barred("account-on-trial"),
    "account-suspended": Barred("account-suspended"),
    "forbidden": Barred("not-permitted"),
    "invalid-api-key": Barred("credentials-refused"),
    "invalid-signature": Barred("credentials-refused"),
    "jwt-expired": Barred("credentials-refused"),  # the hub's clock is wrong
    "jwt-revoked": Barred("credentials-refused"),
    "low-balance": Barred("no-credit"),
    "unauthorized": Barred("credentials-refused"),
    "unprovisioned": Barred("not-permitted"),
    # The sender.
    "1120": Barred("sender-refused"),
    "1242": Barred("sender-refused"),
    "1420": Barred("sender-refused"),
    "1476": Barred("sender-refused"),  # on a list of those that never send
    # What passes. A burst takes a minute to be forgotten, a day's allowance longer.
    "1000": Throttled(),
    "1241": Throttled(60 * SECOND_US),
    "1460": Throttled(900 * SECOND_US),
    "1472": Throttled(60 * SECOND_US),
    "rate-limit": Throttled(),
    "1030": NotSent("provider-error"),
    "1100": NotSent("provider-error"),
    "1180": NotSent("unreachable"),
    "1220": NotSent("unreachable"),
    "1230": NotSent("carrier-error"),
    "1331": NotSent("provider-error"),
    # Vonage does not know itself, or has it already.
    "1320": Unknown("already-sent"),
    "1330": Unknown("carrier-error"),
    "1360": Unknown("expired"),
    "1490": Unknown("not-confirmed"),
}

# The `status` of each part of a text; one that is not 0 says that the part was not taken.
SMS_API: Mapping[str, SendOutcome] = {
    # The recipient.
    "6": Refused("invalid-recipient"),
    "7": Refused("number-barred"),
    "22": Refused("unroutable"),
    "33": Refused("number-deactivated"),
    # The text.
    "12": Refused("content-refused"),  # too long
    "17": Refused("content-refused"),
    # The request.
    "2": Refused("request-refused"),
    "3": Refused("request-refused"),
    # Credentials and account.
    "4": Barred("credentials-refused"),
    "8": Barred("account-suspended"),
    "9": Barred("no-credit"),
    "11": Barred("not-permitted"),  # the account has another interface
    "14": Barred("credentials-refused"),
    "23": Barred("callback-refused"),
    "29": Barred("account-on-trial"),
    "32": Barred("credentials-refused"),
    # The sender.
    "15": Barred("sender-refused"),
    # What passes.
    "1": Throttled(),
    "5": NotSent("provider-error"),
    "10": Throttled(),
}
