"""What somebody is answered who texts a keyword."""

from domain.model.keyword import Keyword
from domain.model.message_body import MessageBody
from domain.model.pace import SECOND_US
from domain.model.program import Program

# A confirmation that comes later than this is none (47 CFR 64.1200(a)(12)), and an answer to HELP only puzzles.
REPLY_WITHIN_US = 300 * SECOND_US
# Two machines that answer each other are to stop some time.
HELP_AGAIN_AFTER_US = 600 * SECOND_US


def reply_to(keyword: Keyword, program: Program) -> MessageBody:
    """In the program's own words where it has some."""
    own, usual = {
        Keyword.OPT_OUT: (program.terms.opt_out_reply, "you will get no more texts. Reply START to get them again."),
        Keyword.OPT_IN: (program.terms.opt_in_reply, "you will get texts again. Reply STOP to get no more."),
        Keyword.HELP: (program.terms.help_reply, "reply STOP to get no more texts. Msg & data rates may apply."),
    }[keyword]
    return MessageBody(own or f"{program.name}: {usual}")
